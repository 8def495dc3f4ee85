//===- CheckArguments.cpp - A call against its signature ----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/CheckArguments.h"
#include "runtime/array/Error.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attn {

llvm::Expected<func::FuncOp> findEntry(ModuleOp module, StringRef name) {
  SmallVector<std::string> known;
  SmallVector<func::FuncOp> candidates;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (function.isExternal())
      continue;
    if (!name.empty() && function.getSymName() == name)
      return function;
    known.push_back(function.getSymName().str());
    if (function.isPublic())
      candidates.push_back(function);
  }
  if (name.empty() && candidates.size() == 1)
    return candidates.front();
  std::string text =
      known.empty() ? "no function with a body" : llvm::join(known, ", ");
  if (!name.empty())
    return createError(module.getLoc(),
                       "no function '" + name + "' to run; there is " + text);
  return createError(module.getLoc(),
                     "expected one public function or the name of one; there "
                     "is " +
                         text);
}

//===----------------------------------------------------------------------===//
// One tensor
//===----------------------------------------------------------------------===//

/// "'main', argument 1 (k): expected ..., got ...". Nothing is written before
/// something is wrong: this is run in every call.
static llvm::Error refuse(const Signature &signature, StringRef kind,
                          size_t number, const ValueInfo &info,
                          const Twine &expected, const Twine &got) {
  std::string name;
  if (!info.name.empty() &&
      !StringRef(info.name).ends_with(llvm::utostr(number)))
    name = " (" + info.name + ")";
  return createError(signature.location + ": '" + signature.function + "', " +
                     kind + " " + Twine(number) + name + ": expected " +
                     expected + ", got " + got);
}

static bool isOn(DLDevice device, DLDevice wanted) {
  bool isShared =
      device.device_type == kDLCUDAHost || device.device_type == kDLCUDAManaged;
  return isShared || (device.device_type == wanted.device_type &&
                      (wanted.device_type == kDLCPU ||
                       device.device_id == wanted.device_id));
}

static bool hasShape(const ValueInfo &info, const DLTensor &tensor) {
  if (static_cast<size_t>(tensor.ndim) != info.shape.size())
    return false;
  if (tensor.ndim > 0 && !tensor.shape)
    return false;
  for (auto [i, size] : llvm::enumerate(info.shape))
    if (tensor.shape[i] < 0 ||
        (ShapedType::isStatic(size) && tensor.shape[i] != size))
      return false;
  return true;
}

/// Whether the places of all elements can be computed.
static bool fitsAddresses(const DLTensor &tensor, int64_t elementSize) {
  int64_t reach = 0;
  for (int i = 0; i < tensor.ndim; ++i) {
    int64_t steps = std::max<int64_t>(tensor.shape[i] - 1, 0), span;
    if (llvm::MulOverflow(steps, tensor.strides[i], span) ||
        span == INT64_MIN || llvm::AddOverflow(reach, std::abs(span), reach))
      return false;
  }
  return reach < INT64_MAX / elementSize;
}

static bool hasUnitStride(const DLTensor &tensor) {
  int last = tensor.ndim - 1;
  return !tensor.strides || last < 0 || tensor.shape[last] <= 1 ||
         tensor.strides[last] == 1;
}

/// What is wrong with a tensor by itself.
static llvm::Error checkTensor(const Signature &signature, StringRef kind,
                               size_t number, const ValueInfo &info,
                               const DLTensor &tensor, const MemoryRules &rules,
                               bool isState) {
  auto fail = [&](const Twine &expected, const Twine &got) {
    return refuse(signature, kind, number, info, expected, got);
  };
  DLDevice device = info.isTensor ? rules.device : DLDevice{kDLCPU, 0};
  if (!isOn(tensor.device, device))
    return fail("memory of " + getText(device),
                "memory of " + getText(tensor.device));
  auto type = getElementType(tensor.dtype);
  if (type != info.type || !hasShape(info, tensor)) {
    if (tensor.ndim < 0)
      return fail(info.getTypeText(), "rank " + Twine(tensor.ndim));
    if (tensor.ndim > 0 && !tensor.shape)
      return fail(info.getTypeText(), "no shape (null)");
    return fail(info.getTypeText(),
                (type ? getName(*type).str() : getText(tensor.dtype)) +
                    " of shape " + getText(tensor.shape, tensor.ndim));
  }
  int64_t elements = 1, size = getElementSize(info.type);
  for (int i = 0; i < tensor.ndim; ++i)
    if (llvm::MulOverflow(elements, tensor.shape[i], elements) ||
        elements > INT64_MAX / size)
      return fail("sizes that fit the address space",
                  getText(tensor.shape, tensor.ndim));
  if (!tensor.data && elements > 0)
    return fail("data of " + Twine(elements) + " elements", "null");
  if (reinterpret_cast<uintptr_t>(getData(tensor)) % size)
    return fail("data aligned to " + Twine(size) + " bytes",
                "address 0x" + llvm::utohexstr(reinterpret_cast<uintptr_t>(
                                   getData(tensor))));
  bool strided = rules.strided && !isState;
  bool fits = !strided || !tensor.strides || fitsAddresses(tensor, size);
  if (fits && (strided ? hasUnitStride(tensor) : isDense(tensor)))
    return llvm::Error::success();
  std::string got = "strides " + getText(tensor.strides, tensor.ndim);
  if (!fits)
    return fail("strides that fit the address space", got);
  if (strided)
    return fail("a stride of 1 in the last dimension", got);
  return fail(isState ? "a dense row-major state"
                      : "a dense row-major tensor (others need the option "
                        "'strided')",
              got + " for shape " + getText(tensor.shape, tensor.ndim));
}

llvm::Error checkArguments(const Signature &signature,
                           ArrayRef<DLTensor> arguments,
                           const MemoryRules &rules) {
  if (arguments.size() != signature.arguments.size())
    return createError(signature.location + ": '" + signature.function +
                       "' takes " + Twine(signature.arguments.size()) +
                       " arguments, got " + Twine(arguments.size()));
  for (auto [i, info] : llvm::enumerate(signature.arguments))
    if (llvm::Error error = checkTensor(signature, "argument", i, info,
                                        arguments[i], rules, info.isState))
      return error;
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

namespace {
/// The addresses of a tensor's elements.
struct Range {
  intptr_t begin = 0, end = 0;

  explicit Range(const DLTensor &tensor) {
    int64_t low = 0, high = 1, dense = 1;
    for (int i = tensor.ndim - 1; i >= 0; --i) {
      if (tensor.shape[i] == 0)
        return;
      int64_t stride = tensor.strides ? tensor.strides[i] : dense;
      (stride < 0 ? low : high) += stride * (tensor.shape[i] - 1);
      dense *= tensor.shape[i];
    }
    int64_t size = tensor.dtype.bits / 8;
    auto data = reinterpret_cast<intptr_t>(getData(tensor));
    begin = data + low * size;
    end = data + high * size;
  }
  bool overlaps(const Range &other) const {
    return begin < other.end && other.begin < end;
  }
};
} // namespace

/// Whether the elements have the same places; shapes are equal.
static bool isSame(const DLTensor &a, const DLTensor &b) {
  if (getData(a) != getData(b))
    return false;
  if (isDense(a) && isDense(b))
    return true;
  return a.strides && b.strides &&
         ArrayRef(a.strides, a.ndim) == ArrayRef(b.strides, b.ndim);
}

/// Several places of one element cannot all have its value.
static bool overlapsItself(const DLTensor &tensor) {
  if (!tensor.strides || isDense(tensor))
    return false;
  // Dimensions from the smallest stride on: each must step over the one before.
  SmallVector<std::pair<int64_t, int64_t>, 8> dims;
  for (int i = 0; i < tensor.ndim; ++i) {
    if (tensor.shape[i] == 0)
      return false;
    if (tensor.shape[i] > 1)
      dims.push_back({std::abs(tensor.strides[i]), tensor.shape[i]});
  }
  llvm::sort(dims);
  int64_t extent = 1;
  for (auto [stride, size] : dims) {
    if (stride < extent)
      return true;
    extent += stride * (size - 1);
  }
  return false;
}

llvm::Error checkResults(const Signature &signature,
                         ArrayRef<DLTensor> arguments,
                         ArrayRef<DLTensor> results, const MemoryRules &rules) {
  if (results.size() != signature.results.size())
    return createError(signature.location + ": '" + signature.function +
                       "' gives " + Twine(signature.results.size()) +
                       " results, got memory for " + Twine(results.size()));
  for (auto [i, info] : llvm::enumerate(signature.results)) {
    const DLTensor &result = results[i];
    if (!info.hasKnownShape())
      return createError(signature.location + ": '" + signature.function +
                         "', result " + Twine(i) +
                         ": its sizes are not those of arguments, so that it "
                         "cannot be given memory; call() allocates it");
    if (llvm::Error error = checkTensor(signature, "result", i, info, result,
                                        rules, info.state >= 0))
      return error;
    auto fail = [&, i = i, &info = info](const Twine &expected,
                                         const Twine &got) {
      return refuse(signature, "result", i, info, expected, got);
    };
    for (int dim = 0; dim < result.ndim; ++dim)
      if (result.shape[dim] != info.extents[dim].get(arguments))
        return fail("shape " + getText(info.getShape(arguments)),
                    getText(result.shape, result.ndim));
    if (overlapsItself(result))
      return fail("a place of its own for each element",
                  "strides " + getText(result.strides, result.ndim) +
                      " for shape " + getText(result.shape, result.ndim));
    Range range(result);
    for (auto [j, argument] : llvm::enumerate(arguments))
      if (range.overlaps(Range(argument)) &&
          !(info.state == static_cast<int64_t>(j) && isSame(result, argument)))
        return fail("memory of its own" +
                        Twine(info.state >= 0 ? " or that of its state" : ""),
                    "memory that overlaps argument " + Twine(j));
    for (size_t j = 0; j < i; ++j)
      if (range.overlaps(Range(results[j])))
        return fail("memory of its own",
                    "memory that overlaps result " + Twine(j));
  }
  return llvm::Error::success();
}

} // namespace attn
