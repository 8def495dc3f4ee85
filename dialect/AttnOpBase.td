//===- AttnOpBase.td - What all operations share ------------*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTNOPBASE_TD
#define ATTN_DIALECT_ATTNOPBASE_TD

include "dialect/AttnDialect.td"
include "dialect/AttnInterfaces.td"
include "mlir/IR/EnumAttr.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

// A ranked tensor of floating-point elements, in the usual dense layout.
class Attn_TensorOf<list<Type> elements>
    : ConfinedType<RankedTensorOf<elements>,
                   [CPred<"!::llvm::cast<::mlir::RankedTensorType>($_self)"
                          ".getEncoding()">],
                   RankedTensorOf<elements>.summary # " without encoding",
                   "::mlir::RankedTensorType">;
def Attn_Tensor : Attn_TensorOf<[F64, F32, F16, BF16]>;
// Results are computed in f32 or wider (E1), so these are the types of results.
def Attn_WideTensor : Attn_TensorOf<[F64, F32]>;

class Attn_Op<string mnemonic, list<Trait> traits = []>
    : Op<Attn_Dialect, mnemonic, traits # [Pure]> {
  let hasVerifier = 1;
}

#endif // ATTN_DIALECT_ATTNOPBASE_TD
