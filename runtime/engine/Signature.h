//===- Signature.h - What a callable takes and gives -*- C++ -*- --------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_SIGNATURE_H
#define ATTN_RUNTIME_ENGINE_SIGNATURE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/algebra/ShapeClasses.h"
#include "runtime/array/DLPack.h"
#include <optional>
#include <string>

namespace attn {

/// The attribute of an argument or a result that is its name for callers.
inline constexpr llvm::StringLiteral kNameAttrName = "attn.name";

/// A size of a value: static, or that of a dimension of an argument.
struct Extent {
  int64_t size = mlir::ShapedType::kDynamic;
  std::optional<mlir::attn::ShapeClasses::ArgumentDim> place;

  bool isKnown() const { return place || !mlir::ShapedType::isDynamic(size); }
  int64_t get(llvm::ArrayRef<Array> arguments) const {
    return place ? arguments[place->argument].getShape()[place->dim] : size;
  }
  int64_t get(llvm::ArrayRef<DLTensor> arguments) const {
    return place ? arguments[place->argument].shape[place->dim] : size;
  }
};

/// The size of a dimension, as far as the arguments of a call determine it.
Extent getExtent(mlir::func::FuncOp function,
                 const mlir::attn::ShapeClasses &classes, mlir::Value value,
                 int64_t dim);

/// An argument or a result.
struct ValueInfo {
  /// `attn.name`, else "arg0", "result0", ... by position.
  std::string name;
  ElementType type;
  /// Sizes; kDynamic where each call chooses. Scalars have rank 0.
  llvm::SmallVector<int64_t, 4> shape;
  /// Not a scalar: "tensor<f32>", not "f32".
  bool isTensor = true;

  /// As MLIR writes the type: "tensor<8x?x64xf32>".
  std::string getTypeText() const;
};

struct ArgumentInfo : ValueInfo {
  /// The graph updates it (`attn.state`): calls write to it.
  bool isState = false;
};

struct ResultInfo : ValueInfo {
  /// Each size as the arguments of a call determine it.
  llvm::SmallVector<Extent, 4> extents;
  /// The state that is updated in place to this result, or -1.
  int64_t state = -1;

  /// Whether the caller can know the shape before a call.
  bool hasKnownShape() const {
    return llvm::all_of(extents,
                        [](Extent extent) { return extent.isKnown(); });
  }
  /// The shape in a call; all extents are known.
  template <typename T>
  llvm::SmallVector<int64_t, 4> getShape(llvm::ArrayRef<T> arguments) const {
    llvm::SmallVector<int64_t, 4> sizes;
    for (const Extent &extent : extents)
      sizes.push_back(extent.get(arguments));
    return sizes;
  }
};

/// What a callable takes and gives.
struct Signature {
  std::string function;
  /// Where the function stands in the source, for messages.
  std::string location;
  llvm::SmallVector<ArgumentInfo, 0> arguments;
  llvm::SmallVector<ResultInfo, 0> results;

  /// An error where a type has no array.
  static llvm::Expected<Signature>
  create(mlir::func::FuncOp function, const mlir::attn::ShapeClasses &classes);
};

} // namespace attn

#endif // ATTN_RUNTIME_ENGINE_SIGNATURE_H
