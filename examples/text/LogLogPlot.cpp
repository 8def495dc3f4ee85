//===- LogLogPlot.cpp - Curves on two logarithmic axes in a terminal -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LogLogPlot.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>
#include <cmath>

using namespace attn::text;

std::string attn::text::formatSeconds(double seconds) {
  static constexpr std::pair<double, const char *> units[] = {
      {1e-6, "us"}, {1e-3, "ms"}, {1, "s"}, {60, "min"}, {3600, "h"}};
  auto unit = std::begin(units);
  // Two units of 100 read better than one of 1.6, seconds and above.
  while (unit + 1 != std::end(units) &&
         seconds >= (unit->first < 1 ? 1.0 : 2.0) * unit[1].first)
    ++unit;
  double value = seconds / unit->first;
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format(
      value < 9.95 ? "%.1f %s" : "%.0f %s", value, unit->second);
  return text;
}

/// A power of ten: minutes and hours would make crooked numbers of it.
static std::string formatTick(double seconds) {
  return seconds < 1 ? formatSeconds(seconds)
                     : llvm::formatv("{0:f0} s", seconds).str();
}

static constexpr int RowsPerDecade = 3;
static constexpr int NumColumns = 60;

void attn::text::plotLogLog(llvm::ArrayRef<Curve> curves,
                            llvm::StringRef xLabel, llvm::StringRef yLabel,
                            llvm::raw_ostream &os) {
  double minX = INFINITY, maxX = 0, minY = INFINITY, maxY = 0;
  for (const Curve &curve : curves)
    for (auto [x, y] : curve.points) {
      minX = std::min(minX, x), maxX = std::max(maxX, x);
      minY = std::min(minY, y), maxY = std::max(maxY, y);
    }
  if (!(minX > 0 && minY > 0 && std::isfinite(maxX) && std::isfinite(maxY)))
    return;
  // Decades of y are whole, so that their ticks are powers of ten.
  double bottom = std::floor(std::log10(minY));
  double top = std::max(bottom + 1, std::ceil(std::log10(maxY)));
  double left = std::log10(minX);
  double span = std::max(std::log10(maxX) - left, 1e-9);
  int numRows = std::lround(top - bottom) * RowsPerDecade + 1;

  std::vector<std::string> canvas(numRows, std::string(NumColumns, ' '));
  for (const Curve &curve : llvm::reverse(curves))
    for (auto [x, y] : curve.points) {
      int column =
          std::lround((std::log10(x) - left) / span * (NumColumns - 1));
      int row = std::lround((top - std::log10(y)) * RowsPerDecade);
      canvas[row][column] = curve.mark;
    }
  os << "  " << yLabel << '\n';
  for (int row = 0; row < numRows; ++row) {
    std::string tick;
    if (row % RowsPerDecade == 0)
      tick = formatTick(std::pow(10, top - row / RowsPerDecade));
    os << llvm::format("  %8s |", tick.c_str())
       << llvm::StringRef(canvas[row]).rtrim() << '\n';
  }
  os << std::string(11, ' ') << '+' << std::string(NumColumns, '-') << '\n';
  os << std::string(12, ' ') << llvm::format("%-29.0f%31.0f", minX, maxX)
     << "  " << xLabel << '\n';
  for (const Curve &curve : curves)
    os << std::string(12, ' ') << curve.mark << "  " << curve.label << '\n';
}
