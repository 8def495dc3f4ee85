//===- AttnRecurrenceOps.td - Recurrences with a state ------*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTNRECURRENCEOPS_TD
#define ATTN_DIALECT_ATTNRECURRENCEOPS_TD

include "dialect/AttnOpBase.td"

//===----------------------------------------------------------------------===//
// The recurrence
//===----------------------------------------------------------------------===//

def Attn_StateReadAttr : I32EnumAttr<"StateRead", "the state that a token reads",
    [I32EnumAttrCase<"Current", 0, "current">,
     I32EnumAttrCase<"Previous", 1, "previous">,
     I32EnumAttrCase<"Decayed", 2, "decayed">]> {
  let cppNamespace = "::mlir::attn";
}

def Attn_RecurrenceFormAttr : I32EnumAttr<"RecurrenceForm",
    "how a recurrence is computed",
    [I32EnumAttrCase<"Auto", 0, "auto">,
     I32EnumAttrCase<"Quadratic", 1, "quadratic">,
     I32EnumAttrCase<"Chunkwise", 2, "chunkwise">,
     I32EnumAttrCase<"Recurrent", 3, "recurrent">]> {
  let cppNamespace = "::mlir::attn";
}

def Attn_RecurrenceOp : Attn_Op<"recurrence", [
    AttrSizedOperandSegments, AttrSizedResultSegments,
    DeclareOpInterfaceMethods<Attn_NamedAxesOpInterface>]> {
  let summary = "a state that tokens decay, erase, write and read";
  let description = [{
    The linear-time form of every mechanism: a state `S[d, v]` for each index of
    the batch axes, and for each token n in order

        S~ = T_n(S)                                   the transition
        u  = r_n - p_n^T S~   or   r_n - p_n^T S      erase (p, b, r)
        S' = S~ + sum_i k_n^i (v_n^i)^T + b_n u^T     write (k, v)
        o  = q_n^T S'  or  q_n^T S~  or  q_n^T S + sum_i (q_n . (w_n k_n^i)) v_n^i

    The transition is an attribute, `T(S) = S`, `e^g S`, `diag(e^g) S`, ..., and
    `by` its operand. `read` says which state the output reads, `current` (S'),
    `decayed` (S~) or `previous` (S); the last one may add the token's own pairs
    with the factors w of `bonus`. `erase` reads `decayed` or `previous`.

    Each operand names its axes: n is the token, d the key channel, v the value
    channel, all other letters are batch. An operand without an axis is the same
    along it. Batch axes that only queries have share a state (GQA).

    `state` gives the initial state, zero without it; the result `state` is the
    one after the last token. `packed(cu_seqlens)` starts anew at the start of
    each segment; states then have the axis s, one a segment.

    `log_gate(i)` multiplies the pair (k, v) by `e^i`. The state is then divided
    by `e^m`, with m a running maximum that no weight exceeds,

        m_n = max(m_{n-1} + max g_n, i_n)

    over all channels, or for each value channel where the gate has the axis v.
    The output is divided by what bounds the weights in it, the result
    `log_scale`: `m_n` for `current`, `m_{n-1} + max g_n` for `decayed`, `m_{n-1}`
    for `previous`, with a bonus the larger of it and `i_n`. `max` gives the
    initial m, -inf without it, and takes the last. A normaliser must cancel
    `e^-log_scale`.

    `as` fixes the form: `recurrent` one token at a time, `chunkwise C` in chunks
    of C tokens, `quadratic` in one chunk.

    Constraints: R1 to R9 and E1 of docs/Spec.md.

    ```mlir
    // Gated DeltaNet, S' = e^g (I - beta k k^T) S + beta k v^T.
    %o = attn.recurrence #attn.scalar_decay by(%g "bhn") read(%q "bhnd" current) erase(%bk "bhnd", %k "bhnd", %bv "bhnv" decayed) -> "bhnv" : (tensor<1x8x?xf32>, tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32>
    // Linear attention from a state and to one, in chunks of 64.
    %x, %s = attn.recurrence #attn.no_decay read(%q "bhnd" current) write(%k "bhnd", %v "bhnv") state(%s0 "bhdv") as chunkwise 64 -> "bhnv", state "bhdv" : (tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>, tensor<1x8x64x64xf32>) -> (tensor<1x8x?x64xf32>, tensor<1x8x64x64xf32>)
    ```
  }];
  let arguments = (ins
      Attn_TransitionAttrInterface:$transition,
      Optional<Attn_Tensor>:$transitionOperand,
      Attn_Tensor:$query, Variadic<Attn_Tensor>:$keys,
      Variadic<Attn_Tensor>:$values, Optional<Attn_Tensor>:$bonus,
      Optional<Attn_Tensor>:$logGate, Optional<Attn_Tensor>:$eraseQuery,
      Optional<Attn_Tensor>:$eraseKey, Optional<Attn_Tensor>:$eraseInput,
      Optional<Attn_WideTensor>:$initialState,
      Optional<Attn_WideTensor>:$initialMax,
      Optional<AnyRankedTensor>:$cuSeqlens,
      Attn_StateReadAttr:$read, OptionalAttr<Attn_StateReadAttr>:$eraseRead,
      StrArrayAttr:$operandAxes, StrArrayAttr:$resultAxes,
      DefaultValuedAttr<Attn_RecurrenceFormAttr,
                        "::mlir::attn::RecurrenceForm::Auto">:$form,
      OptionalAttr<I64Attr>:$chunk);
  let results = (outs
      Attn_WideTensor:$output, Optional<Attn_WideTensor>:$logScale,
      Optional<Attn_WideTensor>:$finalState,
      Optional<Attn_WideTensor>:$finalMax);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    static constexpr char kToken = 'n', kKey = 'd', kValue = 'v',
                          kSegment = 's';

    /// The axes of an operand or result of the operation, or none for a null
    /// value and for `packed`.
    ::mlir::attn::EinsumOperand getAxes(::mlir::Value value);
    /// Whether an operand that is not null has an axis.
    bool hasAxis(::mlir::Value value, char axis);
    /// The batch axes of the state, in the order of their first occurrence.
    ::llvm::SmallVector<char> getStateAxes();
    /// Batch axes that queries and outputs alone have.
    ::llvm::SmallVector<char> getReadAxes();
    /// The static size of an axis, 1 for an axis that no operand has, or
    /// kDynamic.
    int64_t getAxisSize(char axis);
    /// Whether u is there.
    bool erases() { return getEraseQuery() != nullptr; }
    ::mlir::Type getElementType() {
      return getOutput().getType().getElementType();
    }
  }];
}

//===----------------------------------------------------------------------===//
// A user's own recurrence
//===----------------------------------------------------------------------===//

def Attn_ScanOp : Attn_Op<"scan", [
    AttrSizedOperandSegments, IsolatedFromAbove, SingleBlock,
    RecursiveMemoryEffects,
    DeclareOpInterfaceMethods<Attn_NamedAxesOpInterface>]> {
  let summary = "a recurrence that a region states";
  let description = [{
    A recurrence of one's own: the region gets the state before a token, and the
    token's part of each input, and yields the state after the token and the
    token's output. The axes of an input without batch and token are the
    dimensions of the block's argument. n is the token, d and v are the axes of
    the state, all others batch.

    `attn-analyze-scans` finds the structure of the update, which must be linear
    in the state, and replaces the operation by an `attn.recurrence`.

    `state` gives the initial state, by default zero, and as a result the one
    after the last token.

    Constraints: R10 to R12 and E1 of docs/Spec.md.

    ```mlir
    // S' = diag(w) S + k v^T, o = q^T S'
    %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %w "hnd") over "hdv" {
    ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %wt: tensor<64xf32>):
      %d = attn.gate %s, %wt subscripts "dv,d->dv" : tensor<64x32xf32>, tensor<64xf32> -> tensor<64x32xf32>
      %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
      %n = arith.addf %d, %kv : tensor<64x32xf32>
      %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
      attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
    } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x64xf32>) -> tensor<8x?x32xf32>
    ```
  }];
  let arguments = (ins
      Variadic<Attn_Tensor>:$inputs, Optional<Attn_WideTensor>:$initialState,
      StrArrayAttr:$inputAxes, StrAttr:$stateAxes, StrAttr:$outputAxes);
  let results = (outs Attn_WideTensor:$output,
                      Optional<Attn_WideTensor>:$finalState);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::attn::EinsumOperand getAxesOfState();
    ::mlir::attn::EinsumOperand getAxesOfOutput();
    ::mlir::attn::EinsumOperand getAxesOfInput(unsigned number);
  }];
}

//===----------------------------------------------------------------------===//
// What normalisers of recurrences need
//===----------------------------------------------------------------------===//

def Attn_DivideOp : Attn_Op<"divide", [
    AllTypesMatch<["numerator", "denominator", "result"]>]> {
  let summary = "a quotient that is zero where the divisor is";
  let description = [{
    `result = numerator / (eps + denominator)`, element by element, zero where
    the divisor is zero. `floor` and `log_scale` as for `attn.divide_by_last`.

    Constraints: A2 to A4 of docs/Spec.md.

    ```mlir
    %0 = attn.divide %x, %y : tensor<1x?x32xf32>
    ```
  }];
  let arguments = (ins Attn_WideTensor:$numerator, Attn_WideTensor:$denominator,
                       Optional<Attn_WideTensor>:$logScale,
                       OptionalAttr<F64Attr>:$floor,
                       DefaultValuedAttr<F64Attr, "0.0">:$eps);
  let results = (outs Attn_WideTensor:$result);
  let assemblyFormat = [{
    $numerator `,` $denominator (`floor` custom<Float>($floor)^)?
    (`eps` custom<Float>($eps)^)?
    (`log_scale` `(` $logScale^ `:` type($logScale) `)`)? attr-dict
    `:` type($result)
  }];
}

def Attn_FeatureScaleOp : Attn_Op<"feature_scale"> {
  let summary = "the logarithm of the factor that stabilised features lack";
  let description = [{
    For an exponential map `phi = exp(psi)`, `result[.., t] = max_f psi_f(x_t)`:
    `attn.feature_map` of the same input and map with `stabilize = token` is
    `phi` divided by the exponential of it.

    Constraints: F2 to F4, F8 and E1 of docs/Spec.md.

    ```mlir
    %0 = attn.feature_scale %x, #attn.favor(%w : tensor<256x64xf32>) : tensor<1x8x?x64xf32> -> tensor<1x8x?xf32>
    ```
  }];
  let arguments = (ins
      Attn_Tensor:$input, Variadic<Attn_Tensor>:$mapOperands,
      Attn_FeatureMapAttrInterface:$map,
      OptionalAttr<I64Attr>:$tokenDim, OptionalAttr<I64Attr>:$featureDim);
  let results = (outs Attn_WideTensor:$result);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    int64_t getTokenDimension();
    int64_t getFeatureDimension();
  }];
}

#endif // ATTN_DIALECT_ATTNRECURRENCEOPS_TD
