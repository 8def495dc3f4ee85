//===- CheckAllocations.cpp - Calls without memory end early --------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/LLVMIR/FunctionCallUtils.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/Passes.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::attn {
#define GEN_PASS_DEF_ATTNCHECKALLOCATIONS
#include "passes/Passes.h.inc"
} // namespace mlir::attn

using namespace mlir;
using namespace mlir::attn;

namespace {
/// What an allocation that fails ends: the function, or an iteration of a
/// parallel loop.
struct Scope {
  /// Where pointers that are to be freed stand; null where there is none.
  SmallVector<Value> slots;
  /// Frees them and leaves.
  Block *exit = nullptr;
};

/// Guards the allocations of one function.
class Guard {
public:
  Guard(LLVM::LLVMFuncOp function, Value status)
      : b(function.getLoc(), function.getContext()), function(function),
        status(status), pointer(LLVM::LLVMPointerType::get(b.getContext())) {}

  /// `fallible` are the functions that have a status.
  LogicalResult run(const DenseSet<StringRef> &fallible);

private:
  LogicalResult collect(const DenseSet<StringRef> &fallible);
  LogicalResult enclose(Operation *op);
  void addSlot(LLVM::CallOp allocation);
  void clearSlots(LLVM::CallOp release);
  void addExit(Operation *owner, Scope &scope);
  void checkAllocation(LLVM::CallOp allocation);
  /// Leaves the scope behind `op`, or before the first operation of a block, if
  /// anything failed.
  void checkStatus(Block *block, Block::iterator after, Block *exit);

  Value getNull() { return LLVM::ZeroOp::create(b, pointer); }
  Value getInt(int64_t number) {
    return LLVM::ConstantOp::create(b, b.getI64IntegerAttr(number));
  }
  Scope &getScope(Operation *op) { return scopes[op->getParentOp()]; }

  ImplicitLocOpBuilder b;
  LLVM::LLVMFuncOp function;
  Value status;
  Type pointer;
  llvm::MapVector<Operation *, Scope> scopes;
  SmallVector<LLVM::CallOp> allocations, releases;
  /// Calls and parallel regions in which something may have failed.
  llvm::SetVector<Operation *> checks;
  DenseMap<Value, Value> slotOf;
};
} // namespace

static Value getSize(LLVM::CallOp allocation) {
  return allocation.getArgOperands().back();
}

/// Notes the scopes around an operation that may fail.
LogicalResult Guard::enclose(Operation *op) {
  Operation *parent = op->getParentOp();
  if (!isa<omp::LoopNestOp, LLVM::LLVMFuncOp>(parent))
    return op->emitOpError("expected memory to be allocated by a function or "
                           "in an iteration of a loop, got ")
           << parent->getName();
  scopes[parent];
  auto parallel = parent->getParentOfType<omp::ParallelOp>();
  if (!parallel || !checks.insert(parallel))
    return success();
  return enclose(parallel);
}

LogicalResult Guard::collect(const DenseSet<StringRef> &fallible) {
  SmallVector<Operation *> mayFail;
  function.walk([&](LLVM::CallOp call) {
    StringRef callee = call.getCallee().value_or("");
    if (callee == "free")
      releases.push_back(call);
    else if (callee == "malloc" || callee == "aligned_alloc")
      allocations.push_back(call);
    else if (fallible.contains(callee))
      checks.insert(call);
    else
      return;
    if (callee != "free")
      mayFail.push_back(call);
  });
  for (Operation *op : mayFail)
    if (failed(enclose(op)))
      return failure();
  return success();
}

void Guard::addSlot(LLVM::CallOp allocation) {
  auto loop = dyn_cast<omp::LoopNestOp>(allocation->getParentOp());
  auto parallel = allocation->getParentOfType<omp::ParallelOp>();
  // Once a thread, not an iteration.
  b.setInsertionPointToStart(parallel ? &parallel.getRegion().front()
                                      : &function.getBody().front());
  Value slot = LLVM::AllocaOp::create(b, pointer, pointer, getInt(1));
  if (loop)
    b.setInsertionPointToStart(&loop.getRegion().front());
  LLVM::StoreOp::create(b, getNull(), slot);
  b.setInsertionPointAfter(allocation);
  LLVM::StoreOp::create(b, allocation.getResult(), slot);
  getScope(allocation).slots.push_back(slot);
  slotOf[allocation.getResult()] = slot;
}

void Guard::clearSlots(LLVM::CallOp release) {
  b.setInsertionPoint(release);
  Value freed = release.getArgOperands().front();
  if (Value slot = slotOf.lookup(freed)) {
    LLVM::StoreOp::create(b, getNull(), slot);
    return;
  }
  // Whatever it may be of this scope.
  auto scope = scopes.find(release->getParentOp());
  if (scope == scopes.end())
    return;
  for (Value slot : scope->second.slots) {
    Value held = LLVM::LoadOp::create(b, pointer, slot);
    Value isFreed =
        LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::eq, held, freed);
    LLVM::StoreOp::create(
        b, LLVM::SelectOp::create(b, isFreed, getNull(), held), slot);
  }
}

void Guard::addExit(Operation *owner, Scope &scope) {
  scope.exit = b.createBlock(&owner->getRegion(0), owner->getRegion(0).end());
  for (Value slot : scope.slots)
    LLVM::CallOp::create(b, TypeRange(), "free",
                         ValueRange(LLVM::LoadOp::create(b, pointer, slot)));
  if (isa<omp::LoopNestOp>(owner)) {
    omp::YieldOp::create(b, ValueRange());
    return;
  }
  SmallVector<Value> results;
  for (Type type : function.getResultTypes())
    if (!isa<LLVM::LLVMVoidType>(type))
      results.push_back(LLVM::ZeroOp::create(b, type));
  LLVM::ReturnOp::create(b, results);
}

void Guard::checkAllocation(LLVM::CallOp allocation) {
  Block *exit = getScope(allocation).exit;
  // Behind the store to its slot.
  Block *head = allocation->getBlock();
  Block *rest =
      head->splitBlock(std::next(Block::iterator(allocation->getNextNode())));
  Block *fail = b.createBlock(rest->getParent(), rest->getIterator());
  LLVM::StoreOp::create(b, getSize(allocation), status, /*alignment=*/8,
                        /*isVolatile=*/false, /*isNonTemporal=*/false,
                        /*isInvariantGroup=*/false,
                        LLVM::AtomicOrdering::monotonic);
  LLVM::BrOp::create(b, exit);
  b.setInsertionPointToEnd(head);
  Value isNull = LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::eq,
                                      allocation.getResult(), getNull());
  // No bytes may be nowhere.
  Value isWanted = LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::ne,
                                        getSize(allocation), getInt(0));
  LLVM::CondBrOp::create(b, LLVM::AndOp::create(b, isNull, isWanted), fail,
                         rest);
}

void Guard::checkStatus(Block *block, Block::iterator after, Block *exit) {
  Block *rest = block->splitBlock(after);
  b.setInsertionPointToEnd(block);
  Value missing = LLVM::LoadOp::create(b, b.getI64Type(), status,
                                       /*alignment=*/8, /*isVolatile=*/false,
                                       /*isNonTemporal=*/false,
                                       /*isInvariant=*/false,
                                       /*isInvariantGroup=*/false,
                                       LLVM::AtomicOrdering::monotonic);
  Value failed =
      LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::ne, missing, getInt(0));
  LLVM::CondBrOp::create(b, failed, exit, rest);
}

LogicalResult Guard::run(const DenseSet<StringRef> &fallible) {
  if (failed(collect(fallible)))
    return failure();
  for (LLVM::CallOp allocation : allocations)
    addSlot(allocation);
  for (LLVM::CallOp release : releases)
    clearSlots(release);
  for (auto &[owner, scope] : scopes)
    addExit(owner, scope);
  for (LLVM::CallOp allocation : allocations)
    checkAllocation(allocation);
  for (Operation *check : checks)
    checkStatus(check->getBlock(), std::next(check->getIterator()),
                getScope(check).exit);
  // Iterations that come after a failure have nothing to do.
  for (auto &[owner, scope] : scopes)
    if (isa<omp::LoopNestOp>(owner)) {
      Block &entry = owner->getRegion(0).front();
      checkStatus(&entry, std::next(entry.begin(), 2 * scope.slots.size()),
                  scope.exit);
    }
  return success();
}

static bool hasStatus(LLVM::LLVMFuncOp function) {
  return function->hasAttr(kStatusAttrName);
}

static Value getStatus(LLVM::LLVMFuncOp function) {
  return function.getBody().front().getArguments().back();
}

/// Gives a function a status as its last argument.
static void addStatus(LLVM::LLVMFuncOp function) {
  Builder b(function.getContext());
  auto type = function.getFunctionType();
  SmallVector<Type> inputs(type.getParams());
  inputs.push_back(LLVM::LLVMPointerType::get(b.getContext()));
  function.setFunctionType(
      LLVM::LLVMFunctionType::get(type.getReturnType(), inputs));
  function.getBody().front().addArgument(inputs.back(), function.getLoc());
  if (ArrayAttr attrs = function.getAllArgAttrs()) {
    SmallVector<Attribute> all(attrs.getValue());
    all.push_back(b.getDictionaryAttr({}));
    function.setAllArgAttrs(all);
  }
  function->setAttr(kStatusAttrName, b.getUnitAttr());
}

namespace {
struct CheckAllocations
    : attn::impl::AttnCheckAllocationsBase<CheckAllocations> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SmallVector<LLVM::LLVMFuncOp> functions;
    DenseSet<StringRef> names, added;
    for (auto function : module.getOps<LLVM::LLVMFuncOp>())
      if (!function.isExternal()) {
        functions.push_back(function);
        names.insert(function.getSymName());
      }
    if (llvm::none_of(functions, hasStatus) ||
        !(module.lookupSymbol("malloc") ||
          module.lookupSymbol("aligned_alloc")))
      return;
    // 1. What a function calls has its status.
    for (LLVM::LLVMFuncOp function : functions)
      if (!hasStatus(function)) {
        addStatus(function);
        added.insert(function.getSymName());
      }
    for (LLVM::LLVMFuncOp function : functions)
      function.walk([&](LLVM::CallOp call) {
        if (added.contains(call.getCallee().value_or("")))
          call.getCalleeOperandsMutable().append(getStatus(function));
      });
    // 2. What may fail is checked.
    ImplicitLocOpBuilder b(module.getLoc(), module.getBodyRegion());
    if (failed(LLVM::lookupOrCreateFreeFn(b, module)))
      return signalPassFailure();
    for (LLVM::LLVMFuncOp function : functions)
      if (failed(Guard(function, getStatus(function)).run(names)))
        return signalPassFailure();
  }
};
} // namespace
