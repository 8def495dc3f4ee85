//===- GpuRuntime.h - What compiled host code calls of a GPU -*- C++ -*- -===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_GPU_GPURUNTIME_H
#define ATTN_RUNTIME_GPU_GPURUNTIME_H

/// Host code that MLIR's gpu-to-llvm makes calls functions mgpu*, which
/// GpuRuntime.cpp defines on top of the CUDA driver. They return no errors:
/// the first one of a thread is kept, and calls after it do nothing, until
/// attn_gpu_take_error takes it. Work goes to the current context of the
/// thread, or to the primary one of device 0 if there is none, and to the
/// stream that attn_gpu_set_stream names; nothing waits for it.

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#else
#include <stdbool.h>
#endif

/// The stream, a CUstream, of the kernels that this thread launches.
void attn_gpu_set_stream(void *stream);

/// The first error of this thread since the last one was taken, or null. The
/// text is the thread's until its next call.
const char *attn_gpu_take_error(void);

/// What host code calls, as gpu-to-llvm and gpu-module-to-binary write it.
void *mgpuModuleLoad(void *image, size_t size);
void *mgpuModuleLoadJIT(void *image, int optLevel, size_t size);
void mgpuModuleUnload(void *module);
void *mgpuModuleGetFunction(void *module, const char *name);
void mgpuLaunchKernel(void *function, intptr_t gridX, intptr_t gridY,
                      intptr_t gridZ, intptr_t blockX, intptr_t blockY,
                      intptr_t blockZ, int32_t sharedBytes, void *stream,
                      void **parameters, void **extra, size_t count);
void *mgpuStreamCreate(void);
void mgpuStreamDestroy(void *stream);
void mgpuStreamSynchronize(void *stream);
void *mgpuMemAlloc(uint64_t bytes, void *stream, bool isHostShared);
void mgpuMemFree(void *memory, void *stream);

#ifdef __cplusplus
}
#endif

#endif // ATTN_RUNTIME_GPU_GPURUNTIME_H
