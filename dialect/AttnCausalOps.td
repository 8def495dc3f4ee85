//===- AttnCausalOps.td - Decays, gates and solves ----------*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTNCAUSALOPS_TD
#define ATTN_DIALECT_ATTNCAUSALOPS_TD

include "dialect/AttnOpBase.td"

//===----------------------------------------------------------------------===//
// Scores under a decay
//===----------------------------------------------------------------------===//

def Attn_CausalScoreOp : Attn_Op<"causal_score", [
    AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<Attn_NamedAxesOpInterface, ["getEqualAxes"]>]> {
  let summary = "Q K^T below the diagonal, under a decay";
  let description = [{
    Scores of keys that come before their query, weighed by what has decayed
    since. For as many queries n as keys m,

        A[.., n, m] = sum_d lhs[.., n, d] rhs[.., m, d] e^(i[.., m]) W_d[n, m]

    where the weight W of a log decay `g <= 0` is

    | | `m < n` | `m = n` | `m > n` |
    |---|---|---|---|
    | default | `exp(sum_{r=m+1..n} g[r, d])` | 1 | 0 |
    | `exclusive` | `exp(sum_{r=m+1..n-1} g[r, d])` | 1 | 0 |
    | `strict` | as above | 0 | 0 |
    | `bonus(u)` | as above | `u[d]` | 0 |

    `exclusive` leaves out the decay of the query's own token: it reads the
    state before this token changes it (RWKV-5, -6, -7, Comba).

    `decay(g "axes")` names the axes of g as subscripts do. With the feature axis
    of the queries there is one decay a channel (GLA), without it one a head
    (RetNet, Mamba-2); without the token axis it is constant; with an axis that
    neither operand has, one a value channel (Mamba-1). By default g has the axes
    of lhs, or these without the feature axis, by its rank. Decays are natural
    logarithms; positive ones are an error in a call. `unbounded` declares that
    they may be positive: no linear-time form is derived then.

    `log_gate(i "axes")` multiplies key m by `exp(i[m])`, by default with the
    axes of rhs without the feature axis: the exponential input gate of mLSTM and
    the keys of RWKV-4. `bonus(u "axes")` by default has the last axes of lhs
    without the token axis.

    Sun et al., "RetNet", 2023 (arXiv:2307.08621); Yang et al., "GLA", 2023
    (arXiv:2312.06635); Peng et al., "Eagle and Finch", 2024 (arXiv:2404.05892).

    Constraints: D1 to D8 and E1 of docs/Spec.md.

    ```mlir
    // Simple GLA and Mamba-2: one decay a token and head.
    %0 = attn.causal_score %q, %k decay(%g : tensor<1x8x?xf32>) : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
    // RWKV-5: a decay and a bonus for each channel of a head.
    %1 = attn.causal_score %q, %k decay(%w "hd" : tensor<8x64xf32>) exclusive bonus(%u : tensor<8x64xf32>) : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
    // The strictly lower part of the delta rule, no decay.
    %2 = attn.causal_score %k, %k strict : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
    ```
  }];
  let arguments = (ins
      Attn_Tensor:$lhs, Attn_Tensor:$rhs, Optional<Attn_Tensor>:$decay,
      Optional<Attn_Tensor>:$bonus, Optional<Attn_Tensor>:$logGate,
      OptionalAttr<StrAttr>:$einsum, OptionalAttr<StrAttr>:$decayAxes,
      OptionalAttr<StrAttr>:$bonusAxes, OptionalAttr<StrAttr>:$logGateAxes,
      UnitAttr:$unbounded, UnitAttr:$exclusive, UnitAttr:$strict);
  let results = (outs Attn_WideTensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs (`subscripts` $einsum^)?
    (`decay` `(` $decay^ ($decayAxes^)? `:` type($decay) `)`)?
    (`unbounded` $unbounded^)? (`exclusive` $exclusive^)? (`strict` $strict^)?
    (`bonus` `(` $bonus^ ($bonusAxes^)? `:` type($bonus) `)`)?
    (`log_gate` `(` $logGate^ ($logGateAxes^)? `:` type($logGate) `)`)?
    attr-dict `:` type($lhs) `,` type($rhs) `->` type($result)
  }];
  let extraClassDeclaration = [{
    /// The subscripts of lhs, rhs and result.
    ::mlir::attn::Einsum getSubscripts();
    /// The axes of an operand that is there.
    ::mlir::attn::EinsumOperand getAxesOfDecay();
    ::mlir::attn::EinsumOperand getAxesOfBonus();
    ::mlir::attn::EinsumOperand getAxesOfLogGate();
    /// The token axes of queries and of keys.
    char getQueryAxis();
    char getKeyAxis();
    /// The axis that is summed over.
    char getFeatureAxis();
  }];
}

//===----------------------------------------------------------------------===//
// Gates
//===----------------------------------------------------------------------===//

def Attn_GateOp : Attn_Op<"gate", [
    DeclareOpInterfaceMethods<Attn_NamedAxesOpInterface>]> {
  let summary = "an element-wise product with named axes";
  let description = [{
    `result = input * gate`, where the subscripts say which dimensions of the two
    go together; nothing is summed. By default the gate has the axes of the
    input, without the last one if its rank is one less: a factor a token, or a
    row of scores.

    `in [lo, hi]` declares the range of the gate: an element outside of it, or
    NaN, is an error of the call. Nothing is clamped.

    Constraints: G1 to G4 and E1 of docs/Spec.md.

    ```mlir
    // beta V, rows of scores times beta, and an outer product.
    %0 = attn.gate %v, %beta in [0.0, 1.0] : tensor<1x8x?x64xf32>, tensor<1x8x?xf32> -> tensor<1x8x?x64xf32>
    %1 = attn.gate %a, %beta : tensor<1x8x?x?xf32>, tensor<1x8x?xf32> -> tensor<1x8x?x?xf32>
    %2 = attn.gate %dt, %w subscripts "btc,cd->btcd" : tensor<1x?x32xf32>, tensor<32x16xf32> -> tensor<1x?x32x16xf32>
    ```
  }];
  let arguments = (ins Attn_Tensor:$input, Attn_Tensor:$gate,
                       OptionalAttr<StrAttr>:$einsum,
                       OptionalAttr<F64Attr>:$lo, OptionalAttr<F64Attr>:$hi);
  let results = (outs Attn_WideTensor:$result);
  let assemblyFormat = [{
    $input `,` $gate (`subscripts` $einsum^)?
    (`in` ` ` `[` custom<Float>($lo)^ `,` custom<Float>($hi) `]`)? attr-dict
    `:` type($input) `,` type($gate) `->` type($result)
  }];
  let extraClassDeclaration = [{
    ::mlir::attn::Einsum getSubscripts();
  }];
}

//===----------------------------------------------------------------------===//
// Solves
//===----------------------------------------------------------------------===//

def Attn_SolveOp : Attn_Op<"solve", [
    DeclareOpInterfaceMethods<Attn_NamedAxesOpInterface, ["getEqualAxes"]>]> {
  let summary = "(I + L)^-1 B, L strictly lower triangular";
  let description = [{
    Forward substitution along the tokens,

        U[.., n, v] = B[.., n, v] - sum_{m < n} L[.., n, m] U[.., m, v]

    Only the scores below the diagonal are read. With `L = beta K K^T` and
    `B = beta V` the rows of U are the corrections of the delta rule, `u_n =
    beta_n (v_n - S_{n-1}^T k_n)`. Yang et al., "Parallelizing Linear
    Transformers with the Delta Rule", 2024 (arXiv:2406.06484).

    Subscripts as for `attn.apply`, by default `"..nm,..mv->..nv"`; n and m have
    the same size.

    Constraints: L1 to L3 and E1 of docs/Spec.md.

    ```mlir
    %u = attn.solve %l, %b : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
    ```
  }];
  let arguments = (ins Attn_WideTensor:$lower, Attn_Tensor:$rhs,
                       OptionalAttr<StrAttr>:$einsum);
  let results = (outs Attn_WideTensor:$result);
  let assemblyFormat = [{
    $lower `,` $rhs (`subscripts` $einsum^)? attr-dict
    `:` type($lower) `,` type($rhs) `->` type($result)
  }];
  let extraClassDeclaration = [{
    ::mlir::attn::Einsum getSubscripts();
    /// The token axes of rows and columns.
    char getRowAxis();
    char getColumnAxis();
  }];
}

//===----------------------------------------------------------------------===//
// Several steps a token
//===----------------------------------------------------------------------===//

class Attn_StepsOp<string mnemonic> : Attn_Op<mnemonic> {
  let results = (outs Attn_WideTensor:$result);
  let arguments = (ins Attn_Tensor:$input, I64Attr:$steps,
                       OptionalAttr<I64Attr>:$tokenDim);
  let assemblyFormat = [{
    $input `steps` $steps (`token_dim` `=` $tokenDim^)? attr-dict
    `:` type($input) `->` type($result)
  }];
  let extraClassDeclaration = [{
    /// The dimension of the tokens, the last but one by default.
    int64_t getTokenDimension();
  }];
}

def Attn_ExpandStepsOp : Attn_StepsOp<"expand_steps"> {
  let summary = "a token at the last of its steps, zeros at the others";
  let description = [{
    Of N tokens it makes `s N` steps: `result[.., s t + s - 1, ..] =
    input[.., t, ..]`, zero elsewhere. With `attn.take_steps` it lets a graph
    change the state several times a token, and read it once: DeltaProduct.
    Siems et al., 2025 (arXiv:2502.10297).

    Constraints: T1 to T3 and E1 of docs/Spec.md.

    ```mlir
    %0 = attn.expand_steps %q steps 2 : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
    ```
  }];
}

def Attn_TakeStepsOp : Attn_StepsOp<"take_steps"> {
  let summary = "the last step of each token";
  let description = [{
    Of `s N` steps it takes one a token: `result[.., t, ..] =
    input[.., s t + s - 1, ..]`.

    Constraints: T1 to T3 and E1 of docs/Spec.md.

    ```mlir
    %0 = attn.take_steps %o steps 2 : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
    ```
  }];
}

#endif // ATTN_DIALECT_ATTNCAUSALOPS_TD
