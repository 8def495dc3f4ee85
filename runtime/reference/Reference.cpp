//===- Reference.cpp - The walk over a function -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/reference/Reference.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Transforms/RegionUtils.h"
#include "runtime/reference/Evaluators.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Parallel.h"

using namespace mlir;

namespace attn {

//===----------------------------------------------------------------------===//
// What all evaluators share
//===----------------------------------------------------------------------===//

llvm::Error createError(Operation *op, const llvm::Twine &message) {
  return createError(op->getLoc(),
                     "'" + op->getName().getStringRef() + "': " + message);
}

llvm::Expected<Array> createResult(Operation *op, ArrayRef<int64_t> shape) {
  llvm::Expected<Array> result = Array::create(ElementType::F64, shape);
  if (!result)
    return createError(op, llvm::toString(result.takeError()));
  return result;
}

SmallVector<int64_t> getStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= std::max<int64_t>(shape[i], 1);
  }
  return strides;
}

void forBlocks(int64_t count, int64_t block,
               llvm::function_ref<void(int64_t, int64_t)> function) {
  llvm::parallelFor(0, llvm::divideCeil(count, block), [&](size_t i) {
    int64_t begin = i * block;
    function(begin, std::min(begin + block, count));
  });
}

/// Whether an array of this shape is a value of the type.
static bool conforms(Type type, ArrayRef<int64_t> shape) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor ? succeeded(verifyCompatibleShape(tensor.getShape(), shape))
                : shape.empty();
}

//===----------------------------------------------------------------------===//
// The walk
//===----------------------------------------------------------------------===//

namespace {

using Results = llvm::Expected<SmallVector<Array>>;

/// The values of one call.
class Frame {
public:
  explicit Frame(unsigned depth) : depth(depth) {}

  /// Runs a block; the results are the operands of its terminator.
  Results run(Block &block, ArrayRef<Array> arguments);

  void set(Value value, Array array) { values[value] = std::move(array); }
  Array get(Value value) const { return values.at(value); }
  /// Computes the results of an operation whose operands are there.
  llvm::Error runOne(Operation *op);

private:
  Results evaluate(Operation *op);
  llvm::Expected<Array> evaluateOne(Operation *op, ArrayRef<Array> operands);
  Results call(func::CallOp op, ArrayRef<Array> operands);
  llvm::Expected<double> getScalar(Value value);

  llvm::DenseMap<Value, Array> values;
  /// How many calls are around this one.
  unsigned depth;
};

} // namespace

static llvm::Error checkResult(Operation *op, Type type, const Array &value) {
  if (conforms(type, value.getShape()))
    return llvm::Error::success();
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return createError(op, "expected " + text + ", got the shape " +
                             getText(value.getShape()));
}

Results Frame::run(Block &block, ArrayRef<Array> arguments) {
  for (auto [argument, value] :
       llvm::zip_equal(block.getArguments(), arguments))
    values[argument] = value;

  // N x M values are large: each is dropped after its last use in the block.
  llvm::DenseMap<Operation *, SmallVector<Value>> dying;
  auto addValue = [&](Value value, Operation *after) {
    for (Operation *user : value.getUsers()) {
      Operation *ancestor = block.findAncestorOpInBlock(*user);
      if (!after || after->isBeforeInBlock(ancestor))
        after = ancestor;
    }
    if (after)
      dying[after].push_back(value);
  };
  for (BlockArgument argument : block.getArguments())
    addValue(argument, nullptr);
  for (Operation &op : block)
    for (Value result : op.getResults())
      addValue(result, &op);

  for (Operation &op : block.without_terminator()) {
    if (llvm::Error error = runOne(&op))
      return std::move(error);
    for (Value value : dying[&op])
      values.erase(value);
  }
  SmallVector<Array> results;
  for (Value value : block.getTerminator()->getOperands())
    results.push_back(values.at(value));
  for (Value value : dying[block.getTerminator()])
    values.erase(value);
  return results;
}

llvm::Error Frame::runOne(Operation *op) {
  Results results = evaluate(op);
  if (!results)
    return results.takeError();
  for (auto [value, result] : llvm::zip_equal(op->getResults(), *results)) {
    if (llvm::Error error = checkResult(op, value.getType(), result))
      return error;
    values[value] = result;
  }
  return llvm::Error::success();
}

llvm::Expected<double> Frame::getScalar(Value value) {
  return *getDoubles(values.at(value));
}

Results Frame::evaluate(Operation *op) {
  SmallVector<Array> operands;
  for (Value value : op->getOperands())
    operands.push_back(values.at(value));
  if (auto callOp = dyn_cast<func::CallOp>(op))
    return call(callOp, operands);
  if (auto ifOp = dyn_cast<scf::IfOp>(op)) {
    Region &region = *getDoubles(operands.front()) != 0 ? ifOp.getThenRegion()
                                                        : ifOp.getElseRegion();
    return region.empty() ? SmallVector<Array>() : run(region.front(), {});
  }
  if (auto recurrence = dyn_cast<mlir::attn::RecurrenceOp>(op))
    return evaluateRecurrence(recurrence, operands);
  if (auto scan = dyn_cast<mlir::attn::ScanOp>(op))
    return evaluateScan(scan, operands,
                        [&](Block &block, ArrayRef<Array> arguments) {
                          return Frame(depth).run(block, arguments);
                        });
  if (op->getNumResults() != 1)
    return createError(op,
                       "the reference evaluator does not know this operation");
  llvm::Expected<Array> result = evaluateOne(op, operands);
  if (!result)
    return result.takeError();
  return SmallVector<Array>{std::move(*result)};
}

llvm::Expected<Array> Frame::evaluateOne(Operation *op,
                                         ArrayRef<Array> operands) {
  using Result = llvm::Expected<Array>;
  namespace ir = mlir::attn;
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case([&](ir::ContractionOpInterface product) {
        return evaluateContraction(product, operands[0], operands[1]);
      })
      .Case([&](ir::FeatureMapOp map) {
        return evaluateFeatureMap(map, operands,
                                  [&](Value v) { return getScalar(v); });
      })
      .Case([&](ir::MaskOp mask) { return evaluateMask(mask, operands); })
      .Case([&](ir::SoftmaxOp softmax) {
        return evaluateSoftmax(softmax, operands[0]);
      })
      .Case([&](ir::NormalizeOp normalize) {
        return evaluateNormalize(normalize, operands[0]);
      })
      .Case([&](ir::AppendOnesOp append) {
        return evaluateAppendOnes(append, operands[0]);
      })
      .Case([&](ir::DivideByLastOp divide) {
        return evaluateDivideByLast(divide, operands);
      })
      .Case(
          [&](ir::DivideOp divide) { return evaluateDivide(divide, operands); })
      .Case([&](ir::FeatureScaleOp scale) {
        return evaluateFeatureScale(scale, operands);
      })
      .Case([&](ir::CausalScoreOp score) {
        return evaluateCausalScore(score, operands);
      })
      .Case([&](ir::GateOp gate) { return evaluateGate(gate, operands); })
      .Case([&](ir::SolveOp solve) { return evaluateSolve(solve, operands); })
      .Case([&](ir::ExpandStepsOp steps) {
        return evaluateExpandSteps(steps, operands[0]);
      })
      .Case([&](ir::TakeStepsOp steps) {
        return evaluateTakeSteps(steps, operands[0]);
      })
      .Case(
          [&](ir::ScaleOp scale) { return evaluateScale(scale, operands[0]); })
      .Case([&](arith::ConstantOp constant) {
        return evaluateConstant(constant);
      })
      .Default([&](Operation *) {
        return isa<tensor::TensorDialect>(op->getDialect())
                   ? evaluateTensor(op, operands)
                   : evaluateElementwise(op, operands);
      });
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

/// Calls may be nested this deep; recursion never ends in a graph.
static constexpr unsigned kMaxDepth = 64;

static Results runFunction(func::FuncOp function, ArrayRef<Array> arguments,
                           unsigned depth) {
  if (function.isExternal() || !function.getBody().hasOneBlock())
    return createError(function, "expected a function of one block");
  return Frame(depth).run(function.getBody().front(), arguments);
}

Results Frame::call(func::CallOp op, ArrayRef<Array> operands) {
  auto function = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
      op, op.getCalleeAttr());
  if (!function)
    return createError(op, "no function '" + op.getCallee() + "'");
  if (depth >= kMaxDepth)
    return createError(op, "calls are nested more than " +
                               llvm::Twine(kMaxDepth) + " deep");
  return runFunction(function, operands, depth + 1);
}

llvm::Expected<SmallVector<Array>> evaluate(func::FuncOp function,
                                            ArrayRef<Array> arguments) {
  if (arguments.size() != function.getNumArguments())
    return createError(function,
                       "expected " + llvm::Twine(function.getNumArguments()) +
                           " arguments, got " + llvm::Twine(arguments.size()));
  SmallVector<Array> widened;
  for (auto [i, type] : llvm::enumerate(function.getArgumentTypes())) {
    if (llvm::Error error = checkResult(function, type, arguments[i]))
      return std::move(error);
    llvm::Expected<Array> array = convert(arguments[i], ElementType::F64);
    if (!array)
      return array.takeError();
    widened.push_back(std::move(*array));
  }
  return runFunction(function, widened, 0);
}

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

/// Operands of an operation and what its regions use from outside.
static SmallVector<Value> getUses(Operation *op) {
  llvm::SetVector<Value> uses(op->operand_begin(), op->operand_end());
  getUsedValuesDefinedAbove(op->getRegions(), uses);
  return uses.takeVector();
}

SmallVector<Operation *> getSlice(func::FuncOp function, Value value) {
  Block &block = function.getBody().front();
  llvm::SetVector<Operation *> slice;
  SmallVector<Value> work{value};
  while (!work.empty()) {
    Operation *op = work.pop_back_val().getDefiningOp();
    if (op && op->getBlock() == &block && slice.insert(op))
      work.append(getUses(op));
  }
  SmallVector<Operation *> ops = slice.takeVector();
  llvm::sort(ops,
             [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  return ops;
}

llvm::Expected<Array> evaluateSlice(func::FuncOp function, Value value,
                                    ArrayRef<Array> arguments) {
  Frame frame(0);
  llvm::DenseSet<Value> isSet;
  auto setArgument = [&](Value use) -> llvm::Error {
    auto argument = dyn_cast<BlockArgument>(use);
    if (!argument || !isSet.insert(use).second)
      return llvm::Error::success();
    llvm::Expected<Array> array =
        convert(arguments[argument.getArgNumber()], ElementType::F64);
    if (!array)
      return array.takeError();
    frame.set(use, std::move(*array));
    return llvm::Error::success();
  };
  if (llvm::Error error = setArgument(value))
    return std::move(error);
  for (Operation *op : getSlice(function, value)) {
    for (Value use : getUses(op))
      if (llvm::Error error = setArgument(use))
        return std::move(error);
    if (llvm::Error error = frame.runOne(op))
      return std::move(error);
  }
  return frame.get(value);
}

} // namespace attn
