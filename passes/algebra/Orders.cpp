//===- Orders.cpp - The cheapest orders of a chain -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/algebra/Orders.h"
#include "llvm/ADT/SetVector.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::attn;

namespace {
constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr unsigned kMaxSamples = 20000;

/// The dynamic program of one chain. Its tables depend on the sizes, the
/// polynomials of the steps do not.
class OrderSearch {
public:
  OrderSearch(const Chain &chain, const ChainCost &costs, OrderChoice choice,
              double flopsPerByte);
  /// The cheapest order at the sizes; empty if none is admitted.
  Bracketing solve(function_ref<double(unsigned)> size) const;

private:
  struct Entry {
    double cost = kInfinite;
    unsigned middle = 0;
  };
  bool isAdmitted(unsigned low, unsigned high) const {
    return choice != OrderChoice::Linear || high - low == chain.size() ||
           !chain.isQuadratic(low, high);
  }
  static void
  collect(const std::map<std::pair<unsigned, unsigned>, Entry> &best,
          unsigned low, unsigned high, Bracketing &order);

  const Chain &chain;
  OrderChoice choice;
  unsigned count;
  /// The time of each step without and with the column of ones.
  std::map<Bracket, Polynomial> steps[2];
  Polynomial extra[2];
  Polynomial written;
};
} // namespace

OrderSearch::OrderSearch(const Chain &chain, const ChainCost &costs,
                         OrderChoice choice, double flopsPerByte)
    : chain(chain), choice(choice), count(chain.size()) {
  for (bool ones : {false, true}) {
    if (ones && !chain.rows)
      break;
    extra[ones] = costs.getExtra(ones).getTime(flopsPerByte);
    for (unsigned low = 0; low < count; ++low)
      for (unsigned high = low + 2; high <= count; ++high)
        for (unsigned mid = low + 1; mid < high; ++mid)
          steps[ones][{low, mid, high}] =
              costs.getStep({low, mid, high}, ones).getTime(flopsPerByte);
  }
  written = costs.getTotal(chain.written).getTime(flopsPerByte);
}

void OrderSearch::collect(
    const std::map<std::pair<unsigned, unsigned>, Entry> &best, unsigned low,
    unsigned high, Bracketing &order) {
  if (high - low == 1)
    return;
  unsigned middle = best.at({low, high}).middle;
  collect(best, low, middle, order);
  collect(best, middle, high, order);
  order.push_back({low, middle, high});
}

/// C(i, k) = min over j of C(i, j) + C(j, k) + step(i, j, k). With a row
/// normaliser between A and V the last product is either rows(A) V, at the
/// sizes without a column of ones, or another one, at the sizes with it.
Bracketing OrderSearch::solve(function_ref<double(unsigned)> size) const {
  std::map<std::pair<unsigned, unsigned>, Entry> tables[2];
  Bracketing bestOrder;
  double bestCost = kInfinite;
  for (bool ones : {false, true}) {
    if (ones && !chain.rows)
      break;
    auto &best = tables[ones];
    for (unsigned i = 0; i < count; ++i)
      best[{i, i + 1}].cost = 0;
    for (unsigned length = 2; length <= count; ++length)
      for (unsigned low = 0; low + length <= count; ++low) {
        unsigned high = low + length;
        Entry &entry = best[{low, high}];
        if (!isAdmitted(low, high))
          continue;
        for (unsigned mid = low + 1; mid < high; ++mid) {
          bool keepsRows = mid == count - 1;
          if (length == count && chain.rows && keepsRows == ones)
            continue;
          double cost = best[{low, mid}].cost + best[{mid, high}].cost +
                        steps[ones].at({low, mid, high}).evaluate(size);
          if (cost < entry.cost)
            entry = {cost, mid};
        }
      }
    double total = best[{0, count}].cost + extra[ones].evaluate(size);
    if (total < bestCost) {
      bestCost = total;
      bestOrder.clear();
      collect(best, 0, count, bestOrder);
    }
  }
  bool writtenAdmitted =
      llvm::all_of(chain.written, [&](const Bracket &bracket) {
        return isAdmitted(bracket[0], bracket[2]);
      });
  if (writtenAdmitted && written.evaluate(size) <= bestCost * (1 + 1e-12))
    return chain.written;
  return bestOrder;
}

SmallVector<Winner> attn::findWinners(const Chain &chain,
                                      const ChainCost &costs,
                                      OrderChoice choice, double flopsPerByte) {
  if (choice == OrderChoice::Written)
    return {Winner{chain.written, 1}};
  OrderSearch search(chain, costs, choice, flopsPerByte);
  // 1. The symbols: dynamic sizes that are not batch.
  llvm::SetVector<unsigned> symbols;
  for (auto &[letter, axis] : chain.axes)
    if (ShapedType::isDynamic(axis.staticSize) && !axis.isBatch)
      symbols.insert(axis.size);
  // 2. Exponents 0, 2, .., 20 of 2, in larger steps where there are many.
  unsigned step = 2;
  while (step < 20 && std::pow(20 / step + 1, symbols.size()) > kMaxSamples)
    step *= 2;
  unsigned values = 20 / step + 1;
  unsigned samples =
      std::min<double>(std::pow(values, symbols.size()), 4.0 * kMaxSamples);
  // 3. The winner of each sample.
  SmallVector<Winner> winners;
  for (unsigned sample = 0; sample < samples; ++sample) {
    DenseMap<unsigned, double> sizes;
    unsigned rest = sample;
    for (unsigned symbol : symbols) {
      sizes[symbol] = std::exp2(rest % values * step);
      rest /= values;
    }
    Bracketing order = search.solve([&](unsigned id) {
      auto it = sizes.find(id);
      return it == sizes.end() ? 1.0 : it->second;
    });
    if (order.empty())
      continue;
    auto *it = llvm::find_if(
        winners, [&](const Winner &winner) { return winner.order == order; });
    if (it == winners.end()) {
      winners.push_back({order, 0});
      it = std::prev(winners.end());
    }
    ++it->wins;
  }
  llvm::stable_sort(winners, [](const Winner &a, const Winner &b) {
    return a.wins > b.wins;
  });
  return winners;
}

std::vector<Bracketing> attn::enumerateOrders(unsigned count) {
  // All orders of [low, high).
  std::function<std::vector<Bracketing>(unsigned, unsigned)> all =
      [&](unsigned low, unsigned high) -> std::vector<Bracketing> {
    if (high - low == 1)
      return {{}};
    std::vector<Bracketing> orders;
    for (unsigned mid = high - 1; mid > low; --mid)
      for (const Bracketing &left : all(low, mid))
        for (const Bracketing &right : all(mid, high)) {
          Bracketing order = left;
          order.insert(order.end(), right.begin(), right.end());
          order.push_back({low, mid, high});
          orders.push_back(order);
        }
    return orders;
  };
  return all(0, count);
}
