//===- RecurrenceOp.cpp - Syntax and verifier of recurrences -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Every constraint has the number under which docs/Spec.md states it.

#include "dialect/Attn.h"
#include "dialect/Checks.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::attn;

//===----------------------------------------------------------------------===//
// Axes
//===----------------------------------------------------------------------===//

static EinsumOperand parseAxes(Operation *op, Attribute text) {
  EinsumOperand axes;
  (void)Einsum::parseOperand(cast<StringAttr>(text).getValue(), axes,
                             [op] { return op->emitOpError(); });
  return axes;
}

EinsumOperand RecurrenceOp::getAxes(Value value) {
  for (auto [i, operand] : llvm::enumerate(getOperands()))
    if (operand == value && i < getOperandAxes().size())
      return parseAxes(*this, getOperandAxes()[i]);
  for (auto [i, result] : llvm::enumerate(getResults()))
    if (result == value)
      return parseAxes(*this, getResultAxes()[i]);
  return {};
}

bool RecurrenceOp::hasAxis(Value value, char axis) {
  return value && Einsum::find(getAxes(value), axis) >= 0;
}

SmallVector<EinsumOperand> RecurrenceOp::getAxesOfOperands() {
  SmallVector<EinsumOperand> axes;
  for (Attribute text : getOperandAxes())
    axes.push_back(parseAxes(*this, text));
  axes.resize(getNumOperands()); // cu_seqlens has none
  return axes;
}

SmallVector<EinsumOperand> RecurrenceOp::getAxesOfResults() {
  SmallVector<EinsumOperand> axes;
  for (Attribute text : getResultAxes())
    axes.push_back(parseAxes(*this, text));
  return axes;
}

static bool isBatch(char axis) {
  return axis != RecurrenceOp::kToken && axis != RecurrenceOp::kKey &&
         axis != RecurrenceOp::kValue && axis != RecurrenceOp::kSegment;
}

SmallVector<char> RecurrenceOp::getStateAxes() {
  SmallVector<Value> writers;
  if (getTransitionOperand())
    writers.push_back(getTransitionOperand());
  llvm::append_range(writers, getKeys());
  llvm::append_range(writers, getValues());
  for (Value value : {getLogGate(), getEraseQuery(), getEraseKey(),
                      getEraseInput(), getInitialState(), getInitialMax()})
    if (value)
      writers.push_back(value);
  SmallVector<char> state;
  for (Value value : writers)
    for (const EinsumDim &dim : getAxes(value))
      for (char axis : dim)
        if (isBatch(axis) && axis != 'e' && !llvm::is_contained(state, axis))
          state.push_back(axis);
  return state;
}

SmallVector<char> RecurrenceOp::getReadAxes() {
  SmallVector<char> state = getStateAxes(), read;
  for (const EinsumDim &dim : getAxes(getOutput()))
    for (char axis : dim)
      if (isBatch(axis) && !llvm::is_contained(state, axis))
        read.push_back(axis);
  return read;
}

int64_t RecurrenceOp::getAxisSize(char axis) {
  SmallVector<Einsum::NamedShape> shapes;
  for (auto [axes, operand] : llvm::zip(getAxesOfOperands(), getOperands()))
    if (operand != getCuSeqlens())
      shapes.push_back(
          {axes, cast<RankedTensorType>(operand.getType()).getShape()});
  for (auto [axes, result] : llvm::zip_equal(getAxesOfResults(), getResults()))
    shapes.push_back(
        {axes, cast<RankedTensorType>(result.getType()).getShape()});
  auto sizes =
      Einsum::solveAxisSizes(shapes, "", [this] { return emitOpError(); });
  for (auto [name, size] : *sizes)
    if (name == axis)
      return size;
  return 1;
}

//===----------------------------------------------------------------------===//
// Syntax
//===----------------------------------------------------------------------===//

namespace {
/// An operand and the names of its axes.
struct Named {
  OpAsmParser::UnresolvedOperand operand;
  StringAttr axes;
};
} // namespace

/// A string alone: a colon that follows is the operation's.
static ParseResult parseAxes(OpAsmParser &parser, StringAttr &axes) {
  return parser.parseAttribute(axes, NoneType::get(parser.getContext()));
}

static ParseResult parseNamed(OpAsmParser &parser, Named &named) {
  return failure(parser.parseOperand(named.operand) ||
                 parseAxes(parser, named.axes));
}

static ParseResult parseRead(OpAsmParser &parser, StateReadAttr &read) {
  StringRef word;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&word))
    return failure();
  std::optional<StateRead> kind = symbolizeStateRead(word);
  if (!kind)
    return parser.emitError(loc, "expected current, previous or decayed");
  read = StateReadAttr::get(parser.getContext(), *kind);
  return success();
}

// attn.recurrence #transition by(%g "axes")? read(%q "axes" kind)
//   write(%k "axes", %v "axes")* bonus(%w "axes")? log_gate(%i "axes")?
//   erase(%p "axes", %b "axes", %r "axes" kind)? state(%s "axes")?
//   max(%m "axes")? packed(%cu)? (as form chunk?)?
//   -> "axes" (, log_scale "axes")? (, state "axes")? (, max "axes")?
//   attr-dict : functional-type
ParseResult RecurrenceOp::parse(OpAsmParser &parser, OperationState &result) {
  Properties &properties = result.getOrAddProperties<Properties>();
  MLIRContext *context = parser.getContext();
  properties.form = RecurrenceFormAttr::get(context, RecurrenceForm::Auto);
  SMLoc loc = parser.getCurrentLocation();
  Attribute transition;
  if (parser.parseAttribute(transition))
    return failure();
  properties.transition = dyn_cast<TransitionAttrInterface>(transition);
  if (!properties.transition)
    return parser.emitError(loc, "expected a transition, got ") << transition;

  // 1. The clauses, by their place among the operands.
  enum {
    By,
    Query,
    Keys,
    Values,
    Bonus,
    Gate,
    EraseQuery,
    EraseKey,
    EraseInput,
    State,
    Max,
    Packed,
    Count
  };
  SmallVector<Named> groups[Count];
  auto add = [&](int group) -> ParseResult {
    groups[group].emplace_back();
    return parseNamed(parser, groups[group].back());
  };
  auto clause = [&](StringRef word, ArrayRef<int> members,
                    StateReadAttr *read = nullptr) -> ParseResult {
    if (parser.parseLParen())
      return failure();
    for (auto [i, member] : llvm::enumerate(members))
      if ((i > 0 && parser.parseComma()) || add(member))
        return failure();
    if (read && parseRead(parser, *read))
      return failure();
    return parser.parseRParen();
  };
  StringRef word;
  SMLoc wordLoc = parser.getCurrentLocation();
  while (succeeded(parser.parseOptionalKeyword(&word))) {
    ParseResult parsed = success();
    if (word == "by") {
      parsed = clause(word, {By});
    } else if (word == "read") {
      parsed = clause(word, {Query}, &properties.read);
    } else if (word == "write") {
      parsed = clause(word, {Keys, Values});
    } else if (word == "bonus") {
      parsed = clause(word, {Bonus});
    } else if (word == "log_gate") {
      parsed = clause(word, {Gate});
    } else if (word == "erase") {
      parsed = clause(word, {EraseQuery, EraseKey, EraseInput},
                      &properties.eraseRead);
    } else if (word == "state") {
      parsed = clause(word, {State});
    } else if (word == "max") {
      parsed = clause(word, {Max});
    } else if (word == "packed") {
      groups[Packed].emplace_back();
      parsed = failure(parser.parseLParen() ||
                       parser.parseOperand(groups[Packed].back().operand) ||
                       parser.parseRParen());
    } else if (word == "as") {
      StringRef name;
      SMLoc formLoc = parser.getCurrentLocation();
      if (parser.parseKeyword(&name))
        return failure();
      std::optional<RecurrenceForm> form = symbolizeRecurrenceForm(name);
      if (!form)
        return parser.emitError(
            formLoc, "expected auto, quadratic, chunkwise or recurrent");
      properties.form = RecurrenceFormAttr::get(context, *form);
      int64_t chunk;
      OptionalParseResult size = parser.parseOptionalInteger(chunk);
      if (size.has_value()) {
        if (failed(*size))
          return failure();
        properties.chunk = parser.getBuilder().getI64IntegerAttr(chunk);
      }
    } else {
      return parser.emitError(wordLoc, "unexpected clause '") << word << "'";
    }
    if (parsed)
      return failure();
    wordLoc = parser.getCurrentLocation();
  }
  for (auto [i, group] : llvm::enumerate(groups)) {
    bool repeated = i == Keys || i == Values;
    if (group.size() > 1 && !repeated)
      return parser.emitError(loc, "a clause stands twice");
  }
  if (groups[Query].empty())
    return parser.emitError(loc, "expected a clause 'read'");

  // 2. The axes of the results.
  SmallVector<Attribute> resultAxes;
  SmallVector<int32_t> resultSizes{1, 0, 0, 0};
  StringAttr axes;
  if (parser.parseArrow() || parseAxes(parser, axes))
    return failure();
  resultAxes.push_back(axes);
  while (succeeded(parser.parseOptionalComma())) {
    SMLoc resultLoc = parser.getCurrentLocation();
    if (parser.parseKeyword(&word) || parseAxes(parser, axes))
      return failure();
    int which = word == "log_scale" ? 1
                : word == "state"   ? 2
                : word == "max"     ? 3
                                    : 0;
    if (which == 0 || llvm::any_of(ArrayRef(resultSizes).drop_front(which),
                                   [](int32_t size) { return size != 0; }))
      return parser.emitError(resultLoc,
                              "expected log_scale, state, max in this order");
    resultSizes[which] = 1;
    resultAxes.push_back(axes);
  }

  // 3. The types, in the order of the operands.
  FunctionType type;
  SMLoc typeLoc;
  if (parser.parseOptionalAttrDict(result.attributes) || parser.parseColon() ||
      parser.getCurrentLocation(&typeLoc) || parser.parseType(type))
    return failure();
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  SmallVector<Attribute> operandAxes;
  SmallVector<int32_t> sizes;
  for (const SmallVector<Named> &group : groups) {
    sizes.push_back(group.size());
    for (const Named &named : group) {
      operands.push_back(named.operand);
      if (named.axes)
        operandAxes.push_back(named.axes);
    }
  }
  if (type.getNumResults() != resultAxes.size())
    return parser.emitError(typeLoc, "expected ")
           << resultAxes.size() << " results, got " << type.getNumResults();
  properties.operandAxes = ArrayAttr::get(context, operandAxes);
  properties.resultAxes = ArrayAttr::get(context, resultAxes);
  llvm::copy(sizes, properties.operandSegmentSizes.begin());
  llvm::copy(resultSizes, properties.resultSegmentSizes.begin());
  result.addTypes(type.getResults());
  return parser.resolveOperands(operands, type.getInputs(), typeLoc,
                                result.operands);
}

void RecurrenceOp::print(OpAsmPrinter &printer) {
  unsigned next = 0;
  auto named = [&](Value value) {
    printer << value << ' ' << getOperandAxes()[next++];
  };
  auto clause = [&](StringRef word, Value value) {
    if (!value)
      return;
    printer << ' ' << word << '(';
    named(value);
    printer << ')';
  };
  printer << ' ' << getTransition();
  clause("by", getTransitionOperand());
  printer << " read(";
  named(getQuery());
  printer << ' ' << stringifyStateRead(getRead()) << ')';
  // Keys come before values among the operands.
  unsigned pairs = getKeys().size();
  for (unsigned i = 0; i < pairs; ++i)
    printer << " write(" << getKeys()[i] << ' ' << getOperandAxes()[next + i]
            << ", " << getValues()[i] << ' '
            << getOperandAxes()[next + pairs + i] << ')';
  next += 2 * pairs;
  clause("bonus", getBonus());
  clause("log_gate", getLogGate());
  if (erases()) {
    printer << " erase(";
    named(getEraseQuery());
    printer << ", ";
    named(getEraseKey());
    printer << ", ";
    named(getEraseInput());
    printer << ' ' << stringifyStateRead(*getEraseRead()) << ')';
  }
  clause("state", getInitialState());
  clause("max", getInitialMax());
  if (getCuSeqlens())
    printer << " packed(" << getCuSeqlens() << ')';
  if (getForm() != RecurrenceForm::Auto || getChunk()) {
    printer << " as " << stringifyRecurrenceForm(getForm());
    if (getChunk())
      printer << ' ' << *getChunk();
  }
  printer << " -> " << getResultAxes()[0];
  next = 1;
  auto result = [&](StringRef word, Value value) {
    if (value)
      printer << ", " << word << ' ' << getResultAxes()[next++];
  };
  result("log_scale", getLogScale());
  result("state", getFinalState());
  result("max", getFinalMax());
  printer.printOptionalAttrDict((*this)->getAttrs(),
                                {"transition", "read", "eraseRead",
                                 "operandAxes", "resultAxes", "form", "chunk",
                                 "operandSegmentSizes", "resultSegmentSizes"});
  printer << " : ";
  printer.printFunctionalType(*this);
}

//===----------------------------------------------------------------------===//
// Verifier
//===----------------------------------------------------------------------===//

LogicalResult RecurrenceOp::verify() {
  auto error = [&] { return emitOpError(); };
  // Segment sizes in generic form may give these any number of values.
  if (getODSOperands(1).size() != 1 || getODSResults(0).size() != 1)
    return error() << "expected one query and one output";
  // R1: each operand but cu_seqlens, and each result, names its dimensions.
  size_t named = getNumOperands() - (getCuSeqlens() ? 1 : 0);
  if (getOperandAxes().size() != named ||
      getResultAxes().size() != getNumResults())
    return error() << "[R1] expected axes for " << named << " operands and "
                   << getNumResults() << " results";
  SmallVector<Einsum::NamedShape> shapes;
  std::string text;
  auto addShape = [&](Attribute axesText, Type type) -> LogicalResult {
    EinsumOperand axes;
    if (failed(Einsum::parseOperand(cast<StringAttr>(axesText).getValue(), axes,
                                    error)))
      return failure();
    auto tensor = cast<RankedTensorType>(type);
    if (static_cast<int64_t>(axes.size()) != tensor.getRank())
      return error() << "[R1] axes " << axesText << " name " << axes.size()
                     << " dimensions, " << tensor << " has "
                     << tensor.getRank();
    text += (text.empty() ? "" : ",") + toString(axes);
    shapes.push_back({axes, tensor.getShape()});
    return success();
  };
  for (auto [axes, operand] : llvm::zip(getOperandAxes(), getOperands()))
    if (failed(addShape(axes, operand.getType())))
      return failure();
  for (auto [axes, result] : llvm::zip_equal(getResultAxes(), getResults()))
    if (failed(addShape(axes, result.getType())))
      return failure();
  if (failed(Einsum::solveAxisSizes(shapes, text, error)))
    return failure();
  // Axes are looked up by value.
  for (unsigned i = 0; i < named; ++i)
    for (unsigned j = 0; j < i; ++j)
      if (getOperand(i) == getOperand(j) &&
          getOperandAxes()[i] != getOperandAxes()[j])
        return error() << "[R1] one value has the axes " << getOperandAxes()[j]
                       << " and " << getOperandAxes()[i];

  // R2: who may have which of the axes n, d, v and s.
  auto checkAxes = [&](StringRef name, Value value, StringRef allowed,
                       StringRef required = "") -> LogicalResult {
    if (!value)
      return success();
    for (char axis : {kToken, kKey, kValue, kSegment})
      if (hasAxis(value, axis) && !allowed.contains(axis))
        return error() << "[R2] the " << name << " has the axis '"
                       << Twine(axis) << "'";
    for (char axis : required)
      if (!hasAxis(value, axis))
        return error() << "[R2] the " << name << " has no axis '" << Twine(axis)
                       << "'";
    return success();
  };
  if (failed(
          checkAxes("transition's operand", getTransitionOperand(), "ndv")) ||
      failed(checkAxes("query", getQuery(), "nd")) ||
      failed(checkAxes("bonus", getBonus(), "ndv")) ||
      failed(checkAxes("log_gate", getLogGate(), "nv")) ||
      failed(checkAxes("erase query", getEraseQuery(), "nd")) ||
      failed(checkAxes("erase key", getEraseKey(), "nd")) ||
      failed(checkAxes("erase input", getEraseInput(), "nv")) ||
      failed(checkAxes("initial state", getInitialState(), "dvs")) ||
      failed(checkAxes("initial maximum", getInitialMax(), "vs")) ||
      failed(checkAxes("output", getOutput(), "nv", "n")) ||
      failed(checkAxes("log scale", getLogScale(), "nv", "n")) ||
      failed(checkAxes("final state", getFinalState(), "dvs")) ||
      failed(checkAxes("final maximum", getFinalMax(), "vs")))
    return failure();
  for (Value key : getKeys())
    if (failed(checkAxes("key", key, "nd")))
      return failure();
  for (Value value : getValues())
    if (failed(checkAxes("value", value, "nv")))
      return failure();
  for (Value state :
       {getInitialState(), getFinalState(), getInitialMax(), getFinalMax()})
    if (state && hasAxis(state, kSegment) != (getCuSeqlens() != nullptr))
      return error() << "[R2] states have the axis 's' where sequences are "
                        "packed, and only there";

  // Nothing that tells states or reads apart is lost.
  SmallVector<char> states = getStateAxes();
  auto checkHas = [&](StringRef name, Value value,
                      ArrayRef<char> axes) -> LogicalResult {
    for (char axis : axes)
      if (value && !hasAxis(value, axis))
        return error() << "[R2] the " << name << " has no axis '" << Twine(axis)
                       << "'";
    return success();
  };
  auto isUsed = [&](char axis) {
    return llvm::any_of(getOperands().take_front(named),
                        [&](Value value) { return hasAxis(value, axis); });
  };
  SmallVector<char> outputs = states, channels = states;
  for (Value value : {Value(getQuery()), Value(getBonus())})
    if (value)
      for (const EinsumDim &dim : getAxes(value))
        for (char axis : dim)
          if (isBatch(axis) && !llvm::is_contained(outputs, axis))
            outputs.push_back(axis);
  if (isUsed(kValue)) {
    outputs.push_back(kValue);
    channels.push_back(kValue);
  }
  if (isUsed(kKey))
    channels.push_back(kKey);
  if (failed(checkHas("output", getOutput(), outputs)) ||
      failed(checkHas("final state", getFinalState(), channels)) ||
      failed(checkHas("final maximum", getFinalMax(), states)))
    return failure();

  // R3: keys and values are pairs; the state has static channels.
  if (getKeys().size() != getValues().size())
    return error() << "[R3] expected as many keys as values, got "
                   << getKeys().size() << " and " << getValues().size();
  if (getKeys().empty() && !erases())
    return error() << "[R3] expected something that is written";
  for (char axis : {kKey, kValue})
    if (ShapedType::isDynamic(getAxisSize(axis)))
      return error() << "[R3] expected a static size of the axis '"
                     << Twine(axis) << "'";
  // R4: the transition takes its operand.
  std::optional<StringRef> tile = getTransition().getTileAxes();
  if (tile.has_value() != (getTransitionOperand() != nullptr))
    return error() << "[R4] the transition " << getTransition() << " takes "
                   << (tile ? "an operand" : "no operand");
  if (tile)
    for (char axis : {kKey, kValue, 'e'})
      if (hasAxis(getTransitionOperand(), axis) && !tile->contains(axis))
        return error() << "[R4] the operand of " << getTransition()
                       << " has the axis '" << Twine(axis) << "'";
  // R5: an erasure is whole, and reads the state before it is written.
  bool all =
      getEraseQuery() && getEraseKey() && getEraseInput() && getEraseRead();
  bool any =
      getEraseQuery() || getEraseKey() || getEraseInput() || getEraseRead();
  if (all != any || (all && *getEraseRead() == StateRead::Current))
    return error() << "[R5] an erasure has a query, a key and an input, and "
                      "reads the previous or the decayed state";
  // R6: a bonus is for the token that the state has not seen yet.
  if (getBonus() && getRead() != StateRead::Previous)
    return error() << "[R6] a bonus needs the previous state to be read";
  // R7: running maxima belong to a log_gate, and have its value channels.
  if (!getLogGate() && (getLogScale() || getInitialMax() || getFinalMax()))
    return error() << "[R7] a running maximum needs a log_gate";
  if (getLogGate() && getInitialState() && !getInitialMax())
    return error() << "[R7] with a log_gate an initial state needs an initial "
                      "maximum";
  if (hasAxis(getLogGate(), kValue))
    for (Value value : {getLogScale(), getFinalMax()})
      if (value && !hasAxis(value, kValue))
        return error() << "[R7] the log_gate has the axis 'v', a running "
                          "maximum has not";
  if (getLogGate() && erases())
    return error() << "[R7] an erasure has no running maximum";
  // R8: cu_seqlens are integers.
  if (getCuSeqlens()) {
    auto type = cast<RankedTensorType>(getCuSeqlens().getType());
    if (type.getRank() != 1 || !(type.getElementType().isInteger(32) ||
                                 type.getElementType().isInteger(64)))
      return error() << "[R8] expected cu_seqlens of rank 1 of i32 or i64, got "
                     << type;
  }
  // R9: a chunk has a token; no form but the recurrent one takes none.
  if (getChunk() && (*getChunk() < 1 || *getChunk() > 4096))
    return error() << "[R9] expected a chunk of 1 to 4096 tokens, got "
                   << *getChunk();
  SmallVector<Type> inputs;
  for (Value operand : getOperands())
    if (operand != getCuSeqlens())
      inputs.push_back(operand.getType());
  return verifyWidth(*this, inputs);
}
