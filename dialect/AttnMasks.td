//===- AttnMasks.td - Masks -*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTNMASKS_TD
#define ATTN_DIALECT_ATTNMASKS_TD

include "dialect/AttnDialect.td"
include "dialect/AttnInterfaces.td"
include "mlir/IR/AttrTypeBase.td"

// The registration of a mask is its definition here; Masks/<Name>.cpp holds
// the set (contains) and the IR (emitPredicate).
class Attn_MaskAttr<string name, string attrMnemonic, list<string> methods>
    : AttrDef<Attn_Dialect, name,
              [DeclareAttrInterfaceMethods<Attn_MaskAttrInterface,
                  ["verifyMask", "contains", "emitPredicate"] # methods>]> {
  let mnemonic = attrMnemonic;
}

def Attn_FullAttr : Attn_MaskAttr<"Full", "full", ["isFull"]> {
  let summary = "every pair";
  let description = [{
    ```mlir
    %0 = attn.mask %s, #attn.full else 0.0 : tensor<8x?x?xf32>
    ```
  }];
}

def Attn_CausalAttr : Attn_MaskAttr<"Causal", "causal",
    ["emitKeyRange", "getTriangle"]> {
  let summary = "keys m <= n + offset of query n";
  let description = [{
    With N queries at the end of M keys (decode with a cache) `offset` is
    `M - N`. Without it 0: query 0 sees key 0.

    ```mlir
    %0 = attn.mask %s, #attn.causal else -inf : tensor<8x?x?xf32>
    %1 = attn.mask %s, #attn.causal<offset = 32> else -inf : tensor<8x?x?xf32>
    ```
  }];
  let parameters = (ins DefaultValuedParameter<"int64_t", "0">:$offset);
  let assemblyFormat = "(`<` `offset` `=` $offset^ `>`)?";
}

def Attn_StrictlyCausalAttr : Attn_MaskAttr<"StrictlyCausal",
    "strictly_causal", ["emitKeyRange", "getTriangle"]> {
  let summary = "keys m < n of query n";
  let description = [{
    The first query sees no key: its row is masked out entirely.

    ```mlir
    %0 = attn.mask %s, #attn.strictly_causal else 0.0 : tensor<8x?x?xf32>
    ```
  }];
}

def Attn_SlidingWindowAttr : Attn_MaskAttr<"SlidingWindow", "sliding_window",
    ["emitKeyRange"]> {
  let summary = "keys n - left <= m <= n + right of query n";
  let description = [{
    `left = 255, right = 0` is a causal window of 256 tokens, the current one
    included. Beltagy et al., "Longformer", 2020 (arXiv:2004.05150).

    ```mlir
    %0 = attn.mask %s, #attn.sliding_window<left = 255, right = 0> else -inf : tensor<8x?x?xf32>
    ```
  }];
  let parameters = (ins "int64_t":$left, "int64_t":$right);
  let assemblyFormat = "`<` `left` `=` $left `,` `right` `=` $right `>`";
  let genVerifyDecl = 1;
}

def Attn_PackedAttr : Attn_MaskAttr<"Packed", "packed",
    ["prepare", "verifyContents", "isSegments"]> {
  let summary = "query and key in one segment of cu_seqlens";
  let description = [{
    Packed sequences. The operand `cu_seqlens` is `tensor<(S+1) x i32 or i64>`:
    0, the ends of the segments in order, and the number of tokens last;
    segment s holds the tokens `cu_seqlens[s]` to `cu_seqlens[s+1]` (exclusive).
    A second operand gives the keys their own segments. Intersect it with a
    causal mask by masking twice.

    ```mlir
    %0 = attn.mask %s, #attn.packed(%cu : tensor<4xi32>) else -inf : tensor<8x?x?xf32>
    ```
  }];
}

def Attn_DenseAttr : Attn_MaskAttr<"Dense", "dense", ["prepare"]> {
  let summary = "any boolean tensor";
  let description = [{
    The operand is an `i1` tensor that broadcasts to the scores as in numpy:
    dimensions are aligned to the right and a static size of 1 is repeated.

    ```mlir
    %0 = attn.mask %s, #attn.dense(%m : tensor<?x?xi1>) else -inf : tensor<8x?x?xf32>
    ```
  }];
}

#endif // ATTN_DIALECT_ATTNMASKS_TD
