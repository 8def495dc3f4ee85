//===- GpuRuntime.cpp - What compiled host code calls of a GPU -----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/gpu/GpuRuntime.h"
#include "runtime/gpu/CudaDriver.h"
#include <map>
#include <mutex>

using namespace attn::gpu;
using Handle = CudaDriver::Handle;

namespace {
/// What a thread has said and met.
struct ThreadState {
  Handle stream = nullptr;
  std::string error, taken;
  bool failed = false;
};
thread_local ThreadState state;

void fail(std::string text) {
  if (state.failed)
    return;
  state.failed = true;
  state.error = std::move(text);
}

/// The driver with a context, or null after an error.
const CudaDriver *getDriver() {
  if (state.failed)
    return nullptr;
  std::string error;
  const CudaDriver *driver = CudaDriver::get(error);
  if (!driver) {
    fail(std::move(error));
    return nullptr;
  }
  Handle context = nullptr;
  int result = driver->cuCtxGetCurrent(&context);
  if (!result && !context) {
    int device;
    result = driver->cuDeviceGet(&device, 0);
    if (!result)
      result = driver->cuDevicePrimaryCtxRetain(&context, device);
    if (!result)
      result = driver->cuCtxSetCurrent(context);
  }
  if (!result)
    return driver;
  fail(driver->describe("no CUDA context", result));
  return nullptr;
}

bool check(const CudaDriver *driver, const char *call, int result) {
  if (result)
    fail(driver->describe(call, result));
  return result == 0;
}

/// Code that is loaded when a context first needs it: programs may start, and
/// constructors run, without a driver.
class Module {
public:
  explicit Module(const void *image) : image(image) {}
  ~Module();

  Handle getFunction(const char *name);

private:
  Handle load(const CudaDriver *driver, Handle context);

  const void *image;
  std::mutex mutex;
  /// By context.
  std::map<Handle, Handle> modules;
  std::map<std::pair<Handle, std::string>, Handle> functions;
};
} // namespace

/// PTX is compiled by the driver; what that says of errors is worth more than
/// their number.
Handle Module::load(const CudaDriver *driver, Handle context) {
  auto known = modules.find(context);
  if (known != modules.end())
    return known->second;
  char log[4096] = {};
  // CU_JIT_ERROR_LOG_BUFFER and its size.
  int options[] = {5, 6};
  void *values[] = {log, reinterpret_cast<void *>(sizeof(log))};
  Handle module = nullptr;
  int result = driver->cuModuleLoadDataEx(&module, image, 2, options, values);
  if (result) {
    log[sizeof(log) - 1] = 0;
    std::string text = driver->describe("cuModuleLoadDataEx", result);
    if (*log)
      text += std::string(": ") + log;
    fail(std::move(text));
    return nullptr;
  }
  modules[context] = module;
  return module;
}

Handle Module::getFunction(const char *name) {
  const CudaDriver *driver = getDriver();
  Handle context = nullptr;
  if (!driver ||
      !check(driver, "cuCtxGetCurrent", driver->cuCtxGetCurrent(&context)))
    return nullptr;
  std::lock_guard<std::mutex> lock(mutex);
  Handle &function = functions[{context, name}];
  if (function)
    return function;
  Handle module = load(driver, context);
  if (!module || !check(driver, "cuModuleGetFunction",
                        driver->cuModuleGetFunction(&function, module, name)))
    function = nullptr;
  return function;
}

Module::~Module() {
  std::string error;
  const CudaDriver *driver = modules.empty() ? nullptr : CudaDriver::get(error);
  // The driver may be gone at the end of the process: nothing to report then.
  for (auto [context, module] : modules)
    if (driver && !driver->cuCtxSetCurrent(context))
      (void)driver->cuModuleUnload(module);
}

extern "C" {

void attn_gpu_set_stream(void *stream) { state.stream = stream; }

const char *attn_gpu_take_error(void) {
  if (!state.failed)
    return nullptr;
  state.failed = false;
  state.taken = std::move(state.error);
  return state.taken.c_str();
}

void *mgpuModuleLoad(void *image, size_t) { return new Module(image); }
void *mgpuModuleLoadJIT(void *image, int, size_t) { return new Module(image); }
void mgpuModuleUnload(void *module) { delete static_cast<Module *>(module); }

void *mgpuModuleGetFunction(void *module, const char *name) {
  return static_cast<Module *>(module)->getFunction(name);
}

void mgpuLaunchKernel(void *function, intptr_t gridX, intptr_t gridY,
                      intptr_t gridZ, intptr_t blockX, intptr_t blockY,
                      intptr_t blockZ, int32_t sharedBytes, void *stream,
                      void **parameters, void **extra, size_t) {
  const CudaDriver *driver = getDriver();
  // Nothing to do for no elements, which the driver refuses.
  if (!driver || !function || gridX * gridY * gridZ == 0)
    return;
  // More than a kernel has unasked:
  // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES.
  if (sharedBytes > 48 * 1024 &&
      !check(driver, "cuFuncSetAttribute",
             driver->cuFuncSetAttribute(function, 8, sharedBytes)))
    return;
  check(driver, "cuLaunchKernel",
        driver->cuLaunchKernel(function, gridX, gridY, gridZ, blockX, blockY,
                               blockZ, sharedBytes, stream, parameters, extra));
}

// The stream is the caller's, and so is the time to wait for it.
void *mgpuStreamCreate() { return state.stream; }
void mgpuStreamDestroy(void *) {}
void mgpuStreamSynchronize(void *) {}

void *mgpuMemAlloc(uint64_t bytes, void *stream, bool) {
  const CudaDriver *driver = getDriver();
  CudaDriver::Pointer memory = 0;
  if (!driver || bytes == 0 ||
      !check(driver, "cuMemAllocAsync",
             driver->cuMemAllocAsync(&memory, bytes, stream)))
    return nullptr;
  return reinterpret_cast<void *>(memory);
}

void mgpuMemFree(void *memory, void *stream) {
  // Behind an error as well: what came before it has memory.
  std::string error;
  const CudaDriver *driver = memory ? CudaDriver::get(error) : nullptr;
  if (driver)
    check(driver, "cuMemFreeAsync",
          driver->cuMemFreeAsync(reinterpret_cast<uintptr_t>(memory), stream));
}

} // extern "C"
