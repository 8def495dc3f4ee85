/* What a function made by attn-compile says to wrong calls. */
#include "gated_deltanet.h"
#include "deltaproduct.h"
#include <stdio.h>

static float q[4096], k[4096], v[4096], g[64], beta[64], s[8 * 64 * 64], o[4096];

int main(void) {
  printf("right: %d\n", gated_deltanet(2, q, k, v, g, beta, s, o));
  printf("no tokens: %d\n", gated_deltanet(0, NULL, NULL, NULL, NULL, NULL, s, NULL));
  printf("negative: %d\n", gated_deltanet(-1, q, k, v, g, beta, s, o));
  printf("no keys: %d\n", gated_deltanet(2, q, NULL, v, g, beta, s, o));
  printf("no state: %d\n", gated_deltanet(2, q, k, v, g, beta, NULL, o));
  printf("no output, no keys: %d\n", gated_deltanet(2, q, NULL, v, g, beta, s, NULL));
  printf("steps: %d\n", deltaproduct(2, 4, q, k, v, g, beta, o));
  printf("broken steps: %d\n", deltaproduct(2, 3, q, k, v, g, beta, o));
  return 0;
}
