/* What a function made by attn-compile says to wrong calls. */
#include "gated_deltanet.h"
#include "deltaproduct.h"
#include "scalars.h"
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

  const double t = 3;
  const uint16_t half[2] = {0}, brain[2] = {0};
  const uint8_t mask[4] = {0};
  const float vector[3] = {1, 2, 3};
  float y, w[3];
  int32_t j;
  double u;
  int32_t wrong = scalars(3, 1.5f, 7, &t, vector, half, brain, mask, &y, &j, &u, w);
  printf("scalars: %d %g %d %g %g\n", wrong, y, j, u, w[2]);
  printf("no result: %d\n", scalars(3, 1.5f, 7, &t, vector, half, brain, mask, &y, NULL, &u, w));
  return 0;
}
