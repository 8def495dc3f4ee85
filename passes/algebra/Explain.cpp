//===- Explain.cpp - Plans as text -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/algebra/Explain.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::attn;

namespace {
/// Chains of more factors list only the orders that win somewhere.
constexpr unsigned kMaxListed = 5;

/// One row of the table.
struct Row {
  std::string mark, formula, flops, bytes, held;
};

class Explainer {
public:
  Explainer(FunctionPlan &plan,
            function_ref<std::optional<int64_t>(StringRef)> dimSizes,
            double flopsPerByte, raw_ostream &os)
      : plan(plan), dimSizes(dimSizes), flopsPerByte(flopsPerByte), os(os) {}
  void explain(ChainPlan &chain);

private:
  std::optional<double> evaluate(const Polynomial &polynomial) const;
  std::string format(const Polynomial &polynomial, bool isBytes) const;
  void printTable(ArrayRef<Row> rows);

  FunctionPlan &plan;
  function_ref<std::optional<int64_t>(StringRef)> dimSizes;
  double flopsPerByte;
  raw_ostream &os;
};
} // namespace

static std::string formatScaled(double value, double base,
                                ArrayRef<StringRef> units) {
  unsigned i = 0;
  while (value >= base && i + 1 < units.size()) {
    value /= base;
    ++i;
  }
  std::string text;
  llvm::raw_string_ostream(text)
      << llvm::format(value < 10 && i > 0 ? "%.2f" : "%.0f", value) << ' '
      << units[i];
  return StringRef(text).rtrim().str();
}

/// The value at the given sizes, if they are all known.
std::optional<double> Explainer::evaluate(const Polynomial &polynomial) const {
  bool known = true;
  double value = polynomial.evaluate([&](unsigned id) -> double {
    std::optional<int64_t> size = dimSizes(plan.classes.getName(id));
    known &= size.has_value();
    return size.value_or(0);
  });
  return known ? std::optional(value) : std::nullopt;
}

std::string Explainer::format(const Polynomial &polynomial,
                              bool isBytes) const {
  if (std::optional<double> value = evaluate(polynomial))
    return isBytes
               ? formatScaled(*value, 1024, {"B", "KiB", "MiB", "GiB", "TiB"})
               : formatScaled(*value, 1000, {"", "k", "M", "G", "T", "P"});
  return polynomial.str([&](unsigned id) { return plan.classes.getName(id); });
}

void Explainer::printTable(ArrayRef<Row> rows) {
  std::string Row::*columns[] = {&Row::mark, &Row::formula, &Row::flops,
                                 &Row::bytes, &Row::held};
  for (const Row &row : rows) {
    std::string line;
    for (std::string Row::*column : columns) {
      size_t width = 0;
      for (const Row &other : rows)
        width = std::max(width, (other.*column).size());
      line +=
          "  " + row.*column + std::string(width - (row.*column).size(), ' ');
    }
    os << StringRef(line).rtrim() << "\n";
  }
}

void Explainer::explain(ChainPlan &entry) {
  const Chain &chain = entry.chain;
  ChainCost costs(chain);
  std::vector<Bracketing> orders(entry.candidates.begin(),
                                 entry.candidates.end());
  if (chain.size() <= kMaxListed)
    orders = enumerateOrders(chain.size());
  else if (!llvm::is_contained(orders, chain.written))
    orders.insert(orders.begin(), chain.written);
  // 1. The choice: the cheapest candidate at the given sizes, if they are
  //    known; else all candidates are branches.
  const Bracketing *chosen = nullptr;
  double best = 0;
  for (const Bracketing &order : entry.candidates) {
    std::optional<double> time =
        evaluate(costs.getTotal(order).getTime(flopsPerByte));
    if (!time && entry.candidates.size() > 1) {
      chosen = nullptr;
      break;
    }
    if (!chosen || *time < best) {
      chosen = &order;
      best = time.value_or(0);
    }
  }
  // 2. The table.
  os << "chain at " << chain.root->getLoc() << "\n";
  SmallVector<Row> rows = {{"", "order", "flops", "bytes", "peak memory"}};
  for (const Bracketing &order : orders) {
    Cost cost = costs.getTotal(order);
    bool isCandidate = llvm::is_contained(entry.candidates, order);
    std::string mark = chosen && *chosen == order ? "->"
                       : !chosen && isCandidate   ? "?"
                                                  : "";
    std::string formula = getFormula(chain, order);
    if (order == chain.written)
      formula += "  (written)";
    if (chain.getSoftmax() && costs.carriesOnes(order))
      formula += "  (approximate)";
    rows.push_back({mark, formula, format(cost.flops, false),
                    format(cost.bytes, true), format(cost.held, true)});
  }
  printTable(rows);
  // 3. The condition of a choice that the call makes.
  if (!chosen && entry.candidates.size() > 1) {
    auto name = [&](unsigned id) { return plan.classes.getName(id); };
    os << "  ?: chosen at run time, the least flops + " << flopsPerByte
       << " * bytes:\n";
    for (const Bracketing &order : entry.candidates)
      os << "    " << getFormula(chain, order) << " where "
         << costs.getTotal(order).getTime(flopsPerByte).str(name)
         << " is the least\n";
  }
  if (entry.candidates.empty())
    os << "  left as it is written\n";
  if (!entry.note.empty())
    os << "  " << entry.note << "\n";
}

std::string
attn::explainPlan(ModuleOp module, StringRef entry,
                  function_ref<std::optional<int64_t>(StringRef)> dimSizes,
                  double flopsPerByte) {
  std::string text;
  llvm::raw_string_ostream os(text);
  auto func = dyn_cast_or_null<FunctionOpInterface>(module.lookupSymbol(entry));
  if (!func)
    return "no function '" + entry.str() + "'\n";
  FailureOr<FunctionPlan> plan =
      planFunction(func, OrderChoice::Auto, flopsPerByte);
  if (failed(plan))
    return "the plan has errors\n";
  if (plan->chains.empty())
    os << "no products to reorder\n";
  Explainer explainer(*plan, dimSizes, flopsPerByte, os);
  for (ChainPlan &chain : llvm::reverse(plan->chains))
    explainer.explain(chain);
  if (!plan->obstacles.empty())
    os << "not reordered:\n";
  for (const Obstacle &obstacle : plan->obstacles)
    os << "  " << obstacle.op->getName() << " at " << obstacle.op->getLoc()
       << ": " << obstacle.reason << "\n";
  return text;
}
