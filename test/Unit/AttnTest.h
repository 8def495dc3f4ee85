//===- AttnTest.h - A context, its diagnostics, and inputs -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_UNIT_ATTNTEST_H
#define ATTN_TEST_UNIT_ATTNTEST_H

#include "dialect/Attn.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"
#include <random>

namespace mlir::attn {

/// A context with the dialect; diagnostics are kept, not printed.
class AttnTest : public testing::Test {
protected:
  AttnTest()
      : handler(&context, [this](Diagnostic &diagnostic) {
          diagnostics += diagnostic.str() + "\n";
          return success();
        }) {
    context.loadDialect<AttnDialect>();
  }

  /// For functions that report through a callback.
  InFlightDiagnostic emitError() {
    return mlir::emitError(UnknownLoc::get(&context));
  }
  /// What was reported since the last call.
  std::string takeDiagnostics() { return std::exchange(diagnostics, ""); }

  Attribute parse(StringRef text) { return parseAttribute(text, &context); }
  FeatureMapAttrInterface parseMap(StringRef text) {
    return cast<FeatureMapAttrInterface>(parse(text));
  }
  MaskAttrInterface parseMask(StringRef text) {
    return cast<MaskAttrInterface>(parse(text));
  }
  RankedTensorType parseTensor(StringRef text) {
    return cast<RankedTensorType>(parseType(text, &context));
  }

  MLIRContext context;

private:
  std::string diagnostics;
  ScopedDiagnosticHandler handler;
};

/// Numbers in [-2, 2), the same in every run.
inline std::vector<double> getRandom(size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<double> values(count);
  for (double &value : values)
    value = generator() / 1073741824.0 - 2.0;
  return values;
}

} // namespace mlir::attn

#endif // ATTN_TEST_UNIT_ATTNTEST_H
