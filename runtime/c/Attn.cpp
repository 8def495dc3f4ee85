//===- Attn.cpp - Attention from C --------------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/c/attn.h"
#include "runtime/array/Error.h"
#include "runtime/c/Handles.h"
#include "runtime/engine/CheckArguments.h"
#include "runtime/engine/KernelCache.h"
#include "llvm/ADT/StringExtras.h"
#include <cstring>

using namespace attn;
using llvm::ArrayRef;
using llvm::StringRef;
using llvm::Twine;

namespace {
struct Context {
  std::shared_ptr<KernelCache> cache;
};

struct Compiled {
  std::shared_ptr<const Callable> callable;
  std::string warnings;
  /// Of arguments and results, as this interface has them.
  using Shapes = std::vector<std::vector<int64_t>>;
  Shapes argumentShapes, resultShapes;
};

/// An error with a status of its own.
class StatusError : public llvm::ErrorInfo<StatusError> {
public:
  static char ID;

  StatusError(attn_status status, const Twine &text)
      : status(status), text(text.str()) {}
  void log(llvm::raw_ostream &stream) const override { stream << text; }
  std::error_code convertToErrorCode() const override {
    return llvm::inconvertibleErrorCode();
  }

  attn_status status;

private:
  std::string text;
};
char StatusError::ID;

// Never destroyed: other threads, and destructors of the program, may call.
Handles<attn_context, Context> &contexts =
    *new Handles<attn_context, Context>();
Handles<attn_callable, Compiled> &callables =
    *new Handles<attn_callable, Compiled>();
} // namespace

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

static std::string &getLastError() {
  static thread_local std::string text;
  return text;
}

static llvm::Error refuse(const Twine &text) {
  return llvm::make_error<StatusError>(ATTN_BAD_ARGUMENT, text);
}

static llvm::Error refuseHandle(StringRef kind, const void *handle) {
  if (!handle)
    return llvm::make_error<StatusError>(
        ATTN_BAD_HANDLE, "expected a handle of a " + kind + ", got null");
  return llvm::make_error<StatusError>(
      ATTN_BAD_HANDLE, "expected a handle of a living " + kind +
                           ", got one that was destroyed or never given");
}

/// Runs the body of a function of the interface, out of which nothing comes but
/// a status.
template <typename Body> static attn_status guard(Body body) noexcept {
  try {
    attn_status status = ATTN_OK;
    llvm::handleAllErrors(
        body(),
        [&](const StatusError &error) {
          status = error.status;
          getLastError() = error.message();
        },
        [&](const llvm::ErrorInfoBase &error) {
          status = ATTN_ERROR;
          getLastError() = error.message();
        });
    return status;
  } catch (const std::bad_alloc &) {
    // Short enough to need no memory.
    getLastError() = "out of memory";
  } catch (const std::exception &error) {
    getLastError() = error.what();
  } catch (...) {
    getLastError() = "unknown error";
  }
  return ATTN_ERROR;
}

/// Options as this version knows them: fields that an older program does not
/// have are zero.
template <typename Options>
static llvm::Expected<Options> read(const Options *given) {
  Options options = {};
  if (!given)
    return options;
  if (given->size < sizeof(size_t) || given->size > sizeof(Options))
    return refuse("expected options of up to " + Twine(sizeof(Options)) +
                  " bytes in their field 'size', got " + Twine(given->size));
  std::memcpy(&options, given, given->size);
  return options;
}

//===----------------------------------------------------------------------===//
// Contexts and compilation
//===----------------------------------------------------------------------===//

uint32_t attn_abi_version(void) { return ATTN_ABI_VERSION; }

const char *attn_version(void) { return ATTN_VERSION; }

const char *attn_last_error(void) { return getLastError().c_str(); }

attn_status attn_context_create(uint32_t abi_version,
                                const attn_context_options *options,
                                attn_context **context) {
  return guard([&]() -> llvm::Error {
    if (!context)
      return refuse("expected a place for the context, got null");
    *context = nullptr;
    if (abi_version != ATTN_ABI_VERSION)
      return refuse("expected version " + Twine(ATTN_ABI_VERSION) +
                    " of the interface, got " + Twine(abi_version));
    auto known = read(options);
    if (!known)
      return known.takeError();
    KernelCacheOptions cache;
    if (known->cache_directory)
      cache.directory = *known->cache_directory
                            ? known->cache_directory
                            : KernelCache::getDefaultDirectory();
    if (known->cache_bytes)
      cache.maxBytes = known->cache_bytes;
    auto created = std::make_shared<Context>();
    created->cache = std::make_shared<KernelCache>(cache);
    *context = contexts.add(std::move(created));
    return llvm::Error::success();
  });
}

attn_status attn_context_destroy(attn_context *context) {
  return guard([&]() -> llvm::Error {
    if (!contexts.remove(context))
      return refuseHandle("context", context);
    return llvm::Error::success();
  });
}

/// With -1 for what each call chooses.
static std::vector<int64_t> getPublicShape(const ValueInfo &info) {
  std::vector<int64_t> shape(info.shape.begin(), info.shape.end());
  for (int64_t &size : shape)
    if (mlir::ShapedType::isDynamic(size))
      size = -1;
  return shape;
}

/// What is common to texts and files; `source` is one of them.
static llvm::Error
compileWith(attn_context *context, StringRef sourceKind, const char *source,
            const char *target, const attn_compile_options *options,
            attn_callable **callable,
            llvm::function_ref<llvm::Expected<std::shared_ptr<const Callable>>(
                const CompileOptions &)>
                compile) {
  if (!callable)
    return refuse("expected a place for the callable, got null");
  *callable = nullptr;
  auto owner = contexts.find(context);
  if (!owner)
    return refuseHandle("context", context);
  if (!target)
    return refuse("expected the name of a target, got null");
  auto known = read(options);
  if (!known)
    return known.takeError();
  if (known->form < ATTN_FORM_AUTO || known->form > ATTN_FORM_RECURRENT)
    return refuse("expected an attn_form, got " + Twine(known->form));
  if (known->threads < 0)
    return refuse("expected 0 or more threads, got " + Twine(known->threads));
  if (known->chunk < 0 || known->chunk > 4096)
    return refuse("expected a chunk of 0 to 4096 tokens, got " +
                  Twine(known->chunk));
  if (!source)
    return refuse("expected the " + sourceKind + " of a graph, got null");
  CompileReport report;
  CompileOptions ours;
  ours.entry = known->entry ? known->entry : "";
  ours.threads = known->threads;
  ours.form = static_cast<Form>(known->form);
  ours.chunk = known->chunk;
  ours.keepOrder = known->keep_order;
  ours.allowQuadratic = known->allow_quadratic;
  ours.strided = known->strided;
  ours.exposeStates = known->expose_states;
  ours.cache = owner->cache;
  ours.report = &report;
  auto compiled = compile(ours);
  if (!compiled)
    return compiled.takeError();
  auto object = std::make_shared<Compiled>();
  object->callable = std::move(*compiled);
  const Signature &signature = object->callable->getSignature();
  for (const ArgumentInfo &info : signature.arguments)
    object->argumentShapes.push_back(getPublicShape(info));
  for (const ResultInfo &info : signature.results)
    object->resultShapes.push_back(getPublicShape(info));
  object->warnings = llvm::join(report.warnings, "\n");
  *callable = callables.add(std::move(object));
  return llvm::Error::success();
}

template <typename... Arguments>
static attn_status compileInto(Arguments... arguments) {
  return guard([&] { return compileWith(arguments...); });
}

attn_status attn_compile_text(attn_context *context, const char *text,
                              size_t length, const char *name,
                              const char *target,
                              const attn_compile_options *options,
                              attn_callable **callable) {
  return compileInto(context, "text", text, target, options, callable,
                     [&](const CompileOptions &ours) {
                       return compileText(StringRef(text, length), target, ours,
                                          name ? name : "<text>");
                     });
}

attn_status attn_compile_file(attn_context *context, const char *path,
                              const char *target,
                              const attn_compile_options *options,
                              attn_callable **callable) {
  return compileInto(context, "path", path, target, options, callable,
                     [&](const CompileOptions &ours) {
                       return compileFile(path, target, ours);
                     });
}

attn_status attn_callable_destroy(attn_callable *callable) {
  return guard([&]() -> llvm::Error {
    if (!callables.remove(callable))
      return refuseHandle("callable", callable);
    return llvm::Error::success();
  });
}

//===----------------------------------------------------------------------===//
// Description
//===----------------------------------------------------------------------===//

/// Runs `action` on a living callable.
template <typename Action>
static attn_status withCallable(attn_callable *handle, Action action) {
  return guard([&]() -> llvm::Error {
    auto compiled = callables.find(handle);
    if (!compiled)
      return refuseHandle("callable", handle);
    return action(*compiled);
  });
}

attn_status attn_callable_counts(attn_callable *callable, size_t *num_arguments,
                                 size_t *num_results) {
  return withCallable(callable, [&](const Compiled &compiled) {
    const Signature &signature = compiled.callable->getSignature();
    if (num_arguments)
      *num_arguments = signature.arguments.size();
    if (num_results)
      *num_results = signature.results.size();
    return llvm::Error::success();
  });
}

/// Describes a value of a list.
template <typename Info>
static llvm::Error describe(ArrayRef<Info> values,
                            const Compiled::Shapes &shapes, size_t index,
                            attn_value *value, StringRef kind,
                            llvm::function_ref<int32_t(const Info &)> state) {
  if (!value)
    return refuse("expected a place for the description, got null");
  if (index >= values.size())
    return refuse("expected one of " + Twine(values.size()) + " " + kind +
                  "s, got " + Twine(index));
  const Info &info = values[index];
  *value = {info.name.c_str(), getDLDataType(info.type),
            static_cast<int32_t>(info.shape.size()), shapes[index].data(),
            state(info)};
  return llvm::Error::success();
}

attn_status attn_callable_argument(attn_callable *callable, size_t index,
                                   attn_value *value) {
  return withCallable(callable, [&](const Compiled &compiled) {
    return describe<ArgumentInfo>(
        compiled.callable->getSignature().arguments, compiled.argumentShapes,
        index, value, "argument",
        [](const ArgumentInfo &info) { return info.isState ? 1 : 0; });
  });
}

attn_status attn_callable_result(attn_callable *callable, size_t index,
                                 attn_value *value) {
  return withCallable(callable, [&](const Compiled &compiled) {
    return describe<ResultInfo>(
        compiled.callable->getSignature().results, compiled.resultShapes, index,
        value, "result", [](const ResultInfo &info) { return info.state; });
  });
}

attn_status attn_callable_result_shape(attn_callable *callable,
                                       const DLTensor *arguments,
                                       size_t num_arguments, size_t index,
                                       int64_t *shape, int32_t ndim) {
  return withCallable(callable, [&](const Compiled &compiled) -> llvm::Error {
    const Signature &signature = compiled.callable->getSignature();
    if (index >= signature.results.size())
      return refuse("expected one of " + Twine(signature.results.size()) +
                    " results, got " + Twine(index));
    const ResultInfo &info = signature.results[index];
    if (!info.hasKnownShape())
      return createError("the sizes of result " + Twine(index) +
                         " are not those of arguments");
    if (num_arguments != signature.arguments.size() ||
        (num_arguments > 0 && !arguments))
      return refuse("expected " + Twine(signature.arguments.size()) +
                    " arguments, got " + Twine(arguments ? num_arguments : 0));
    if (ndim != static_cast<int32_t>(info.extents.size()) ||
        (ndim > 0 && !shape))
      return refuse("expected a place for " + Twine(info.extents.size()) +
                    " sizes, got one for " + Twine(shape ? ndim : 0));
    ArrayRef<DLTensor> tensors(arguments, num_arguments);
    for (auto [i, tensor] : llvm::enumerate(tensors))
      if (tensor.ndim !=
              static_cast<int>(signature.arguments[i].shape.size()) ||
          (tensor.ndim > 0 && !tensor.shape))
        return refuse("argument " + Twine(i) + ": expected rank " +
                      Twine(signature.arguments[i].shape.size()) + ", got " +
                      Twine(tensor.shape ? tensor.ndim : 0));
    llvm::copy(info.getShape(tensors), shape);
    return llvm::Error::success();
  });
}

attn_status attn_callable_warnings(attn_callable *callable,
                                   const char **warnings) {
  return withCallable(callable, [&](const Compiled &compiled) -> llvm::Error {
    if (!warnings)
      return refuse("expected a place for the warnings, got null");
    *warnings = compiled.warnings.c_str();
    return llvm::Error::success();
  });
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

attn_status attn_run(attn_callable *callable, const DLTensor *arguments,
                     size_t num_arguments, const DLTensor *results,
                     size_t num_results, const attn_run_options *options) {
  return withCallable(callable, [&](const Compiled &compiled) -> llvm::Error {
    if ((num_arguments > 0 && !arguments) || (num_results > 0 && !results))
      return refuse("expected tensors, got null");
    auto known = read(options);
    if (!known)
      return known.takeError();
    RunOptions ours;
    ours.checkContents = !known->skip_content_checks;
    return compiled.callable->run(ArrayRef(arguments, num_arguments),
                                  ArrayRef(results, num_results), ours);
  });
}
