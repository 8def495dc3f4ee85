//===- Callable.h - A compiled function -*- C++ -*- ---------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_CALLABLE_H
#define ATTN_RUNTIME_ENGINE_CALLABLE_H

#include "runtime/engine/Signature.h"

namespace attn {

struct RunOptions {
  /// Check the contents of masks, decays, gates and segments, at a cost that is
  /// linear in them. Without it, contents that the graph forbids give wrong
  /// numbers. Those of a device are never read.
  bool checkContents = true;
};

/// A compiled function. Callables are immutable: any number of threads may
/// call, each with results and states of its own.
class Callable {
public:
  explicit Callable(Signature signature) : signature(std::move(signature)) {}
  virtual ~Callable() = default;

  const Signature &getSignature() const { return signature; }

  /// Runs the function on memory of the caller, which it neither copies nor
  /// keeps: tensors of the target's device in the order of the signature, whose
  /// strides count elements. The results' memory has the sizes that the
  /// arguments determine, and its former contents do not matter. Wrong memory
  /// is an error before anything is written; without memory for what is
  /// computed in between, results and states that are updated in place hold
  /// anything.
  ///
  /// A result that updates a state (`ResultInfo::state`) may be the state's own
  /// memory, and is then computed in place. If it is other memory, the state is
  /// copied there first and stays as it is. Other states are scratch: what they
  /// hold after the call is not specified.
  virtual llvm::Error run(llvm::ArrayRef<DLTensor> arguments,
                          llvm::ArrayRef<DLTensor> results,
                          const RunOptions &options = {}) const = 0;

  /// Runs the function on arrays of this machine and allocates the results.
  /// States are updated in place: their results share the arguments' memory.
  virtual llvm::Expected<llvm::SmallVector<Array>>
  call(llvm::ArrayRef<Array> arguments) const = 0;

protected:
  Signature signature;
};

} // namespace attn

#endif // ATTN_RUNTIME_ENGINE_CALLABLE_H
