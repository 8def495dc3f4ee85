//===- CInterface.cpp - A compiled function as C sees it -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/aot/CInterface.h"
#include "dialect/Attn.h"
#include "runtime/array/Error.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Format.h"

using namespace mlir;
using mlir::attn::RecurrenceOp;
using mlir::attn::ShapeClasses;

namespace attn {

std::string getCName(StringRef text) {
  static const llvm::StringSet<> keywords = {
      // C, and what C++ and the header add.
      "auto",     "bool",      "break",   "case",     "char",    "class",
      "const",    "continue",  "default", "delete",   "do",      "double",
      "else",     "enum",      "extern",  "float",    "for",     "goto",
      "if",       "inline",    "int",     "int32_t",  "int64_t", "long",
      "main",     "namespace", "new",     "operator", "private", "public",
      "register", "restrict",  "return",  "short",    "signed",  "sizeof",
      "static",   "struct",    "switch",  "template", "this",    "typedef",
      "uint16_t", "uint8_t",   "union",   "unsigned", "using",   "void",
      "volatile", "while"};
  std::string name;
  for (char c : text)
    name += llvm::isAlnum(c) || c == '_' ? c : '_';
  if (name.empty() || llvm::isDigit(name.front()))
    name.insert(0, "_");
  if (keywords.contains(name))
    name += '_';
  return name;
}

namespace {
/// Names that a function has not used yet.
class NameScope {
public:
  std::string add(StringRef text) {
    std::string name = getCName(text);
    while (!used.insert(name).second)
      name += '_';
    return name;
  }

private:
  llvm::StringSet<> used;
};
} // namespace

static std::string getRange(const APFloat &lo, const APFloat &hi) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << "from " << llvm::format("%g", lo.convertToDouble()) << " to "
         << llvm::format("%g", hi.convertToDouble());
  return text;
}

/// What the uses of an argument ask of its elements.
static std::string describeContents(BlockArgument argument) {
  Value value = argument;
  for (Operation *op : argument.getUsers()) {
    if (auto score = dyn_cast<mlir::attn::CausalScoreOp>(op))
      if (score.getDecay() == value && !score.getUnbounded())
        return "0 or less";
    if (auto gate = dyn_cast<mlir::attn::GateOp>(op))
      if (gate.getGate() == value && gate.getLo() && gate.getHi())
        return getRange(*gate.getLo(), *gate.getHi());
    if (auto map = dyn_cast<mlir::attn::FeatureMapOp>(op))
      if (map.getStart() == value)
        return "0 or more";
    if (auto mask = dyn_cast<mlir::attn::MaskOp>(op))
      if (mask.getMask().isSegments(mask.getMaskOperands().size()) &&
          llvm::is_contained(mask.getMaskOperands(), value))
        return "from 0 to the number of tokens, not decreasing";
    auto recurrence = dyn_cast<RecurrenceOp>(op);
    if (!recurrence)
      continue;
    if (recurrence.getTransitionOperand() == value &&
        recurrence.getTransition().isLogDecay())
      return "0 or less";
    if (recurrence.getCuSeqlens() == value)
      return "from 0 to the number of tokens, not decreasing";
    if (recurrence.getInitialState() == value)
      return "zeros before the first token";
    if (recurrence.getInitialMax() == value)
      return "-INFINITY before the first token";
  }
  return "";
}

namespace {
/// Gives sizes their parameters.
class SizeNames {
public:
  SizeNames(CInterface &interface, const ShapeClasses &classes)
      : interface(interface), classes(classes) {}

  /// The parameter of each class that an argument leaves open.
  void addArgument(BlockArgument argument, StringRef valueName,
                   NameScope &names) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    for (int64_t i = 0; type && i < type.getRank(); ++i) {
      ShapeClasses::Id id = classes.getClass(argument, i);
      if (ShapedType::isStatic(classes.getStaticSize(id)) || find(argument, i))
        continue;
      std::string name = classes.getName(id);
      // "x7" is a class that nothing names.
      if (StringRef(name).drop_front().size() > 0 && name.front() == 'x')
        name = (valueName + "_dim" + Twine(i)).str();
      parameters.push_back(id);
      interface.sizes.push_back(names.add(name));
    }
  }

  /// None where no argument has the size.
  std::optional<CSize> find(Value value, int64_t dim) const {
    ShapeClasses::Id id = classes.getClass(value, dim);
    int64_t size = classes.getStaticSize(id);
    if (ShapedType::isStatic(size))
      return CSize{size, -1};
    for (auto [i, known] : llvm::enumerate(parameters))
      if (known == id)
        return CSize{0, static_cast<int>(i)};
    return std::nullopt;
  }

private:
  CInterface &interface;
  const ShapeClasses &classes;
  SmallVector<ShapeClasses::Id> parameters;
};
} // namespace

/// Sizes of steps and of groups of heads, which are not equal but related.
static void addRelations(func::FuncOp graph, const ShapeClasses &classes,
                         const SizeNames &sizes, CInterface &interface) {
  auto add = [&](std::optional<CSize> whole, std::optional<CSize> part,
                 int64_t factor) {
    if (!whole || !part || (whole->parameter < 0 && part->parameter < 0))
      return;
    CRelation relation{*whole, *part, factor};
    if (!llvm::is_contained(interface.relations, relation))
      interface.relations.push_back(relation);
  };
  for (const auto &group : classes.getGroupConstraints())
    add(sizes.find(graph.getArgument(group.whole.argument), group.whole.dim),
        sizes.find(graph.getArgument(group.part.argument), group.part.dim), 0);
  graph.walk([&](Operation *op) {
    auto addSteps = [&](Value few, Value many, int64_t dim, int64_t steps) {
      std::optional<CSize> part = sizes.find(few, dim);
      // Tokens that no argument has: whole steps are all that is asked.
      if (part)
        add(sizes.find(many, dim), part, steps);
      else
        add(sizes.find(many, dim), CSize{steps, -1}, 0);
    };
    if (auto expand = dyn_cast<mlir::attn::ExpandStepsOp>(op))
      addSteps(expand.getInput(), expand.getResult(),
               expand.getTokenDimension(), expand.getSteps());
    else if (auto take = dyn_cast<mlir::attn::TakeStepsOp>(op))
      addSteps(take.getResult(), take.getInput(), take.getTokenDimension(),
               take.getSteps());
  });
}

llvm::Expected<CInterface> CInterface::create(func::FuncOp graph,
                                              const ShapeClasses &classes,
                                              const Signature &signature,
                                              ArrayRef<int64_t> inPlace,
                                              StringRef name) {
  CInterface interface;
  interface.name = getCName(name);
  NameScope names;
  SizeNames sizes(interface, classes);
  // Values keep their names; sizes yield.
  std::vector<std::string> valueNames;
  for (const ArgumentInfo &info : signature.arguments)
    valueNames.push_back(names.add(info.name));
  SmallVector<std::string> resultNames;
  for (auto [info, place] : llvm::zip_equal(signature.results, inPlace)) {
    bool isState =
        place >= 0 && place < static_cast<int64_t>(signature.arguments.size());
    resultNames.push_back(isState ? "" : names.add(info.name));
  }
  for (BlockArgument argument : graph.getArguments())
    sizes.addArgument(argument, valueNames[argument.getArgNumber()], names);

  auto getShape = [&](Value value, std::vector<CSize> &shape) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    for (int64_t i = 0; type && i < type.getRank(); ++i) {
      std::optional<CSize> size = sizes.find(value, i);
      if (!size)
        return false;
      shape.push_back(*size);
    }
    return true;
  };
  for (auto [i, info] : llvm::enumerate(signature.arguments)) {
    BlockArgument argument = graph.getArgument(i);
    CValue value{valueNames[i], info.type, CValue::Access::Read};
    value.isValue = !info.isTensor;
    value.contents = describeContents(argument);
    value.operand = i;
    if (info.isState)
      value.access = CValue::Access::Update;
    getShape(argument, value.shape);
    interface.values.push_back(std::move(value));
  }
  Operation *ret = graph.getBody().front().getTerminator();
  for (auto [i, info] : llvm::enumerate(signature.results)) {
    if (resultNames[i].empty())
      continue;
    CValue value{resultNames[i], info.type, CValue::Access::Write};
    value.operand = inPlace[i];
    bool isKnown = getShape(ret->getOperand(i), value.shape);
    if (!isKnown || (info.isTensor && inPlace[i] < 0))
      return createError(graph.getLoc(),
                         "'" + graph.getSymName() + "', result " + Twine(i) +
                             ": its sizes are not those of arguments, so that "
                             "a caller could not give it memory");
    interface.values.push_back(std::move(value));
  }
  addRelations(graph, classes, sizes, interface);
  return interface;
}

} // namespace attn
