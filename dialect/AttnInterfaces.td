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
    InterfaceMethod<[{
      Whether the features depend on the token's position in its sequence, and
      not on the token alone: a sequence that is cut needs to know where.
      }],
      "bool", "usesPosition", (ins), [{}], [{ return false; }]>,
    InterfaceMethod<[{
      Bounds on every feature that is not NaN, whatever the input.
      }],
      "std::pair<double, double>", "getRange", (ins), [{}],
      [{
        return {-std::numeric_limits<double>::infinity(),
                std::numeric_limits<double>::infinity()};
      }]>,
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
    InterfaceMethod<[{
      For as many queries as keys: whether the set is a lower triangle, true with
      its diagonal and false without it. None for any other set.
      }],
      "std::optional<bool>", "getTriangle", (ins), [{}],
      [{ return std::nullopt; }]>,
    InterfaceMethod<[{
      Whether the set is the pairs within one segment of the one operand, a
      cu_seqlens.
      }],
      "bool", "isSegments", (ins "unsigned":$numOperands), [{}],
      [{ return false; }]>,
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

def Attn_TransitionAttrInterface : AttrInterface<"TransitionAttrInterface"> {
  let cppNamespace = "::mlir::attn";
  let description = [{
    What happens to the state `S[d, v]` of a recurrence from one token to the
    next, before anything is written: `S~ = T(S)`, linear in S. Passes ask this
    interface and never a transition's name. A new transition is one definition
    in AttnTransitions.td and one file in Transitions/.

    A transition may have an operand, which a token reads as a tile with the
    axes `getTileAxes`.
  }];
  let methods = [
    InterfaceMethod<[{
      The axes of a token's part of the operand: none if there is no operand, ""
      for one number, "d" and "v" for one a channel, "dv" for one an element of
      the state, "ed" for a matrix.
      }],
      "std::optional<::llvm::StringRef>", "getTileAxes", (ins), [{}],
      [{ return std::nullopt; }]>,
    InterfaceMethod<[{
      Whether the operand is the logarithm of factors from 0 to 1.
      }],
      "bool", "isLogDecay", (ins), [{}], [{ return false; }]>,
    InterfaceMethod<"Floating-point operations of one T(S).",
      "double", "getStepFlops", (ins "int64_t":$keys, "int64_t":$values)>,
    InterfaceMethod<[{
      The literal definition in f64: the state, row-major `[keys, values]`,
      becomes T(S). `operand` is a token's tile, row-major.
      }],
      "void", "evaluateStep",
      (ins "::llvm::ArrayRef<double>":$operand, "int64_t":$keys,
           "int64_t":$values, "::llvm::MutableArrayRef<double>":$state)>,
    InterfaceMethod<[{
      T(S) of a tile `tensor<K x V>`. `operand` is the token's tile with the axes
      `getTileAxes` (a tensor of rank 0 for "").
      }],
      "::mlir::Value", "emitStep",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::Value":$operand, "::mlir::Value":$state)>,
    InterfaceMethod<[{
      A bound on the logarithm of T's factors, for running maxima: a tensor of
      rank 0, or of one element a value channel where `getTileAxes` has v. Null
      for 0.
      }],
      "::mlir::Value", "emitLogBound",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::Value":$operand), [{}], [{ return nullptr; }]>,
    InterfaceMethod<[{
      Whether chunks of tokens have a form made of matrix products: emitChunk.
      `stabilized` asks for one with a running maximum.
      }],
      "bool", "hasChunkForm", (ins "bool":$stabilized), [{}],
      [{ return false; }]>,
    InterfaceMethod<[{
      Floating-point operations of the weights of one product of scores in a
      chunk, besides the product itself.
      }],
      "double", "getChunkFlops", (ins "int64_t":$tokens, "int64_t":$keys), [{}],
      [{ return 0; }]>,
    InterfaceMethod<[{
      The transitions of a chunk of tokens, composed: see ChunkTerms. `operand`
      has the tokens as its first axis: `tensor<C>`, `tensor<C x K>`.
      }],
      "void", "emitChunk",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::Value":$operand, "::mlir::attn::ChunkTerms &":$terms), [{}],
      [{ llvm_unreachable("transition without a chunk form"); }]>,
  ];
}

def Attn_NamedAxesOpInterface : OpInterface<"NamedAxesOpInterface"> {
  let cppNamespace = "::mlir::attn";
  let description = [{
    An operation whose operands and results have named axes: equal letters are
    equal sizes. `attn.score` and its like implement ContractionOpInterface,
    which has more to say.
  }];
  let methods = [
    InterfaceMethod<"The axes of each operand; empty for one without names.",
      "::llvm::SmallVector<::mlir::attn::EinsumOperand>", "getAxesOfOperands">,
    InterfaceMethod<"The axes of each result.",
      "::llvm::SmallVector<::mlir::attn::EinsumOperand>", "getAxesOfResults">,
    InterfaceMethod<"Two axes of the same size, if there are any.",
      "std::optional<std::pair<char, char>>", "getEqualAxes", (ins), [{}],
      [{ return std::nullopt; }]>,
  ];
}

#endif // ATTN_DIALECT_ATTNINTERFACES_TD
