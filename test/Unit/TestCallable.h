//===- TestCallable.h - Callables for unit tests -*- C++ -*---------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_UNIT_TESTCALLABLE_H
#define ATTN_TEST_UNIT_TESTCALLABLE_H

#include "runtime/engine/Compile.h"
#include "test/Unit/TestGraph.h"

namespace attn {

inline constexpr llvm::StringRef kAttention = R"mlir(
func.func @main(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>) -> tensor<2x?x3xf32> {
  %a = attn.score %q, %k : tensor<2x?x4xf32>, tensor<2x?x4xf32> -> tensor<2x?x?xf32>
  %o = attn.apply %a, %v : tensor<2x?x?xf32>, tensor<2x?x3xf32> -> tensor<2x?x3xf32>
  return %o : tensor<2x?x3xf32>
}
)mlir";

/// A callable of a text, which is right, as the file `run.mlir`.
inline std::shared_ptr<const Callable> compileFor(llvm::StringRef target,
                                                  llvm::StringRef text,
                                                  CompileOptions options = {}) {
  return llvm::cantFail(compileText(text, target, options, "run.mlir"));
}

} // namespace attn

#endif // ATTN_TEST_UNIT_TESTCALLABLE_H
