//===- DLPack.cpp - Arrays as DLPack tensors ----------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/array/DLPack.h"
#include "llvm/ADT/StringExtras.h"
#include <cstring>

namespace attn {

/// DLPack's boolean since version 0.7.
static constexpr uint8_t kBool = 6;

DLDataType getDLDataType(ElementType type) {
  auto bits = static_cast<uint8_t>(8 * getElementSize(type));
  switch (type) {
  case ElementType::F64:
  case ElementType::F32:
  case ElementType::F16:
    return {kDLFloat, bits, 1};
  case ElementType::BF16:
    return {kDLBfloat, bits, 1};
  case ElementType::I64:
  case ElementType::I32:
    return {kDLInt, bits, 1};
  case ElementType::I1:
    return {kDLUInt, bits, 1};
  }
  llvm_unreachable("element type without a name");
}

std::optional<ElementType> getElementType(DLDataType type) {
  if (type.lanes != 1)
    return std::nullopt;
  if (type.code == kBool && type.bits == 8)
    return ElementType::I1;
  for (ElementType known :
       {ElementType::F32, ElementType::F64, ElementType::F16, ElementType::BF16,
        ElementType::I64, ElementType::I32, ElementType::I1}) {
    DLDataType other = getDLDataType(known);
    if (other.code == type.code && other.bits == type.bits)
      return known;
  }
  return std::nullopt;
}

std::string getText(DLDataType type) {
  static constexpr const char *names[] = {"i",  "u",       "f",   "opaque",
                                          "bf", "complex", "bool"};
  std::string text = type.code < std::size(names)
                         ? names[type.code]
                         : "type code " + llvm::utostr(type.code) + " of bits ";
  text += llvm::utostr(type.bits);
  if (type.lanes != 1)
    text += "x" + llvm::utostr(type.lanes);
  return text;
}

std::string getText(DLDevice device) {
  std::string name;
  switch (static_cast<int>(device.device_type)) {
  case kDLCPU:
    return "the CPU";
  case kDLCUDA:
    name = "CUDA";
    break;
  case kDLCUDAHost:
    name = "pinned CUDA";
    break;
  case kDLCUDAManaged:
    name = "managed CUDA";
    break;
  default:
    name = "type " + llvm::itostr(device.device_type);
  }
  return name + " device " + llvm::itostr(device.device_id);
}

std::string getText(const int64_t *sizes, int count) {
  std::string text = "[";
  for (int i = 0; i < count; ++i)
    text += (i ? ", " : "") + llvm::itostr(sizes[i]);
  return text + "]";
}

int64_t getNumElements(const DLTensor &tensor) {
  int64_t count = 1;
  for (int i = 0; i < tensor.ndim; ++i)
    count *= tensor.shape[i];
  return count;
}

bool isDense(const DLTensor &tensor) {
  if (!tensor.strides)
    return true;
  int64_t stride = 1;
  bool dense = true;
  for (int i = tensor.ndim - 1; i >= 0; --i) {
    if (tensor.shape[i] == 0)
      return true;
    dense &= tensor.shape[i] == 1 || tensor.strides[i] == stride;
    stride *= tensor.shape[i];
  }
  return dense;
}

DLTensor viewOf(const Array &array, DLDevice device) {
  // DLPack has no const: nobody writes to shapes.
  return {array.getData(),
          device,
          static_cast<int>(array.getRank()),
          getDLDataType(array.getType()),
          const_cast<int64_t *>(array.getShape().data()),
          nullptr,
          0};
}

Array wrap(const DLTensor &tensor, ElementType type) {
  return Array::wrap(type, {tensor.shape, static_cast<size_t>(tensor.ndim)},
                     getData(tensor), nullptr);
}

/// Copies dimensions from `dim` on.
static void copyFrom(int dim, const DLTensor &shape, int64_t bytes,
                     const char *from, const int64_t *fromStrides, char *to,
                     const int64_t *toStrides) {
  if (dim == shape.ndim) {
    std::memcpy(to, from, bytes);
    return;
  }
  if (dim + 1 == shape.ndim && fromStrides[dim] == 1 && toStrides[dim] == 1) {
    std::memcpy(to, from, bytes * shape.shape[dim]);
    return;
  }
  for (int64_t i = 0; i < shape.shape[dim]; ++i)
    copyFrom(dim + 1, shape, bytes, from + i * fromStrides[dim] * bytes,
             fromStrides, to + i * toStrides[dim] * bytes, toStrides);
}

static llvm::SmallVector<int64_t, 4> getStrides(const DLTensor &tensor) {
  llvm::SmallVector<int64_t, 4> strides(tensor.ndim);
  int64_t stride = 1;
  for (int i = tensor.ndim - 1; i >= 0; --i) {
    strides[i] = tensor.strides ? tensor.strides[i] : stride;
    stride *= tensor.shape[i];
  }
  return strides;
}

void copyElements(const DLTensor &from, const DLTensor &to) {
  if (getNumElements(from) == 0)
    return;
  int64_t bytes = from.dtype.bits / 8;
  copyFrom(0, from, bytes, getData(from), getStrides(from).data(), getData(to),
           getStrides(to).data());
}

llvm::Expected<Array> copyOf(const DLTensor &tensor, ElementType type) {
  auto copy =
      Array::create(type, {tensor.shape, static_cast<size_t>(tensor.ndim)});
  if (!copy)
    return copy.takeError();
  copyElements(tensor, viewOf(*copy));
  return copy;
}

TensorView::operator DLTensor() const {
  return {data,
          DLDevice{kDLCPU, 0},
          static_cast<int>(shape.size()),
          getDLDataType(type),
          const_cast<int64_t *>(shape.data()),
          strides.empty() ? nullptr : const_cast<int64_t *>(strides.data()),
          0};
}

} // namespace attn
