//===- AttentionKernel.cpp - One kernel for a softmax attention -----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/gpu/AttentionKernel.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::attn;

/// Channels that fragments in registers are for.
static constexpr int64_t kMaxChannels = 256;

AttentionKernel::AttentionKernel(ContractionOpInterface product,
                                 int64_t sharedBytes)
    : product(product), sharedBytes(sharedBytes), loc(product.getLoc()) {}

//===----------------------------------------------------------------------===//
// What is in reach
//===----------------------------------------------------------------------===//

/// The product that scores are made of element by element.
static ContractionOpInterface findScores(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto product = dyn_cast<ContractionOpInterface>(op))
      return product;
    if (!isa<MaskOp, ScaleOp>(op) &&
        !(OpTrait::hasElementwiseMappableTraits(op) &&
          op->getNumOperands() == 1))
      return nullptr;
    value = op->getOperand(0);
  }
  return nullptr;
}

bool AttentionKernel::match(std::string &reason) {
  auto refuse = [&](const Twine &text) {
    reason = text.str();
    return false;
  };
  outer = product.getSubscripts();
  EinsumRoles roles = outer.getRoles();
  if (roles.contracted.size() != 1 || !Einsum::isTokenAxis(roles.contracted[0]))
    return refuse("no sum over tokens");
  keyToken = roles.contracted[0];
  softmax = product.getLhs();
  value = product.getRhs();
  if (!softmax.getDefiningOp<SoftmaxOp>()) {
    std::swap(softmax, value);
    std::swap(outer.lhs, outer.rhs);
  }
  auto op = softmax.getDefiningOp<SoftmaxOp>();
  if (!op)
    return refuse("no product with a softmax");
  Value scored = op->getOperand(0);
  scores = findScores(scored);
  if (!scores)
    return refuse("the scores are no product, element by element");
  // Rows of the softmax are summed along its last dimension.
  int64_t rank = outer.lhs.size();
  EinsumDim last = outer.lhs[rank - 1], before = outer.lhs[rank - 2];
  inner = scores.getSubscripts();
  EinsumRoles innerRoles = inner.getRoles();
  if (last != EinsumDim{keyToken} || before.size() != 1 ||
      innerRoles.contracted.size() != 1 ||
      Einsum::isTokenAxis(innerRoles.contracted[0]) ||
      inner.result[rank - 1].size() != 1 || inner.result[rank - 2].size() != 1)
    return refuse("the scores are not queries by keys");
  queryToken = before[0];
  feature = innerRoles.contracted[0];
  queryTokenIn = inner.result[rank - 2][0];
  keyTokenIn = inner.result[rank - 1][0];
  query = scores.getLhs();
  key = scores.getRhs();
  if (Einsum::find(inner.lhs, queryTokenIn) < 0) {
    std::swap(query, key);
    std::swap(inner.lhs, inner.rhs);
  }
  // The value channel: the values' and the result's alone.
  channel = 0;
  for (const EinsumDim &dim : outer.rhs)
    if (dim.size() == 1 && dim[0] != keyToken &&
        Einsum::find(outer.lhs, dim[0]) < 0)
      channel = dim[0];
  if (!channel || Einsum::find(outer.result, queryToken) < 0 ||
      Einsum::find(inner.rhs, keyTokenIn) < 0 ||
      Einsum::find(inner.lhs, keyTokenIn) >= 0 ||
      Einsum::find(inner.rhs, queryTokenIn) >= 0)
    return refuse("the products are not of matrices");
  for (const EinsumDim &dim : outer.result)
    if (dim.size() > 1 && (llvm::is_contained(dim, queryToken) ||
                           llvm::is_contained(dim, channel)))
      return refuse("tokens or channels share a dimension with other axes");
  auto sizeOf = [](Value of, const EinsumOperand &axes, char axis) {
    return cast<RankedTensorType>(of.getType())
        .getDimSize(Einsum::find(axes, axis));
  };
  features = sizeOf(query, inner.lhs, feature);
  channels = sizeOf(value, outer.rhs, channel);
  if (ShapedType::isDynamic(features) || ShapedType::isDynamic(channels))
    return refuse("the numbers of channels are not static");
  if (features > kMaxChannels || channels > kMaxChannels)
    return refuse("more than " + Twine(kMaxChannels) + " channels");
  score = scores->getResult(0);
  auto isF32 = [](Value of) {
    return cast<RankedTensorType>(of.getType()).getElementType().isF32();
  };
  stored = product->getResult(0);
  if (!isF32(score) || !isF32(softmax) || !isF32(stored))
    return refuse("the scores are not f32");
  if (!score.hasOneUse() || !softmax.hasOneUse())
    return refuse("the scores are wanted besides");
  auto round = stored.hasOneUse()
                   ? dyn_cast<arith::TruncFOp>(*stored.user_begin())
                   : arith::TruncFOp();
  if (round &&
      cast<RankedTensorType>(round.getType()).getElementType().isBF16()) {
    narrowing = round;
    stored = round.getResult();
  }
  return true;
}

//===----------------------------------------------------------------------===//
// The block and its operands
//===----------------------------------------------------------------------===//

void AttentionKernel::placeBlock() {
  OpBuilder &h = kernel->host, &b = kernel->entry;
  ThreadOps ops(b, loc);
  TileEmitter sizes((TileSizes()));
  AffineExpr d0 = h.getAffineDimExpr(0), d1 = h.getAffineDimExpr(1);
  Value result = product->getResult(0);
  int64_t rank = outer.result.size(),
          rowDim = Einsum::find(outer.result, queryToken),
          colDim = Einsum::find(outer.result, channel);
  Value rest = gpu::BlockIdOp::create(b, loc, gpu::Dimension::x);
  auto split = [&](OpFoldResult size) {
    blocks = blocks ? affine::makeComposedFoldedAffineApply(
                          h, loc, AffineMap::get(2, 0, d0 * d1), {blocks, size})
                    : size;
    Value extent = getValueOrCreateConstantIndexOp(b, loc, kernel->pass(size));
    Value index = arith::RemUIOp::create(b, loc, rest, extent);
    rest = arith::DivUIOp::create(b, loc, rest, extent);
    return std::pair(index, extent);
  };
  // Tiles of queries are the fastest: they read the same keys. The last ones,
  // which have the most keys under a causal mask, come first.
  OpFoldResult tokens = sizes.getSize(h, result, rowDim);
  auto [tile, count] = split(affine::makeComposedFoldedAffineApply(
      h, loc, d0.ceilDiv(kQueries), {tokens}));
  tile = arith::SubIOp::create(
      b, loc, arith::SubIOp::create(b, loc, count, ops.index(1)), tile);
  firstQuery = arith::MulIOp::create(b, loc, tile, ops.index(kQueries));
  blockOffsets.assign(rank, b.getIndexAttr(0));
  for (int64_t i = rank - 1; i >= 0; --i)
    if (i != rowDim && i != colDim)
      blockOffsets[i] = split(sizes.getSize(h, result, i)).first;
  blockOffsets[rowDim] = firstQuery;
  queryCount = ops.toI32(arith::SubIOp::create(
      b, loc, ops.toValue(kernel->pass(tokens)), firstQuery));
  // The same block on the axes of both products.
  NamedValue outerValues[] = {{outer.lhs, softmax}, {outer.rhs, value}},
             innerValues[] = {{inner.lhs, query}, {inner.rhs, key}};
  places = placeAxes(b, loc, sizes, outerValues, outer.result, blockOffsets);
  SmallVector<OpFoldResult> offsets;
  for (const EinsumDim &dim : outer.lhs)
    offsets.push_back(places.getOffset(b, loc, dim));
  innerPlaces = placeAxes(b, loc, sizes, innerValues, inner.result, offsets);
  keyCount = ops.toI32(ops.toValue(kernel->pass(
      sizes.getSize(h, key, Einsum::find(inner.rhs, keyTokenIn)))));
}

LogicalResult AttentionKernel::addTiles(std::string &reason) {
  auto add = [&](KernelTiles &tiles, Value of, const EinsumOperand &axes,
                 AxisPlaces at, char token, int64_t rows, char col,
                 int64_t cols, SmallVectorImpl<TileOperand> &operands) {
    at.ranges[token] = {OpFoldResult(tiles.getToken()), rows};
    at.ranges[col] = {kernel->entry.getIndexAttr(0), cols};
    return tiles.addTile(
        of, cols,
        [&](TileEmitter &emitter) {
          return emitNamedTile(kernel->entry, emitter, {axes, of}, at, token,
                               col);
        },
        operands, reason);
  };
  queries = std::make_unique<KernelTiles>(*kernel, loc, kQueries);
  keys = std::make_unique<KernelTiles>(*kernel, loc, keysPerTile);
  queryTile.clear();
  keyTile.clear();
  valueTile.clear();
  if (failed(add(*queries, query, inner.lhs, innerPlaces, queryTokenIn,
                 kQueries, feature, features, queryTile)) ||
      failed(add(*keys, key, inner.rhs, innerPlaces, keyTokenIn, keysPerTile,
                 feature, features, keyTile)) ||
      failed(add(*keys, value, outer.rhs, places, keyToken, keysPerTile,
                 channel, channels, valueTile)))
    return failure();
  queries->countParts(queryTile[0]);
  for (TileOperand *operand : {&keyTile[0], &valueTile[0]}) {
    keys->addCopies(*operand);
    keys->countParts(*operand);
  }
  parts = std::max(keys->getParts(), queries->getParts());
  if (parts > 1)
    for (TileOperand *operand : {&keyTile[0], &valueTile[0]})
      operand->direct.reset();

  // f, with the scores as what it reads.
  OpBuilder &b = kernel->entry;
  mappingToken =
      UnrealizedConversionCastOp::create(b, loc, b.getIndexType(), ValueRange())
          .getResult(0);
  mapping = std::make_unique<TileExpression>(
      mappingToken,
      [this](ThreadOps &ops, const TileLeaf &leaf, ArrayRef<Coordinate> at) {
        if (leaf.source == score)
          return SmallVector<Value>{current};
        return keys->readLeaf(ops, leaf, at, *mappingPlace);
      });
  TileEmitter emitter((TileSizes()));
  emitter.setMaterialized(score, score);
  TileRequest request;
  AxisPlaces at = places;
  at.ranges[keyToken].offset = OpFoldResult(mappingToken);
  for (const EinsumDim &dim : outer.lhs)
    request.offsets.push_back(at.getOffset(b, loc, dim));
  int64_t rank = outer.lhs.size();
  request.rowDim = rank - 2;
  request.colDim = rank - 1;
  request.rows = kQueries;
  request.cols = keysPerTile;
  Value input = softmax.getDefiningOp()->getOperand(0);
  FailureOr<Value> tile = emitter.emit(b, input, request);
  SmallVector<TileLeaf, 2> leaves;
  if (failed(tile) || !mapping->analyze(*tile, leaves)) {
    reason = "the scores cannot be mapped in parts";
    return failure();
  }
  mapped = *tile;
  auto [lo, hi] = emitter.emitKeyRange(
      b, loc, input, firstQuery, kQueries,
      arith::IndexCastOp::create(b, loc, b.getIndexType(), keyCount)
          .getResult(),
      keysPerTile);
  from = lo;
  to = hi;
  return success();
}

LogicalResult AttentionKernel::layout(std::string &reason) {
  auto bytesOf = [&](int64_t rows, int64_t cols) {
    TileLayout tile;
    tile.rows = rows;
    tile.cols = llvm::alignTo(cols, kTile);
    tile.parts = parts;
    return tile.getBytes();
  };
  queryBytes = bytesOf(kQueries, features);
  stageBytes = llvm::alignTo(keys->placeCopies(0), 16);
  keyOffset = queryBytes + 2 * stageBytes;
  valueOffset =
      keyOffset + (keyTile[0].direct ? 0 : bytesOf(keysPerTile, features));
  totalBytes =
      valueOffset + (valueTile[0].direct ? 0 : bytesOf(keysPerTile, channels));
  if (totalBytes <= sharedBytes)
    return success();
  reason = "a tile needs " + std::to_string(totalBytes) +
           " bytes of shared memory, and a block has " +
           std::to_string(sharedBytes);
  return failure();
}

std::string AttentionKernel::describe() const {
  return llvm::formatv("{0} queries by tiles of {1} keys, {2} bf16 for each "
                       "operand, {3} bytes of shared memory",
                       kQueries, keysPerTile, parts, totalBytes);
}

//===----------------------------------------------------------------------===//
// The launch
//===----------------------------------------------------------------------===//

/// Sizes of the host's tensors that templates ask for.
void AttentionKernel::passSizes() {
  SmallVector<tensor::DimOp> sizes;
  kernel->getFunction().walk([&](tensor::DimOp op) { sizes.push_back(op); });
  for (tensor::DimOp op : sizes) {
    std::optional<int64_t> dim = op.getConstantIndex();
    Operation *source = op.getSource().getDefiningOp();
    if (!dim || (source && source->getParentOfType<gpu::GPUFuncOp>()))
      continue;
    ThreadOps ops(kernel->entry, loc);
    OpFoldResult size = kernel->passSize(op.getSource(), *dim);
    OpBuilder::InsertionGuard guard(kernel->entry);
    kernel->entry.setInsertionPoint(op);
    op.replaceAllUsesWith(ops.toValue(size));
    op.erase();
  }
}

LogicalResult AttentionKernel::launch(std::string &reason) {
  if (!match(reason))
    return failure();
  auto function = product->getParentOfType<FunctionOpInterface>();
  for (;; keysPerTile /= 2) {
    kernel = std::make_unique<KernelBuilder>(
        product->getParentOfType<ModuleOp>(),
        (function.getName() + "_attention").str(), product);
    blocks = OpFoldResult();
    placeBlock();
    if (succeeded(addTiles(reason)) && succeeded(layout(reason)))
      break;
    kernel->erase();
    if (keysPerTile == kTile || totalBytes == 0)
      return failure();
  }
  OpBuilder &h = kernel->host;
  auto type = cast<RankedTensorType>(stored.getType());
  TileEmitter sizes((TileSizes()));
  SmallVector<Value> dynamic;
  for (int64_t i = 0; i < type.getRank(); ++i)
    if (type.isDynamicDim(i))
      dynamic.push_back(getValueOrCreateConstantIndexOp(
          h, loc, sizes.getSize(h, product->getResult(0), i)));
  outputBuffer = memref::AllocOp::create(
      h, loc, MemRefType::get(type.getShape(), type.getElementType()), dynamic);
  outputPointer = kernel->passPointer(outputBuffer);
  emitKernel();
  passSizes();
  kernel->launch(getValueOrCreateConstantIndexOp(h, loc, blocks), kThreads,
                 totalBytes);
  stored.replaceAllUsesWith(bufferization::ToTensorOp::create(
                                h, loc, type, outputBuffer, /*restrict=*/true,
                                /*writable=*/true)
                                .getResult());
  if (narrowing)
    narrowing->erase();
  product->erase();
  return success();
}
