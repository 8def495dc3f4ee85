/*===- call.c - Calls an object of Halide's
--------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------===*/

/* o = normalize(q k^T) v of positive numbers: a mean of the rows of v. */

#include "mean.h"
#include <stdio.h>

enum { HEADS = 2, TOKENS = 3, WIDTH = 4 };

static struct halide_buffer_t view(float *data,
                                   struct halide_dimension_t *dims) {
  struct halide_buffer_t buffer = {0};
  const int sizes[] = {WIDTH, TOKENS, HEADS};
  int stride = 1;
  for (int i = 0; i < 3; ++i) {
    dims[i].extent = sizes[i];
    dims[i].stride = stride;
    stride *= sizes[i];
  }
  buffer.host = (uint8_t *)data;
  buffer.type.code = halide_type_float;
  buffer.type.bits = 32;
  buffer.type.lanes = 1;
  buffer.dimensions = 3;
  buffer.dim = dims;
  return buffer;
}

int main(void) {
  float arrays[4][HEADS * TOKENS * WIDTH];
  struct halide_dimension_t dims[4][3] = {{{0}}};
  struct halide_buffer_t views[4];
  for (int i = 0; i < 4; ++i)
    views[i] = view(arrays[i], dims[i]);
  for (int j = 0; j < HEADS * TOKENS * WIDTH; ++j) {
    arrays[0][j] = arrays[1][j] = 1;
    arrays[2][j] = j;
  }
  int code = mean(TOKENS, TOKENS, &views[0], &views[1], &views[2], &views[3]);
  printf("%d: %g %g\n", code, arrays[3][0],
         arrays[3][HEADS * TOKENS * WIDTH - 1]);
  return code;
}
