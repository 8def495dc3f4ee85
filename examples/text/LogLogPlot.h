//===- LogLogPlot.h - Curves on two logarithmic axes in a terminal -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_EXAMPLES_TEXT_LOGLOGPLOT_H
#define ATTN_EXAMPLES_TEXT_LOGLOGPLOT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/raw_ostream.h"
#include <string>
#include <utility>
#include <vector>

namespace attn::text {

/// Points (x, y), all positive, drawn with one character.
struct Curve {
  char mark;
  std::string label;
  std::vector<std::pair<double, double>> points;
};

/// Draws the curves with one row a third of a decade and a legend. Where
/// points meet, the curve that comes first is seen.
void plotLogLog(llvm::ArrayRef<Curve> curves, llvm::StringRef xLabel,
                llvm::StringRef yLabel, llvm::raw_ostream &os);

/// 1.5e-5 s as "15 us".
std::string formatSeconds(double seconds);

} // namespace attn::text

#endif // ATTN_EXAMPLES_TEXT_LOGLOGPLOT_H
