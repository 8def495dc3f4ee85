//===- fake_cuda.c - A CUDA driver without a GPU --------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Memory is the host's, kernels do nothing, and each call is printed to stderr.
// FAKE_CUDA_FAIL=name makes the function of that name return 2, out of memory.
//
//===----------------------------------------------------------------------===//

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int trace(const char *name) {
  const char *failing = getenv("FAKE_CUDA_FAIL");
  fprintf(stderr, "fake: %s\n", name);
  return failing && !strcmp(failing, name) ? 2 : 0;
}

static void *current;

int cuInit(unsigned flags) { return trace(__func__); }
int cuGetErrorString(int result, const char **text) {
  *text = result == 2 ? "out of memory" : "some error";
  return 0;
}
int cuDeviceGet(int *device, int ordinal) {
  *device = ordinal;
  return trace(__func__);
}
int cuDeviceGetAttribute(int *value, int attribute, int device) {
  *value = attribute == 75 ? 9 : 0;
  return trace(__func__);
}
int cuDevicePrimaryCtxRetain(void **context, int device) {
  static int primary;
  *context = &primary;
  return trace(__func__);
}
int cuCtxGetCurrent(void **context) {
  *context = current;
  return 0;
}
int cuCtxSetCurrent(void *context) {
  current = context;
  return trace(__func__);
}
int cuModuleLoadDataEx(void **module, const void *image, unsigned count,
                       int *options, void **values) {
  static int loaded;
  *module = &loaded;
  int result = trace(__func__);
  if (result && count > 0)
    strcpy(values[0], "ptxas: what the compiler says");
  return result;
}
int cuModuleUnload(void *module) { return trace(__func__); }
int cuModuleGetFunction(void **function, void *module, const char *name) {
  *function = module;
  fprintf(stderr, "fake: kernel %s\n", name);
  return trace(__func__);
}
int cuFuncSetAttribute(void *function, int attribute, int value) {
  fprintf(stderr, "fake: attribute %d = %d\n", attribute, value);
  return trace(__func__);
}
int cuLaunchKernel(void *function, unsigned gridX, unsigned gridY,
                   unsigned gridZ, unsigned blockX, unsigned blockY,
                   unsigned blockZ, unsigned shared, void *stream,
                   void **parameters, void **extra) {
  fprintf(stderr, "fake: launch (%u, %u, %u) of (%u, %u, %u)\n", gridX, gridY,
          gridZ, blockX, blockY, blockZ);
  return trace(__func__);
}
int cuMemAllocAsync(uint64_t *memory, size_t bytes, void *stream) {
  int result = trace(__func__);
  *memory = result ? 0 : (uint64_t)calloc(1, bytes);
  return result;
}
int cuMemFreeAsync(uint64_t memory, void *stream) {
  free((void *)memory);
  return trace(__func__);
}
int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes,
                         void *stream) {
  memcpy((void *)to, from, bytes);
  return trace(__func__);
}
int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *stream) {
  memcpy(to, (void *)from, bytes);
  return trace(__func__);
}
int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes,
                         void *stream) {
  memcpy((void *)to, (void *)from, bytes);
  return trace(__func__);
}
int cuStreamSynchronize(void *stream) { return trace(__func__); }
