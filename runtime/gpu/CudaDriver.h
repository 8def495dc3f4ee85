//===- CudaDriver.h - The CUDA driver, found at run time -*- C++ -*- -----===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_GPU_CUDADRIVER_H
#define ATTN_RUNTIME_GPU_CUDADRIVER_H

#include <cstddef>
#include <cstdint>
#include <string>

namespace attn::gpu {

/// The functions of the CUDA driver that we call, by their names in cuda.h, of
/// which nothing is needed to build or to start: the driver's library is loaded
/// when a kernel is first used. No exceptions, no LLVM: what is compiled ahead
/// of time links this.
struct CudaDriver {
  using Result = int;
  using Device = int;
  using Pointer = uint64_t;
  using Handle = void *;

  Result (*cuInit)(unsigned flags);
  Result (*cuGetErrorString)(Result result, const char **text);
  Result (*cuDeviceGet)(Device *device, int ordinal);
  Result (*cuDeviceGetAttribute)(int *value, int attribute, Device device);
  Result (*cuDevicePrimaryCtxRetain)(Handle *context, Device device);
  Result (*cuCtxGetCurrent)(Handle *context);
  Result (*cuCtxSetCurrent)(Handle context);
  Result (*cuModuleLoadDataEx)(Handle *module, const void *image,
                               unsigned numOptions, int *options,
                               void **values);
  Result (*cuModuleUnload)(Handle module);
  Result (*cuModuleGetFunction)(Handle *function, Handle module,
                                const char *name);
  Result (*cuFuncSetAttribute)(Handle function, int attribute, int value);
  Result (*cuLaunchKernel)(Handle function, unsigned gridX, unsigned gridY,
                           unsigned gridZ, unsigned blockX, unsigned blockY,
                           unsigned blockZ, unsigned sharedBytes, Handle stream,
                           void **parameters, void **extra);
  Result (*cuMemAllocAsync)(Pointer *memory, size_t bytes, Handle stream);
  Result (*cuMemFreeAsync)(Pointer memory, Handle stream);
  Result (*cuMemcpyHtoDAsync)(Pointer to, const void *from, size_t bytes,
                              Handle stream);
  Result (*cuMemcpyDtoHAsync)(void *to, Pointer from, size_t bytes,
                              Handle stream);
  Result (*cuMemcpyDtoDAsync)(Pointer to, Pointer from, size_t bytes,
                              Handle stream);
  Result (*cuStreamSynchronize)(Handle stream);

  /// The driver, initialised; null with the reason if there is none. The
  /// environment variable ATTN_CUDA_DRIVER names another library.
  static const CudaDriver *get(std::string &error);

  /// "cuMemAllocAsync: out of memory (2)"
  std::string describe(const char *call, Result result) const;
};

} // namespace attn::gpu

#endif // ATTN_RUNTIME_GPU_CUDADRIVER_H
