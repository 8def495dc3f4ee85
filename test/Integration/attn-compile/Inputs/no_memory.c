/* Lets every allocation of a function fail once: linked with --wrap. */
#include "scratch.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int calls, failing, living;

void *__real_malloc(size_t bytes);
void __real_free(void *memory);
void *__wrap_malloc(size_t bytes);
void __wrap_free(void *memory);

void *__wrap_malloc(size_t bytes) {
  if (__atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) == failing)
    return NULL;
  __atomic_add_fetch(&living, 1, __ATOMIC_RELAXED);
  return __real_malloc(bytes);
}

void __wrap_free(void *memory) {
  if (memory)
    __atomic_sub_fetch(&living, 1, __ATOMIC_RELAXED);
  __real_free(memory);
}

enum { N = 2 };
static float q[2 * N * 4096], k[2 * N * 4096], v[2 * N * 64], g[2 * N];
static float expected[2 * N * 64], o[2 * N * 64];

static int call(float *output, int fail) {
  calls = 0;
  failing = fail;
  int status = scratch(N, q, k, v, g, output);
  if (living)
    printf("%d allocations are left\n", living);
  return status;
}

int main(void) {
  for (int i = 0; i < 2 * N * 4096; ++i) {
    q[i] = (float)(i % 7 - 3) / 64;
    k[i] = (float)(i % 5 - 2) / 64;
  }
  for (int i = 0; i < 2 * N * 64; ++i)
    v[i] = (float)(i % 3 - 1);
  printf("with memory: %d\n", call(expected, 0));
  int count = calls;
  printf("allocations: %d\n", count);
  for (int fail = 1; fail <= count; ++fail) {
    int without = call(o, fail), with = call(o, 0);
    printf("without: %d, next: %d, %s\n", without, with,
           memcmp(o, expected, sizeof(o)) ? "WRONG" : "right");
  }
  return 0;
}
