//===- Engine.h - From a graph to a callable -*- C++ -*- ----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_ENGINE_H
#define ATTN_RUNTIME_ENGINE_ENGINE_H

#include "mlir/IR/BuiltinOps.h"
#include "runtime/engine/Callable.h"
#include "runtime/engine/HostCode.h"
#include "runtime/engine/Target.h"
#include <memory>

namespace attn {

/// Compiles modules for one target. Neither changes the module, whose context
/// must outlive the callable, and must not be used meanwhile. Compile.h has
/// what needs no context.
class Engine {
public:
  virtual ~Engine() = default;
  virtual llvm::Expected<std::unique_ptr<Callable>>
  compile(mlir::ModuleOp module, llvm::StringRef entry,
          const CompileHooks &hooks = {}) const = 0;
};

/// How recurrences are computed: by cost, or all tokens in one chunk, in
/// chunks, one token at a time.
enum class Form { Auto, Quadratic, Chunkwise, Recurrent };

struct CpuEngineOptions {
  /// 0: as many as OpenMP says.
  int threads = 0;
  int optLevel = 3;
  /// Leave the graph as it is written: no reassociation.
  bool keepOrder = false;
  /// The form of recurrences, and the tokens in a chunk; 0 is by cost.
  Form form = Form::Auto;
  int64_t chunk = 0;
  /// Give scores that the function returns an N x M buffer.
  bool allowQuadratic = false;
  /// Take tensors of any strides but the last dimension's, which is 1; else
  /// tensors are dense, which is faster by what the addresses cost. States are
  /// always dense.
  bool strided = false;
  /// Print the IR after each stage into this folder; none if empty.
  std::string dumpDirectory;
  /// A CPU as LLVM names it, whose code runs here; this machine's if empty.
  std::string cpu;
};

struct GpuEngineOptions {
  /// Such as sm_90; that of device 0 if empty.
  std::string chip;
  /// Leave the graph as it is written: no reassociation.
  bool keepOrder = false;
};

struct HalideEngineOptions {
  /// As Halide writes targets, "host-opencl"; this machine's CPU if empty.
  std::string target;
  /// The name of one of Halide's autoschedulers; our own schedule if empty. It
  /// is told that a call's open sizes are `estimate`.
  std::string autoscheduler;
  int64_t estimate = 4096;
  /// 0: as many as Halide says.
  int threads = 0;
  /// Leave the graph as it is written: no reassociation.
  bool keepOrder = false;
  /// Give scores that the function returns an N x M buffer.
  bool allowQuadratic = false;
  /// Write the program and its loops into this folder; none if empty.
  std::string dumpDirectory;
};

/// Options of the engine of any target. Those of CPUs that another target has
/// no use for are ignored.
struct EngineOptions : CpuEngineOptions {
  /// For halide: one of its autoschedulers, or empty.
  std::string autoscheduler;
};

/// MLIR's CPU pipeline and ORC.
std::unique_ptr<Engine> createCpuEngine(CpuEngineOptions options = {});
/// Kernels on the current CUDA device, arrays copied there and back.
std::unique_ptr<Engine> createGpuEngine(GpuEngineOptions options = {});
/// Compiles for one of Halide's targets, with Halide's code generator: an error
/// of the compilation where this build has no Halide, or the machine no such
/// device. Its calls take strided tensors of this machine.
std::unique_ptr<Engine> createHalideEngine(HalideEngineOptions options = {});
/// The literal f64 evaluation; results are f64.
std::unique_ptr<Engine> createReferenceEngine();
/// The engine of a target, whose `model` overrides that of the options;
/// `strided` is an error on a GPU.
llvm::Expected<std::unique_ptr<Engine>>
createEngine(const Target &target, const EngineOptions &options = {});
/// The architecture of device 0; an error that says what is missing.
llvm::Expected<std::string> findGpu();

} // namespace attn

#endif // ATTN_RUNTIME_ENGINE_ENGINE_H
