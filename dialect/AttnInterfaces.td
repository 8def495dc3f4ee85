//===- AttnInterfaces.td - Interfaces of the attn dialect ---*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTNINTERFACES_TD
#define ATTN_DIALECT_ATTNINTERFACES_TD

include "mlir/IR/OpBase.td"

def Attn_FeatureMapAttrInterface : AttrInterface<"FeatureMapAttrInterface"> {
  let cppNamespace = "::mlir::attn";
  let description = [{
    A kernel feature map `phi: R^D -> R^F` that acts on each token's row by
    itself. Passes ask this interface and never a map's name. A new map is one
    definition in AttnFeatureMaps.td and one file in FeatureMaps/.

    Operands of a map (projections) are matrices whose leading dimensions, if
    any, are aligned to the right with the batch dimensions of the mapped
    tensor: `[m, D]` is shared by all heads, `[H, m, D]` has one a head.

    Either `isElementwise` holds and `emitElement` writes the map of a scalar,
    or `emitTile` writes the map of a `[tokens, D]` tile. An exponential map,
    `phi = exp(psi)`, writes `psi` in `emitLogTile` instead, so that a lowering
    can subtract a running maximum before it takes the exponential.
  }];
  let methods = [
    InterfaceMethod<"Checks the operands against the width of the input.",
      "::mlir::LogicalResult", "verifyFeatureMap",
      (ins "::llvm::function_ref<::mlir::InFlightDiagnostic()>":$emitError,
           "int64_t":$inDim, "::mlir::TypeRange":$operands)>,
    InterfaceMethod<"The number F of features that the map makes of D.",
      "int64_t", "getNumFeatures",
      (ins "int64_t":$inDim, "::mlir::TypeRange":$operands), [{}],
      [{ return inDim; }]>,
    InterfaceMethod<"Floating-point operations a token.",
      "double", "getFlopsPerToken",
      (ins "int64_t":$inDim, "::mlir::TypeRange":$operands)>,
    InterfaceMethod<[{
      The literal definition in f64, independent of every lowering: one token's
      row `x` of width D to `out` of width F.
      }],
      "void", "evaluateRow",
      (ins "::llvm::ArrayRef<double>":$x,
           "const ::mlir::attn::FeatureMapRow &":$row,
           "::llvm::MutableArrayRef<double>":$out)>,
    InterfaceMethod<[{
      The number of tokens that a sequence may have at most, if the map bounds
      it: the map is not defined for positions at or past it.
      }],
      "std::optional<int64_t>", "getMaxTokens", (ins), [{}],
      [{ return std::nullopt; }]>,
    InterfaceMethod<"Whether phi acts on every element by itself.",
      "bool", "isElementwise", (ins), [{}], [{ return false; }]>,
    InterfaceMethod<"phi of a scalar; only where isElementwise holds.",
      "::mlir::Value", "emitElement",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::Value":$x), [{}], [{ return nullptr; }]>,
    InterfaceMethod<"Whether phi = exp(psi), with psi written by emitLogTile.",
      "bool", "isExponential", (ins), [{}], [{ return false; }]>,
    InterfaceMethod<"psi of a tile; only where isExponential holds.",
      "::mlir::Value", "emitLogTile",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "const ::mlir::attn::FeatureMapTile &":$tile), [{}],
      [{ return nullptr; }]>,
    InterfaceMethod<[{
      phi of a `tensor<T x D>` tile as linalg on a `tensor<T x F>` tile. The
      default serves element-wise and exponential maps.
      }],
      "::mlir::Value", "emitTile",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "const ::mlir::attn::FeatureMapTile &":$tile), [{}],
      [{ return ::mlir::attn::emitDefaultFeatureMapTile($_attr, builder, loc, tile); }]>,
  ];
}

def Attn_MaskAttrInterface : AttrInterface<"MaskAttrInterface"> {
  let cppNamespace = "::mlir::attn";
  let description = [{
    A set of (query, key) pairs. Passes ask this interface and never a mask's
    name. A new mask is one definition in AttnMasks.td and one file in Masks/.
  }];
  let methods = [
    InterfaceMethod<"Checks the operands against the type of the scores.",
      "::mlir::LogicalResult", "verifyMask",
      (ins "::llvm::function_ref<::mlir::InFlightDiagnostic()>":$emitError,
           "::mlir::RankedTensorType":$scores, "::mlir::TypeRange":$operands)>,
    InterfaceMethod<"Whether every pair is in the set.",
      "bool", "isFull", (ins), [{}], [{ return false; }]>,
    InterfaceMethod<"The literal definition: is the pair in the set?",
      "bool", "contains", (ins "const ::mlir::attn::MaskPoint &":$point)>,
    InterfaceMethod<[{
      Checks the contents of the operands, which only a call knows: none, or
      what is wrong. `point` gives the sizes and the operands' elements.
      }],
      "std::optional<std::string>", "verifyContents",
      (ins "const ::mlir::attn::MaskPoint &":$point), [{}],
      [{ return std::nullopt; }]>,
    InterfaceMethod<[{
      Writes what is computed once before all loops, and names the tensors that
      the predicate reads.
      }],
      "::llvm::SmallVector<::mlir::attn::MaskTerm>", "prepare",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::ValueRange":$operands, "::mlir::Value":$rows,
           "::mlir::Value":$cols), [{}], [{ return {}; }]>,
    InterfaceMethod<[{
      The `i1` predicate of one pair: `row` and `col` are index values, `terms`
      the elements of the prepared tensors at that pair.
      }],
      "::mlir::Value", "emitPredicate",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::Value":$row, "::mlir::Value":$col,
           "::mlir::ValueRange":$terms)>,
    InterfaceMethod<[{
      Bounds [first, second) on the keys that the queries `rowBegin` to
      `rowEnd` (exclusive) can see, before clamping to the number of keys; a
      null value is no bound on that side.
      }],
      "std::pair<::mlir::Value, ::mlir::Value>", "emitKeyRange",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::Value":$rowBegin, "::mlir::Value":$rowEnd), [{}],
      [{ return {}; }]>,
  ];
}

def Attn_ContractionOpInterface : OpInterface<"ContractionOpInterface"> {
  let cppNamespace = "::mlir::attn";
  let description = [{
    A product of two tensors with named axes: score, apply, contract. The name
    says only which subscripts are the default.
  }];
  let methods = [
    InterfaceMethod<"", "::mlir::TypedValue<::mlir::RankedTensorType>", "getLhs">,
    InterfaceMethod<"", "::mlir::TypedValue<::mlir::RankedTensorType>", "getRhs">,
    InterfaceMethod<"", "::mlir::TypedValue<::mlir::RankedTensorType>", "getResult">,
    InterfaceMethod<"The subscripts, the default ones if none are written.",
      "::mlir::attn::Einsum", "getSubscripts">,
  ];
}

#endif // ATTN_DIALECT_ATTNINTERFACES_TD
