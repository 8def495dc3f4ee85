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

def AttnAnalyzeScans : Pass<"attn-analyze-scans", "::mlir::func::FuncOp"> {
  let summary = "Finds the structure of a user's own recurrence";
  let description = [{
    The region of an `attn.scan` states how a state changes from one token to the
    next. The pass finds by abstract interpretation what it computes, in terms of
    the state S before the token, and replaces the scan by an `attn.recurrence`,
    which has the forms of every other mechanism.

    **Before.** An update with a gate for each key channel and a correction:

    ```mlir
    func.func @main(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %g: tensor<8x?x64xf32>, %beta: tensor<8x?xf32>) -> tensor<8x?x32xf32> {
      %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %g "hnd", %beta "hn") over "hdv" {
      ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %gt: tensor<64xf32>, %bt: tensor<f32>):
        %w = math.exp %gt : tensor<64xf32>
        %d = attn.gate %s, %w subscripts "dv,d->dv" : tensor<64x32xf32>, tensor<64xf32> -> tensor<64x32xf32>
        %r = attn.contract %kt, %d subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
        %e = arith.subf %vt, %r : tensor<32xf32>
        %u = attn.gate %e, %bt subscripts "v,->v" : tensor<32xf32>, tensor<f32> -> tensor<32xf32>
        %ku = attn.gate %kt, %u subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
        %n = arith.addf %d, %ku : tensor<64x32xf32>
        %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
        attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
      } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x64xf32>, tensor<8x?xf32>) -> tensor<8x?x32xf32>
      return %o : tensor<8x?x32xf32>
    }
    ```

    **After.** The transition takes the logarithm of the gate; what does not
    depend on the state is computed for all tokens before:

    ```mlir
    func.func @main(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %g: tensor<8x?x64xf32>, %beta: tensor<8x?xf32>) -> tensor<8x?x32xf32> {
      %bv = attn.gate %v, %beta subscripts "hnv,hn->hnv" : tensor<8x?x32xf32>, tensor<8x?xf32> -> tensor<8x?x32xf32>
      %bk = attn.gate %k, %beta subscripts "hnd,hn->hnd" : tensor<8x?x64xf32>, tensor<8x?xf32> -> tensor<8x?x64xf32>
      %o = attn.recurrence #attn.diagonal_decay by(%g "hnd") read(%q "hnd" current) erase(%bk "hnd", %k "hnd", %bv "hnv" decayed) -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>) -> tensor<8x?x32xf32>
      return %o : tensor<8x?x32xf32>
    }
    ```

    A passed remark names the structure: no, a scalar, a diagonal or an
    element-wise decay or a dense transition, and whether there is a low-rank
    correction.

    **Legality.** The new state is `T(S) + sum k v^T + b (r - p^T X)^T`, where T
    multiplies S by factors, or by a matrix, and X is S or T(S); at most one
    correction `b (..)^T`, and none with a matrix or with factors that differ
    along the value channels. Factors are `exp(g)`, products of such, or known to
    be from 0 to 1: by a range that a gate declares, by a constant, as a
    logistic function `1 / (1 + exp(-x))` or as 1 minus such a value. The output
    reads the state before the token, after its factors or after the update, may
    be multiplied by and added to what does not depend on the state. Anything
    else, an update that is not linear in the state above all, is an error at the
    operation in question, with the reason; there is no other way to compute a
    scan.

    **Numerics.** Exact up to rounding. Where a factor is not an exponential, its
    logarithm is taken, -inf for a factor of zero. Declared ranges of factors
    are checked in a call as before.

    **Cost.** One walk over the region. At run time, values for all tokens of
    what a token computes from its inputs; nothing of the size of the state for
    each token but what the region gives as a matrix or as a factor for each
    element.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def AttnLinearize : Pass<"attn-linearize", "::mlir::func::FuncOp"> {
  let summary = "Causal scores and solves applied to values become recurrences";
  let description = [{
    A causal or decayed mask `D[n, m] = prod_{r=m+1..n} e^g_r` is semiseparable:
    cut between two tokens it has the rank of the state. So

        O = [(Q K^T) * D] V                  S' = e^g S + k v^T,  o = S'^T q

    and a solve of the same form, `(I + L) U = R` with `L = (P K^T) * D` strictly
    lower, has the rows `u = r - S~^T p`: the delta rule. The pass reads chains
    of causal scores, masks, decays, gates, scales and normalisers up to the
    product with values, and sums of several that share a state, and writes one
    `attn.recurrence`.

    **Before.**

    ```mlir
    func.func @delta(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x64xf32>, %g: tensor<8x?xf32>, %beta: tensor<8x?xf32>) -> tensor<8x?x64xf32> {
      %s = attn.causal_score %k, %k decay(%g : tensor<8x?xf32>) strict : tensor<8x?x64xf32>, tensor<8x?x64xf32> -> tensor<8x?x?xf32>
      %l = attn.gate %s, %beta : tensor<8x?x?xf32>, tensor<8x?xf32> -> tensor<8x?x?xf32>
      %b = attn.gate %v, %beta : tensor<8x?x64xf32>, tensor<8x?xf32> -> tensor<8x?x64xf32>
      %u = attn.solve %l, %b : tensor<8x?x?xf32>, tensor<8x?x64xf32> -> tensor<8x?x64xf32>
      %a = attn.causal_score %q, %k decay(%g : tensor<8x?xf32>) : tensor<8x?x64xf32>, tensor<8x?x64xf32> -> tensor<8x?x?xf32>
      %o = attn.apply %a, %u : tensor<8x?x?xf32>, tensor<8x?x64xf32> -> tensor<8x?x64xf32>
      return %o : tensor<8x?x64xf32>
    }
    ```

    **After.**

    ```mlir
    func.func @delta(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x64xf32>, %g: tensor<8x?xf32>, %beta: tensor<8x?xf32>) -> tensor<8x?x64xf32> {
      %b = attn.gate %v, %beta : tensor<8x?x64xf32>, tensor<8x?xf32> -> tensor<8x?x64xf32>
      %p = attn.gate %k, %beta subscripts "hnd,hn->hnd" : tensor<8x?x64xf32>, tensor<8x?xf32> -> tensor<8x?x64xf32>
      %o = attn.recurrence #attn.scalar_decay by(%g "hn") read(%q "hnd" current) erase(%p "hnd", %k "hnd", %b "hnv" decayed) -> "hnv" : (tensor<8x?xf32>, tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x64xf32>) -> tensor<8x?x64xf32>
      return %o : tensor<8x?x64xf32>
    }
    ```

    Which of the state's axes the decay has decides the transition: none, one
    for the state, one for each key channel, one for each element. A normaliser
    becomes a column of ones, or a second recurrence where values have no axis of
    their own. Exponential factors of keys, a `log_gate` or an exponential
    feature map, become the gate of a running maximum if a normaliser cancels
    the common factor.

    **Legality.** Factors of rows belong to the query, factors of columns to the
    key; masks are triangles or segments, with the fill 0. What a solve solves and
    what reads its result have the same keys, decay and segments, and scores in
    its right side read with the same query. Everything else stays as it is, with
    a missed remark at its location.

    **Numerics.** Exact up to rounding.

    **Cost.** O(N) in the tokens instead of O(N^2), see attn-choose-form.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def AttnChooseForm : Pass<"attn-choose-form", "::mlir::func::FuncOp"> {
  let summary = "Chooses how each recurrence is computed, by cost";
  let description = [{
    Blocks of C tokens are the chunkwise form, blocks of one the recurrence, one
    block of all tokens the quadratic form. The pass estimates the time a token
    of each and writes the cheapest into the operation.

    **Before.**

    ```mlir
    func.func @linear(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x64xf32>) -> tensor<8x?x64xf32> {
      %o = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x64xf32>) -> tensor<8x?x64xf32>
      return %o : tensor<8x?x64xf32>
    }
    ```

    **After.** `as chunkwise 16`. The remark has the figures of all forms.

    With K key and V value channels, e = 1 for an erasure and 0 without, c the
    flops of a transition's weights in a chunk, t those of one transition, in
    flops at the peak a token

        recurrent    : r (2 K V (pairs + 1 + 2 e) + 2 t)
                       + (parts - 1) K (90 maps + 20 decays)
        chunkwise C  : 1.2 ((pairs + e) (1 + e) (2 C K + 2 C V)
                            + 2 K V (pairs + 1 + 2 e) + e C V)
                       + 10 (1 + e) c(C) / C + 9000

    where r is 1.15 if the state, or one of its `parts` of some columns that are
    taken one after the other, takes at most half of the first cache, and 1.6
    otherwise; each part computes the feature maps and the decays of keys anew.
    Value channels that fill no vector of 16 count for 128 of the recurrence and
    16 of a chunk. The factors were fitted to times of single and chunked tokens
    at K = V = 64 and 128. The cache is `L1_cache_size_in_bytes` of the device
    `CPU` in the module's `dlti.target_system_spec`, by default 32 KiB. Where the
    number N of tokens is static, the smaller chunk at the end is counted, and no
    chunk is larger than N. States (heads and batches) run side by side in every
    form; the remark has their number and, with `threads`, how many of them each
    thread takes.

    **Legality.** `form` and `chunk` override the choice; `chunk` alone asks for
    chunks where a transition has them. A form that a transition does not have is
    an error if it is asked for; `form` names what to take instead.

    **Numerics.** Exact up to rounding.

    **Cost.** Constant for each recurrence.
  }];
  let options = [
    Option<"form", "form", "::mlir::attn::RecurrenceForm",
           /*default=*/"::mlir::attn::RecurrenceForm::Auto",
           "The form of all recurrences", [{::llvm::cl::values(
             clEnumValN(::mlir::attn::RecurrenceForm::Auto, "auto",
                        "The cheapest"),
             clEnumValN(::mlir::attn::RecurrenceForm::Quadratic, "quadratic",
                        "All tokens in one chunk"),
             clEnumValN(::mlir::attn::RecurrenceForm::Chunkwise, "chunkwise",
                        "Chunks of tokens"),
             clEnumValN(::mlir::attn::RecurrenceForm::Recurrent, "recurrent",
                        "One token at a time"))}]>,
    Option<"chunk", "chunk", "int64_t", /*default=*/"0",
           "Tokens in a chunk; 0: the cheapest of 16, 32, 64 and 128">,
    Option<"threads", "threads", "int64_t", /*default=*/"0",
           "Threads that share the states; 0: not known">,
  ];
}

def AttnExposeState : Pass<"attn-expose-state", "::mlir::func::FuncOp"> {
  let summary = "Makes the states of recurrences arguments and results";
  let description = [{
    Cutting a sequence at a token is the state. The pass gives each recurrence
    that has none an initial state, a new argument of the function, and returns
    the final one: a step function. On one token it decodes, on several it checks
    a draft, on pieces of a long input it streams.

    **Before.**

    ```mlir
    func.func @linear(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
      %o = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>) -> tensor<8x?x32xf32>
      return %o : tensor<8x?x32xf32>
    }
    ```

    **After.**

    ```mlir
    func.func @linear(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %s0: tensor<8x64x32xf32> {attn.state}) -> (tensor<8x?x32xf32>, tensor<8x64x32xf32>) {
      %o, %s = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") state(%s0 "hdv") -> "hnv", state "hdv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x64x32xf32>) -> (tensor<8x?x32xf32>, tensor<8x64x32xf32>)
      return %o, %s : tensor<8x?x32xf32>, tensor<8x64x32xf32>
    }
    ```

    With a running maximum its initial value follows the state, among arguments
    and results alike; -inf is that of a zero state. A compiled function updates
    arguments with the attribute `attn.state` in place.

    Feature maps of a token's position have one state for each length of
    sequences: the position of the first token, an i64 that follows the states of
    recurrences and is 0 at the start.

    **Legality.** What mixes tokens otherwise, scores that are left and token
    sums, cannot be cut: an error. The function has no callers in the module:
    their calls would lack the states.

    **Numerics.** Value-preserving: a run in pieces is the whole run up to the
    rounding of other chunks.

    **Cost.** None.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
}

def AttnBracketRecurrences : Pass<"attn-bracket-recurrences", "::mlir::func::FuncOp"> {
  let summary = "Cuts recurrences into segments that are composed by their transitions";
  let description = [{
    Transitions compose associatively: a segment of tokens maps the state S on
    entry to `T S + B`, and two of them to `T2 T1 S + (T2 B1 + B2)`. B is the
    state after the segment from zero; T is the state after it from the identity
    where nothing is written. So the states between segments can be had before
    any segment has run from its own, in any bracketing, and the segments run side
    by side: for few heads and long sequences.

    **Before.**

    ```mlir
    func.func @linear(%g: tensor<2x64xf32>, %q: tensor<2x64x4xf32>, %k: tensor<2x64x4xf32>, %v: tensor<2x64x8xf32>) -> tensor<2x64x8xf32> {
      %o = attn.recurrence #attn.scalar_decay by(%g "hn") read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hnv" : (tensor<2x64xf32>, tensor<2x64x4xf32>, tensor<2x64x4xf32>, tensor<2x64x8xf32>) -> tensor<2x64x8xf32>
      return %o : tensor<2x64x8xf32>
    }
    ```

    **After**, for `segments=2`: with the first half of all operands, B from a
    zero state and T from the identity with values of zero; `T S + B` by
    `attn.contract "hed,hdv->hev"`; both halves from their states, their outputs
    put together.

    **Legality.** Static numbers of tokens and batch, no running maximum, no
    packed sequences, and a transition that value channels share. Otherwise a
    missed remark.

    **Numerics.** Exact up to rounding: products of transitions are rounded once a
    segment.

    **Cost.** The recurrence of all segments but the last runs three times, on V,
    K and V columns. Off unless it is asked for.
  }];
  let options = [
    Option<"segments", "segments", "int64_t", /*default=*/"1",
           "Segments of equal length">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
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

//===----------------------------------------------------------------------===//
// Lowering
//===----------------------------------------------------------------------===//

def ConvertAttnToLinalg : Pass<"convert-attn-to-linalg", "::mlir::func::FuncOp"> {
  let summary = "Computes graphs in tiles: scf loops over linalg";
  let description = [{
    **Before and after.** Every value that leaves the graph, and every product
    that others would compute again, becomes an `scf.forall` over the batch and
    over tiles of tokens. In it the tile is computed from the tiles of operands
    that it needs; a product over a token axis is an `scf.for` over tiles of
    tokens that carries the sums.

    ```mlir
    func.func @softmax(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
      %s = attn.score %q, %k : tensor<8x?x64xf32>, tensor<8x?x64xf32> -> tensor<8x?x?xf32>
      %p = attn.softmax %s : tensor<8x?x?xf32>
      %o = attn.apply %p, %v : tensor<8x?x?xf32>, tensor<8x?x32xf32> -> tensor<8x?x32xf32>
      return %o : tensor<8x?x32xf32>
    }
    ```

    becomes, for the tile of 64 queries at row i of head h,

    ```
    for j in 0 to M step 64:
      s = Q[h, i] K[h, j]^T
      m' = max(m, rowmax s);  p = exp(s - m')
      l = l e^(m - m') + rowsum p;  acc = acc e^(m - m') + p V[h, j];  m = m'
    O[h, i] = acc / l
    ```

    All tiles are static: what a tile size leaves is computed by further loops
    with smaller tiles, down to one token. Tiles that a mask excludes are not
    visited.

    **Legality.** Numbers of features are static. A value with two token axes
    gets no buffer; one that leaves the graph is an error, unless
    `allow-quadratic` permits it.

    **Numerics.** Exact up to rounding; sums are carried in the element type of
    the product. Rows of a softmax without a key are zero, and so are rows whose
    normaliser is.

    **Cost.** The flops of the graph as bracketed, but for excluded tiles. Maps on
    keys are computed again for every tile of queries. Memory: the buffers of
    the roots and a few tiles a thread.
  }];
  let options = [
    Option<"rowTile", "row-tile", "int64_t", /*default=*/"64",
           "Tokens in a tile of rows">,
    Option<"keyTile", "key-tile", "int64_t", /*default=*/"64",
           "Tokens in a tile that a product sums over">,
    Option<"allowQuadratic", "allow-quadratic", "bool", /*default=*/"false",
           "Permit a buffer for scores that leave the graph">,
    Option<"threads", "threads", "int64_t", /*default=*/"1",
           "Threads that states are cut into parts for where sequences are "
           "fewer">,
    Option<"partColumns", "part-columns", "int64_t", /*default=*/"0",
           "Value channels of a part of a state; 0: by the CPU's cache">,
  ];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

//===----------------------------------------------------------------------===//
// CPU
//===----------------------------------------------------------------------===//

def AttnDescribeCpu : Pass<"attn-describe-cpu", "::mlir::ModuleOp"> {
  let summary = "What LLVM knows of the module's CPU, for the cost models";
  let description = [{
    **Before and after.** Asks LLVM for the vectors, registers and caches of the
    CPU that the module's `llvm.target` names and writes them down as entries of
    the device `CPU` in `dlti.target_system_spec`, where passes read them. What
    stands there already is the user's and stays; without `llvm.target` nothing
    is written. `chip` and `triple` write that attribute first.

    ```mlir
    module attributes {llvm.target = #llvm.target<triple = "x86_64-unknown-linux-gnu", chip = "haswell">} {
    }
    ```

    becomes

    ```mlir
    module attributes {dlti.target_system_spec = #dlti.target_system_spec<"CPU" = #dlti.target_device_spec<"L1_cache_size_in_bytes" = 32768 : i64, "max_vector_op_width" = 256 : i64, "vector_registers" = 16 : i64>>, llvm.target = #llvm.target<triple = "x86_64-unknown-linux-gnu", chip = "haswell">} {
    }
    ```

    **Legality.** LLVM must have the target: an unknown triple or chip is an
    error.

    **Numerics.** None: results of other CPUs differ by how sums are bracketed.

    **Cost.** None.
  }];
  let options = [
    Option<"triple", "triple", "std::string", /*default=*/"\"\"",
           "The target triple; the host's if `chip` is given alone">,
    Option<"chip", "chip", "std::string", /*default=*/"\"\"",
           "The CPU, as LLVM's -mcpu names it">,
  ];
  let dependentDialects = ["::mlir::DLTIDialect", "::mlir::LLVM::LLVMDialect"];
}

def AttnVectorizeTiles : Pass<"attn-vectorize-tiles", "::mlir::func::FuncOp"> {
  let summary = "Linalg on static tiles to register tiles and vectors";
  let description = [{
    **Before and after.** Element-wise maps are fused, every static linalg
    operation is cut into register tiles by upstream's tiling and vectorised by
    upstream's vectoriser. A product keeps `register-rows` by `register-cols`
    sums in registers and walks the summed axis one by one, so that its inner
    loop broadcasts an element of the left side and reads a row of the right.
    The tile follows the vectors and registers that the module's
    `dlti.target_system_spec` says (see `attn-describe-cpu`), or AVX-512's:

    ```mlir
    func.func @product(%a: tensor<64x64xf32>, %b: tensor<64x64xf32>, %acc: tensor<64x64xf32>) -> tensor<64x64xf32> {
      %0 = linalg.matmul ins(%a, %b : tensor<64x64xf32>, tensor<64x64xf32>) outs(%acc : tensor<64x64xf32>) -> tensor<64x64xf32>
      return %0 : tensor<64x64xf32>
    }
    ```

    **Legality.** Tiles divide the sizes, so none is partial. Operations with
    dynamic sizes or `i1` tensors (vectors of which are packed bits) are left as
    they are, for `convert-linalg-to-loops`.

    **Numerics.** Exact up to rounding: row sums are bracketed by lanes.

    **Cost.** The flops are unchanged.
  }];
  let options = [
    Option<"registerRows", "register-rows", "int64_t", /*default=*/"0",
           "Rows of a product's register tile; 0: a quarter of the registers">,
    Option<"registerCols", "register-cols", "int64_t", /*default=*/"0",
           "Columns of a product's register tile; 0: two vectors">,
    Option<"vectorLength", "vector-length", "int64_t", /*default=*/"0",
           "Elements of a row that a map handles at once; 0: as many vectors as "
           "an eighth of the registers">,
    Option<"vectorize", "vectorize", "bool", /*default=*/"true",
           "Make vectors of the tiles; otherwise they stay linalg operations">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect",
    "::mlir::vector::VectorDialect"];
}

def AttnHoistInvariants : Pass<"attn-hoist-invariants", "::mlir::func::FuncOp"> {
  let summary = "Moves what does not change out of loops, but no tensor that is updated";
  let description = [{
    **Before and after.** Upstream's loop-invariant code motion, for scalars,
    vectors, views, and tensors that a `linalg` operation fills and others only
    read, such as a decay's exponentials: they leave with their memory. A tensor
    that a loop makes anew in each iteration and updates in place, such as zeros
    to sum into, must stay: outside it would be one value that every iteration
    has to copy.

    ```mlir
    func.func @sums(%n: index, %x: f32) -> f32 {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %zero = arith.constant 0.0 : f32
      %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %zero) -> f32 {
        %e = math.exp %x : f32
        %b = arith.addf %a, %e : f32
        scf.yield %b : f32
      }
      return %r : f32
    }
    ```

    **Legality.** Upstream's.

    **Numerics.** Value-preserving.

    **Cost.** Linear in the number of operations and the depth of loops.
  }];
}

def AttnLowerVectors : Pass<"attn-lower-vectors"> {
  let summary = "Contractions, reductions and exp on vectors to plain ones";
  let description = [{
    **Before and after.** Applies upstream's patterns: `vector.contract` to outer
    products and `vector.fma`, `vector.multi_reduction` to reductions of rows,
    transposes to shuffles, and `math.exp` and its like in f32 to polynomials,
    which have vectors where libm has none.

    ```mlir
    func.func @exp(%x: vector<64xf32>) -> vector<64xf32> {
      %0 = math.exp %x : vector<64xf32>
      return %0 : vector<64xf32>
    }
    ```

    **Legality.** Upstream's.

    **Numerics.** exp is within 1.1 ulp of f32, expm1 within 1.7 (one polynomial
    serves both of a value; `passes/cpu/Exponentials.cpp`), upstream's others
    within a few; f64 goes to libm.

    **Cost.** No flops are added but the polynomials'.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"];
}

def AttnSplitEmptyTensors : Pass<"attn-split-empty-tensors", "::mlir::func::FuncOp"> {
  let summary = "Gives each use of a tensor.empty one of its own";
  let description = [{
    **Before and after.** CSE shares and loop-invariant code motion hoists
    `tensor.empty`. Bufferization then finds one buffer with several writers and
    copies, and `eliminate-empty-tensors` cannot put a result where it is
    wanted. This undoes the sharing right before them: every use gets an empty
    tensor in front of it. A slice that is extracted and the insertion of the same
    slice share one: what is written to the slice is then in its place.

    ```mlir
    func.func @two(%x: f32) -> (tensor<8xf32>, tensor<8xf32>) {
      %e = tensor.empty() : tensor<8xf32>
      %0 = linalg.fill ins(%x : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
      %1 = linalg.fill ins(%x : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
      return %0, %1 : tensor<8xf32>, tensor<8xf32>
    }
    ```

    **Legality.** The contents of an empty tensor are undefined.

    **Numerics.** Value-preserving.

    **Cost.** Linear in the number of uses.
  }];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
}

def AttnWriteOutputs : Pass<"attn-write-outputs", "::mlir::func::FuncOp"> {
  let summary = "Puts results into memory that the caller gives";
  let description = [{
    **Before and after.** An argument with the attribute `attn.output = i` is the
    buffer of result `i`, and nothing reads it. The result is materialized there
    and returned no more; `attn.in_place` says which argument stands for each
    result, -1 for what is still returned. A result that updates a state in place
    has its memory already, and is left to attn-drop-state-results; one that is
    read from a `memref.alloc` has the output's instead. This runs right before
    bufferization, which computes the result in its place.

    ```mlir
    func.func @twice(%x: tensor<?xf32>, %out: memref<?xf32> {attn.output = 0}) -> tensor<?xf32> {
      %y = arith.addf %x, %x : tensor<?xf32>
      return %y : tensor<?xf32>
    }
    ```

    becomes

    ```mlir
    func.func @twice(%x: tensor<?xf32>, %out: memref<?xf32> {attn.output = 0}) attributes {attn.in_place = array<i64: 1>} {
      %y = arith.addf %x, %x : tensor<?xf32>
      bufferization.materialize_in_destination %y in restrict writable %out : (tensor<?xf32>, memref<?xf32>) -> ()
      return
    }
    ```

    **Legality.** The buffer has the shape and element type of the result and no
    other use, and nothing in the module refers to the function.

    **Numerics.** Value-preserving.

    **Cost.** Saves an allocation in each call, and the caller a copy.
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect"];
}

def AttnDropStateResults : Pass<"attn-drop-state-results", "::mlir::ModuleOp"> {
  let summary = "States that are updated in place are no results";
  let description = [{
    **Before and after.** A function that returns the buffer of an argument with
    the attribute `attn.state` would have to copy it: what a function returns is
    its caller's to free. The caller has the buffer already, so that the result
    is dropped; `attn.in_place` says which argument stands for each result, -1
    for what is still returned. This runs after bufferization.

    ```mlir
    func.func @step(%x: memref<8xf32>, %s: memref<8xf32> {attn.state}) -> (f32, memref<8xf32>) {
      %c0 = arith.constant 0 : index
      %y = memref.load %x[%c0] : memref<8xf32>
      memref.store %y, %s[%c0] : memref<8xf32>
      return %y, %s : f32, memref<8xf32>
    }
    ```

    becomes

    ```mlir
    func.func @step(%x: memref<8xf32>, %s: memref<8xf32> {attn.state}) -> f32 attributes {attn.in_place = array<i64: -1, 1>} {
      %c0 = arith.constant 0 : index
      %y = memref.load %x[%c0] : memref<8xf32>
      memref.store %y, %s[%c0] : memref<8xf32>
      return %y : f32
    }
    ```

    **Legality.** The function has one block, and nothing in the module refers
    to it: calls would have to change with it.

    **Numerics.** Value-preserving.

    **Cost.** Saves an allocation and a copy of the state in each call.
  }];
  let dependentDialects = ["::mlir::func::FuncDialect"];
}

def AttnYieldInPlace : Pass<"attn-yield-in-place", "::mlir::func::FuncOp"> {
  let summary = "Copies what a loop yields to the tensor that it carries";
  let description = [{
    **Before and after.** One buffer serves a tensor that a loop carries if what
    it yields is the carried tensor, updated. Where a loop yields a tensor that
    was made elsewhere, such as the next row of a recurrence, this copies it into
    the carried one.

    ```mlir
    func.func @next(%n: index, %x: tensor<8xf32>) -> tensor<8xf32> {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x) -> tensor<8xf32> {
        %e = tensor.empty() : tensor<8xf32>
        %b = linalg.exp ins(%a : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
        scf.yield %b : tensor<8xf32>
      }
      return %r : tensor<8xf32>
    }
    ```

    **Legality.** The copy is the last operation of the iteration: whoever reads
    the carried tensor has read it.

    **Numerics.** Value-preserving.

    **Cost.** A copy of the tile an iteration.
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect"];
}

def AttnHoistStackBuffers : Pass<"attn-hoist-stack-buffers", "::mlir::func::FuncOp"> {
  let summary = "Moves stack buffers to the start of the thread that owns them";
  let description = [{
    **Before and after.** A static `memref.alloca` in a loop takes new stack in
    every iteration. It moves to the start of the enclosing `omp.parallel`, or
    of the function, and `memref.alloca_scope`s that are left without a buffer
    are inlined.

    ```mlir
    func.func @tiles(%n: index) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      scf.for %i = %c0 to %n step %c1 {
        %tile = memref.alloca() : memref<64x64xf32>
        %x = memref.load %tile[%c0, %c0] : memref<64x64xf32>
      }
      return
    }
    ```

    **Legality.** The contents of a buffer are undefined on every entry to its
    scope, and no buffer outlives an iteration, so that one for all iterations
    of a thread serves.

    **Numerics.** Value-preserving.

    **Cost.** The stack of a thread holds each buffer once.
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

def AttnCheckAllocations : Pass<"attn-check-allocations", "::mlir::ModuleOp"> {
  let summary = "Ends a call that gets no memory, and reports it";
  let description = [{
    **Before and after.** `malloc` may return null. In a function with the attribute
    `attn.status`, whose last argument is the address of its status, a call that
    gets nothing stores the bytes that it asked for there, frees what the function
    has, and returns zeros.
    In an iteration of a parallel loop it ends that iteration; later ones do
    nothing, and the function returns behind the loop. Functions that are called
    get the status of the caller.

    ```mlir
    module {
      llvm.func @malloc(i64) -> !llvm.ptr
      llvm.func @free(!llvm.ptr)
      llvm.func @scratch(%size: i64, %status: !llvm.ptr) attributes {attn.status} {
        %p = llvm.call @malloc(%size) : (i64) -> !llvm.ptr
        llvm.call @free(%p) : (!llvm.ptr) -> ()
        llvm.return
      }
    }
    ```

    **Legality.** The status is 0 before the call. After a failure, memory that
    the function writes, results and states, holds anything. What is allocated
    again before it is freed, as buffers that loops hand on are, is lost then.

    **Numerics.** Value-preserving.

    **Cost.** A comparison an allocation, and one an iteration of a parallel loop
    that allocates.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def AttnVectorizeCopies : Pass<"attn-vectorize-copies", "::mlir::func::FuncOp"> {
  let summary = "Copies of static tiles as loads and stores of vectors";
  let description = [{
    **Before and after.** Bufferization leaves `memref.copy`s of tiles, each of
    which becomes a call of a library. A copy of static shape with rows of unit
    stride becomes a loop over rows that loads and stores vectors of at most
    `vector-length` elements; LLVM keeps those of small buffers in registers.

    ```mlir
    func.func @copy(%x: memref<16x64xf32, strided<[?, 1], offset: ?>>, %y: memref<16x64xf32>) {
      memref.copy %x, %y : memref<16x64xf32, strided<[?, 1], offset: ?>> to memref<16x64xf32>
      return
    }
    ```

    Other copies become loops over elements: those of dynamic shape, of strided rows
    and of `i1`, vectors of which are packed bits. No copy calls a library but one
    between dense buffers, which is `memcpy`.

    **Legality.** Source and target do not overlap.

    **Numerics.** Value-preserving.

    **Cost.** The bytes are unchanged.
  }];
  let options = [
    Option<"vectorLength", "vector-length", "int64_t", /*default=*/"64",
           "Elements of a row that are moved at once">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"];
}

def AttnPrefetchTiles : Pass<"attn-prefetch-tiles", "::mlir::func::FuncOp"> {
  let summary = "Prefetches the tiles that a loop needs next";
  let description = [{
    **Before and after.** The tile of a chunk of tokens is often a page of
    memory, where the prefetchers of CPUs stop. A loop with a step of more than
    one that takes tiles of an argument or of an allocation at its own index
    prefetches, line by line, those of the next iteration: of allocations, which
    hold results, to write.

    ```mlir
    func.func @tiles(%x: memref<4096x64xf32>, %n: index) {
      %c0 = arith.constant 0 : index
      %c16 = arith.constant 16 : index
      scf.for %i = %c0 to %n step %c16 {
        %tile = memref.subview %x[%i, 0] [16, 64] [1, 1] : memref<4096x64xf32> to memref<16x64xf32, strided<[64, 1], offset: ?>>
        %e = memref.load %tile[%c0, %c0] : memref<16x64xf32, strided<[64, 1], offset: ?>>
      }
      return
    }
    ```

    **Legality.** The last iteration prefetches its own tile: no address is
    outside of the loop's range. Tiles of more than `max-lines` lines would evict
    what the loop works on, and stay.

    **Numerics.** Value-preserving.

    **Cost.** An instruction for each line of 64 bytes.
  }];
  let options = [
    Option<"maxLines", "max-lines", "int64_t", /*default=*/"256",
           "Lines of 64 bytes of the largest tile that is prefetched">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect"];
}

//===----------------------------------------------------------------------===//
// GPU
//===----------------------------------------------------------------------===//

def AttnLaunchRecurrences : Pass<"attn-launch-recurrences", "::mlir::ModuleOp"> {
  let summary = "Recurrences to kernels that walk over tokens";
  let description = [{
    **Before and after.** An `attn.recurrence` becomes a `gpu.func` and its
    launch. A block has the state of one sequence and head, for `value-columns`
    of the value channels, in registers; its token warps copy tiles of 16 tokens,
    evaluate the feature maps and gates of the operands on them and make what
    does not depend on the state, its state warps multiply with tensor cores and
    write the output. Each operand is read once, nothing a tile long is written
    to global memory.

    ```mlir
    func.func @main(%q: tensor<8x?x64xbf16>, %k: tensor<8x?x64xbf16>, %v: tensor<8x?x64xbf16>, %g: tensor<8x?xf32>) -> tensor<8x?x64xf32> {
      %o = attn.recurrence #attn.scalar_decay by(%g "hn") read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hnv" : (tensor<8x?xf32>, tensor<8x?x64xbf16>, tensor<8x?x64xbf16>, tensor<8x?x64xbf16>) -> tensor<8x?x64xf32>
      return %o : tensor<8x?x64xf32>
    }
    ```

    becomes, for the tile of 16 tokens with the scores P = decayed Q K^T,

    ```
    O^T = S^T Q'^T + V^T P^T      S^T = e^(sum g) S^T + V'^T K'
    ```

    with mma.sync on bf16. A division of the output by its last column, and a
    conversion to bf16, that alone read it are part of the kernel.

    Fewer than 16 tokens, such as one of a decode step, a transition without a
    form in chunks and a running maximum are a kernel that walks token by token:
    a block has its state in registers, a thread some rows and columns of it, and
    operands are evaluated into shared memory. A state with the attribute
    `attn.state` that nothing else reads is updated where it is.

    ```
    S~ = f S      u = r - p^T S~      S' = S~ + k v^T + b u^T      o = q^T S'
    ```

    **Legality.** A state of f32 and static numbers of channels. Tiles want up to
    256 key channels, a form in chunks and no running maximum; steps a transition
    that is a decay. What is left stays `recurrent`, and missed remarks say why.

    **Numerics.** Sums and states are f32. Operands of f32 are three bf16 each, of
    which six products are taken: the error is that of f32. Operands of bf16 are
    multiplied as they are; scores, states and what a map makes of them are
    rounded to bf16 where they are multiplied. Decays are never divided: each
    factor is the exponential of a sum of decays between two tokens.

    **Cost.** Steps read and write the state once. Tiles: one launch; each operand once from memory, but once for each part of
    the value channels from the cache. Where the states are fewer than the
    multiprocessors, the tokens are cut into `segments`: a launch before makes the
    states after each from zero, and keys and values are read twice. What a
    segment with erasures does to a state is a matrix, which more blocks of that
    launch make of the identity; it pays from four segments on.
  }];
  let options = [
    Option<"chip", "chip", "std::string", /*default=*/"\"sm_80\"",
           "The GPU's architecture">,
    Option<"valueColumns", "value-columns", "int64_t", /*default=*/"64",
           "Value channels of a block">,
    Option<"segments", "segments", "int64_t", /*default=*/"0",
           "Segments of the tokens of a sequence; 0: as many as fill the chip">,
  ];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::bufferization::BufferizationDialect", "::mlir::gpu::GPUDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::memref::MemRefDialect", "::mlir::NVVM::NVVMDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

def AttnLaunchAttention : Pass<"attn-launch-attention", "::mlir::ModuleOp"> {
  let summary = "Softmax attention to kernels that walk over tiles of keys";
  let description = [{
    **Before and after.** The product of a softmax with values becomes a
    `gpu.func` and its launch. A block has 64 queries of a head and walks over
    tiles of keys; masks, scales and element-wise operations between the scores
    and the softmax are evaluated on the tensor cores' sums, and the maximum and
    the sum of a row are carried along. Keys that a mask excludes for all queries
    of a block are not read.

    ```mlir
    func.func @main(%q: tensor<8x?x64xbf16>, %k: tensor<8x?x64xbf16>, %v: tensor<8x?x64xbf16>) -> tensor<8x?x64xf32> {
      %s = attn.score %q, %k : tensor<8x?x64xbf16>, tensor<8x?x64xbf16> -> tensor<8x?x?xf32>
      %c = attn.scale %s by 0.125 : tensor<8x?x?xf32> -> tensor<8x?x?xf32>
      %m = attn.mask %c, #attn.causal else -inf : tensor<8x?x?xf32>
      %p = attn.softmax %m : tensor<8x?x?xf32>
      %o = attn.apply %p, %v : tensor<8x?x?xf32>, tensor<8x?x64xbf16> -> tensor<8x?x64xf32>
      return %o : tensor<8x?x64xf32>
    }
    ```

    becomes, for each tile of keys,

    ```
    S = f(Q K^T)    m' = max(m, max S)    O = e^(m - m') O + e^(S - m') V
    ```

    with mma.sync on bf16. A conversion of the result to bf16 that alone reads it
    is part of the kernel.

    **Legality.** Up to 256 channels of each kind, static, scores of f32 that
    nothing else reads. What is left is computed a query a thread, and a missed
    remark says why.

    **Numerics.** Sums are f32. Operands of f32 are three bf16 each, of which six
    products are taken; operands of bf16 and their weights are multiplied as
    they are. A row without keys is 0.

    **Cost.** One launch. Queries are read once, keys and values once for each 64
    queries, from the cache.
  }];
  let options = [
    Option<"chip", "chip", "std::string", /*default=*/"\"sm_80\"",
           "The GPU's architecture">,
  ];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::bufferization::BufferizationDialect", "::mlir::gpu::GPUDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::memref::MemRefDialect", "::mlir::NVVM::NVVMDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

def AttnLaunchForall : Pass<"attn-launch-forall", "::mlir::func::FuncOp"> {
  let summary = "Parallel loops of the host to kernels, its buffers to the device's";
  let description = [{
    **Before and after.** After bufferization, each `scf.forall` of the function
    becomes a `gpu.launch` in one dimension with a thread for each iteration, the
    last index the fastest; allocations become `gpu.alloc`. What else writes
    memory runs in one thread. Buffers inside an iteration are the thread's, and
    copies are of elements.

    ```mlir
    func.func @twice(%x: memref<8x64xf32>) {
      scf.forall (%i, %j) in (8, 64) {
        %a = memref.load %x[%i, %j] : memref<8x64xf32>
        %b = arith.addf %a, %a : f32
        memref.store %b, %x[%i, %j] : memref<8x64xf32>
      }
      return
    }
    ```

    **Legality.** The host reads no memory of the device: an operation whose
    result it would use is an error, and so is a buffer in an iteration whose
    size is not static.

    **Numerics.** Value-preserving.

    **Cost.** A launch for each loop.
  }];
  let options = [
    Option<"blockSize", "block-size", "int64_t", /*default=*/"64",
           "Threads in a block">,
  ];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::gpu::GPUDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

def AttnMathToIntrinsics : Pass<"attn-math-to-intrinsics"> {
  let summary = "Roots, signs and roundings to LLVM's intrinsics";
  let description = [{
    **Before and after.** `convert-gpu-to-nvvm` makes calls of a library of
    `math` operations, and refuses LLVM's own. Those of scalars that GPUs have as
    instructions become calls of intrinsics, which it leaves.

    ```mlir
    func.func @root(%x: f32) -> f32 {
      %0 = math.sqrt %x : f32
      return %0 : f32
    }
    ```

    becomes

    ```mlir
    func.func @root(%x: f32) -> f32 {
      %0 = llvm.call_intrinsic "llvm.sqrt"(%x) : (f32) -> f32
      return %0 : f32
    }
    ```

    **Legality.** Always.

    **Numerics.** Value-preserving; `math.rsqrt` is 1 divided by a root.

    **Cost.** None.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::LLVM::LLVMDialect"];
}

def AttnMarkNoAlias : Pass<"attn-mark-no-alias", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Buffers of kernels do not overlap";
  let description = [{
    **Before and after.** Each pointer that a kernel takes becomes `noalias`, so
    that LLVM keeps sums in registers which a kernel adds to in a buffer.

    ```mlir
    module {
      gpu.module @kernels {
        llvm.func @kernel(%x: !llvm.ptr) attributes {nvvm.kernel} {
          llvm.return
        }
      }
    }
    ```

    becomes

    ```mlir
    module {
      gpu.module @kernels {
        llvm.func @kernel(%x: !llvm.ptr {llvm.noalias}) attributes {nvvm.kernel} {
          llvm.return
        }
      }
    }
    ```

    **Legality.** Kernels of attn-gpu-pipeline write results, which are of
    memory of their own, and states, which a call passes once. Arrays that are
    only read may overlap.

    **Numerics.** Value-preserving.

    **Cost.** None.
  }];
}

#endif // ATTN_PASSES_PASSES_TD
