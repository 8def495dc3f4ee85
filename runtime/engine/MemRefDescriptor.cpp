//===- MemRefDescriptor.cpp - Arrays as kernels see them -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/MemRefDescriptor.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/Support/MathExtras.h"
#include <cstdlib>
#include <cstring>

using namespace attn;

/// What MLIR writes as the allocated pointer of a `memref.global`, which
/// nobody may free.
static constexpr intptr_t globalMarker = 0xdeadbeef;

static llvm::SmallVector<int64_t>
getRowMajorStrides(llvm::ArrayRef<int64_t> shape) {
  llvm::SmallVector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (int64_t i = shape.size() - 1; i >= 0; --i) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

MemRefDescriptor::MemRefDescriptor(const Array &array) {
  auto pointer = reinterpret_cast<intptr_t>(array.getData());
  words = {pointer, pointer, 0};
  llvm::append_range(words, array.getShape());
  llvm::append_range(words, getRowMajorStrides(array.getShape()));
}

llvm::Expected<ResultBuffer>
ResultBuffer::create(mlir::TypeRange results, llvm::ArrayRef<int64_t> inPlace) {
  ResultBuffer buffer;
  int64_t end = 0;
  for (auto [type, argument] : llvm::zip_equal(results, inPlace)) {
    auto tensor = llvm::dyn_cast<mlir::RankedTensorType>(type);
    auto element =
        attn::getElementType(tensor ? tensor.getElementType() : type);
    if (!element)
      return element.takeError();
    if (argument >= 0) {
      buffer.fields.push_back({*element, std::nullopt, 0, argument});
      continue;
    }
    ++buffer.numReturned;
    int64_t size = getElementSize(*element);
    int64_t alignment = size;
    std::optional<int64_t> rank;
    if (tensor) {
      rank = tensor.getRank();
      alignment = sizeof(int64_t);
      size = MemRefDescriptor::getNumWords(*rank) * alignment;
    }
    int64_t offset = llvm::alignTo(end, alignment);
    buffer.fields.push_back({*element, rank, offset, -1});
    end = offset + size;
  }
  buffer.words.resize(llvm::divideCeil(end, sizeof(int64_t)));
  return buffer;
}

bool ResultBuffer::isScalar() const {
  return numReturned == 1 && llvm::any_of(fields, [](const Field &field) {
           return field.argument < 0 && !field.rank;
         });
}

static int64_t getNumBytes(const Array &array) {
  return array.getNumElements() * getElementSize(array.getType());
}

static bool holds(const Array &array, intptr_t pointer) {
  auto begin = reinterpret_cast<intptr_t>(array.getData());
  return pointer >= begin &&
         pointer < begin + std::max<int64_t>(getNumBytes(array), 1);
}

static Array copyOf(ElementType type, llvm::ArrayRef<int64_t> shape,
                    const void *data) {
  Array copy = llvm::cantFail(Array::create(type, shape));
  if (int64_t bytes = getNumBytes(copy))
    std::memcpy(copy.getData(), data, bytes);
  return copy;
}

llvm::SmallVector<Array> ResultBuffer::take(llvm::ArrayRef<Array> arguments,
                                            void (*release)(void *)) const {
  llvm::SmallVector<Array> results;
  const char *base = reinterpret_cast<const char *>(words.data());
  llvm::SmallDenseMap<intptr_t, std::shared_ptr<void>> owners;
  for (const Field &field : fields) {
    if (field.argument >= 0) {
      results.push_back(arguments[field.argument]);
      continue;
    }
    if (!field.rank) {
      results.push_back(copyOf(field.type, {}, base + field.offset));
      continue;
    }
    const int64_t *descriptor = &words[field.offset / sizeof(int64_t)];
    intptr_t allocated = descriptor[0];
    llvm::ArrayRef<int64_t> shape(descriptor + 3, *field.rank);
    auto *data = reinterpret_cast<char *>(descriptor[1]) +
                 descriptor[2] * getElementSize(field.type);
    // Constants are not writable, and they go with the code.
    if (allocated == globalMarker) {
      results.push_back(copyOf(field.type, shape, data));
      continue;
    }
    std::shared_ptr<void> &owner = owners[allocated];
    if (!owner) {
      const auto *argument = llvm::find_if(arguments, [&](const Array &array) {
        return allocated && holds(array, allocated);
      });
      if (argument != arguments.end())
        owner = std::make_shared<Array>(*argument);
      else
        owner =
            std::shared_ptr<void>(reinterpret_cast<void *>(allocated), release);
    }
    results.push_back(Array::wrap(field.type, shape, data, owner));
  }
  return results;
}
