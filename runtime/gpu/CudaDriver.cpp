//===- CudaDriver.cpp - The CUDA driver, found at run time ---------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/gpu/CudaDriver.h"
#include <cstdlib>
#include <dlfcn.h>

using namespace attn::gpu;

namespace {
/// What loading came to, once for the process.
struct Loaded {
  CudaDriver driver;
  std::string error;

  Loaded();
};
} // namespace

Loaded::Loaded() {
  const char *path = std::getenv("ATTN_CUDA_DRIVER");
  if (!path || !*path)
    path = "libcuda.so.1";
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    error = std::string("no CUDA driver: ") + dlerror();
    return;
  }
  // The driver has its newer versions of functions under names of their own.
  struct Symbol {
    void *function;
    const char *name;
  };
  const Symbol symbols[] = {
      {&driver.cuInit, "cuInit"},
      {&driver.cuGetErrorString, "cuGetErrorString"},
      {&driver.cuDeviceGet, "cuDeviceGet"},
      {&driver.cuDeviceGetAttribute, "cuDeviceGetAttribute"},
      {&driver.cuDevicePrimaryCtxRetain, "cuDevicePrimaryCtxRetain"},
      {&driver.cuCtxGetCurrent, "cuCtxGetCurrent"},
      {&driver.cuCtxSetCurrent, "cuCtxSetCurrent"},
      {&driver.cuModuleLoadDataEx, "cuModuleLoadDataEx"},
      {&driver.cuModuleUnload, "cuModuleUnload"},
      {&driver.cuModuleGetFunction, "cuModuleGetFunction"},
      {&driver.cuFuncSetAttribute, "cuFuncSetAttribute"},
      {&driver.cuLaunchKernel, "cuLaunchKernel"},
      {&driver.cuMemAllocAsync, "cuMemAllocAsync"},
      {&driver.cuMemFreeAsync, "cuMemFreeAsync"},
      {&driver.cuMemcpyHtoDAsync, "cuMemcpyHtoDAsync_v2"},
      {&driver.cuMemcpyDtoHAsync, "cuMemcpyDtoHAsync_v2"},
      {&driver.cuMemcpyDtoDAsync, "cuMemcpyDtoDAsync_v2"},
      {&driver.cuStreamSynchronize, "cuStreamSynchronize"},
  };
  for (const Symbol &symbol : symbols) {
    void *found = dlsym(library, symbol.name);
    if (!found) {
      error =
          std::string("the CUDA driver '") + path + "' has no " + symbol.name;
      return;
    }
    *static_cast<void **>(symbol.function) = found;
  }
  if (int result = driver.cuInit(0))
    error = driver.describe("cuInit", result);
}

const CudaDriver *CudaDriver::get(std::string &error) {
  static const Loaded loaded;
  if (loaded.error.empty())
    return &loaded.driver;
  error = loaded.error;
  return nullptr;
}

std::string CudaDriver::describe(const char *call, Result result) const {
  const char *text = nullptr;
  if (cuGetErrorString(result, &text) || !text)
    text = "unknown error";
  return std::string(call) + ": " + text + " (" + std::to_string(result) + ")";
}
