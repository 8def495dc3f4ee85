//===- HalidePlugin.h - Halide behind a C interface -*- C++ -*- ---------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What libattn-halide.so exports: one function, which gives a table of
// functions. The library holds Halide and the LLVM inside of it, and nothing of
// MLIR; it is opened with RTLD_LOCAL | RTLD_DEEPBIND, so that no symbol of
// either LLVM binds to the other. Nothing is thrown across the interface.
//
// A program is text, one statement a line. A statement that makes something
// gives it a number, `ID = ...`; ids are used after they are made.
//
// | statement | meaning |
// |---|---|
// | ID = size | a size that each call gives, i32, in order |
// | ID = input KIND RANK EXTENT.. | an argument, innermost first |
// | ID = table KIND RANK SIZE.. NUMBER.. | constants in the order of memory |
// | ID = var | an index of functions |
// | ID = domain RANK EXTENT.. | a loop nest, its innermost loop first |
// | ID = rvar DOMAIN NUMBER | an index of a domain |
// | where DOMAIN COND | leaves out the points without COND |
// | ID = const KIND VALUE | -2, 0x1.8p+1, inf, nan |
// | ID = OPERATION KIND ID.. | one of Operations.cpp |
// | ID = load SOURCE INDEX.. | an element; beyond an input, its edge |
// | ID = func KIND RANK VAR.. EXTENT.. VALUE | a function, innermost first |
// | update FUNC INDEX.. VALUE | see below |
// | schedule FUNC HINT.. | how it is computed: Schedule.h |
// | output FUNC | a result, in order |
//
// An update is an assignment at each point, in order, of the domain that its
// indices or its value use, for all values of those of the function's own
// variables that stand in their places.
//
// KIND is i32, i64, b1, u8, f16, bf16, f32 or f64. Operations on floating point
// are those of IEEE 754, but for `muladd`, `fastmul`, `fastadd` and `fastsub`,
// which may be fused and reordered.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_HALIDE_HALIDEPLUGIN_H
#define ATTN_RUNTIME_HALIDE_HALIDEPLUGIN_H

#include <stdint.h>

extern "C" {

/// Memory of a call. Strides count elements; the last dimension of `sizes` is
/// the innermost.
struct attn_halide_buffer {
  void *data;
  int32_t rank;
  const int64_t *sizes, *strides;
};

struct attn_halide_options {
  /// As Halide writes it: "host", "host-opencl", "arm-64-linux".
  const char *target;
  /// The name of an autoscheduler, "Mullapudi2016", or null for the program's
  /// own schedule. `estimate` is then the size that calls are expected to give.
  const char *autoscheduler;
  int32_t estimate;
  /// Where the loops are written as text, or null.
  const char *loops;
};

struct attn_halide_pipeline;

/// Functions that can fail return null or 0 for success, else a text that is
/// freed by `free_text`. All may be called by any number of threads.
struct attn_halide_api {
  char *(*compile)(const char *program, const attn_halide_options *options,
                   attn_halide_pipeline **pipeline);
  /// Runs on memory of this machine: sizes, inputs and outputs in the order of
  /// the program. `threads` of 0 are as many as Halide says.
  char *(*run)(const attn_halide_pipeline *pipeline, const int32_t *sizes,
               const attn_halide_buffer *inputs,
               const attn_halide_buffer *outputs, int32_t threads);
  void (*destroy)(attn_halide_pipeline *pipeline);
  /// Writes an object and a C header of the function `name`.
  char *(*emit)(const char *program, const attn_halide_options *options,
                const char *name, const char *object, const char *header);
  void (*free_text)(char *text);
};

__attribute__((visibility("default"))) const attn_halide_api *
attn_halide_get_api(void);
}

#endif // ATTN_RUNTIME_HALIDE_HALIDEPLUGIN_H
