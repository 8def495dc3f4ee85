//===- CApiTest.cpp - Handles, descriptions and errors ------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/c/attn.h"
#include "gtest/gtest.h"
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

const char *kStep = R"mlir(
func.func @main(%q: tensor<?x4xf32>, %k: tensor<?x4xf32>, %v: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %a = attn.causal_score %q, %k : tensor<?x4xf32>, tensor<?x4xf32> -> tensor<?x?xf32>
  %o = attn.apply %a, %v : tensor<?x?xf32>, tensor<?x3xf32> -> tensor<?x3xf32>
  return %o : tensor<?x3xf32>
}
)mlir";

#define EXPECT_ERROR(status, call, part)                                       \
  do {                                                                         \
    EXPECT_EQ(call, status);                                                   \
    EXPECT_NE(std::string(attn_last_error()).find(part), std::string::npos)    \
        << "got: " << attn_last_error();                                       \
  } while (false)

class CApiTest : public testing::Test {
protected:
  CApiTest() {
    EXPECT_EQ(attn_context_create(ATTN_ABI_VERSION, nullptr, &context),
              ATTN_OK);
  }
  ~CApiTest() override { attn_context_destroy(context); }

  attn_callable *compile(const char *target,
                         const attn_compile_options *options = nullptr) {
    attn_callable *callable = nullptr;
    EXPECT_EQ(attn_compile_text(context, kStep, std::strlen(kStep), "step.mlir",
                                target, options, &callable),
              ATTN_OK)
        << attn_last_error();
    return callable;
  }

  /// A tensor of f32 that owns what it points to.
  struct Floats {
    explicit Floats(std::vector<int64_t> sizes, float step = 0)
        : shape(std::move(sizes)) {
      int64_t count = 1;
      for (int64_t size : shape)
        count *= size;
      for (int64_t i = 0; i < count; ++i)
        data.push_back(static_cast<float>(i % 7 - 3) * step);
    }
    DLTensor get() {
      return {data.data(),
              {kDLCPU, 0},
              static_cast<int>(shape.size()),
              {kDLFloat, 32, 1},
              shape.data(),
              nullptr,
              0};
    }
    std::vector<int64_t> shape;
    std::vector<float> data;
  };

  attn_context *context = nullptr;
};

TEST_F(CApiTest, Versions) {
  EXPECT_EQ(attn_abi_version(), uint32_t(ATTN_ABI_VERSION));
  EXPECT_NE(std::string(attn_version()).find('.'), std::string::npos);
  attn_context *other = context;
  EXPECT_ERROR(ATTN_BAD_ARGUMENT, attn_context_create(99, nullptr, &other),
               "expected version 1 of the interface, got 99");
  EXPECT_EQ(other, nullptr);
}

TEST_F(CApiTest, Describes) {
  attn_callable *callable = compile("cpu");
  size_t arguments, results;
  ASSERT_EQ(attn_callable_counts(callable, &arguments, &results), ATTN_OK);
  EXPECT_EQ(arguments, 3u);
  EXPECT_EQ(results, 1u);
  attn_value value;
  ASSERT_EQ(attn_callable_argument(callable, 2, &value), ATTN_OK);
  EXPECT_STREQ(value.name, "v");
  EXPECT_EQ(value.ndim, 2);
  EXPECT_EQ(value.shape[0], -1);
  EXPECT_EQ(value.shape[1], 3);
  EXPECT_EQ(value.dtype.code, kDLFloat);
  EXPECT_EQ(value.dtype.bits, 32);
  EXPECT_EQ(value.state, 0);
  ASSERT_EQ(attn_callable_result(callable, 0, &value), ATTN_OK);
  EXPECT_STREQ(value.name, "o");
  EXPECT_EQ(value.state, -1);
  Floats q({5, 4}), v({5, 3});
  DLTensor tensors[] = {q.get(), q.get(), v.get()};
  int64_t shape[2];
  ASSERT_EQ(attn_callable_result_shape(callable, tensors, 3, 0, shape, 2),
            ATTN_OK);
  EXPECT_EQ(shape[0], 5);
  EXPECT_EQ(shape[1], 3);
  EXPECT_ERROR(ATTN_BAD_ARGUMENT,
               attn_callable_result_shape(callable, tensors, 3, 0, shape, 3),
               "expected a place for 2 sizes, got one for 3");
  EXPECT_ERROR(ATTN_BAD_ARGUMENT,
               attn_callable_result_shape(callable, tensors, 2, 0, shape, 2),
               "expected 3 arguments, got 2");
  EXPECT_ERROR(ATTN_BAD_ARGUMENT, attn_callable_argument(callable, 3, &value),
               "expected one of 3 arguments, got 3");
  EXPECT_ERROR(ATTN_BAD_ARGUMENT, attn_callable_argument(callable, 0, nullptr),
               "got null");
  attn_callable_destroy(callable);
}

TEST_F(CApiTest, StatesInPlace) {
  attn_compile_options options = {};
  options.size = sizeof(options);
  options.expose_states = 1;
  options.threads = 1;
  attn_callable *whole = compile("cpu"), *step = compile("cpu", &options);
  attn_value value;
  ASSERT_EQ(attn_callable_argument(step, 3, &value), ATTN_OK);
  EXPECT_EQ(value.state, 1);
  ASSERT_EQ(attn_callable_result(step, 1, &value), ATTN_OK);
  EXPECT_EQ(value.state, 3);
  Floats q({6, 4}, 0.25f), k({6, 4}, 0.5f), v({6, 3}, 1), o({6, 3}), p({6, 3}),
      s({4, 3});
  DLTensor arguments[] = {q.get(), k.get(), v.get(), s.get()};
  DLTensor results[] = {o.get(), s.get()};
  ASSERT_EQ(attn_run(whole, arguments, 3, results, 1, nullptr), ATTN_OK)
      << attn_last_error();
  for (int64_t t = 0; t < 6; ++t) {
    int64_t one[] = {1, 4}, oneValue[] = {1, 3};
    DLTensor token[] = {arguments[0], arguments[1], arguments[2], arguments[3]};
    for (int i = 0; i < 3; ++i) {
      token[i].shape = i < 2 ? one : oneValue;
      token[i].byte_offset = t * token[i].shape[1] * sizeof(float);
    }
    DLTensor out[] = {p.get(), s.get()};
    out[0].shape = oneValue;
    out[0].byte_offset = t * 3 * sizeof(float);
    ASSERT_EQ(attn_run(step, token, 4, out, 2, nullptr), ATTN_OK)
        << attn_last_error();
  }
  for (int i = 0; i < 18; ++i)
    EXPECT_NEAR(o.data[i], p.data[i], 1e-5);
  EXPECT_NE(o.data[17], 0);
  attn_callable_destroy(whole);
  attn_callable_destroy(step);
}

TEST_F(CApiTest, BadHandles) {
  attn_callable *callable = compile("cpu");
  size_t count;
  auto probe = [&](attn_callable *handle) {
    return attn_callable_counts(handle, &count, nullptr);
  };
  EXPECT_ERROR(ATTN_BAD_HANDLE, probe(nullptr),
               "expected a handle of a callable, got null");
  // A context is no callable.
  EXPECT_ERROR(ATTN_BAD_HANDLE,
               probe(reinterpret_cast<attn_callable *>(context)),
               "never given");
  EXPECT_ERROR(ATTN_BAD_HANDLE, probe(reinterpret_cast<attn_callable *>(-1)),
               "never given");
  ASSERT_EQ(attn_callable_destroy(callable), ATTN_OK);
  // A second time, and after that.
  EXPECT_ERROR(ATTN_BAD_HANDLE, attn_callable_destroy(callable), "destroyed");
  EXPECT_ERROR(ATTN_BAD_HANDLE, probe(callable), "destroyed");
  EXPECT_ERROR(ATTN_BAD_HANDLE,
               attn_run(callable, nullptr, 0, nullptr, 0, nullptr),
               "destroyed");
  attn_callable *next = compile("cpu");
  EXPECT_NE(next, callable);
  EXPECT_ERROR(ATTN_BAD_HANDLE, probe(callable), "destroyed");
  EXPECT_EQ(probe(next), ATTN_OK);

  attn_context *dead;
  ASSERT_EQ(attn_context_create(ATTN_ABI_VERSION, nullptr, &dead), ATTN_OK);
  ASSERT_EQ(attn_context_destroy(dead), ATTN_OK);
  EXPECT_ERROR(ATTN_BAD_HANDLE, attn_context_destroy(dead), "a living context");
  EXPECT_ERROR(
      ATTN_BAD_HANDLE,
      attn_compile_text(dead, kStep, 1, nullptr, "cpu", nullptr, &next),
      "a living context");
  EXPECT_EQ(next, nullptr);
}

TEST_F(CApiTest, CallablesOutliveTheirContext) {
  attn_context *short_lived;
  ASSERT_EQ(attn_context_create(ATTN_ABI_VERSION, nullptr, &short_lived),
            ATTN_OK);
  attn_callable *callable;
  ASSERT_EQ(attn_compile_text(short_lived, kStep, std::strlen(kStep), nullptr,
                              "cpu", nullptr, &callable),
            ATTN_OK);
  ASSERT_EQ(attn_context_destroy(short_lived), ATTN_OK);
  Floats q({2, 4}, 1), v({2, 3}, 1), o({2, 3});
  DLTensor arguments[] = {q.get(), q.get(), v.get()}, result = o.get();
  EXPECT_EQ(attn_run(callable, arguments, 3, &result, 1, nullptr), ATTN_OK);
  attn_callable_destroy(callable);
}

TEST_F(CApiTest, BadArgumentsOfCompilation) {
  attn_callable *callable;
  auto compileText = [&](const char *text, const char *target,
                         const attn_compile_options *options = nullptr) {
    return attn_compile_text(context, text, text ? std::strlen(text) : 0,
                             "bad.mlir", target, options, &callable);
  };
  EXPECT_ERROR(ATTN_BAD_ARGUMENT, compileText(nullptr, "cpu"),
               "expected the text of a graph, got null");
  EXPECT_ERROR(ATTN_BAD_ARGUMENT, compileText(kStep, nullptr),
               "expected the name of a target, got null");
  EXPECT_ERROR(ATTN_ERROR, compileText("func.func @", "cpu"), "bad.mlir:1:");
  EXPECT_ERROR(ATTN_ERROR, compileText(kStep, "tpu"), "unknown target 'tpu'");
  attn_compile_options options = {};
  EXPECT_ERROR(ATTN_BAD_ARGUMENT, compileText(kStep, "cpu", &options),
               "bytes in their field 'size', got 0");
  options.size = sizeof(options);
  options.form = 17;
  EXPECT_ERROR(ATTN_BAD_ARGUMENT, compileText(kStep, "cpu", &options),
               "expected an attn_form, got 17");
  options.form = 0;
  options.threads = -1;
  EXPECT_ERROR(ATTN_BAD_ARGUMENT, compileText(kStep, "cpu", &options),
               "expected 0 or more threads, got -1");
  options.threads = 0;
  options.chunk = 5000;
  EXPECT_ERROR(ATTN_BAD_ARGUMENT, compileText(kStep, "cpu", &options),
               "expected a chunk of 0 to 4096 tokens, got 5000");
  EXPECT_ERROR(
      ATTN_ERROR,
      attn_compile_file(context, "/no/such.mlir", "cpu", nullptr, &callable),
      "cannot read '/no/such.mlir'");
  EXPECT_ERROR(ATTN_BAD_ARGUMENT,
               attn_compile_file(context, nullptr, "cpu", nullptr, &callable),
               "expected the path of a graph, got null");
  EXPECT_ERROR(ATTN_BAD_ARGUMENT,
               attn_compile_file(context, "a", "cpu", nullptr, nullptr),
               "expected a place for the callable, got null");
  // The next one works.
  attn_callable_destroy(compile("cpu"));
}

TEST_F(CApiTest, BadTensorsLeaveTheCallableUsable) {
  attn_callable *callable = compile("cpu");
  Floats q({2, 4}, 1), v({2, 3}, 1), o({2, 3});
  DLTensor arguments[] = {q.get(), q.get(), v.get()}, result = o.get();
  EXPECT_ERROR(ATTN_BAD_ARGUMENT,
               attn_run(callable, nullptr, 3, &result, 1, nullptr),
               "expected tensors, got null");
  arguments[1].data = nullptr;
  EXPECT_ERROR(ATTN_ERROR,
               attn_run(callable, arguments, 3, &result, 1, nullptr),
               "step.mlir:2:1: 'main', argument 1 (k): expected data of 8 "
               "elements, got null");
  arguments[1] = q.get();
  EXPECT_EQ(attn_run(callable, arguments, 3, &result, 1, nullptr), ATTN_OK);
  attn_callable_destroy(callable);
}

TEST_F(CApiTest, NoMemoryIsAnError) {
  attn_compile_options options = {};
  options.size = sizeof(options);
  options.keep_order = 1;
  const char *text = R"mlir(
!t = tensor<?x?x1024xf32>
func.func @main(%q: !t, %k: !t, %v: !t) -> !t {
  %s = attn.contract %k, %v subscripts "bmd,bmv->bdv" : !t, !t -> tensor<?x1024x1024xf32>
  %o = attn.contract %q, %s subscripts "bnd,bdv->bnv" : !t, tensor<?x1024x1024xf32> -> !t
  return %o : !t
})mlir";
  attn_callable *callable = nullptr;
  ASSERT_EQ(attn_compile_text(context, text, std::strlen(text), nullptr, "cpu",
                              &options, &callable),
            ATTN_OK)
      << attn_last_error();
  // 2^20 products of no tokens are 4 TiB.
  Floats none({1 << 20, 0, 1024}), x({2, 1, 1024}, 0.5f), o({2, 1, 1024});
  DLTensor empty[] = {none.get(), none.get(), none.get()}, nothing = none.get(),
           some[] = {x.get(), x.get(), x.get()}, result = o.get();
  EXPECT_ERROR(ATTN_ERROR, attn_run(callable, empty, 3, &nothing, 1, nullptr),
               "out of memory: cannot allocate 43980");
  EXPECT_EQ(attn_run(callable, some, 3, &result, 1, nullptr), ATTN_OK)
      << attn_last_error();
  EXPECT_EQ(attn_callable_destroy(callable), ATTN_OK);
}

TEST_F(CApiTest, WarningsOfTheCache) {
  attn_context_options options = {};
  options.size = sizeof(options);
  options.cache_directory = "/dev/null/cache";
  attn_context *cached;
  ASSERT_EQ(attn_context_create(ATTN_ABI_VERSION, &options, &cached), ATTN_OK);
  std::swap(cached, context);
  attn_callable *callable = compile("cpu");
  std::swap(cached, context);
  const char *warnings;
  ASSERT_EQ(attn_callable_warnings(callable, &warnings), ATTN_OK);
  EXPECT_NE(std::string(warnings).find("cannot write"), std::string::npos)
      << warnings;
  attn_callable_destroy(callable);
  attn_context_destroy(cached);
}

TEST_F(CApiTest, ErrorsAreOfTheThread) {
  attn_callable_destroy(nullptr);
  std::string mine = attn_last_error();
  std::thread([&] { EXPECT_STREQ(attn_last_error(), ""); }).join();
  EXPECT_EQ(mine, attn_last_error());
}

TEST_F(CApiTest, DestroyedWhileOthersCall) {
  attn_callable *callable = compile("cpu");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      Floats q({2, 4}, 1), v({2, 3}, 1), o({2, 3});
      DLTensor arguments[] = {q.get(), q.get(), v.get()}, result = o.get();
      attn_status status = ATTN_OK;
      while (status == ATTN_OK)
        status = attn_run(callable, arguments, 3, &result, 1, nullptr);
      EXPECT_EQ(status, ATTN_BAD_HANDLE);
    });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(attn_callable_destroy(callable), ATTN_OK);
  for (std::thread &thread : threads)
    thread.join();
}

} // namespace
