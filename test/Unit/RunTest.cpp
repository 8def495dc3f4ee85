//===- RunTest.cpp - Memory that callables get --------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/Unit/TestCallable.h"

using namespace attn;
using llvm::ArrayRef;
using llvm::SmallVector;
using llvm::StringRef;

namespace {

/// S' = exp(g) S + k v^T, o = q S', for one token.
constexpr StringRef kStep = R"mlir(
func.func @main(%q: tensor<?x4xf32>, %k: tensor<?x4xf32>, %v: tensor<?x3xf32>, %g: tensor<?xf32>, %s: tensor<4x3xf32> {attn.state}) -> (tensor<?x3xf32>, tensor<4x3xf32>) {
  %o, %t = attn.recurrence #attn.scalar_decay by(%g "n") read(%q "nd" current) write(%k "nd", %v "nv") state(%s "dv") -> "nv", state "dv" : (tensor<?xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x3xf32>, tensor<4x3xf32>) -> (tensor<?x3xf32>, tensor<4x3xf32>)
  return %o, %t : tensor<?x3xf32>, tensor<4x3xf32>
}
)mlir";

/// A callable of kAttention with right memory, of which tests spoil a part.
class RunTest : public testing::Test {
protected:
  std::string run() {
    llvm::Error error = callable->run({q, k, v}, {o});
    return error ? llvm::toString(std::move(error)) : "no error";
  }
  /// The call fails with this message, and the next one works.
  void expectError(DLTensor &tensor, DLTensor wrong, StringRef message) {
    DLTensor right = std::exchange(tensor, wrong);
    EXPECT_CONTAINS(run(), message.str());
    tensor = right;
    EXPECT_EQ(run(), "no error");
  }

  static void SetUpTestSuite() { callable = compileFor("cpu", kAttention); }
  static void TearDownTestSuite() { callable = nullptr; }

  static inline std::shared_ptr<const Callable> callable;
  Array queries = makeNormal({2, 5, 4}, 1), keys = makeNormal({2, 7, 4}, 2),
        values = makeNormal({2, 7, 3}, 3), output = makeNormal({2, 5, 3}, 4);
  DLTensor q = viewOf(queries), k = viewOf(keys), v = viewOf(values),
           o = viewOf(output);
};

TEST_F(RunTest, Counts) {
  EXPECT_CONTAINS(llvm::toString(callable->run({q, k}, {o})),
                  "'main' takes 3 arguments, got 2");
  EXPECT_CONTAINS(llvm::toString(callable->run({q, k, v}, {})),
                  "'main' gives 1 results, got memory for 0");
}

TEST_F(RunTest, Rank) {
  DLTensor wrong = k;
  wrong.ndim = 2;
  expectError(k, wrong,
              "run.mlir:2:1: 'main', argument 1 (k): expected "
              "tensor<2x?x4xf32>, got f32 of shape [2, 7]");
  wrong.ndim = -1;
  expectError(k, wrong, "expected tensor<2x?x4xf32>, got rank -1");
  wrong = k;
  wrong.shape = nullptr;
  expectError(k, wrong, "got no shape (null)");
}

TEST_F(RunTest, Sizes) {
  int64_t fixed[] = {2, 7, 5}, negative[] = {2, -7, 4}, fewer[] = {2, 6, 3};
  int64_t huge[] = {2, INT64_MAX / 2, 4};
  DLTensor wrong = k;
  wrong.shape = fixed;
  expectError(k, wrong, "got f32 of shape [2, 7, 5]");
  wrong.shape = negative;
  expectError(k, wrong, "got f32 of shape [2, -7, 4]");
  wrong.shape = huge;
  expectError(k, wrong, "expected sizes that fit the address space");
  wrong = v;
  wrong.shape = fewer;
  expectError(v, wrong, "expected equal sizes");
  wrong = o;
  wrong.shape = fewer;
  expectError(o, wrong,
              "result 0 (o): expected shape [2, 5, 3], got [2, 6, 3]");
}

TEST_F(RunTest, Types) {
  DLTensor wrong = k;
  wrong.dtype = {kDLFloat, 16, 1};
  expectError(k, wrong, "expected tensor<2x?x4xf32>, got f16 of shape");
  wrong.dtype = {kDLUInt, 64, 1};
  expectError(k, wrong, "got u64 of shape");
  wrong.dtype = {kDLFloat, 32, 4};
  expectError(k, wrong, "got f32x4 of shape");
  wrong = o;
  wrong.dtype = {kDLFloat, 64, 1};
  expectError(o, wrong, "result 0 (o): expected tensor<2x?x3xf32>, got f64");
}

TEST_F(RunTest, Strides) {
  int64_t strides[] = {28, 8, 1}, dense[] = {28, 4, 1};
  DLTensor wrong = k;
  wrong.strides = strides;
  expectError(k, wrong,
              "expected a dense row-major tensor (others need the option "
              "'strided'), got strides [28, 8, 1] for shape [2, 7, 4]");
  k.strides = dense;
  EXPECT_EQ(run(), "no error");
}

TEST_F(RunTest, Alignment) {
  DLTensor wrong = k;
  wrong.byte_offset = 2;
  expectError(k, wrong, "expected data aligned to 4 bytes, got address 0x");
}

TEST_F(RunTest, Null) {
  DLTensor wrong = k;
  wrong.data = nullptr;
  expectError(k, wrong, "expected data of 56 elements, got null");
  wrong = o;
  wrong.data = nullptr;
  expectError(o, wrong, "result 0 (o): expected data of 30 elements, got null");
}

TEST_F(RunTest, Devices) {
  DLTensor wrong = k;
  wrong.device = {kDLCUDA, 1};
  expectError(k, wrong,
              "expected memory of the CPU, got memory of CUDA device 1");
  // Pinned memory is the CPU's as well.
  k.device = {kDLCUDAHost, 0};
  EXPECT_EQ(run(), "no error");
}

TEST_F(RunTest, ResultsHaveMemoryOfTheirOwn) {
  DLTensor wrong = o;
  wrong.data = q.data;
  expectError(o, wrong,
              "result 0 (o): expected memory of its own, got memory that "
              "overlaps argument 0");
}

TEST(Run, BadContentsAreAnErrorUnlessTheyAreNotRead) {
  auto callable = compileFor("cpu", kStep);
  Array q = makeNormal({2, 4}, 1), v = makeNormal({2, 3}, 2),
        g = makeArray({2}, {-0.5, 0.5}), s = makeNormal({4, 3}, 3),
        o = makeNormal({2, 3}, 4);
  SmallVector<DLTensor> arguments = {viewOf(q), viewOf(q), viewOf(v), viewOf(g),
                                     viewOf(s)};
  EXPECT_CONTAINS(
      llvm::toString(callable->run(arguments, {viewOf(o), viewOf(s)})),
      "run.mlir:3:");
  RunOptions options;
  options.checkContents = false;
  EXPECT_FALSE(callable->run(arguments, {viewOf(o), viewOf(s)}, options));
}

TEST(Run, StatesInPlaceOrNot) {
  auto callable = compileFor("cpu", kStep);
  const Signature &signature = callable->getSignature();
  EXPECT_TRUE(signature.arguments[4].isState);
  EXPECT_EQ(signature.results[0].state, -1);
  EXPECT_EQ(signature.results[1].state, 4);
  Array q = makeNormal({3, 4}, 1), k = makeNormal({3, 4}, 2),
        v = makeNormal({3, 3}, 3), g = makeArray({3}, {-0.5, -1.5, -0.25}),
        s = makeNormal({4, 3}, 4);
  SmallVector<Array> expected =
      llvm::cantFail(compileFor("reference", kStep)->call({q, k, v, g, s}));
  Array o = makeNormal({3, 3}, 5), next = makeNormal({4, 3}, 6);
  SmallVector<DLTensor> arguments = {viewOf(q), viewOf(k), viewOf(v), viewOf(g),
                                     viewOf(s)};
  // Elsewhere: the state stays.
  ASSERT_FALSE(callable->run(arguments, {viewOf(o), viewOf(next)}));
  EXPECT_LT(llvm::cantFail(getRelativeError(o, expected[0])), 1e-5);
  EXPECT_LT(llvm::cantFail(getRelativeError(next, expected[1])), 1e-5);
  EXPECT_EQ(llvm::cantFail(getRelativeError(s, makeNormal({4, 3}, 4))), 0);
  // In place.
  ASSERT_FALSE(callable->run(arguments, {viewOf(o), viewOf(s)}));
  EXPECT_EQ(llvm::cantFail(getRelativeError(s, next)), 0);
  // Half in place is neither.
  DLTensor shifted = viewOf(s);
  Array longer = makeNormal({8, 3}, 7);
  arguments[4].data = longer.getData();
  shifted.data = static_cast<float *>(longer.getData()) + 3;
  EXPECT_CONTAINS(
      llvm::toString(callable->run(arguments, {viewOf(o), shifted})),
      "expected memory of its own or that of its state");
}

TEST(Run, StridedTensors) {
  CompileOptions options;
  options.strided = true;
  auto callable = compileFor("cpu", kAttention, options);
  // [n, 2, 4] read as [2, n, 4].
  Array q = makeNormal({5, 2, 4}, 1), k = makeNormal({7, 2, 4}, 2),
        v = makeNormal({7, 2, 3}, 3);
  std::vector<float> output(5 * 2 * 3);
  auto transposed = [&](const Array &array, int64_t n, int64_t d) {
    return TensorView(static_cast<float *>(array.getData()), {2, n, d},
                      {d, 2 * d, 1});
  };
  TensorView qt = transposed(q, 5, 4), kt = transposed(k, 7, 4),
             vt = transposed(v, 7, 3), ot(output.data(), {2, 5, 3}, {3, 6, 1});
  ASSERT_FALSE(callable->run({qt, kt, vt}, {ot}));
  Array dense = llvm::cantFail(
      compileFor("reference", kAttention)
          ->call({llvm::cantFail(copyOf(qt, ElementType::F32)),
                  llvm::cantFail(copyOf(kt, ElementType::F32)),
                  llvm::cantFail(copyOf(vt, ElementType::F32))}))[0];
  for (int64_t h = 0; h < 2; ++h)
    for (int64_t n = 0; n < 5; ++n)
      for (int64_t d = 0; d < 3; ++d)
        EXPECT_NEAR(output[n * 6 + h * 3 + d], dense.get((h * 5 + n) * 3 + d),
                    1e-4);
  TensorView inner(static_cast<float *>(q.getData()), {2, 5, 4}, {1, 8, 2});
  EXPECT_CONTAINS(llvm::toString(callable->run({inner, kt, vt}, {ot})),
                  "expected a stride of 1 in the last dimension, got strides "
                  "[1, 8, 2]");
  TensorView far(static_cast<float *>(q.getData()), {2, 5, 4},
                 {INT64_MAX / 2, 8, 1});
  EXPECT_CONTAINS(llvm::toString(callable->run({far, kt, vt}, {ot})),
                  "expected strides that fit the address space");
  TensorView folded(output.data(), {2, 5, 3}, {0, 3, 1});
  EXPECT_CONTAINS(llvm::toString(callable->run({qt, kt, vt}, {folded})),
                  "expected a place of its own for each element");
}

TEST(Run, NoMemoryIsAnError) {
  CompileOptions options;
  options.keepOrder = true;
  auto callable = compileFor("cpu", R"mlir(
!t = tensor<?x?x1024xf32>
func.func @main(%q: !t, %k: !t, %v: !t) -> !t {
  %s = attn.contract %k, %v subscripts "bmd,bmv->bdv" : !t, !t -> tensor<?x1024x1024xf32>
  %o = attn.contract %q, %s subscripts "bnd,bdv->bnv" : !t, tensor<?x1024x1024xf32> -> !t
  return %o : !t
})mlir",
                             options);
  Array q = makeNormal({2, 1, 1024}, 1), o = makeNormal({2, 1, 1024}, 2);
  // 2^20 products of no tokens are 4 TiB.
  Array none = makeNormal({1 << 20, 0, 1024}, 3);
  DLTensor view = viewOf(q), empty = viewOf(none);
  for (int i = 0; i < 2; ++i) {
    const char *message =
        "run.mlir:3:1: 'main': out of memory: cannot allocate 43980";
    EXPECT_CONTAINS(
        llvm::toString(callable->run({empty, empty, empty}, {empty})), message);
    EXPECT_CONTAINS(getMessage(callable->call({none, none, none})), message);
    EXPECT_FALSE(callable->run({view, view, view}, {viewOf(o)}));
    double sum = 0;
    for (int64_t d = 0; d < 1024; ++d)
      sum += q.get(d) * q.get(d);
    EXPECT_NEAR(o.get(0), sum * q.get(0), 1e-4 * sum);
  }
}

TEST(Run, ScalarsAndUnknownShapes) {
  auto callable = compileFor("cpu", R"mlir(
func.func @main(%x: tensor<?xf32>, %c: f32) -> (tensor<?xf32>, f32, tensor<2xf32>) {
  %d = arith.addf %c, %c : f32
  %e = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  return %x, %d, %e : tensor<?xf32>, f32, tensor<2xf32>
})mlir");
  float x[] = {1, 2, 3}, y[3], e[2], c = 4, d = 0;
  TensorView c0(&c, {}), d0(&d, {}), x0(x, {3}), y0(y, {3}), e0(e, {2});
  ASSERT_FALSE(callable->run({x0, c0}, {y0, d0, e0}));
  EXPECT_EQ(y[2], 3);
  EXPECT_EQ(d, 8);
  EXPECT_EQ(e[1], 2);

  callable = compileFor("cpu", R"mlir(
func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {
  %y = tensor.concat dim(0) %x, %x : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return %y : tensor<?xf32>
})mlir");
  float twice[6];
  TensorView t0(twice, {6});
  EXPECT_CONTAINS(llvm::toString(callable->run({x0}, {t0})),
                  "its sizes are not those of arguments");
}

} // namespace
