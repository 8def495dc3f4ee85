//===- AttnDialect.td - The attn dialect --------------------*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTNDIALECT_TD
#define ATTN_DIALECT_ATTNDIALECT_TD

include "mlir/IR/OpBase.td"

def Attn_Dialect : Dialect {
  let name = "attn";
  let cppNamespace = "::mlir::attn";
  let summary = "Attention as the algebra of a paper states it";
  let description = [{
    The `attn` dialect holds attention graphs: products of matrices, feature
    maps, masks, softmax and row normalisers on tensors. A graph is the
    quadratic form `O = A V` in which a paper states a mechanism; the passes
    derive from it the forms that are linear in the number of tokens.

    Values whose two last dimensions are both token axes (the `N x M` scores)
    are values of the algebra. No pass promises a buffer for them, and
    `attn-verify-no-quadratic` refuses a module that still has one.

    Example: the Linear Transformer (Katharopoulos et al., 2020), not causal.

    ```mlir
    %fq = attn.feature_map %q, #attn.elu1 : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
    %fk = attn.feature_map %k, #attn.elu1 : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
    %a = attn.score %fq, %fk : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
    %p = attn.normalize %a : tensor<1x8x?x?xf32>
    %o = attn.apply %p, %v : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
    ```
  }];
  let useDefaultAttributePrinterParser = 0;
  let extraClassDeclaration = [{
    ::mlir::Attribute parseAttribute(::mlir::DialectAsmParser &parser,
                                     ::mlir::Type type) const override;
    void printAttribute(::mlir::Attribute attr,
                        ::mlir::DialectAsmPrinter &printer) const override;
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

#endif // ATTN_DIALECT_ATTNDIALECT_TD
