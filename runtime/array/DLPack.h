//===- DLPack.h - Arrays as DLPack tensors -*- C++ -*- ------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ARRAY_DLPACK_H
#define ATTN_RUNTIME_ARRAY_DLPACK_H

#include "runtime/array/Array.h"
#include <dlpack/dlpack.h>
#include <optional>
#include <string>

namespace attn {

/// I1 is DLPack's unsigned integer of 8 bits.
DLDataType getDLDataType(ElementType type);
/// Vectors (lanes) and what graphs do not have are none.
std::optional<ElementType> getElementType(DLDataType type);

/// "f32", "u16", "f32x4"
std::string getText(DLDataType type);
/// "CPU", "CUDA device 1"
std::string getText(DLDevice device);
/// "[128, 1]"
std::string getText(const int64_t *sizes, int count);

/// The address of the first element.
inline char *getData(const DLTensor &tensor) {
  return static_cast<char *>(tensor.data) + tensor.byte_offset;
}
/// The product of the sizes.
int64_t getNumElements(const DLTensor &tensor);
/// Whether the elements lie row-major without gaps. The strides of dimensions
/// of size 1, and those of a tensor without elements, do not matter.
bool isDense(const DLTensor &tensor);

/// The memory of an array as a tensor. It points to the array's shape: the
/// array outlives it and stays where it is.
DLTensor viewOf(const Array &array, DLDevice device = DLDevice{kDLCPU, 0});
/// The memory of a dense tensor as an array that does not own it.
Array wrap(const DLTensor &tensor, ElementType type);
/// A dense copy of a tensor of the CPU.
llvm::Expected<Array> copyOf(const DLTensor &tensor, ElementType type);
/// Copies the elements of a tensor of the CPU to another of the same shape and
/// type.
void copyElements(const DLTensor &from, const DLTensor &to);

/// The element type of a C++ type; `value` is missing where there is none.
template <typename T> struct ElementTypeOf;
template <> struct ElementTypeOf<double> {
  static constexpr ElementType value = ElementType::F64;
};
template <> struct ElementTypeOf<float> {
  static constexpr ElementType value = ElementType::F32;
};
template <> struct ElementTypeOf<int64_t> {
  static constexpr ElementType value = ElementType::I64;
};
template <> struct ElementTypeOf<int32_t> {
  static constexpr ElementType value = ElementType::I32;
};
template <> struct ElementTypeOf<bool> {
  static constexpr ElementType value = ElementType::I1;
};

/// A strided buffer of somebody else, described by values: what DLTensor is
/// with pointers. Strides count elements; without them the buffer is row-major.
///
///     std::vector<float> q(8 * n * 64);
///     TensorView view(q.data(), {8, n, 64});
class TensorView {
public:
  /// T: double, float, int64_t, int32_t or bool; const for arguments.
  template <typename T>
  TensorView(T *data, llvm::ArrayRef<int64_t> shape,
             llvm::ArrayRef<int64_t> strides = {})
      : TensorView(ElementTypeOf<std::remove_const_t<T>>::value,
                   const_cast<std::remove_const_t<T> *>(data), shape, strides) {
  }
  TensorView(ElementType type, void *data, llvm::ArrayRef<int64_t> shape,
             llvm::ArrayRef<int64_t> strides = {})
      : type(type), data(data), shape(shape), strides(strides) {}

  /// Valid while this object is, and stays where it is.
  operator DLTensor() const;

private:
  ElementType type;
  void *data;
  llvm::SmallVector<int64_t, 4> shape, strides;
};

} // namespace attn

#endif // ATTN_RUNTIME_ARRAY_DLPACK_H
