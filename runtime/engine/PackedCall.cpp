//===- PackedCall.cpp - Memory as compiled code sees it -----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/PackedCall.h"
#include "runtime/array/Error.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/Support/MathExtras.h"
#include <cstdlib>
#include <cstring>

namespace attn {

/// What MLIR writes as the allocated pointer of a `memref.global`, which
/// nobody may free.
static constexpr intptr_t globalMarker = 0xdeadbeef;

static int64_t getNumWords(int64_t rank) { return 3 + 2 * rank; }

PackedCall::PackedCall(const Signature &signature,
                       llvm::ArrayRef<int64_t> inPlace)
    : signature(signature) {
  int64_t end = 0, numWords = 0;
  for (auto [i, info] : llvm::enumerate(signature.results)) {
    numWords += getNumWords(info.shape.size());
    if (inPlace[i] >= 0)
      continue;
    int64_t size = getElementSize(info.type), alignment = size;
    if (info.isTensor) {
      alignment = sizeof(int64_t);
      size = getNumWords(info.shape.size()) * alignment;
    }
    int64_t offset = llvm::alignTo(end, alignment);
    fields.push_back({static_cast<unsigned>(i), offset});
    end = offset + size;
  }
  for (const ArgumentInfo &info : signature.arguments)
    numWords += getNumWords(info.shape.size());
  // Nothing moves: the packed addresses are of these elements.
  words.reserve(numWords);
  descriptors.reserve(signature.arguments.size() + signature.results.size());
  returned.resize(llvm::divideCeil(end, sizeof(int64_t)));
  returnedData = returned.data();
  returnsScalar =
      fields.size() == 1 && !signature.results[fields.front().result].isTensor;
  // A struct is returned through a hidden first argument.
  if (!fields.empty() && !returnsScalar)
    packed.push_back(&returnedData);
}

void PackedCall::addDescriptor(const DLTensor &tensor) {
  descriptors.push_back(words.end());
  auto data = reinterpret_cast<intptr_t>(getData(tensor));
  words.append({data, data, 0});
  words.append(tensor.shape, tensor.shape + tensor.ndim);
  if (tensor.strides) {
    words.append(tensor.strides, tensor.strides + tensor.ndim);
  } else {
    words.append(tensor.ndim, 1);
    for (int i = tensor.ndim - 1, end = words.size() - 1; i > 0; --i, --end)
      words[end - 1] = words[end] * tensor.shape[i];
  }
  packed.push_back(&descriptors.back());
}

void PackedCall::addArgument(const DLTensor &tensor) {
  if (signature.arguments[numArguments++].isTensor)
    addDescriptor(tensor);
  else
    packed.push_back(getData(tensor));
}

void PackedCall::addResult(const DLTensor &tensor) {
  const ResultInfo &info = signature.results[numResults++];
  if (info.isTensor && info.hasKnownShape())
    addDescriptor(tensor);
}

llvm::Error PackedCall::run(const LoadedCode &code) {
  packed.push_back(&status);
  // A scalar is returned through the last packed address.
  if (returnsScalar)
    packed.push_back(returnedData);
  code.call(packed.data());
  if (missing == 0)
    return llvm::Error::success();
  return createError(signature.location + ": '" + signature.function +
                     "': out of memory: cannot allocate " +
                     llvm::Twine(missing) +
                     " bytes for what is computed in between");
}

//===----------------------------------------------------------------------===//
// What the function returned
//===----------------------------------------------------------------------===//

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

void PackedCall::takeReturned(llvm::ArrayRef<Array> arguments,
                              llvm::MutableArrayRef<Array> results,
                              void (*release)(void *)) const {
  const char *base = reinterpret_cast<const char *>(returned.data());
  llvm::SmallDenseMap<intptr_t, std::shared_ptr<void>> owners;
  for (const Field &field : fields) {
    const ResultInfo &info = signature.results[field.result];
    Array &result = results[field.result];
    if (!info.isTensor) {
      result = copyOf(info.type, {}, base + field.offset);
      continue;
    }
    const int64_t *descriptor = &returned[field.offset / sizeof(int64_t)];
    intptr_t allocated = descriptor[0];
    llvm::ArrayRef<int64_t> shape(descriptor + 3, info.shape.size());
    auto *data = reinterpret_cast<char *>(descriptor[1]) +
                 descriptor[2] * getElementSize(info.type);
    // Constants are not writable, and they go with the code.
    if (allocated == globalMarker) {
      result = copyOf(info.type, shape, data);
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
    result = Array::wrap(info.type, shape, data, owner);
  }
}

void PackedCall::copyReturned(llvm::ArrayRef<DLTensor> arguments,
                              llvm::ArrayRef<DLTensor> results) const {
  if (fields.empty())
    return;
  llvm::SmallVector<Array> owners, arrays(results.size());
  for (auto [tensor, info] : llvm::zip_equal(arguments, signature.arguments))
    owners.push_back(wrap(tensor, info.type));
  takeReturned(owners, arrays, std::free);
  for (const Field &field : fields)
    copyElements(viewOf(arrays[field.result]), results[field.result]);
}

} // namespace attn
