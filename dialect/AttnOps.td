//===- AttnOps.td - Graph operations -*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTNOPS_TD
#define ATTN_DIALECT_ATTNOPS_TD

include "dialect/AttnCausalOps.td"
include "dialect/AttnOpBase.td"
include "dialect/AttnRecurrenceOps.td"

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

class Attn_ContractionOp<string mnemonic>
    : Attn_Op<mnemonic,
              [DeclareOpInterfaceMethods<Attn_ContractionOpInterface>]> {
  let results = (outs Attn_WideTensor:$result);
}

def Attn_ScoreOp : Attn_ContractionOp<"score"> {
  let summary = "Q K^T, one score for each query and key";
  let description = [{
    `A[.., n, m] = sum_d lhs[.., n, d] * rhs[.., m, d]`, accumulated in the
    element type of the result.

    The subscripts name the dimensions, one letter each, as einsum does; `n`,
    `m`, `s` and `t` name token axes. By default the two last dimensions are
    (token, feature) and all others are batch. A composite dimension `(gr)`
    has g as its slow and r as its fast axis: with `"b(gr)nd,bgmd->b(gr)nm"`
    r query heads share a key head (GQA). This is also the default where the
    last batch dimensions, the heads, have different static sizes.

    Constraints: P1 to P7 and E1 of docs/Spec.md.

    ```mlir
    %0 = attn.score %q, %k : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
    // [B, N, H, D] without a copy
    %1 = attn.score %x, %y subscripts "bnhd,bmhd->bhnm" : tensor<1x?x8x64xbf16>, tensor<1x?x8x64xbf16> -> tensor<1x8x?x?xf32>
    ```
  }];
  let arguments = (ins Attn_Tensor:$lhs, Attn_Tensor:$rhs,
                       OptionalAttr<StrAttr>:$einsum);
  let assemblyFormat = [{
    $lhs `,` $rhs (`subscripts` $einsum^)? attr-dict
    `:` type($lhs) `,` type($rhs) `->` type($result)
  }];
}

def Attn_ApplyOp : Attn_ContractionOp<"apply"> {
  let summary = "A V, the rows of V weighed by the scores";
  let description = [{
    `O[.., n, v] = sum_m lhs[.., n, m] * rhs[.., m, v]`, accumulated in the
    element type of the result. Subscripts as for `attn.score`, by default
    `"..nm,..mv->..nv"`.

    Constraints: P1 to P7 and E1 of docs/Spec.md.

    ```mlir
    %0 = attn.apply %a, %v : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
    ```
  }];
  let arguments = (ins Attn_Tensor:$lhs, Attn_Tensor:$rhs,
                       OptionalAttr<StrAttr>:$einsum);
  let assemblyFormat = [{
    $lhs `,` $rhs (`subscripts` $einsum^)? attr-dict
    `:` type($lhs) `,` type($rhs) `->` type($result)
  }];
}

def Attn_ContractOp : Attn_ContractionOp<"contract"> {
  let summary = "a product of two tensors with named axes";
  let description = [{
    The general product: axes in both operands and the result are batch, axes in
    one operand and the result are free, axes in both operands alone are summed
    over. `attn-reassociate` writes the products that it brackets anew with it.

    Constraints: P1 to P7 and E1 of docs/Spec.md.

    ```mlir
    // The state phi(K)^T V of linear attention.
    %0 = attn.contract %k, %v subscripts "bhmd,bhmv->bhdv" : tensor<1x8x?x64xf32>, tensor<1x8x?x32xf32> -> tensor<1x8x64x32xf32>
    ```
  }];
  let arguments = (ins Attn_Tensor:$lhs, Attn_Tensor:$rhs, StrAttr:$einsum);
  let assemblyFormat = [{
    $lhs `,` $rhs `subscripts` $einsum attr-dict
    `:` type($lhs) `,` type($rhs) `->` type($result)
  }];
}

//===----------------------------------------------------------------------===//
// Maps on tokens
//===----------------------------------------------------------------------===//

def Attn_StabilizeAttr : I32EnumAttr<"Stabilize", "permission to rescale",
    [I32EnumAttrCase<"None", 0, "none">, I32EnumAttrCase<"Token", 1, "token">,
     I32EnumAttrCase<"Sequence", 2, "sequence">]> {
  let cppNamespace = "::mlir::attn";
}

def Attn_FeatureMapOp : Attn_Op<"feature_map", [
    AttrSizedOperandSegments, SingleBlockImplicitTerminator<"YieldOp">,
    RecursiveMemoryEffects]> {
  let summary = "phi(x), a kernel feature map on each token";
  let description = [{
    Applies a feature map to the feature dimension of every token. The map is
    a named attribute with its operands, or the user's own: a region that maps
    one element (of the result's element type) to one element.

    `token_dim` and `feature_dim` are the dimensions of the tokens and of the
    features, by default the two last ones; all others are batch. Element-wise
    maps also take tensors of rank 0 and 1.

    `start` is the position of the first token in its sequence, 0 if it is not
    given, for maps whose features depend on the position: the tokens may be a
    piece of a longer sequence.

    `stabilize` is a permission that `attn-stabilize` sets where a normaliser
    cancels the factor: the result may be multiplied by any positive factor that
    all features of a `token`, or all features of all tokens of a `sequence`,
    share.

    Constraints: F1 to F7, F9 and E1 of docs/Spec.md.

    ```mlir
    %0 = attn.feature_map %x, #attn.elu1 : tensor<1x8x?x64xbf16> -> tensor<1x8x?x64xf32>
    %1 = attn.feature_map %x, #attn.favor(%w : tensor<256x64xf32>) : tensor<1x8x?x64xbf16> -> tensor<1x8x?x256xf32>
    %2 = attn.feature_map %y, #attn.cosformer<max_len = 64> token_dim = 1 : tensor<1x?x8x64xf32> -> tensor<1x?x8x128xf32>
    %5 = attn.feature_map %y, #attn.cosformer<max_len = 64> start(%p : tensor<i64>) : tensor<1x?x8x64xf32> -> tensor<1x?x8x128xf32>
    %3 = attn.feature_map %x {
    ^bb0(%e: f32):
      %t = math.tanh %e : f32
      attn.yield %t : f32
    } : tensor<1x8x?x64xbf16> -> tensor<1x8x?x64xf32>
    ```
  }];
  let arguments = (ins
      Attn_Tensor:$input, Variadic<Attn_Tensor>:$mapOperands,
      Optional<0DTensorOf<[I64]>>:$start,
      OptionalAttr<Attn_FeatureMapAttrInterface>:$map,
      OptionalAttr<I64Attr>:$tokenDim, OptionalAttr<I64Attr>:$featureDim,
      DefaultValuedAttr<Attn_StabilizeAttr, "::mlir::attn::Stabilize::None">:$stabilize);
  let results = (outs Attn_WideTensor:$result);
  let regions = (region MaxSizedRegion<1>:$body);
  let hasRegionVerifier = 1;
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    /// The dimension of the tokens, the last but one by default.
    int64_t getTokenDimension();
    /// The dimension of the features, the last one by default.
    int64_t getFeatureDimension();
    /// Whether every element is mapped by itself.
    bool isElementwise();
  }];
  let builders = [
    OpBuilder<(ins "::mlir::Type":$type, "::mlir::Value":$input,
                   "::mlir::attn::FeatureMapAttrInterface":$map,
                   "::mlir::ValueRange":$operands)>];
}

def Attn_YieldOp : Op<Attn_Dialect, "yield", [
    Pure, Terminator, ReturnLike,
    ParentOneOf<["FeatureMapOp", "ScanOp"]>]> {
  let summary = "the results of a region";
  let description = [{
    ```mlir
    %0 = attn.feature_map %x {
    ^bb0(%e: f32):
      %t = math.absf %e : f32
      attn.yield %t : f32
    } : tensor<8x?x64xf32> -> tensor<8x?x64xf32>
    ```
  }];
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
  let builders = [OpBuilder<(ins), [{ /* yields nothing */ }]>];
}

def Attn_ScaleOp : Attn_Op<"scale", []> {
  let summary = "x times a constant";
  let description = [{
    `result = factor * input`, element by element. On queries, keys, values or
    scores alike; products let it through.

    Constraints: S1, S2 and E1 of docs/Spec.md.

    ```mlir
    %0 = attn.scale %s by 1.250000e-01 : tensor<1x8x?x?xf32> -> tensor<1x8x?x?xf32>
    ```
  }];
  let arguments = (ins Attn_Tensor:$input, F64Attr:$factor);
  let results = (outs Attn_WideTensor:$result);
  let assemblyFormat = [{
    $input `by` custom<Float>($factor) attr-dict
    `:` type($input) `->` type($result)
  }];
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Maps on scores
//===----------------------------------------------------------------------===//

def Attn_MaskOp : Attn_Op<"mask", [AllTypesMatch<["scores", "result"]>]> {
  let summary = "keeps the scores of a set of pairs";
  let description = [{
    `result[.., n, m]` is `scores[.., n, m]` where the mask has the pair
    (n, m), else the fill: `0.0` before a product or a normaliser, `-inf`
    before a softmax. Two masks one after the other intersect.

    Constraints: M1 to M6 of docs/Spec.md.

    ```mlir
    %0 = attn.mask %s, #attn.causal else -inf : tensor<1x8x?x?xf32>
    %1 = attn.mask %0, #attn.packed(%cu : tensor<5xi32>) else -inf : tensor<1x8x?x?xf32>
    ```
  }];
  let arguments = (ins Attn_WideTensor:$scores,
                       Variadic<AnyRankedTensor>:$maskOperands,
                       Attn_MaskAttrInterface:$mask, F64Attr:$fill);
  let results = (outs Attn_WideTensor:$result);
  let assemblyFormat = [{
    $scores `,` $mask (`(` $maskOperands^ `:` type($maskOperands) `)`)?
    `else` custom<Float>($fill) attr-dict `:` type($result)
  }];
  let hasFolder = 1;
}

def Attn_SoftmaxOp : Attn_Op<"softmax", [AllTypesMatch<["scores", "result"]>]> {
  let summary = "rows of exp, divided by their sum";
  let description = [{
    `P[.., n, m] = exp(A[.., n, m]) / sum_j exp(A[.., n, j])` over the last
    dimension. A row that is -inf throughout gives zeros.

    `approximated_by` declares a feature map: permission to replace the exact
    `softmax(scale Q K^T)` by the rows of `phi(Q') phi(K')^T` over their sums,
    with `Q' = sqrt(scale) Q` and `K' = sqrt(scale) K`. Without it no pass
    approximates.

    Constraints: N1, N3 and E1 of docs/Spec.md.

    ```mlir
    %0 = attn.softmax %s : tensor<1x8x?x?xf32>
    %1 = attn.softmax %s approximated_by #attn.favor(%w : tensor<256x64xf32>) : tensor<1x8x?x?xf32>
    ```
  }];
  let arguments = (ins Attn_WideTensor:$scores,
                       Variadic<Attn_Tensor>:$mapOperands,
                       OptionalAttr<Attn_FeatureMapAttrInterface>:$map);
  let results = (outs Attn_WideTensor:$result);
  let hasCustomAssemblyFormat = 1;
}

def Attn_NormalizeOp : Attn_Op<"normalize",
                               [AllTypesMatch<["scores", "result"]>]> {
  let summary = "rows divided by their sum";
  let description = [{
    `P[.., n, m] = A[.., n, m] / (eps + sum_j A[.., n, j])` over the last
    dimension. A row whose divisor is zero gives zeros.

    `floor f` takes the divisor `eps + max(|sum_j A[.., n, j]|, f)` instead, for
    weights of either sign: mLSTM's normaliser has f = 1. Beck et al., "xLSTM",
    2024 (arXiv:2405.04517), equation 21.

    Constraints: N1, N2 and N4 of docs/Spec.md.

    ```mlir
    %0 = attn.normalize %a : tensor<1x8x?x?xf32>
    %1 = attn.normalize %a eps 1.000000e-06 : tensor<1x8x?x?xf32>
    %2 = attn.normalize %a floor 1.0 : tensor<1x8x?x?xf32>
    ```
  }];
  let arguments = (ins Attn_WideTensor:$scores,
                       OptionalAttr<F64Attr>:$floor,
                       DefaultValuedAttr<F64Attr, "0.0">:$eps);
  let results = (outs Attn_WideTensor:$result);
  let assemblyFormat = [{
    $scores (`floor` custom<Float>($floor)^)? (`eps` custom<Float>($eps)^)?
    attr-dict `:` type($result)
  }];
}

//===----------------------------------------------------------------------===//
// The normaliser as a column
//===----------------------------------------------------------------------===//

def Attn_AppendOnesOp : Attn_Op<"append_ones"> {
  let summary = "[V 1], one more column of ones";
  let description = [{
    Widens the dimension `dim`, by default the last one, by an element of 1.
    With `attn.divide_by_last` it carries a row normaliser through a product:
    `normalize(A) V = divide_by_last(A [V 1])`.

    Constraints: A1 and E1 of docs/Spec.md.

    ```mlir
    %0 = attn.append_ones %v : tensor<1x8x?x64xf32> -> tensor<1x8x?x65xf32>
    ```
  }];
  let arguments = (ins Attn_Tensor:$input, OptionalAttr<I64Attr>:$dim);
  let results = (outs Attn_WideTensor:$result);
  let assemblyFormat = [{
    $input (`dim` $dim^)? attr-dict `:` type($input) `->` type($result)
  }];
  let extraClassDeclaration = [{
    /// The widened dimension, the last one by default.
    int64_t getDimension();
  }];
}

def Attn_DivideByLastOp : Attn_Op<"divide_by_last"> {
  let summary = "all columns but the last, divided by the last";
  let description = [{
    `result[.., j] = input[.., j] / (eps + input[.., last])` along the
    dimension `dim`, by default the last one. Zero where the divisor is zero,
    as `attn.normalize` defines it.

    `floor f` takes the divisor `eps + max(|input[.., last]|, f)`, and with the
    operand `log_scale(m)`, one element a row, `eps + max(|input[.., last]|,
    f e^-m)`: the input was divided by `e^m`.

    Constraints: A1 to A4 and E1 of docs/Spec.md.

    ```mlir
    %0 = attn.divide_by_last %x : tensor<1x8x?x65xf32> -> tensor<1x8x?x64xf32>
    %1 = attn.divide_by_last %x floor 1.0 log_scale(%m : tensor<1x8x?xf32>) : tensor<1x8x?x65xf32> -> tensor<1x8x?x64xf32>
    ```
  }];
  let arguments = (ins Attn_WideTensor:$input,
                       Optional<Attn_WideTensor>:$logScale,
                       OptionalAttr<I64Attr>:$dim,
                       OptionalAttr<F64Attr>:$floor,
                       DefaultValuedAttr<F64Attr, "0.0">:$eps);
  let results = (outs Attn_WideTensor:$result);
  let assemblyFormat = [{
    $input (`dim` $dim^)? (`floor` custom<Float>($floor)^)?
    (`eps` custom<Float>($eps)^)?
    (`log_scale` `(` $logScale^ `:` type($logScale) `)`)? attr-dict
    `:` type($input) `->` type($result)
  }];
  let extraClassDeclaration = [{
    /// The dimension that loses its last element, the last one by default.
    int64_t getDimension();
  }];
}

#endif // ATTN_DIALECT_ATTNOPS_TD
