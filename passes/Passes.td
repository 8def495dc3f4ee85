//===- Passes.td - Every pass and its options ---------------*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_PASSES_TD
#define ATTN_PASSES_PASSES_TD

include "mlir/Pass/PassBase.td"

//===----------------------------------------------------------------------===//
// Algebra
//===----------------------------------------------------------------------===//

def AttnReassociate : Pass<"attn-reassociate", "::mlir::func::FuncOp"> {
  let summary = "Brackets chains of products by cost; may approximate a softmax that declares it";
  let description = [{
    Products are associative: `(phi(Q) phi(K)^T) V = phi(Q) (phi(K)^T V)`. The
    pass finds maximal chains of products of any length through
    `ContractionOpInterface`, and takes the order that the cost model finds the
    cheapest.

    **Before.**

    ```mlir
    func.func @linear(%q: tensor<8x4096x64xf32>, %k: tensor<8x4096x64xf32>, %v: tensor<8x4096x64xf32>) -> tensor<8x4096x64xf32> {
      %a = attn.score %q, %k : tensor<8x4096x64xf32>, tensor<8x4096x64xf32> -> tensor<8x4096x4096xf32>
      %p = attn.normalize %a : tensor<8x4096x4096xf32>
      %o = attn.apply %p, %v : tensor<8x4096x4096xf32>, tensor<8x4096x64xf32> -> tensor<8x4096x64xf32>
      return %o : tensor<8x4096x64xf32>
    }
    ```

    **After.** The normaliser is one more column of V:

    ```mlir
    func.func @linear(%q: tensor<8x4096x64xf32>, %k: tensor<8x4096x64xf32>, %v: tensor<8x4096x64xf32>) -> tensor<8x4096x64xf32> {
      %v1 = attn.append_ones %v : tensor<8x4096x64xf32> -> tensor<8x4096x65xf32>
      %s = attn.contract %k, %v1 subscripts "hmd,hmv->hdv" : tensor<8x4096x64xf32>, tensor<8x4096x65xf32> -> tensor<8x64x65xf32>
      %x = attn.contract %q, %s subscripts "hnd,hdv->hnv" : tensor<8x4096x64xf32>, tensor<8x64x65xf32> -> tensor<8x4096x65xf32>
      %o = attn.divide_by_last %x : tensor<8x4096x65xf32> -> tensor<8x4096x64xf32>
      return %o : tensor<8x4096x64xf32>
    }
    ```

    Where sizes are dynamic and several orders can win, all of them (four at
    most) are written as branches of `scf.if`, which compares their costs at the
    sizes of the call. The argument attribute `attn.axes = "bhnd"` tells the
    pass, by equal letters, which dynamic sizes are equal.

    **Legality.** Each product of a chain has one use, is of the block and of
    the result type of the last one. Constants of `attn.scale` commute and move
    to the smallest tensor; full masks vanish. `attn.normalize` and
    `attn.softmax ... approximated_by` between the last two factors are carried
    as a column of ones, if the last factor has a static dimension for it.
    Anything else between two products, a softmax without a declared map, a mask
    that is not full, a nonlinearity on the scores, scores with several uses, is
    left alone, with a missed remark at its location.

    **Numerics.** Exact up to rounding, but for a softmax that declares a
    feature map: its linear orders are approximate, and the passed remark says
    so. Where the order that is written wins, the softmax stays exact.

    **Cost.** O(samples * factors^3) at compile time, see Orders.h. At run time
    the rewritten chain costs no more than the written one by the cost model of
    CostModel.h; the remark has both numbers. A choice at run time evaluates a
    polynomial for each branch.
  }];
  let options = [
    Option<"order", "order", "::mlir::attn::OrderChoice",
           /*default=*/"::mlir::attn::OrderChoice::Auto",
           "The orders to choose from", [{::llvm::cl::values(
             clEnumValN(::mlir::attn::OrderChoice::Auto, "auto",
                        "The cheapest, chosen at run time where it depends on "
                        "dynamic sizes"),
             clEnumValN(::mlir::attn::OrderChoice::Linear, "linear",
                        "The cheapest without N x M values"),
             clEnumValN(::mlir::attn::OrderChoice::Written, "written",
                        "The one that is written"))}]>,
    Option<"flopsPerByte", "flops-per-byte", "double", /*default=*/"16.0",
           "Flops in the time of one byte: 16 is a core with 100 Gflop/s and "
           "6 GB/s from memory">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"];
}

def AttnStabilize : Pass<"attn-stabilize", "::mlir::func::FuncOp"> {
  let summary = "Permits to rescale exponential features that a normaliser cancels";
  let description = [{
    `exp` overflows; a normaliser divides common factors out again. Where it
    does, the lowering may subtract a maximum before it takes exponentials. The
    pass states the permission.

    **Before.**

    ```mlir
    func.func @favor(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x64xf32>, %w: tensor<256x64xf32>) -> tensor<8x?x64xf32> {
      %fq = attn.feature_map %q, #attn.favor(%w : tensor<256x64xf32>) : tensor<8x?x64xf32> -> tensor<8x?x256xf32>
      %fk = attn.feature_map %k, #attn.favor(%w : tensor<256x64xf32>) : tensor<8x?x64xf32> -> tensor<8x?x256xf32>
      %a = attn.score %fq, %fk : tensor<8x?x256xf32>, tensor<8x?x256xf32> -> tensor<8x?x?xf32>
      %p = attn.normalize %a : tensor<8x?x?xf32>
      %o = attn.apply %p, %v : tensor<8x?x?xf32>, tensor<8x?x64xf32> -> tensor<8x?x64xf32>
      return %o : tensor<8x?x64xf32>
    }
    ```

    **After.** `%fq` has `stabilize = token`, `%fk` has `stabilize = sequence`.

    **Legality.** Rows of queries may be scaled by any c > 0 of their own, all
    keys of a sequence by one c > 0. Scales, masks with fill 0 and products are
    linear, so c comes out as a factor of the result, which depends on the axes
    of c only; `normalize` and `divide_by_last` with eps 0 cancel it, if they do
    not sum or divide along one of these axes. All uses of the features must end
    so, in the quadratic form and in the forms of `attn-reassociate`. Otherwise
    a missed remark names the use at which the factor stays.

    **Numerics.** Exact up to rounding, and finite where the plain exponential
    overflows.

    **Cost.** A walk over the uses of each exponential map.
  }];
}

def AttnVerifyNoQuadratic : Pass<"attn-verify-no-quadratic"> {
  let summary = "Refuses values with two token axes";
  let description = [{
    The guard of the promise that no `N x M` value is left in a graph.

    **Before and after.** The IR is unchanged. This is an error that names the
    operation and its axes:

    ```mlir
    func.func @scores(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>) -> tensor<1x8x?x?xf32> {
      %a = attn.score %q, %k : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
      return %a : tensor<1x8x?x?xf32>
    }
    ```

    **Legality.** A product is refused if its result has two of the token axes
    `n`, `m`, `s` and `t`; masks, softmax and normalisers, which act on scores
    by definition, are refused wherever they stand. All regions are searched,
    so both branches of a run-time choice count.

    **Numerics.** Value-preserving: nothing is rewritten.

    **Cost.** One walk, linear in the number of operations.
  }];
}

#endif // ATTN_PASSES_PASSES_TD
