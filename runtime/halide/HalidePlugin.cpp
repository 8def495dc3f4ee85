//===- HalidePlugin.cpp - Halide behind a C interface ---------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/halide/HalidePlugin.h"
#include "runtime/halide/Program.h"
#include "runtime/halide/Schedule.h"
#include <algorithm>
#include <cstring>
#include <functional>
#include <mutex>
#include <stdexcept>

using namespace Halide;
using attn::halide::Program;

struct attn_halide_pipeline {
  Callable callable;
  /// For calls with empty arrays: on the CPU, without Halide's checks of
  /// bounds, which count the first element of an empty loop. It is made when
  /// one comes.
  std::function<Callable()> makeEmpty;
  mutable std::once_flag hasEmpty;
  mutable Callable empty;
  size_t numSizes = 0;
  std::vector<Type> inputs, outputs;
  bool usesDevice = false;
};

namespace {

/// What Halide reports of one call.
struct Context : JITUserContext {
  std::string message;

  Context() {
    handlers.custom_error = [](JITUserContext *context, const char *text) {
      std::string &message = static_cast<Context *>(context)->message;
      if (message.empty())
        message = text;
    };
  }
  static int runInOrder(JITUserContext *context,
                        int (*task)(JITUserContext *, int, uint8_t *), int min,
                        int extent, uint8_t *state) {
    for (int i = min; i < min + extent; ++i)
      if (int code = task(context, i, state))
        return code;
    return 0;
  }
};

/// A halide_buffer_t of memory of the caller.
struct View {
  halide_buffer_t buffer = {};
  std::vector<halide_dimension_t> dims;
  /// Stands for an array without elements: Halide's code touches the first one
  /// of each dimension. What it computes there is dropped.
  std::vector<uint8_t> scratch;

  void set(const attn_halide_buffer &from, Type type) {
    dims.resize(from.rank);
    int64_t dense = 1;
    bool isEmpty = false;
    for (int i = 0; i < from.rank; ++i) {
      int there = from.rank - 1 - i;
      int64_t size = from.sizes[there], stride = from.strides[there];
      if (size > INT32_MAX || stride > INT32_MAX || stride < INT32_MIN)
        throw std::runtime_error("sizes and strides beyond 2^31 elements");
      // The stride of one element says nothing.
      if (i == 0 && size <= 1)
        stride = 1;
      dims[i] = halide_dimension_t(0, size, stride);
      isEmpty |= size == 0;
    }
    buffer.host = static_cast<uint8_t *>(from.data);
    if (isEmpty) {
      for (halide_dimension_t &dim : dims) {
        dim.extent = std::max(dim.extent, 1);
        dim.stride = dense;
        dense *= dim.extent;
      }
      scratch.resize(dense * type.bytes());
      buffer.host = scratch.data();
    }
    buffer.type = type;
    buffer.dimensions = from.rank;
    buffer.dim = dims.data();
  }
};

} // namespace

static char *copyText(const std::string &text) {
  return strdup(text.empty() ? "unknown error" : text.c_str());
}

/// Runs `action`; what it throws is the text.
template <typename Action> static char *guard(Action action) {
  try {
    action();
    return nullptr;
  } catch (const Halide::Error &error) {
    return copyText(error.what());
  } catch (const std::exception &error) {
    return copyText(error.what());
  } catch (...) {
    return copyText("unknown exception");
  }
}

static Target parseTarget(const char *text) {
  std::string name = text && *text ? text : "host";
  if (!Target::validate_target_string(name))
    throw std::runtime_error("'" + name +
                             "' is not a target of Halide: expected "
                             "arch-bits-os-features, such as host, "
                             "host-opencl or arm-64-linux");
  return Target(name);
}

static Program makeProgram(const char *text, const Target &target,
                           const attn_halide_options &options) {
  Program program = Program::read(text);
  // In C for devices Halide writes constants of f64 as those of f32.
  if (target.has_gpu_feature() && !target.has_feature(Target::CUDA))
    for (const attn::halide::Stage &stage : program.stages)
      if (stage.func.types().front() == Float(64))
        throw std::runtime_error("f64 is not exact on the device of '" +
                                 target.to_string() + "': expected f32");
  if (options.autoscheduler && *options.autoscheduler)
    attn::halide::autoschedule(program, target, options.autoscheduler,
                               options.estimate);
  else if (target.has_gpu_feature())
    attn::halide::scheduleForGpu(program);
  else
    attn::halide::scheduleForCpu(program, target);
  return program;
}

/// Halide's plugins and its table of targets are set up by who comes first.
static std::mutex &getCompileMutex() {
  static std::mutex mutex;
  return mutex;
}

static char *compile(const char *text, const attn_halide_options *options,
                     attn_halide_pipeline **pipeline) {
  return guard([&] {
    std::lock_guard<std::mutex> lock(getCompileMutex());
    Target target = parseTarget(options->target);
    Target host = get_host_target();
    if (target.arch != host.arch || target.bits != host.bits ||
        target.os != host.os)
      throw std::runtime_error("code for '" + target.to_string() +
                               "' does not run on this machine, '" +
                               host.to_string() + "'");
    for (int i = 0; i < Target::FeatureEnd; ++i)
      if (auto feature = static_cast<Target::Feature>(i);
          target.has_feature(feature) && !host.has_feature(feature) &&
          (feature == Target::AVX512 || feature == Target::AVX2 ||
           feature == Target::AVX || feature == Target::FMA))
        throw std::runtime_error("this machine has not all features of '" +
                                 target.to_string() + "'");
    if (target.has_gpu_feature() && !host_supports_target_device(target))
      throw std::runtime_error("this machine has no device for '" +
                               target.to_string() + "'");
    target.set_feature(Target::JIT);
    Program program = makeProgram(text, target, *options);
    std::vector<Argument> arguments = program.getArguments();
    Pipeline code = program.getPipeline();
    if (options->loops && *options->loops)
      code.compile_to_lowered_stmt(options->loops, arguments, Text, target);
    auto result = std::make_unique<attn_halide_pipeline>();
    result->callable = code.compile_to_callable(arguments, target);
    result->makeEmpty = [copy = std::string(text), host]() mutable {
      Target plain =
          host.with_feature(Target::JIT).with_feature(Target::NoAsserts);
      Program empty = makeProgram(copy.c_str(), plain, attn_halide_options());
      return empty.getPipeline().compile_to_callable(empty.getArguments(),
                                                     plain);
    };
    result->numSizes = program.sizes.size();
    result->usesDevice = target.has_gpu_feature();
    for (const ImageParam &input : program.inputs)
      result->inputs.push_back(input.type());
    for (int id : program.outputs)
      result->outputs.push_back(program.getStage(id).func.types().front());
    *pipeline = result.release();
  });
}

static char *run(const attn_halide_pipeline *pipeline, const int32_t *sizes,
                 const attn_halide_buffer *inputs,
                 const attn_halide_buffer *outputs, int32_t threads) {
  return guard([&] {
    Context context;
    if (threads == 1)
      context.handlers.custom_do_par_for = Context::runInOrder;
    else if (threads > 1)
      Internal::JITSharedRuntime::set_num_threads(threads);
    JITUserContext *base = &context;
    std::vector<View> views(pipeline->inputs.size() + pipeline->outputs.size());
    std::vector<const void *> values{&base};
    for (size_t i = 0; i < pipeline->numSizes; ++i)
      values.push_back(&sizes[i]);
    size_t numInputs = pipeline->inputs.size();
    bool isEmpty = std::count(sizes, sizes + pipeline->numSizes, 0) > 0;
    for (size_t i = 0; i < views.size(); ++i) {
      bool isInput = i < numInputs;
      views[i].set(isInput ? inputs[i] : outputs[i - numInputs],
                   isInput ? pipeline->inputs[i]
                           : pipeline->outputs[i - numInputs]);
      isEmpty |= !views[i].scratch.empty();
      values.push_back(&views[i].buffer);
    }
    if (isEmpty)
      std::call_once(pipeline->hasEmpty, [&] {
        std::lock_guard<std::mutex> lock(getCompileMutex());
        pipeline->empty = pipeline->makeEmpty();
      });
    bool usesDevice = pipeline->usesDevice && !isEmpty;
    for (size_t i = 0; usesDevice && i < numInputs; ++i)
      views[i].buffer.set_host_dirty();
    const Callable &callable = isEmpty ? pipeline->empty : pipeline->callable;
    int code = callable.call_argv_fast(values.size(), values.data());
    // What lies on the device comes back, and is given up.
    for (size_t i = 0; usesDevice && i < views.size(); ++i) {
      halide_buffer_t &buffer = views[i].buffer;
      if (!code && i >= numInputs && buffer.device_dirty())
        code = buffer.device_interface->copy_to_host(&context, &buffer);
      if (buffer.device_interface)
        buffer.device_interface->device_free(&context, &buffer);
    }
    if (code)
      throw std::runtime_error(context.message.empty()
                                   ? "Halide's code failed with " +
                                         std::to_string(code)
                                   : context.message);
  });
}

static void destroy(attn_halide_pipeline *pipeline) { delete pipeline; }

static char *emit(const char *text, const attn_halide_options *options,
                  const char *name, const char *object, const char *header) {
  return guard([&] {
    std::lock_guard<std::mutex> lock(getCompileMutex());
    Target target = parseTarget(options->target);
    Program program = makeProgram(text, target, *options);
    std::map<OutputFileType, std::string> files = {
        {OutputFileType::object, object}, {OutputFileType::c_header, header}};
    program.getPipeline().compile_to(files, program.getArguments(), name,
                                     target);
  });
}

static void freeText(char *text) { free(text); }

extern "C" const attn_halide_api *attn_halide_get_api(void) {
  static const attn_halide_api api = {compile, run, destroy, emit, freeText};
  return &api;
}
