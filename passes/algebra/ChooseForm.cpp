//===- ChooseForm.cpp - Recurrent, chunkwise or quadratic, by cost --------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/Remarks.h"
#include "passes/Passes.h"
#include "passes/algebra/CpuSpec.h"
#include "passes/algebra/StateParts.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/FormatVariadic.h"

namespace mlir::attn {
#define GEN_PASS_DEF_ATTNCHOOSEFORM
#include "passes/Passes.h.inc"
} // namespace mlir::attn

using namespace mlir;
using namespace mlir::attn;

/// Times of a flop, in those of a fused multiply-add at the peak: in products
/// of chunks; in steps on a state or a part of it that the first cache holds,
/// and on others; and in the weights of a chunk, which are exponentials,
/// running sums and shuffles. A token of a chunk takes as long as so many flops
/// besides, for what is loaded, turned and scaled.
static constexpr double kProduct = 1.2, kNearStep = 1.15, kFarStep = 1.6,
                        kWeight = 10, kChunkToken = 9000;
/// What a part of a state computes anew for a token, in flops a key channel:
/// the exponential of a decay, each feature map and each gate of a channel.
static constexpr double kDecayOfPart = 20, kMapOfPart = 90, kGateOfPart = 120;
/// How many channels one takes that is left over from whole vectors at the end
/// of a row: in a product, whose tile has rows, and in a step.
static constexpr int64_t kRestOfProduct = 16, kRestOfStep = 128;
/// What an element of a far state takes longer in a chunk where rows do not
/// begin with a vector's line.
static constexpr double kFarRow = 12;
static constexpr int64_t kChunks[] = {8, 16, 32, 64, 128};

namespace {
/// Times a token, in flops at the peak, of the forms of one recurrence.
struct FormCost {
  double keys, pairs, erases;
  int64_t values, lanes;
  bool isNear;
  /// The time of a flop of a step, and flops that all parts but the first add.
  double step, anew;
  /// The tokens of a sequence and the states, kDynamic where a call decides.
  int64_t tokens, states = 1;
  TransitionAttrInterface transition;

  explicit FormCost(RecurrenceOp op)
      : keys(op.getAxisSize(RecurrenceOp::kKey)), pairs(op.getKeys().size()),
        erases(op.erases() ? 1 : 0),
        values(op.getAxisSize(RecurrenceOp::kValue)),
        lanes(CpuSpec::get(op).getLanes()), isNear(attn::isNear(op, values)),
        step(attn::isNear(op, getPartColumns(op)) ? kNearStep : kFarStep),
        anew(getAnew(op)),
        tokens(op.getCuSeqlens() ? ShapedType::kDynamic
                                 : op.getAxisSize(RecurrenceOp::kToken)),
        transition(op.getTransition()) {
    for (char axis : op.getStateAxes()) {
      int64_t size = op.getAxisSize(axis);
      states = ShapedType::isDynamic(size) || ShapedType::isDynamic(states)
                   ? ShapedType::kDynamic
                   : states * size;
    }
    if (op.getCuSeqlens())
      states = ShapedType::kDynamic;
  }

  static double getAnew(RecurrenceOp op) {
    // Maps on keys, whether of queries, keys or decays.
    llvm::SetVector<Operation *> work;
    for (Value operand : op->getOperands())
      if (op.hasAxis(operand, RecurrenceOp::kKey) && operand.getDefiningOp())
        work.insert(operand.getDefiningOp());
    double flops = 0;
    for (unsigned i = 0; i < work.size(); ++i) {
      auto gate = dyn_cast<GateOp>(work[i]);
      if (isa<FeatureMapOp>(work[i]))
        flops += kMapOfPart;
      else if (gate && gate.getGate().getType() == gate.getType())
        flops += kGateOfPart;
      if (isa<FeatureMapOp, GateOp, ScaleOp>(work[i]))
        for (Value operand : work[i]->getOperands())
          if (Operation *source = operand.getDefiningOp())
            work.insert(source);
    }
    Value decay = op.getTransitionOperand();
    bool decays = decay && op.hasAxis(decay, RecurrenceOp::kKey) &&
                  op.getTransition().isLogDecay();
    int64_t parts = op.getAxisSize(RecurrenceOp::kValue) / getPartColumns(op);
    return (parts - 1) * op.getAxisSize(RecurrenceOp::kKey) *
           (flops + kDecayOfPart * decays);
  }

  /// Value channels, with what those cost that fill no vector.
  double getWidth(int64_t rest) const {
    return values - values % lanes + values % lanes * double(rest);
  }
  /// Products with the state: each pair writes, the output and the erasure
  /// read.
  double getStateFlops(double width) const {
    return 2 * keys * width * (pairs + 1 + 2 * erases);
  }
  double getRecurrent() const {
    double width = values < lanes ? lanes : getWidth(kRestOfStep);
    // A multiplication takes as long as one with an addition.
    double flops =
        getStateFlops(width) +
        2 * transition.getStepFlops(keys, static_cast<int64_t>(width));
    return flops * step + anew;
  }
  /// In chunks of one size.
  double getEven(double chunk) const {
    double products = (pairs + erases) * (1 + erases);
    double width = values < lanes ? lanes : getWidth(kRestOfProduct);
    double flops = products * (2 * chunk * keys + 2 * chunk * width) +
                   getStateFlops(width) + erases * chunk * width;
    // The rows of a far state that do not begin with a vector's line take two
    // of them, three times a chunk.
    if (!isNear && values % lanes != 0)
      flops += kFarRow * keys * values / chunk;
    return flops * kProduct + kChunkToken +
           kWeight * transition.getChunkFlops(chunk, keys) * (1 + erases) /
               chunk;
  }
  /// The mean over all tokens: what chunks leave is one smaller chunk.
  double getChunkwise(int64_t chunk) const {
    if (ShapedType::isDynamic(tokens) || tokens == 0)
      return getEven(chunk);
    int64_t size = std::min(chunk, tokens), rest = tokens % size;
    double flops = (tokens - rest) * getEven(size);
    if (rest > 0)
      flops += rest * getEven(rest);
    return flops / tokens;
  }
};

struct ChooseForm : attn::impl::AttnChooseFormBase<ChooseForm> {
  using AttnChooseFormBase::AttnChooseFormBase;

  void runOnOperation() override {
    if (chunk < 0 || chunk > 4096) {
      getOperation().emitError("expected a chunk of 0 to 4096 tokens, got ")
          << int64_t(chunk);
      return signalPassFailure();
    }
    WalkResult walk = getOperation().walk([&](RecurrenceOp op) {
      return failed(choose(op)) ? WalkResult::interrupt()
                                : WalkResult::advance();
    });
    if (walk.wasInterrupted())
      signalPassFailure();
  }

private:
  LogicalResult choose(RecurrenceOp op) {
    FormCost cost(op);
    bool hasChunks = op.getTransition().hasChunkForm(
        /*stabilized=*/op.getLogGate() != nullptr);
    // What the operation or the option asks for stays.
    RecurrenceForm wanted = op.getForm();
    if (form != RecurrenceForm::Auto)
      wanted = form;
    int64_t size = chunk > 0 ? int64_t(chunk) : op.getChunk().value_or(0);
    if (!hasChunks && (wanted == RecurrenceForm::Chunkwise ||
                       wanted == RecurrenceForm::Quadratic))
      return op.emitOpError("has no form in products of chunks: ")
             << op.getTransition() << " takes one token at a time, as "
             << "form=recurrent and form=auto do";
    int64_t best = size;
    if (!best) {
      best = kChunks[0];
      for (int64_t candidate : kChunks)
        if (cost.getChunkwise(candidate) < cost.getChunkwise(best))
          best = candidate;
    }
    RecurrenceForm chosen = wanted;
    if (chosen == RecurrenceForm::Auto) {
      bool takesChunks = hasChunks && (chunk > 0 || cost.getChunkwise(best) <
                                                        cost.getRecurrent());
      chosen =
          takesChunks ? RecurrenceForm::Chunkwise : RecurrenceForm::Recurrent;
    }
    op.setForm(chosen);
    if (chosen == RecurrenceForm::Chunkwise)
      op.setChunk(best);
    else
      op.removeChunkAttr();
    report(op, cost, chosen, best, hasChunks);
    return success();
  }

  /// Every form has the states side by side and the tokens one after the other.
  std::string getRounds(const FormCost &cost) {
    if (threads < 1 || ShapedType::isDynamic(cost.states))
      return "";
    return llvm::formatv(", {0} on each of {1} threads",
                         llvm::divideCeil(cost.states, int64_t(threads)),
                         int64_t(threads));
  }

  void report(RecurrenceOp op, const FormCost &cost, RecurrenceForm chosen,
              int64_t size, bool hasChunks) {
    auto count = [](int64_t size) {
      return ShapedType::isDynamic(size) ? "?" : std::to_string(size);
    };
    std::string text = llvm::formatv(
        "{0}{1}: {2} x {3} tokens{4}: a token costs {5:f0} flops recurrent",
        stringifyRecurrenceForm(chosen),
        chosen == RecurrenceForm::Chunkwise ? " " + std::to_string(size) : "",
        count(cost.states), count(cost.tokens), getRounds(cost),
        cost.getRecurrent());
    if (hasChunks)
      for (int64_t candidate : kChunks)
        text += llvm::formatv(", {0:f0} in chunks of {1}",
                              cost.getChunkwise(candidate), candidate);
    else
      text += "; the transition has no form in chunks";
    remark::passed(op.getLoc(), remark::RemarkOpts::name("attn-choose-form")
                                    .category("attn-choose-form")
                                    .function(getOperation().getName()))
        << StringRef(text);
  }
};
} // namespace
