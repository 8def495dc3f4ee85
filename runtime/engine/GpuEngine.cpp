//===- GpuEngine.cpp - Kernels on an NVIDIA GPU -*- C++ -*- --------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "passes/RegisterDialects.h"
#include "passes/pipelines/GpuPipeline.h"
#include "runtime/array/Error.h"
#include "runtime/engine/Diagnostics.h"
#include "runtime/engine/Engine.h"
#include "runtime/engine/HostFunction.h"
#include "runtime/engine/ObjectCode.h"
#include "runtime/gpu/CudaDriver.h"
#include "runtime/gpu/GpuRuntime.h"

using namespace mlir;

namespace attn {
namespace {

class GpuCallable : public Callable {
public:
  explicit GpuCallable(HostFunction function)
      : Callable(function.getSignature()), function(std::move(function)) {}

  llvm::Error run(ArrayRef<DLTensor> arguments, ArrayRef<DLTensor> results,
                  const RunOptions &options) const override;
  llvm::Expected<SmallVector<Array>>
  call(ArrayRef<Array> arguments) const override;

private:
  HostFunction function;
};

class GpuEngine : public Engine {
public:
  explicit GpuEngine(GpuEngineOptions options) : options(std::move(options)) {}

  llvm::Expected<std::unique_ptr<Callable>>
  compile(ModuleOp module, StringRef entry,
          const CompileHooks &hooks) const override;

private:
  llvm::Error lower(ModuleOp module) const;

  GpuEngineOptions options;
};

} // namespace

//===----------------------------------------------------------------------===//
// Compilation
//===----------------------------------------------------------------------===//

llvm::Error GpuEngine::lower(ModuleOp module) const {
  std::string chip = options.chip;
  if (chip.empty()) {
    auto found = findGpu();
    if (!found)
      return found.takeError();
    chip = *found;
  }
  MLIRContext *context = module.getContext();
  PassManager pm(context);
  pm.addPass(createSymbolDCEPass());
  mlir::attn::GpuPipelineOptions pipeline;
  pipeline.chip = chip;
  pipeline.keepOrder = options.keepOrder;
  mlir::attn::buildGpuPipeline(pm, pipeline);
  return collectErrors(context, "the GPU pipeline failed",
                       [&] { return pm.run(module); });
}

llvm::Expected<std::unique_ptr<Callable>>
GpuEngine::compile(ModuleOp module, StringRef entry,
                   const CompileHooks &hooks) const {
  auto compileModule = [&](ModuleOp code, StringRef packed)
      -> llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> {
    DialectRegistry registry;
    mlir::attn::registerDialects(registry);
    code.getContext()->appendDialectRegistry(registry);
    {
      Stopwatch watch(hooks.times ? &hooks.times->lower : nullptr);
      if (llvm::Error error = lower(code))
        return std::move(error);
    }
    Stopwatch watch(hooks.times ? &hooks.times->llvm : nullptr);
    auto host = CpuModel::getHost();
    if (!host)
      return host.takeError();
    ObjectOptions object;
    object.packed = packed.str();
    return compileObject(code, *host, object);
  };
  MemoryRules rules;
  rules.device = {kDLCUDA, 0};
  auto function =
      HostFunction::create(module, entry, rules, compileModule, hooks);
  if (!function)
    return function.takeError();
  return std::make_unique<GpuCallable>(std::move(*function));
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

static llvm::Error takeError() {
  if (const char *text = attn_gpu_take_error())
    return createError(text);
  return llvm::Error::success();
}

static void releaseMemory(void *memory) { mgpuMemFree(memory, nullptr); }

static int64_t getBytes(const Array &array) {
  return array.getNumElements() * getElementSize(array.getType());
}

/// Driver calls as errors.
static llvm::Error check(const gpu::CudaDriver &driver, const char *call,
                         int result) {
  if (result)
    return createError(driver.describe(call, result));
  return llvm::Error::success();
}

static llvm::Expected<Array> allocate(ElementType type,
                                      ArrayRef<int64_t> shape) {
  auto bytes = getNumBytes(type, shape);
  if (!bytes)
    return bytes.takeError();
  void *memory = mgpuMemAlloc(std::max<int64_t>(*bytes, 1), nullptr, false);
  if (llvm::Error error = takeError())
    return std::move(error);
  return Array::wrap(type, shape, memory,
                     std::shared_ptr<void>(memory, releaseMemory));
}

static llvm::Expected<Array> upload(const gpu::CudaDriver &driver,
                                    const Array &array) {
  auto copy = allocate(array.getType(), array.getShape());
  if (!copy)
    return copy.takeError();
  if (llvm::Error error = check(
          driver, "cuMemcpyHtoDAsync",
          driver.cuMemcpyHtoDAsync(reinterpret_cast<uintptr_t>(copy->getData()),
                                   array.getData(), getBytes(array), nullptr)))
    return std::move(error);
  return copy;
}

static llvm::Error download(const gpu::CudaDriver &driver, const Array &from,
                            const Array &to) {
  return check(driver, "cuMemcpyDtoHAsync",
               driver.cuMemcpyDtoHAsync(
                   to.getData(), reinterpret_cast<uintptr_t>(from.getData()),
                   getBytes(from), nullptr));
}

llvm::Expected<SmallVector<Array>>
GpuCallable::call(ArrayRef<Array> arguments) const {
  if (llvm::Error error = function.check(arguments))
    return std::move(error);
  std::string reason;
  const gpu::CudaDriver *driver = gpu::CudaDriver::get(reason);
  if (!driver)
    return createError(reason);
  SmallVector<Array> copies;
  for (const Array &argument : arguments) {
    auto copy = upload(*driver, argument);
    if (!copy)
      return copy.takeError();
    copies.push_back(std::move(*copy));
  }
  auto computed =
      function.call(copies, {{kDLCUDA, 0}, allocate, releaseMemory});
  if (!computed)
    return computed.takeError();
  if (llvm::Error error = takeError())
    return std::move(error);
  SmallVector<Array> results;
  for (const Array &array : *computed) {
    // States go back to where they came from.
    const auto *state = llvm::find_if(copies, [&](const Array &copy) {
      return copy.getData() == array.getData();
    });
    if (state != copies.end()) {
      results.push_back(arguments[state - copies.begin()]);
    } else {
      auto result = Array::create(array.getType(), array.getShape());
      if (!result)
        return result.takeError();
      results.push_back(std::move(*result));
    }
    if (llvm::Error error = download(*driver, array, results.back()))
      return std::move(error);
  }
  if (llvm::Error error = check(*driver, "cuStreamSynchronize",
                                driver->cuStreamSynchronize(nullptr)))
    return std::move(error);
  return results;
}

llvm::Error GpuCallable::run(ArrayRef<DLTensor> arguments,
                             ArrayRef<DLTensor> results,
                             const RunOptions &options) const {
  if (llvm::Error error =
          function.check(arguments, results, options.checkContents))
    return error;
  std::string reason;
  const gpu::CudaDriver *driver = gpu::CudaDriver::get(reason);
  if (!driver)
    return createError(reason);
  SmallVector<DLTensor, 16> places(arguments);
  for (auto [result, info] : llvm::zip_equal(results, signature.results)) {
    if (info.state < 0)
      continue;
    const DLTensor &state = arguments[info.state];
    int64_t bytes = getNumElements(state) * getElementSize(info.type);
    if (getData(result) != getData(state))
      if (llvm::Error error = check(
              *driver, "cuMemcpyDtoDAsync",
              driver->cuMemcpyDtoDAsync(
                  reinterpret_cast<uintptr_t>(getData(result)),
                  reinterpret_cast<uintptr_t>(getData(state)), bytes, nullptr)))
        return error;
    places[info.state] = result;
  }
  if (llvm::Error error = function.run(places, results))
    return error;
  if (llvm::Error error = takeError())
    return error;
  return check(*driver, "cuStreamSynchronize",
               driver->cuStreamSynchronize(nullptr));
}

llvm::Expected<std::string> findGpu() {
  std::string reason;
  const gpu::CudaDriver *driver = gpu::CudaDriver::get(reason);
  if (!driver)
    return createError(reason);
  // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and MINOR.
  int device = 0, major = 0, minor = 0;
  if (llvm::Error error =
          check(*driver, "cuDeviceGet", driver->cuDeviceGet(&device, 0)))
    return std::move(error);
  for (auto [attribute, value] : {std::pair(75, &major), std::pair(76, &minor)})
    if (llvm::Error error =
            check(*driver, "cuDeviceGetAttribute",
                  driver->cuDeviceGetAttribute(value, attribute, device)))
      return std::move(error);
  return "sm_" + std::to_string(10 * major + minor);
}

std::unique_ptr<Engine> createGpuEngine(GpuEngineOptions options) {
  return std::make_unique<GpuEngine>(std::move(options));
}

} // namespace attn
