//===- AnalyzeScans.cpp - Regions to recurrences ------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Remarks.h"
#include "passes/Passes.h"
#include "passes/algebra/ScanInterpreter.h"
#include "passes/algebra/ScanRecurrence.h"

namespace mlir::attn {
#define GEN_PASS_DEF_ATTNANALYZESCANS
#include "passes/Passes.h.inc"
} // namespace mlir::attn

using namespace mlir;
using namespace mlir::attn;

/// Replaces the scan, or says why not.
static LogicalResult rewriteScan(ScanOp scan, std::string &structure,
                                 ScanRefusal &refusal) {
  SequenceBuilder sequences(scan);
  AffineAlgebra algebra(sequences);
  FailureOr<ScanMeaning> meaning =
      interpretScan(scan, sequences, algebra, refusal);
  FailureOr<ScanRecurrence> recurrence = failure();
  if (succeeded(meaning))
    recurrence = findRecurrence(scan, *meaning, sequences, algebra, refusal);
  if (succeeded(recurrence)) {
    structure = recurrence->getStructure();
    FailureOr<SmallVector<Value>> results =
        emitRecurrence(scan, *recurrence, sequences, refusal);
    if (succeeded(results)) {
      scan.replaceAllUsesWith(*results);
      scan.erase();
      sequences.eraseUnused();
      return success();
    }
  }
  sequences.eraseUnused();
  return failure();
}

namespace {
struct AttnAnalyzeScans : attn::impl::AttnAnalyzeScansBase<AttnAnalyzeScans> {
  void runOnOperation() override {
    SmallVector<ScanOp> scans;
    getOperation()->walk([&](ScanOp scan) { scans.push_back(scan); });
    bool failed = false;
    for (ScanOp scan : scans) {
      Location loc = scan.getLoc();
      std::string structure;
      ScanRefusal refusal;
      if (succeeded(rewriteScan(scan, structure, refusal))) {
        remark::passed(loc, remark::RemarkOpts::name("attn-analyze-scans")
                                .category("attn-analyze-scans")
                                .function(getOperation().getName()))
            << StringRef("the recurrence has " + structure);
        continue;
      }
      failed = true;
      InFlightDiagnostic error = refusal.op->emitError() << refusal.reason;
      if (refusal.op != scan)
        error.attachNote(loc) << "this scan has no form as a recurrence";
    }
    if (failed)
      signalPassFailure();
  }
};
} // namespace
