// Compiles a graph and runs it, from C.
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <attn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void check(attn_status status) {
  if (status != ATTN_OK) {
    fprintf(stderr, "c_program: %s\n", attn_last_error());
    exit(1);
  }
}

/// Compiles for a target and runs on q, k, v to o.
static void run(attn_context *context, const char *path, const char *target,
                const DLTensor arguments[3], DLTensor o) {
  attn_callable *callable;
  check(attn_compile_file(context, path, target, NULL, &callable));
  attn_value value;
  check(attn_callable_argument(callable, 1, &value));
  printf("%s: argument 1 is %s, rank %d\n", target, value.name, value.ndim);
  check(attn_run(callable, arguments, 3, &o, 1, NULL));
  check(attn_callable_destroy(callable));
}

enum { H = 8, N = 100, D = 64, SIZE = H * N * D };
static float q[SIZE], k[SIZE], v[SIZE], o[SIZE];
static double exact[SIZE];

int main(int argc, char **argv) {
  int64_t shape[] = {1, H, N, D};
  DLTensor result = {o, {kDLCPU, 0}, 4, {kDLFloat, 32, 1}, shape, NULL, 0};
  DLTensor arguments[] = {result, result, result};
  arguments[0].data = q, arguments[1].data = k, arguments[2].data = v;
  for (int i = 0; i < SIZE; ++i)
    q[i] = sinf(0.37f * i), k[i] = cosf(0.11f * i), v[i] = sinf(0.73f * i);
  attn_context *context;
  check(attn_context_create(ATTN_ABI_VERSION, NULL, &context));
  const char *path = argc > 1 ? argv[1] : "";
  run(context, path, "cpu", arguments, result);
  result.data = exact; // the literal evaluation is in f64
  result.dtype.bits = 64;
  run(context, path, "reference", arguments, result);
  check(attn_context_destroy(context));
  double difference = 0, norm = 0;
  for (int i = 0; i < SIZE; ++i) {
    difference += (o[i] - exact[i]) * (o[i] - exact[i]);
    norm += exact[i] * exact[i];
  }
  puts(norm > 0 && sqrt(difference / norm) < 1e-5 ? "right" : "WRONG");
}
