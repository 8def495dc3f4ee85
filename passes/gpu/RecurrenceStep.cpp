//===- RecurrenceStep.cpp - A token of a recurrence on a block ------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/gpu/RecurrenceSteps.h"

using namespace mlir;
using namespace mlir::attn;

static constexpr char kToken = RecurrenceOp::kToken, kKey = RecurrenceOp::kKey,
                      kValue = RecurrenceOp::kValue;

Value RecurrenceSteps::getColumn(ThreadOps &ops, unsigned m) {
  return ops.mul(ops.add(column, m * lanes), width);
}

//===----------------------------------------------------------------------===//
// States
//===----------------------------------------------------------------------===//

void RecurrenceSteps::forEachPart(
    ThreadOps &ops, Value pointer, Value shaped, const EinsumOperand &axes,
    function_ref<void(Value, ArrayRef<unsigned>, Value)> body) {
  unsigned cols = getColumns();
  bool hasAllRows = groups * rows == keys,
       hasAllColumns = lanes * perLane * width == columns && lanes >= 32;
  auto visit = [&](unsigned row, unsigned col, ArrayRef<unsigned> elements) {
    Value d = ops.add(ops.mul(group, rows), row),
          v = ops.add(getColumn(ops, col / width), col % width), isIn;
    auto bound = [&](Value index, int64_t size) {
      Value fits = ops.less(index, ops.i32(size));
      isIn = isIn ? Value(arith::AndIOp::create(ops.b, loc, isIn, fits)) : fits;
    };
    if (!hasAllRows)
      bound(d, keys);
    if (!hasAllColumns)
      bound(v, columns);
    // No address outside of the state, even if nothing is read there.
    Value zero = ops.i32(0);
    llvm::SmallDenseMap<char, Value> at;
    at[kKey] = ops.toIndex(isIn ? ops.select(isIn, d, zero) : d);
    at[kValue] =
        tiles->getValueIndex(ops, isIn ? ops.select(isIn, v, zero) : v);
    body(tiles->getAddress(ops, pointer, shaped, axes, at), elements, isIn);
  };
  bool rowsAreNear = !axes.empty() && axes.back() == EinsumDim{kKey};
  bool colsAreNear = !axes.empty() && axes.back() == EinsumDim{kValue};
  unsigned rowStep = rowsAreNear && rows % 4 == 0 && keys % 4 == 0 ? 4 : 1;
  unsigned colStep = colsAreNear ? width : 1;
  for (unsigned row = 0; row < rows; row += rowStep)
    for (unsigned col = 0; col < cols; col += colStep) {
      SmallVector<unsigned, 4> elements;
      for (unsigned i = 0; i < rowStep; ++i)
        for (unsigned j = 0; j < colStep; ++j)
          elements.push_back((row + i) * cols + col + j);
      visit(row, col, elements);
    }
}

void RecurrenceSteps::forEachMax(
    ThreadOps &ops, Value pointer, Value shaped, const EinsumOperand &axes,
    function_ref<void(Value, unsigned, Value)> body) {
  bool perValue = op.hasAxis(op.getLogGate(), kValue);
  for (unsigned i = 0; i < (perValue ? getColumns() : 1); ++i) {
    Value v = ops.add(getColumn(ops, i / width), i % width), isIn;
    llvm::SmallDenseMap<char, Value> at;
    if (perValue) {
      isIn = ops.less(v, ops.i32(columns));
      at[kValue] = tiles->getValueIndex(ops, ops.select(isIn, v, ops.i32(0)));
    }
    body(tiles->getAddress(ops, pointer, shaped, axes, at), i, isIn);
  }
}

RecurrenceSteps::State RecurrenceSteps::loadState(ThreadOps &ops) {
  State state;
  state.elements.assign(rows * getColumns(), ops.f32(0));
  if (Value initial = op.getInitialState())
    forEachPart(ops, initialPointer, initial, op.getAxes(initial),
                [&](Value address, ArrayRef<unsigned> elements, Value isIn) {
                  int64_t size = elements.size();
                  Type type = size == 1
                                  ? ops.f32Type()
                                  : VectorType::get({size}, ops.f32Type());
                  Value loaded = ops.load(type, address, 4 * size);
                  for (auto [i, element] : llvm::enumerate(elements)) {
                    Value x = size == 1 ? loaded
                                        : Value(LLVM::ExtractElementOp::create(
                                              ops.b, loc, loaded, ops.i32(i)));
                    state.elements[element] =
                        isIn ? ops.select(isIn, x, ops.f32(0)) : x;
                  }
                });
  if (!op.getLogGate())
    return state;
  bool perValue = op.hasAxis(op.getLogGate(), kValue);
  state.max.assign(perValue ? getColumns() : 1,
                   ops.f32(-std::numeric_limits<double>::infinity()));
  if (Value initial = op.getInitialMax())
    forEachMax(ops, initialMaxPointer, initial, op.getAxes(initial),
               [&](Value address, unsigned number, Value) {
                 state.max[number] = ops.load(ops.f32Type(), address);
               });
  return state;
}

void RecurrenceSteps::storeState(ThreadOps &ops, const State &state) {
  Value always = arith::ConstantIntOp::create(ops.b, loc, 1, 1);
  if (Value result = op.getFinalState())
    forEachPart(ops, statePointer, outputs.state, op.getAxes(result),
                [&](Value address, ArrayRef<unsigned> elements, Value isIn) {
                  SmallVector<Value> words;
                  for (unsigned element : elements)
                    words.push_back(state.elements[element]);
                  ops.storeWhere(isIn ? isIn : always, words, address);
                });
  Value result = op.getFinalMax();
  if (!result)
    return;
  // The first group has it, or one thread of it.
  bool perValue = op.hasAxis(op.getLogGate(), kValue);
  Value isOwn = ops.less(perValue ? group : thread, ops.i32(1));
  if (perValue)
    isOwn = arith::AndIOp::create(ops.b, loc, isOwn,
                                  ops.less(thread, ops.i32(groups * lanes)));
  forEachMax(ops, maxPointer, outputs.max, op.getAxes(result),
             [&](Value address, unsigned number, Value isIn) {
               Value where =
                   isIn ? Value(arith::AndIOp::create(ops.b, loc, isOwn, isIn))
                        : isOwn;
               ops.storeWhere(where, state.max[number], address);
             });
}

//===----------------------------------------------------------------------===//
// Operands of a token
//===----------------------------------------------------------------------===//

SmallVector<Value> RecurrenceSteps::read(ThreadOps &ops, const Token &token,
                                         unsigned number) {
  const Staged &operand = staged[number];
  Value base = ops.advance(ops.advance(shared, operand.offset),
                           ops.mul(token.row, 4 * operand.operand.padded));
  SmallVector<Value> values;
  auto load = [&](Value first, int64_t count, int64_t unit) {
    for (int64_t i = 0; i < count; i += unit) {
      Type type =
          unit == 1 ? ops.f32Type() : VectorType::get({unit}, ops.f32Type());
      Value vector = ops.load(
          type, ops.advance(base, ops.mul(ops.add(first, i), 4)), 4 * unit);
      for (int64_t j = 0; j < unit; ++j)
        values.push_back(unit == 1 ? vector
                                   : Value(LLVM::ExtractElementOp::create(
                                         ops.b, loc, vector, ops.i32(j))));
    }
  };
  if (operand.along == Along::Number)
    load(ops.i32(0), 1, 1);
  else if (operand.along == Along::Keys)
    load(ops.mul(group, rows), rows, rows % 4 == 0 ? 4 : 1);
  else
    for (int64_t m = 0; m < perLane; ++m)
      load(getColumn(ops, m), width, width);
  return values;
}

/// e^g for each element of the thread's part of the state.
SmallVector<Value> RecurrenceSteps::readElements(ThreadOps &ops,
                                                 const TilePlace &place) {
  SmallVector<Value> factors;
  LaneColumns columnsOf;
  columnsOf.width = width;
  tiles->forgetRows();
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t m = 0; m < perLane; ++m) {
      Value key = ops.add(ops.mul(group, rows), row), col = getColumn(ops, m);
      columnsOf.first = col;
      for (Value x :
           tiles->emitInside(ops, elementDecays[0], place, key, col, columnsOf))
        factors.push_back(math::ExpOp::create(ops.b, loc, x));
    }
  tiles->forgetRows();
  return factors;
}

SmallVector<Value> RecurrenceSteps::getFactors(ThreadOps &ops,
                                               const Token &token) {
  if (!constantFactors.empty())
    return constantFactors;
  if (!elementDecays.empty()) {
    TilePlace place = token.place;
    place.token =
        arith::AddIOp::create(ops.b, loc, place.token, ops.toIndex(token.row));
    place.valid = ops.i32(1);
    return readElements(ops, place);
  }
  if (decay.empty())
    return {};
  SmallVector<Value> numbers = read(ops, token, decay[0]), factors;
  unsigned cols = getColumns();
  for (unsigned i = 0; i < rows * cols; ++i)
    factors.push_back(staged[decay[0]].along == Along::Keys ? numbers[i / cols]
                      : staged[decay[0]].along == Along::Values
                          ? numbers[i % cols]
                          : numbers[0]);
  return factors;
}

//===----------------------------------------------------------------------===//
// The step
//===----------------------------------------------------------------------===//

/// e^(x - max) and e^(y - max), with max that of x and y: one of them is 1, and
/// both are 0 where x and y are -inf.
static std::pair<Value, Value> shareOfMax(ThreadOps &ops, Value x, Value y,
                                          Value max) {
  OpBuilder &b = ops.b;
  Location loc = ops.loc;
  Value lowest = ops.f32(-std::numeric_limits<double>::infinity());
  Value isNone =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, max, lowest);
  Value shift = ops.select(isNone, ops.f32(0), max);
  Value dx = ops.subf(x, shift), dy = ops.subf(y, shift);
  Value e =
      math::ExpOp::create(b, loc, arith::MinimumFOp::create(b, loc, dx, dy));
  auto share = [&](Value first, Value second) {
    Value isMax =
        arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, first, second);
    return ops.select(isMax, ops.f32(1), e);
  };
  return {share(dx, dy), share(dy, dx)};
}

SmallVector<Value> RecurrenceSteps::sumRows(ThreadOps &ops, const Token &token,
                                            SmallVector<Value> partial,
                                            unsigned number, Value *last) {
  if (groups > 1)
    for (int64_t mask = lanes; mask < 32; mask *= 2)
      for (Value &x : partial)
        x = ops.addf(x, ops.shuffleXor(x, mask));
  if (!sumsCross && !last)
    return partial;
  // Two buffers in turn: a warp may be one sum ahead.
  unsigned sums = eraseQuery.size() + queries.size();
  Value turn = ops.rem(ops.add(ops.mul(token.row, sums), number), 2);
  Value buffer = ops.advance(shared, ops.mul(turn, sumBytes));
  int64_t rowBytes = 4 * llvm::alignTo(lanes * getColumns(), 4);
  Type unit =
      width == 1 ? ops.f32Type() : VectorType::get({width}, ops.f32Type());
  auto placeOf = [&](ThreadOps &o, int64_t row, unsigned m) {
    return o.advance(o.advance(buffer, row * rowBytes),
                     o.mul(getColumn(o, m), 4));
  };
  Value writes = ops.less(sumsCross ? lane : thread, ops.i32(lanes));
  ops.when(writes, [&](ThreadOps &in) {
    Value own = sumsCross ? in.mul(warp, rowBytes) : in.i32(0);
    for (int64_t m = 0; m < perLane; ++m) {
      Value vector = partial[m * width];
      if (width > 1) {
        vector = LLVM::UndefOp::create(in.b, loc, unit);
        for (int64_t i = 0; i < width; ++i)
          vector = LLVM::InsertElementOp::create(
              in.b, loc, vector, partial[m * width + i], in.i32(i));
      }
      in.store(vector, in.advance(placeOf(in, 0, m), own), 4 * width);
    }
  });
  ops.syncBlock();
  int64_t warps = sumsCross ? threads / 32 : 1;
  SmallVector<Value> result;
  for (int64_t m = 0; m < perLane; ++m) {
    Value sum;
    for (int64_t row = 0; row < warps; ++row) {
      Value x = ops.load(unit, placeOf(ops, row, m), 4 * width);
      sum = sum ? Value(LLVM::FAddOp::create(ops.b, loc, sum, x)) : x;
    }
    for (int64_t i = 0; i < width; ++i)
      result.push_back(width == 1 ? sum
                                  : Value(LLVM::ExtractElementOp::create(
                                        ops.b, loc, sum, ops.i32(i))));
  }
  if (last) {
    *last = ops.f32(0);
    for (int64_t row = 0; row < warps; ++row)
      *last = ops.addf(
          *last,
          ops.load(ops.f32Type(),
                   ops.advance(buffer, row * rowBytes + 4 * (columns - 1)), 4));
  }
  return result;
}

RecurrenceSteps::State RecurrenceSteps::emitStep(ThreadOps &ops,
                                                 const Token &token,
                                                 const State &entry) {
  OpBuilder &b = ops.b;
  unsigned cols = getColumns();
  auto fma = [&](Value x, Value y, Value sum) -> Value {
    return LLVM::FMAOp::create(b, loc, x, y, sum);
  };
  auto readRows = [&](ArrayRef<Value> row, ArrayRef<Value> state) {
    SmallVector<Value> sums(cols, ops.f32(0));
    for (unsigned i = 0; i < rows * cols; ++i)
      sums[i % cols] = fma(row[i / cols], state[i], sums[i % cols]);
    return sums;
  };
  // 1. The transition; with a maximum m' = max(m + g, i) the factor is
  //    e^(m + g - m'), and what is written has e^(i - m').
  State next{entry.elements, entry.max};
  SmallVector<Value> factors, weights, gates;
  if (gate.empty()) {
    factors = getFactors(ops, token);
  } else {
    gates = read(ops, token, gate[0]);
    SmallVector<Value> logs;
    if (!decay.empty())
      logs = read(ops, token, decay[0]);
    SmallVector<Value> past;
    for (auto [i, max] : llvm::enumerate(next.max)) {
      Value aged = max;
      if (!logs.empty())
        aged = ops.addf(aged, logs[logs.size() == 1 ? 0 : i]);
      max = arith::MaximumFOp::create(b, loc, aged, gates[i]);
      auto [before, now] = shareOfMax(ops, aged, gates[i], max);
      past.push_back(before);
      weights.push_back(now);
    }
    for (unsigned i = 0; i < rows * cols; ++i)
      factors.push_back(past[past.size() == 1 ? 0 : i % cols]);
  }
  SmallVector<Value> aged(entry.elements);
  for (auto [x, factor] : llvm::zip(aged, factors))
    x = ops.mulf(x, factor);
  // 2. What is written.
  SmallVector<std::pair<SmallVector<Value>, SmallVector<Value>>> writes;
  for (auto [k, v] : llvm::zip_equal(writtenKeys, writtenValues)) {
    writes.push_back({read(ops, token, k), read(ops, token, v)});
    for (auto [i, x] : llvm::enumerate(writes.back().second))
      if (!weights.empty())
        x = ops.mulf(x, weights[weights.size() == 1 ? 0 : i]);
  }
  if (!eraseQuery.empty()) {
    // u = r - p^T S
    SmallVector<Value> sums = sumRows(
        ops, token,
        readRows(read(ops, token, eraseQuery[0]),
                 *op.getEraseRead() == StateRead::Previous ? entry.elements
                                                           : aged),
        0);
    SmallVector<Value> given = read(ops, token, eraseInput[0]);
    for (auto [sum, x] : llvm::zip_equal(sums, given))
      sum = ops.subf(x, sum);
    writes.push_back({read(ops, token, eraseKey[0]), sums});
  }
  next.elements = aged;
  for (auto &[key, value] : writes)
    for (unsigned i = 0; i < rows * cols; ++i)
      next.elements[i] = fma(key[i / cols], value[i % cols], next.elements[i]);
  // 3. What is read.
  for (auto [number, query] : llvm::enumerate(queries)) {
    SmallVector<Value> row = read(ops, token, query);
    SmallVector<Value> sums =
        readRows(row, op.getRead() == StateRead::Current   ? next.elements
                      : op.getRead() == StateRead::Decayed ? aged
                                                           : entry.elements);
    SmallVector<Value> scale =
        op.getRead() == StateRead::Previous ? entry.max : next.max;
    if (!bonus.empty()) {
      // The token's own pairs, with their weight beside the state.
      SmallVector<Value> own;
      for (auto [i, max] : llvm::enumerate(scale)) {
        Value before = max;
        max = arith::MaximumFOp::create(b, loc, before, gates[i]);
        auto [past, now] = shareOfMax(ops, before, gates[i], max);
        own.push_back(now);
        for (unsigned col = 0; col < cols; ++col)
          if (scale.size() == 1 || col == i)
            sums[col] = ops.mulf(sums[col], past);
      }
      SmallVector<Value> factor = read(ops, token, bonus[0]);
      bool perValue = staged[bonus[0]].along == Along::Values;
      for (auto [k, v] : llvm::zip_equal(writtenKeys, writtenValues)) {
        SmallVector<Value> key = read(ops, token, k),
                           value = read(ops, token, v);
        Value product = ops.f32(0);
        for (int64_t r = 0; r < rows; ++r)
          product = fma(row[r], perValue ? key[r] : ops.mulf(key[r], factor[r]),
                        product);
        for (unsigned col = 0; col < cols; ++col) {
          Value weight = product;
          if (perValue)
            weight = ops.mulf(weight, factor[col]);
          if (!own.empty())
            weight = ops.mulf(weight, own[own.size() == 1 ? 0 : col]);
          sums[col] = fma(weight, value[col], sums[col]);
        }
      }
    }
    Value last;
    sums = sumRows(ops, token, sums, eraseQuery.size() + number,
                   division ? &last : nullptr);
    if (division) {
      Value by =
          getDivisor(ops, last, division.getLogScale() ? scale[0] : Value());
      for (Value &x : sums)
        x = divideOrZero(ops, x, by);
    }
    storeOutput(ops, token, sums, number);
    if (number == 0 && outputs.logScale)
      storeLogScale(ops, token, scale);
  }
  return next;
}

//===----------------------------------------------------------------------===//
// Outputs
//===----------------------------------------------------------------------===//

/// The first group stores.
void RecurrenceSteps::storeOutput(ThreadOps &ops, const Token &token,
                                  ArrayRef<Value> output, unsigned query) {
  OpBuilder &b = ops.b;
  EinsumOperand axes = op.getAxes(op.getOutput());
  auto type = cast<MemRefType>(outputs.output.getType());
  bool isBf16 = type.getElementType().isBF16();
  bool isNear =
      axes.back() == EinsumDim{kValue} && type.getShape().back() % width == 0;
  int64_t channels = division ? values - 1 : columns, unit = isNear ? width : 1;
  llvm::SmallDenseMap<char, Value> at;
  at[kToken] =
      arith::AddIOp::create(b, loc, token.place.token, ops.toIndex(token.row));
  for (auto [axis, index] : queryPlaces[query])
    at[axis] = ops.index(index);
  Value isFirst = ops.less(thread, ops.i32(lanes));
  for (unsigned first = 0; first < output.size(); first += unit) {
    Value v = ops.add(getColumn(ops, first / width), first % width);
    Value isIn =
        arith::AndIOp::create(b, loc, isFirst, ops.less(v, ops.i32(channels)));
    at[kValue] = tiles->getValueIndex(ops, v);
    Value address =
        tiles->getAddress(ops, outputPointer, outputs.output, axes, at);
    ArrayRef<Value> numbers = output.slice(first, unit);
    SmallVector<Value> words(numbers);
    if (isBf16 && unit == 1) {
      ops.when(isIn, [&](ThreadOps &in) {
        in.store(arith::TruncFOp::create(in.b, loc, type.getElementType(),
                                         numbers[0]),
                 address);
      });
      continue;
    }
    if (isBf16) {
      words.clear();
      for (int64_t i = 0; i < unit; i += 2)
        words.push_back(ops.packBf16(numbers[i], numbers[i + 1]));
    }
    ops.storeWhere(isIn, words, address);
  }
}

void RecurrenceSteps::storeLogScale(ThreadOps &ops, const Token &token,
                                    ArrayRef<Value> scale) {
  OpBuilder &b = ops.b;
  llvm::SmallDenseMap<char, Value> at;
  at[kToken] =
      arith::AddIOp::create(b, loc, token.place.token, ops.toIndex(token.row));
  for (auto [i, x] : llvm::enumerate(scale)) {
    Value isIn = ops.less(thread, ops.i32(scale.size() == 1 ? 1 : lanes));
    if (scale.size() > 1) {
      Value v = ops.add(getColumn(ops, i / width), i % width);
      isIn = arith::AndIOp::create(b, loc, isIn, ops.less(v, ops.i32(columns)));
      at[kValue] = tiles->getValueIndex(ops, v);
    }
    ops.storeWhere(isIn, x,
                   tiles->getAddress(ops, logScalePointer, outputs.logScale,
                                     op.getAxes(op.getLogScale()), at));
  }
}
