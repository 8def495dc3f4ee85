//===- MaskPredicatesTest.cpp - IR of the masks against their definitions -*-
// C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttnTest.h"
#include "Kernel.h"
#include "MaskInputs.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::attn;

namespace {
class MaskPredicatesTest : public AttnTest {
protected:
  MaskPredicatesTest() { registerKernelDialects(context); }

  /// out[i, j] = body(i, j, ins...) for i64 values.
  static Value
  emitTable(OpBuilder &builder, Location loc, int64_t rows, int64_t cols,
            ValueRange ins, ArrayRef<AffineMap> maps,
            function_ref<Value(OpBuilder &, Location, Value, Value, ValueRange)>
                body) {
    Value out = tensor::EmptyOp::create(builder, loc, {rows, cols},
                                        builder.getI64Type());
    SmallVector<AffineMap> allMaps(maps);
    allMaps.push_back(builder.getMultiDimIdentityMap(2));
    SmallVector<utils::IteratorType> parallel(2, utils::IteratorType::parallel);
    return linalg::GenericOp::create(
               builder, loc, out.getType(), ins, out, allMaps, parallel,
               [&](OpBuilder &b, Location l, ValueRange args) {
                 Value i = linalg::IndexOp::create(b, l, 0);
                 Value j = linalg::IndexOp::create(b, l, 1);
                 linalg::YieldOp::create(b, l,
                                         body(b, l, i, j, args.drop_back()));
               })
        .getResult(0);
  }

  static AffineMap getTermMap(const MaskTerm &term, MLIRContext *context) {
    AffineExpr dims[] = {getAffineDimExpr(0, context),
                         getAffineDimExpr(1, context)};
    if (term.kind == MaskTerm::Kind::Row)
      return AffineMap::get(2, 0, dims[0]);
    if (term.kind == MaskTerm::Kind::Col)
      return AffineMap::get(2, 0, dims[1]);
    SmallVector<AffineExpr> exprs;
    ArrayRef<int64_t> shape =
        cast<RankedTensorType>(term.tensor.getType()).getShape();
    for (auto [size, dim] :
         llvm::zip_equal(shape, ArrayRef(dims).take_back(shape.size())))
      exprs.push_back(size == 1 ? getAffineConstantExpr(0, context) : dim);
    return AffineMap::get(2, 0, exprs, context);
  }

  /// The set as prepare and emitPredicate write it.
  std::vector<double> run(MaskAttrInterface mask, const MaskInputs &inputs,
                          Type element) {
    Kernel kernel(context, [&](OpBuilder &builder, Location loc) {
      SmallVector<Value> operands;
      for (auto [shape, elements] :
           llvm::zip_equal(inputs.shapes, inputs.operands))
        operands.push_back(createConstant(
            builder, loc, RankedTensorType::get(shape, element), elements));
      Value rows = arith::ConstantIndexOp::create(builder, loc, inputs.rows);
      Value cols = arith::ConstantIndexOp::create(builder, loc, inputs.cols);
      SmallVector<Value> ins;
      SmallVector<AffineMap> maps;
      for (const MaskTerm &term :
           mask.prepare(builder, loc, operands, rows, cols)) {
        ins.push_back(term.tensor);
        maps.push_back(getTermMap(term, &context));
      }
      return emitTable(builder, loc, inputs.rows, inputs.cols, ins, maps,
                       [&](OpBuilder &b, Location l, Value row, Value col,
                           ValueRange terms) -> Value {
                         Value keep = mask.emitPredicate(b, l, row, col, terms);
                         return arith::ExtUIOp::create(b, l, b.getI64Type(),
                                                       keep);
                       });
    });
    return run(kernel);
  }

  std::vector<double> run(Kernel &kernel) {
    FailureOr<int64_t> copies = kernel.bufferize();
    EXPECT_TRUE(succeeded(copies)) << takeDiagnostics();
    if (failed(copies))
      return {};
    EXPECT_LE(*copies, 1); // of the result, none if it is empty
    FailureOr<std::vector<double>> values = kernel.run();
    EXPECT_TRUE(succeeded(values)) << takeDiagnostics();
    return values.value_or(std::vector<double>());
  }

  void expectDefinition(StringRef text, const MaskInputs &inputs,
                        Type element) {
    MaskAttrInterface mask = parseMask(text);
    EXPECT_EQ(inputs.verifyContents(mask), std::nullopt);
    EXPECT_EQ(run(mask, inputs, element), inputs.getSet(mask)) << text.str();
  }

  Type getInteger(unsigned width) { return IntegerType::get(&context, width); }

  /// One side of the range of keys of the rows [begin, end), for all begin and
  /// end up to `rows`; none where the mask has no bound.
  std::optional<std::vector<double>> getBounds(MaskAttrInterface mask,
                                               int64_t rows, bool upper) {
    bool isBound = true;
    Kernel kernel(context, [&](OpBuilder &builder, Location loc) {
      return emitTable(
          builder, loc, rows + 1, rows + 1, {}, {},
          [&](OpBuilder &b, Location l, Value begin, Value end, ValueRange) {
            auto [first, last] = mask.emitKeyRange(b, l, begin, end);
            Value bound = upper ? last : first;
            isBound = bound != nullptr;
            return arith::IndexCastOp::create(b, l, b.getI64Type(),
                                              isBound ? bound : begin)
                .getResult();
          });
    });
    std::vector<double> bounds = run(kernel);
    return isBound ? std::optional(bounds) : std::nullopt;
  }
};
} // namespace

TEST_F(MaskPredicatesTest, OfPositions) {
  for (StringRef mask : {
           "#attn.full",
           "#attn.causal",
           "#attn.causal<offset = 2>",
           "#attn.causal<offset = -2>",
           "#attn.strictly_causal",
           "#attn.sliding_window<left = 1, right = 2>",
           "#attn.sliding_window<left = 9223372036854775807, right = 0>",
           "#attn.sliding_window<left = 0, right = 9223372036854775807>",
       })
    expectDefinition(mask, MaskInputs(5, 7), getInteger(64));
}

TEST_F(MaskPredicatesTest, Packed) {
  for (unsigned width : {32, 64}) {
    Type element = getInteger(width);
    expectDefinition("#attn.packed", MaskInputs(6, 6).add({0, 2, 5, 6}),
                     element);
    expectDefinition("#attn.packed", MaskInputs(6, 6).add({0, 0, 3, 3, 6, 6}),
                     element);
    expectDefinition("#attn.packed", MaskInputs(6, 6).add({0, 6}), element);
    expectDefinition("#attn.packed",
                     MaskInputs(4, 6).add({0, 1, 3, 4}).add({0, 0, 5, 6}),
                     element);
    expectDefinition("#attn.packed",
                     MaskInputs(0, 0).add(std::vector<double>{0}), element);
  }
}

TEST_F(MaskPredicatesTest, PackedStaysInsideWhateverTheContents) {
  // Such contents are an error of the call; the IR must not write outside of
  // its tensors. Tokens that two segments claim belong to the later one.
  MaskInputs inputs(4, 4);
  inputs.add({-5, 3, 1, 1000000000});
  EXPECT_EQ(run(parseMask("#attn.packed"), inputs, getInteger(32)),
            (std::vector<double>{1, 0, 0, 0, //
                                 0, 1, 1, 1, //
                                 0, 1, 1, 1, //
                                 0, 1, 1, 1}));
}

TEST_F(MaskPredicatesTest, Dense) {
  Type i1 = getInteger(1);
  expectDefinition("#attn.dense",
                   MaskInputs(2, 3).add({2, 3}, {1, 0, 1, 0, 1, 1}), i1);
  expectDefinition("#attn.dense", MaskInputs(2, 3).add({3}, {1, 0, 1}), i1);
  expectDefinition("#attn.dense", MaskInputs(2, 3).add({2, 1}, {0, 1}), i1);
  expectDefinition("#attn.dense",
                   MaskInputs(2, 3).add(ArrayRef<int64_t>(), {1}), i1);
}

TEST_F(MaskPredicatesTest, KeyRangesAreTheBoundsOfTheSet) {
  constexpr int64_t rows = 5, cols = 9;
  for (StringRef text :
       {"#attn.full", "#attn.causal", "#attn.causal<offset = 2>",
        "#attn.causal<offset = -2>", "#attn.strictly_causal",
        "#attn.sliding_window<left = 1, right = 2>",
        "#attn.sliding_window<left = 3, right = 0>",
        "#attn.sliding_window<left = 9223372036854775807, right = 0>",
        "#attn.sliding_window<left = 0, right = 9223372036854775807>"}) {
    MaskAttrInterface mask = parseMask(text);
    auto first = getBounds(mask, rows, /*upper=*/false);
    auto last = getBounds(mask, rows, /*upper=*/true);
    for (int64_t begin = 0; begin < rows; ++begin)
      for (int64_t end = begin + 1; end <= rows; ++end) {
        int64_t lo = cols, hi = 0; // of the keys that some row sees
        for (int64_t row = begin; row < end; ++row)
          for (int64_t col = 0; col < cols; ++col)
            if (MaskInputs(rows, cols).contains(mask, row, col)) {
              lo = std::min(lo, col);
              hi = std::max(hi, col + 1);
            }
        double gotLo = 0, gotHi = cols;
        if (first)
          gotLo = std::max(gotLo, (*first)[begin * (rows + 1) + end]);
        if (last)
          gotHi = std::min(gotHi, (*last)[begin * (rows + 1) + end]);
        if (lo >= hi) {
          EXPECT_LE(gotHi, gotLo) << text.str() << " " << begin << " " << end;
          continue;
        }
        EXPECT_EQ(gotLo, lo) << text.str() << " " << begin << " " << end;
        EXPECT_EQ(gotHi, hi) << text.str() << " " << begin << " " << end;
      }
  }
}
