/*===- ahead_of_time.c - A decoder without a compiler --------------------===//
 *
 * Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===//
 *
 * One token of a gated delta rule a call, in C, with nothing but an object:
 *
 *   attn-compile examples/mechanisms/gated_deltanet.mlir --state -o step.o
 *   gcc -I. examples/embed/ahead_of_time.c step.o -o ahead_of_time
 *
 * It reads q, k, v, g and beta of one token after the other from stdin, floats of
 * 8 heads, and writes what the token reads from the state.
 *
 *===----------------------------------------------------------------------===*/

#include "step.h"
#include <stdio.h>

enum { HEADS = 8, CHANNELS = 64 };

static float state[HEADS * CHANNELS * CHANNELS];

int main(void) {
  struct {
    float q[HEADS * CHANNELS], k[HEADS * CHANNELS], v[HEADS * CHANNELS];
    float g[HEADS], beta[HEADS];
  } token;
  float o[HEADS * CHANNELS];
  while (fread(&token, sizeof token, 1, stdin) == 1) {
    int32_t wrong = gated_deltanet(1, token.q, token.k, token.v, token.g,
                                   token.beta, state, o);
    if (wrong) {
      fprintf(stderr, "parameter %d is wrong\n", (int)wrong);
      return 1;
    }
    if (fwrite(o, sizeof o, 1, stdout) != 1)
      return 1;
  }
  return 0;
}
