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

#ifdef __cplusplus
extern "C" {
#endif

/// The stream, a CUstream, of the kernels that this thread launches.
void attn_gpu_set_stream(void *stream);

/// The first error of this thread since the last one was taken, or null. The
/// text is the thread's until its next call.
const char *attn_gpu_take_error(void);

#ifdef __cplusplus
}
#endif

#endif // ATTN_RUNTIME_GPU_GPURUNTIME_H
