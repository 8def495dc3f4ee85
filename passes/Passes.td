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
