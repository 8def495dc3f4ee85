//===- Schedule.h - How the functions of a program are computed -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Hints of a program, `schedule FUNC HINT..`:
//
//   root             computed once, in memory of its own; so is each output
//   product          a sum of products: in tiles of registers, beside what
//   reads
//                    it if that is one element-wise function, else as a root
//   tile             one row for each row of the function that reads it in the
//                    end, computed for a few rows at a time and forgotten
//   steps RVAR..     a recurrence: its loops run in order, those named unrolled
//
// A function without a hint is computed where it is read. No hint changes a
// value.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_HALIDE_SCHEDULE_H
#define ATTN_RUNTIME_HALIDE_SCHEDULE_H

#include "runtime/halide/Program.h"

namespace attn::halide {

/// Vectors, threads and register tiles of a CPU.
void scheduleForCpu(Program &program, const Halide::Target &target);

/// An element a thread of a device.
void scheduleForGpu(Program &program);

/// A schedule that Halide finds by itself; `size` is what calls are expected to
/// give for each size. Throws where there is no such autoscheduler.
void autoschedule(Program &program, const Halide::Target &target,
                  const std::string &name, int size);

} // namespace attn::halide

#endif // ATTN_RUNTIME_HALIDE_SCHEDULE_H
