//===- Array.h - Typed arrays that programs and kernels exchange -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ARRAY_ARRAY_H
#define ATTN_RUNTIME_ARRAY_ARRAY_H

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <memory>

namespace attn {

enum class ElementType { F64, F32, F16, BF16, I64, I32, I1 };

/// Bytes an element; I1 is stored as one byte.
int64_t getElementSize(ElementType type);
llvm::StringRef getName(ElementType type);
/// The element type of an MLIR scalar type; an error for any other type.
llvm::Expected<ElementType> getElementType(mlir::Type type);
/// Bytes of a dense array; an error for negative sizes, and where the array or
/// its strides exceed the address space.
llvm::Expected<int64_t> getNumBytes(ElementType type,
                                    llvm::ArrayRef<int64_t> shape);

/// A dense row-major array that owns its memory or shares it. Copies share.
class Array {
public:
  Array() = default;
  /// Uninitialised memory; pages are touched only when they are written.
  static llvm::Expected<Array> create(ElementType type,
                                      llvm::ArrayRef<int64_t> shape);
  /// Memory of somebody else, which `owner` keeps alive.
  static Array wrap(ElementType type, llvm::ArrayRef<int64_t> shape, void *data,
                    std::shared_ptr<void> owner);

  ElementType getType() const { return type; }
  llvm::ArrayRef<int64_t> getShape() const { return shape; }
  int64_t getRank() const { return shape.size(); }
  int64_t getNumElements() const;
  void *getData() const { return data.get(); }

  /// The element at a row-major position, widened to double or rounded from it
  /// (to nearest even).
  double get(int64_t position) const;
  void set(int64_t position, double value);

private:
  ElementType type = ElementType::F32;
  llvm::SmallVector<int64_t, 4> shape;
  std::shared_ptr<void> data;
};

/// ||a - b|| / ||b|| over all elements in f64; 0 where both are zero, NaN
/// where one of them has a NaN or infinity that the other has not (elements
/// where both are NaN, or the same infinity, agree). Shapes must be equal.
llvm::Expected<double> getRelativeError(const Array &a, const Array &b);

/// Standard normal values times `stddev`, the same for a seed on every machine
/// and whatever the element type. Integers get zeros.
void fillNormal(Array &array, uint64_t seed, double stddev = 1.0);

/// An .npy file as it is: f64, f32, f16, i64, i32, u8/bool, C order. Parts of
/// files are read and written in NpyFile.h.
llvm::Expected<Array> readNpy(llvm::StringRef path);
/// The same elements rounded or widened to another type.
llvm::Expected<Array> convert(const Array &array, ElementType type);
/// Writes an .npy file whole or not at all; bf16 is written as f32.
llvm::Error writeNpy(llvm::StringRef path, const Array &array);

} // namespace attn

#endif // ATTN_RUNTIME_ARRAY_ARRAY_H
