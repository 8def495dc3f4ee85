//===- AttnTransitions.td - Transitions of a state ----------*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTNTRANSITIONS_TD
#define ATTN_DIALECT_ATTNTRANSITIONS_TD

include "dialect/AttnDialect.td"
include "dialect/AttnInterfaces.td"
include "mlir/IR/AttrTypeBase.td"

// The registration of a transition is its definition here;
// Transitions/<Name>.cpp holds the formula and the IR.
class Attn_TransitionAttr<string name, string attrMnemonic,
                          list<string> methods>
    : AttrDef<Attn_Dialect, name,
              [DeclareAttrInterfaceMethods<Attn_TransitionAttrInterface,
                  ["getStepFlops", "evaluateStep", "emitStep"] # methods>]> {
  let mnemonic = attrMnemonic;
}

def Attn_NoDecayAttr : Attn_TransitionAttr<"NoDecay", "no_decay",
    ["hasChunkForm", "getChunkFlops", "emitChunk"]> {
  let summary = "T(S) = S";
  let description = [{
    Linear attention without a decay; with an erasure, DeltaNet.

    ```mlir
    %o = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x64xf32>) -> tensor<8x?x64xf32>
    ```
  }];
}

def Attn_ScalarDecayAttr : Attn_TransitionAttr<"ScalarDecay", "scalar_decay",
    ["getTileAxes", "isLogDecay", "emitLogBound", "hasChunkForm",
     "getChunkFlops", "emitChunk"]> {
  let summary = "T(S) = e^g S";
  let description = [{
    One decay a token for the whole state: RetNet, Mamba-2, simple GLA, mLSTM;
    with an erasure, Gated DeltaNet.

    ```mlir
    %o = attn.recurrence #attn.scalar_decay by(%g "hn") read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hnv" : (tensor<8x?xf32>, tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x64xf32>) -> tensor<8x?x64xf32>
    ```
  }];
}

def Attn_DiagonalDecayAttr : Attn_TransitionAttr<"DiagonalDecay",
    "diagonal_decay",
    ["getTileAxes", "isLogDecay", "emitLogBound", "hasChunkForm",
     "getChunkFlops", "emitChunk"]> {
  let summary = "T(S) = diag(e^g) S";
  let description = [{
    One decay a key channel: GLA, HGRN2, RWKV-5 and -6; with an erasure, KDA and
    RWKV-7.

    ```mlir
    %o = attn.recurrence #attn.diagonal_decay by(%g "hnd") read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x64xf32>) -> tensor<8x?x64xf32>
    ```
  }];
}

def Attn_ElementwiseDecayAttr : Attn_TransitionAttr<"ElementwiseDecay",
    "elementwise_decay", ["getTileAxes", "isLogDecay", "emitLogBound"]> {
  let summary = "T(S) = e^G * S";
  let description = [{
    One decay an element of the state: Mamba-1; with one key channel, RWKV-4. It
    has no form in matrix products and is computed as a scan.

    ```mlir
    %o = attn.recurrence #attn.elementwise_decay by(%g "bnvd") read(%c "bnd" current) write(%k "bnd", %x "bnv") -> "bnv" : (tensor<1x?x32x16xf32>, tensor<1x?x16xf32>, tensor<1x?x16xf32>, tensor<1x?x32xf32>) -> tensor<1x?x32xf32>
    ```
  }];
}

def Attn_DenseTransitionAttr : Attn_TransitionAttr<"DenseTransition", "dense_transition",
    ["getTileAxes"]> {
  let summary = "T(S) = M S";
  let description = [{
    A matrix a token. It has no form in chunks that is cheaper than its steps.

    ```mlir
    %o = attn.recurrence #attn.dense_transition by(%m "hned") read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hnv" : (tensor<8x?x16x16xf32>, tensor<8x?x16xf32>, tensor<8x?x16xf32>, tensor<8x?x16xf32>) -> tensor<8x?x16xf32>
    ```
  }];
}

#endif // ATTN_DIALECT_ATTNTRANSITIONS_TD
