//===- Einsum.cpp - Subscripts of a product -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Einsum.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::attn;

static bool contains(const EinsumOperand &operand, char axis) {
  return Einsum::find(operand, axis) >= 0;
}

LogicalResult Einsum::parseOperand(StringRef text, EinsumOperand &operand,
                                   function_ref<InFlightDiagnostic()> error) {
  bool inGroup = false;
  for (char c : text) {
    if (c == ' ')
      continue;
    if (c == '(' && !inGroup) {
      inGroup = true;
      operand.emplace_back();
    } else if (c == ')' && inGroup) {
      if (operand.back().empty())
        return error() << "[P1] empty group in subscripts '" << text << "'";
      inGroup = false;
    } else if (c >= 'a' && c <= 'z') {
      if (contains(operand, c))
        return error() << "[P1] axis '" << Twine(c)
                       << "' stands twice in subscripts '" << text << "'";
      if (!inGroup)
        operand.emplace_back();
      operand.back().push_back(c);
    } else {
      return error() << "[P1] unexpected '" << Twine(c) << "' in subscripts '"
                     << text << "'";
    }
  }
  if (inGroup)
    return error() << "[P1] group is not closed in subscripts '" << text << "'";
  return success();
}

FailureOr<Einsum> Einsum::parse(StringRef text,
                                function_ref<InFlightDiagnostic()> emitError) {
  auto [operands, result] = text.split("->");
  auto [lhs, rhs] = operands.split(',');
  if (!text.contains("->") || !operands.contains(','))
    return emitError() << "[P1] expected subscripts of the form "
                          "'lhs,rhs->result', got '"
                       << text << "'";
  Einsum einsum;
  if (failed(parseOperand(lhs, einsum.lhs, emitError)) ||
      failed(parseOperand(rhs, einsum.rhs, emitError)) ||
      failed(parseOperand(result, einsum.result, emitError)))
    return failure();
  return einsum;
}

/// Letters of n leading dimensions: `bh` for the usual two, more before them.
static SmallVector<char> getBatchLetters(int64_t count) {
  static constexpr char letters[] = "cefijlopquwxyz";
  static_assert(sizeof(letters) - 1 + 4 == Einsum::kMaxRank);
  assert(count <= Einsum::kMaxRank - 2 && "no letters left");
  SmallVector<char> batch;
  for (int64_t i = 2; i < count; ++i)
    batch.push_back(letters[i - 2]);
  if (count >= 2)
    batch.push_back('b');
  if (count >= 1)
    batch.push_back('h');
  return batch;
}

/// Batch axes, then two more; `..xy`. `grouped` writes the heads as `(gr)`,
/// or as `g` where this operand's heads are shared.
static EinsumOperand makeOperand(int64_t rank, bool grouped, bool shared,
                                 char x, char y) {
  EinsumOperand operand;
  SmallVector<char> batch = getBatchLetters(std::max<int64_t>(rank - 2, 0));
  for (char axis : batch)
    operand.push_back({axis});
  if (grouped && !operand.empty())
    operand.back() = shared ? EinsumDim{'g'} : EinsumDim{'g', 'r'};
  operand.push_back({x});
  operand.push_back({y});
  return operand;
}

static Einsum makeDefault(RankedTensorType lhs, RankedTensorType rhs,
                          StringRef axes) {
  int64_t rank = lhs.getRank();
  bool grouped = false;
  if (rank >= 3 && rhs.getRank() == rank) {
    int64_t left = lhs.getDimSize(rank - 3), right = rhs.getDimSize(rank - 3);
    grouped = ShapedType::isStatic(left) && ShapedType::isStatic(right) &&
              left != right;
  }
  Einsum einsum;
  einsum.lhs = makeOperand(rank, grouped, false, axes[0], axes[1]);
  einsum.rhs = makeOperand(rhs.getRank(), grouped, true, axes[2], axes[3]);
  einsum.result = makeOperand(rank, grouped, false, axes[4], axes[5]);
  return einsum;
}

Einsum Einsum::forScore(RankedTensorType lhs, RankedTensorType rhs) {
  return makeDefault(lhs, rhs, "ndmdnm");
}

Einsum Einsum::forApply(RankedTensorType lhs, RankedTensorType rhs) {
  return makeDefault(lhs, rhs, "nmmvnv");
}

EinsumRoles Einsum::getRoles() const {
  EinsumRoles roles;
  for (const EinsumDim &dim : lhs)
    for (char axis : dim) {
      bool inRhs = contains(rhs, axis), inResult = contains(result, axis);
      if (inRhs && inResult)
        roles.batch.push_back(axis);
      else if (inRhs)
        roles.contracted.push_back(axis);
      else
        roles.lhsFree.push_back(axis);
    }
  for (const EinsumDim &dim : rhs)
    for (char axis : dim)
      if (!contains(lhs, axis))
        roles.rhsFree.push_back(axis);
  return roles;
}

std::string attn::toString(const EinsumOperand &operand) {
  std::string text;
  for (const EinsumDim &dim : operand) {
    if (dim.size() > 1)
      text += '(';
    text.append(dim.begin(), dim.end());
    if (dim.size() > 1)
      text += ')';
  }
  return text;
}

std::string Einsum::str() const {
  return toString(lhs) + "," + toString(rhs) + "->" + toString(result);
}

bool Einsum::isTokenAxis(char axis) {
  return axis == 'n' || axis == 'm' || axis == 's' || axis == 't';
}

int64_t Einsum::find(const EinsumOperand &operand, char axis) {
  for (auto [i, dim] : llvm::enumerate(operand))
    if (llvm::is_contained(dim, axis))
      return i;
  return -1;
}

FailureOr<SmallVector<std::pair<char, int64_t>>>
Einsum::getAxisSizes(ArrayRef<int64_t> lhsShape, ArrayRef<int64_t> rhsShape,
                     ArrayRef<int64_t> resultShape,
                     function_ref<InFlightDiagnostic()> emitError) const {
  return solveAxisSizes(
      {{lhs, lhsShape}, {rhs, rhsShape}, {result, resultShape}}, str(),
      emitError);
}

FailureOr<SmallVector<std::pair<char, int64_t>>>
Einsum::solveAxisSizes(ArrayRef<NamedShape> operands, StringRef text,
                       function_ref<InFlightDiagnostic()> emitError) {
  llvm::MapVector<char, int64_t> sizes;
  // 1. Single axes have the size of their dimension.
  for (const auto &[axes, shape] : operands)
    for (auto [dim, size] : llvm::zip_equal(axes, shape))
      for (char axis : dim) {
        int64_t &known =
            sizes.try_emplace(axis, ShapedType::kDynamic).first->second;
        if (dim.size() > 1 || ShapedType::isDynamic(size))
          continue;
        if (ShapedType::isStatic(known) && known != size)
          return emitError()
                 << "[P4] axis '" << Twine(axis) << "' has the sizes " << known
                 << " and " << size << " in '" << text << "'";
        known = size;
      }
  // 2. A composite dimension has one size wherever it stands.
  llvm::SmallMapVector<StringRef, int64_t, 2> groups;
  for (const auto &[axes, shape] : operands)
    for (auto [dim, size] : llvm::zip_equal(axes, shape)) {
      if (dim.size() == 1 || ShapedType::isDynamic(size))
        continue;
      StringRef group(dim.data(), dim.size());
      int64_t known = groups.try_emplace(group, size).first->second;
      if (known != size)
        return emitError() << "[P4] group '(" << group << ")' has the sizes "
                           << known << " and " << size << " in '" << text
                           << "'";
    }
  // 3. A composite dimension is the product of its axes: solve for one unknown.
  for (const auto &[axes, shape] : operands)
    for (auto [dim, size] : llvm::zip_equal(axes, shape)) {
      if (dim.size() == 1 || ShapedType::isDynamic(size))
        continue;
      int64_t product = 1;
      bool overflow = false;
      SmallVector<char> unknown;
      for (char axis : dim) {
        if (ShapedType::isDynamic(sizes[axis]))
          unknown.push_back(axis);
        else
          overflow |= llvm::MulOverflow(product, sizes[axis], product);
      }
      if (unknown.size() > 1)
        continue;
      bool divides = !overflow && product != 0 && size % product == 0;
      if (overflow || (unknown.empty() ? product != size : !divides))
        return emitError() << "[P5] dimension of size " << size
                           << " is not a multiple of its group of " << product
                           << " in '" << text << "'";
      if (!unknown.empty())
        sizes[unknown.front()] = size / product;
    }
  return SmallVector<std::pair<char, int64_t>>(sizes.begin(), sizes.end());
}
