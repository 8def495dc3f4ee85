//===- attn.h - Attention from C ------------------------------*- C -*- ---===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// Compiles graphs of attention from text and runs them on DLPack tensors.
///
/// - Functions return ATTN_OK or another status; attn_last_error() then says
///   what was expected and what came. No exception leaves a function, and after
///   an error the next call works.
/// - Any number of threads may call any function at once.
/// - Handles are never reused: a handle that was destroyed, of the wrong kind
/// or
///   null is ATTN_BAD_HANDLE. What is destroyed while others use it is freed
///   when they are done.
/// - Structs of options begin with their size, so that later versions can add
///   fields at the end. Zero is the default of every field.

#ifndef ATTN_H
#define ATTN_H

#include <dlpack/dlpack.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Of this header. Functions and fields are only added within a version.
#define ATTN_ABI_VERSION 1

typedef enum attn_status {
  ATTN_OK = 0,
  /// What was asked cannot be done.
  ATTN_ERROR = 1,
  /// No living handle of this kind.
  ATTN_BAD_HANDLE = 2,
  /// A null pointer, a number out of range or a struct of another size.
  ATTN_BAD_ARGUMENT = 3
} attn_status;

/// Compiles and keeps what it compiled.
typedef struct attn_context attn_context;
/// A compiled function. Outlives the context.
typedef struct attn_callable attn_callable;

/// That of the library; a program whose header has another is refused by
/// attn_context_create.
uint32_t attn_abi_version(void);
/// "0.1.0"
const char *attn_version(void);
/// What went wrong in the last function of this thread that failed, never null.
/// The text is valid until the next function that fails in this thread.
const char *attn_last_error(void);

//===----------------------------------------------------------------------===//
// Contexts
//===----------------------------------------------------------------------===//

typedef struct attn_context_options {
  /// sizeof(attn_context_options)
  size_t size;
  /// The folder of object code between processes: none if null; "" is the
  /// user's, ~/.cache/attn. One that cannot be used is a warning of callables.
  const char *cache_directory;
  /// Its bytes; 0 is 256 MiB.
  uint64_t cache_bytes;
} attn_context_options;

/// `abi_version` is ATTN_ABI_VERSION; `options` may be null.
attn_status attn_context_create(uint32_t abi_version,
                                const attn_context_options *options,
                                attn_context **context);
attn_status attn_context_destroy(attn_context *context);

//===----------------------------------------------------------------------===//
// Compilation
//===----------------------------------------------------------------------===//

typedef enum attn_form {
  ATTN_FORM_AUTO = 0,
  ATTN_FORM_QUADRATIC = 1,
  ATTN_FORM_CHUNKWISE = 2,
  ATTN_FORM_RECURRENT = 3
} attn_form;

/// Fields that are not of the target are ignored.
typedef struct attn_compile_options {
  /// sizeof(attn_compile_options)
  size_t size;
  /// The function; null if one alone is public.
  const char *entry;
  /// Threads of a call; 0: as OpenMP says.
  int32_t threads;
  /// How recurrences are computed, an attn_form; and the tokens in a chunk, 0:
  /// by cost.
  int32_t form;
  int64_t chunk;
  /// Leave products in the order in which they are written.
  int32_t keep_order;
  /// Give scores that the function returns a buffer of N x M.
  int32_t allow_quadratic;
  /// Take tensors of any strides but the last dimension's, which is 1. States
  /// stay dense.
  int32_t strided;
  /// Make states the last arguments and results: for decoding, and for a
  /// sequence in pieces.
  int32_t expose_states;
} attn_compile_options;

/// Compiles a function of a graph. `target` is "cpu", "cpu:NAME" with a CPU or
/// level that LLVM names, "nvvm", "nvvm:sm_XX" or "reference". `name` stands
/// for the text in messages, and may be null, as `options` may.
attn_status attn_compile_text(attn_context *context, const char *text,
                              size_t length, const char *name,
                              const char *target,
                              const attn_compile_options *options,
                              attn_callable **callable);
attn_status attn_compile_file(attn_context *context, const char *path,
                              const char *target,
                              const attn_compile_options *options,
                              attn_callable **callable);
attn_status attn_callable_destroy(attn_callable *callable);

//===----------------------------------------------------------------------===//
// Description
//===----------------------------------------------------------------------===//

/// An argument or a result. Pointers are valid while the callable is.
typedef struct attn_value {
  const char *name;
  DLDataType dtype;
  /// 0 for scalars.
  int32_t ndim;
  /// Elements; -1 where each call chooses.
  const int64_t *shape;
  /// Of an argument: 1 if the graph updates it, so that calls write to it. Of a
  /// result: the state that it updates, and whose memory it may be; else -1.
  int32_t state;
} attn_value;

attn_status attn_callable_counts(attn_callable *callable, size_t *num_arguments,
                                 size_t *num_results);
attn_status attn_callable_argument(attn_callable *callable, size_t index,
                                   attn_value *value);
attn_status attn_callable_result(attn_callable *callable, size_t index,
                                 attn_value *value);
/// The shape of a result for arguments of which only ranks and shapes are read,
/// to `ndim` elements.
attn_status attn_callable_result_shape(attn_callable *callable,
                                       const DLTensor *arguments,
                                       size_t num_arguments, size_t index,
                                       int64_t *shape, int32_t ndim);
/// What did not stop the compilation, a line each; "" if nothing.
attn_status attn_callable_warnings(attn_callable *callable,
                                   const char **warnings);

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

typedef struct attn_run_options {
  /// sizeof(attn_run_options)
  size_t size;
  /// Do not read masks, decays, gates and segments to see whether they are what
  /// the graph says: they are, or results are wrong.
  int32_t skip_content_checks;
} attn_run_options;

/// Runs the function on the caller's memory, which is neither copied nor kept.
/// Arguments are on the target's device: dense, or of the strides that
/// `strided` allows, counted in elements. Results have the sizes that the
/// arguments determine; what they held does not matter. A result overlaps
/// nothing, but may be the state that it updates. Kernels of a GPU have
/// finished when this returns. `options` may be null.
///
/// Wrong tensors are an error before anything is written. Without memory for
/// what is computed in between, an error leaves results, and states that are
/// updated in place, with any contents.
attn_status attn_run(attn_callable *callable, const DLTensor *arguments,
                     size_t num_arguments, const DLTensor *results,
                     size_t num_results, const attn_run_options *options);

#ifdef __cplusplus
}
#endif

#endif // ATTN_H
