//===- ThreadOps.cpp - The code of a thread of a kernel -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/gpu/ThreadOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::attn;

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

Value ThreadOps::i32(int64_t value) {
  return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
}

Value ThreadOps::f32(double value) {
  return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
}

Value ThreadOps::index(int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}

Value ThreadOps::toI32(Value value) {
  if (value.getType().isIndex())
    return arith::IndexCastOp::create(b, loc, i32Type(), value);
  if (value.getType().isInteger(64))
    return arith::TruncIOp::create(b, loc, i32Type(), value);
  return value;
}

Value ThreadOps::toIndex(Value value) {
  if (value.getType().isIndex())
    return value;
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), value);
}

Value ThreadOps::toValue(OpFoldResult number) {
  if (auto value = dyn_cast<Value>(number))
    return value;
  return index(cast<IntegerAttr>(cast<Attribute>(number)).getInt());
}

Value ThreadOps::add(Value x, Value y) {
  return arith::AddIOp::create(b, loc, x, y);
}

Value ThreadOps::add(Value x, int64_t y) { return y == 0 ? x : add(x, i32(y)); }

Value ThreadOps::sub(Value x, Value y) {
  return arith::SubIOp::create(b, loc, x, y);
}

Value ThreadOps::mul(Value x, Value y) {
  return arith::MulIOp::create(b, loc, x, y);
}

Value ThreadOps::mul(Value x, int64_t y) { return y == 1 ? x : mul(x, i32(y)); }

Value ThreadOps::div(Value x, int64_t y) {
  return y == 1 ? x : Value(arith::DivUIOp::create(b, loc, x, i32(y)));
}

Value ThreadOps::rem(Value x, int64_t y) {
  return y == 1 ? i32(0) : Value(arith::RemUIOp::create(b, loc, x, i32(y)));
}

Value ThreadOps::addf(Value x, Value y) {
  return arith::AddFOp::create(b, loc, x, y);
}

Value ThreadOps::subf(Value x, Value y) {
  return arith::SubFOp::create(b, loc, x, y);
}

Value ThreadOps::mulf(Value x, Value y) {
  return arith::MulFOp::create(b, loc, x, y);
}

Value ThreadOps::cmp(arith::CmpIPredicate predicate, Value x, Value y) {
  return arith::CmpIOp::create(b, loc, predicate, x, y);
}

Value ThreadOps::select(Value condition, Value x, Value y) {
  return arith::SelectOp::create(b, loc, condition, x, y);
}

Value ThreadOps::assembly(Type result, ValueRange operands, StringRef text,
                          StringRef constraints) {
  auto op = LLVM::InlineAsmOp::create(
      b, loc, result ? TypeRange(result) : TypeRange(), operands, text,
      constraints, /*has_side_effects=*/!result, /*is_align_stack=*/false,
      LLVM::TailCallKind::None, /*asm_dialect=*/nullptr,
      /*operand_attrs=*/nullptr);
  return result ? op->getResult(0) : Value();
}

Value ThreadOps::exp2(Value x) {
  return assembly(f32Type(), x, "ex2.approx.ftz.f32 $0, $1;", "=f,f");
}

Value ThreadOps::divf(Value x, Value y) {
  return assembly(f32Type(), {x, y}, "div.full.f32 $0, $1, $2;", "=f,f,f");
}

Value ThreadOps::packBf16(Value lo, Value hi) {
  // The instruction's first operand is the high half.
  return assembly(i32Type(), {hi, lo}, "cvt.rn.bf16x2.f32 $0, $1, $2;",
                  "=r,f,f");
}

std::pair<Value, Value> ThreadOps::unpackBf16(Value pair) {
  Value lo = arith::ShLIOp::create(b, loc, pair, i32(16));
  Value hi = arith::AndIOp::create(b, loc, pair, i32(int32_t(0xffff0000)));
  return {arith::BitcastOp::create(b, loc, f32Type(), lo),
          arith::BitcastOp::create(b, loc, f32Type(), hi)};
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value ThreadOps::advance(Value pointer, Value bytes) {
  return LLVM::GEPOp::create(b, loc, pointer.getType(), b.getI8Type(), pointer,
                             ArrayRef<LLVM::GEPArg>{bytes});
}

Value ThreadOps::advance(Value pointer, int64_t bytes) {
  if (bytes == 0)
    return pointer;
  return LLVM::GEPOp::create(b, loc, pointer.getType(), b.getI8Type(), pointer,
                             ArrayRef<LLVM::GEPArg>{int32_t(bytes)});
}

Value ThreadOps::load(Type type, Value pointer, int64_t alignment,
                      bool invariant) {
  return LLVM::LoadOp::create(b, loc, type, pointer, alignment,
                              /*isVolatile=*/false, /*isNonTemporal=*/false,
                              invariant);
}

void ThreadOps::store(Value value, Value pointer, int64_t alignment) {
  LLVM::StoreOp::create(b, loc, value, pointer, alignment);
}

void ThreadOps::storeWhere(Value condition, ArrayRef<Value> words,
                           Value pointer) {
  Value flag = arith::ExtUIOp::create(b, loc, i32Type(), condition);
  SmallVector<Value> operands{pointer, flag};
  std::string list, constraints = "l,r";
  for (auto [i, given] : llvm::enumerate(words)) {
    Value word = given;
    if (!word.getType().isInteger(32))
      word = arith::BitcastOp::create(b, loc, i32Type(), word);
    operands.push_back(word);
    list += (i ? ", $" : "$") + std::to_string(i + 2);
    constraints += ",r";
  }
  std::string kind =
      words.size() == 1 ? "" : "v" + std::to_string(words.size()) + ".";
  if (words.size() > 1)
    list = "{" + list + "}";
  assembly(Type(), operands,
           "{ .reg .pred in; setp.ne.b32 in, $1, 0; @in st.global." + kind +
               "b32 [$0], " + list + "; }",
           constraints + ",~{memory}");
}

void ThreadOps::copyAsync(Value shared, Value global, int64_t bytes,
                          Value isIn) {
  Value size = select(isIn, i32(bytes), i32(0));
  NVVM::CpAsyncOp::create(b, loc, shared, global, bytes,
                          bytes == 16 ? NVVM::LoadCacheModifierKind::CG
                                      : NVVM::LoadCacheModifierKind::CA,
                          size);
}

void ThreadOps::commitCopies() { NVVM::CpAsyncCommitGroupOp::create(b, loc); }

void ThreadOps::waitCopies(int64_t pending) {
  NVVM::CpAsyncWaitGroupOp::create(b, loc, pending);
}

//===----------------------------------------------------------------------===//
// The warp
//===----------------------------------------------------------------------===//

void ThreadOps::syncWarp() { NVVM::SyncWarpOp::create(b, loc, i32(-1)); }

Value ThreadOps::shuffle(Value value, NVVM::ShflKind kind, Value offset,
                         int64_t clamp) {
  Type type = value.getType();
  if (type.isF64()) {
    // Both halves.
    Type pairType = VectorType::get({2}, i32Type());
    Value pair = LLVM::BitcastOp::create(b, loc, pairType, value);
    Value result = LLVM::UndefOp::create(b, loc, pairType);
    for (int64_t i = 0; i < 2; ++i) {
      Value half = LLVM::ExtractElementOp::create(b, loc, pair, i32(i));
      half = shuffle(half, kind, offset, clamp);
      result = LLVM::InsertElementOp::create(b, loc, result, half, i32(i));
    }
    return LLVM::BitcastOp::create(b, loc, type, result);
  }
  return NVVM::ShflOp::create(b, loc, type, i32(-1), value, offset, i32(clamp),
                              kind, /*return_value_and_is_valid=*/UnitAttr());
}

Value ThreadOps::shuffleFrom(Value value, Value lane) {
  return shuffle(value, NVVM::ShflKind::idx, lane, 31);
}

Value ThreadOps::shuffleXor(Value value, int64_t mask) {
  return shuffle(value, NVVM::ShflKind::bfly, i32(mask), 31);
}

Value ThreadOps::shuffleUp(Value value, int64_t distance) {
  return shuffle(value, NVVM::ShflKind::up, i32(distance), 0);
}

Value ThreadOps::transposeMatrix(Value pair) {
  auto op = LLVM::InlineAsmOp::create(
      b, loc, TypeRange(i32Type()), pair,
      "movmatrix.sync.aligned.m8n8.trans.b16 $0, $1;", "=r,r",
      /*has_side_effects=*/true, /*is_align_stack=*/false,
      LLVM::TailCallKind::None, /*asm_dialect=*/nullptr,
      /*operand_attrs=*/nullptr);
  return op->getResult(0);
}

std::array<Value, 4> ThreadOps::loadMatrices(Value pointer, bool transposed) {
  Type word = i32Type();
  Type result = LLVM::LLVMStructType::getLiteral(b.getContext(),
                                                 {word, word, word, word});
  Value four = NVVM::LdMatrixOp::create(
      b, loc, result, pointer, /*num=*/4,
      transposed ? NVVM::MMALayout::col : NVVM::MMALayout::row,
      NVVM::LdStMatrixShapeAttr::get(b.getContext(), 8, 8),
      NVVM::LdStMatrixEltType::B16);
  std::array<Value, 4> matrices;
  for (int64_t i = 0; i < 4; ++i)
    matrices[i] = LLVM::ExtractValueOp::create(b, loc, four, i);
  return matrices;
}

std::array<Value, 4> ThreadOps::mma(ArrayRef<Value> a, ArrayRef<Value> bb,
                                    ArrayRef<Value> acc) {
  Type word = f32Type();
  Type result = LLVM::LLVMStructType::getLiteral(b.getContext(),
                                                 {word, word, word, word});
  std::array<NVVM::MMATypes, 2> types{NVVM::MMATypes::bf16,
                                      NVVM::MMATypes::bf16};
  std::array<NVVM::MMALayout, 2> layouts{NVVM::MMALayout::row,
                                         NVVM::MMALayout::col};
  Value product = NVVM::MmaOp::create(
      b, loc, result, a, bb, acc, ArrayRef<int64_t>{16, 8, 16}, std::nullopt,
      std::nullopt, types, layouts);
  std::array<Value, 4> sums;
  for (int64_t i = 0; i < 4; ++i)
    sums[i] = LLVM::ExtractValueOp::create(b, loc, product, i);
  return sums;
}

//===----------------------------------------------------------------------===//
// Barriers in shared memory
//===----------------------------------------------------------------------===//

Value ThreadOps::addressOf(Value barrier) {
  return LLVM::PtrToIntOp::create(b, loc, i32Type(), barrier);
}

void ThreadOps::initBarrier(Value barrier, int64_t arrivals) {
  assembly(Type(), {addressOf(barrier), i32(arrivals)},
           "mbarrier.init.shared.b64 [$0], $1;", "r,r,~{memory}");
}

void ThreadOps::arrive(Value barrier) {
  assembly(Type(), addressOf(barrier),
           "{ .reg .b64 phase; mbarrier.arrive.shared.b64 phase, [$0]; }",
           "r,~{memory}");
}

void ThreadOps::wait(Value barrier, Value parity) {
  std::string test = canSuspend ? "try_wait" : "test_wait";
  assembly(Type(), {addressOf(barrier), parity},
           "{ .reg .pred done; again: mbarrier." + test +
               ".parity.shared.b64 done, [$0], $1; @!done bra again; }",
           "r,r,~{memory}");
}

void ThreadOps::syncBlock() { NVVM::Barrier0Op::create(b, loc); }

void ThreadOps::syncThreads(int64_t barrier, int64_t threads) {
  NVVM::BarrierOp::create(b, loc, Type(), i32(barrier), i32(threads),
                          NVVM::BarrierReductionAttr(), Value());
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

void ThreadOps::when(Value condition, function_ref<void(ThreadOps &)> body) {
  auto op = scf::IfOp::create(b, loc, condition, /*withElseRegion=*/false);
  OpBuilder inner = OpBuilder::atBlockTerminator(op.thenBlock());
  ThreadOps ops(inner, loc);
  ops.canSuspend = canSuspend;
  body(ops);
}

SmallVector<Value> ThreadOps::loop(
    Value from, Value to, Value step, ValueRange carried,
    function_ref<SmallVector<Value>(ThreadOps &, Value, ValueRange)> body) {
  auto op = scf::ForOp::create(
      b, loc, from, to, step, carried,
      [&](OpBuilder &inner, Location, Value at, ValueRange values) {
        ThreadOps ops(inner, loc);
        ops.canSuspend = canSuspend;
        scf::YieldOp::create(inner, loc, body(ops, at, values));
      });
  return SmallVector<Value>(op.getResults());
}
