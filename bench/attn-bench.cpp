//===- attn-bench.cpp - One measurement of linear attention ---------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Prints one line of JSON, for run.py. A process measures one size, so that the
// peak of its memory belongs to that size.
//
//===----------------------------------------------------------------------===//

#include "RowOracle.h"
#include "Timing.h"
#include "dialect/Attn.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "passes/Passes.h"
#include "passes/algebra/Explain.h"
#include "runtime/array/Error.h"
#include "runtime/engine/Engine.h"
#include "runtime/engine/GraphContext.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace ::attn;
using namespace ::attn::bench;
namespace cl = llvm::cl;
namespace json = llvm::json;

namespace {
enum class Mode { Scaling, Orders };
} // namespace

static cl::OptionCategory category("attn-bench options");
static cl::opt<std::string> file(cl::Positional, cl::Required,
                                 cl::desc("GRAPH.mlir"), cl::cat(category));
static cl::opt<Mode>
    mode("mode", cl::Required, cl::cat(category), cl::desc("What is measured:"),
         cl::values(clEnumValN(Mode::Scaling, "scaling",
                               "the compiled graph: time and peak memory"),
                    clEnumValN(Mode::Orders, "orders",
                               "both orders of the products, forced, and the "
                               "compiled graph that chooses: time")));
static cl::opt<int64_t> tokens("tokens", cl::Required, cl::cat(category),
                               cl::desc("Queries and keys"));
static cl::opt<unsigned> rounds("rounds", cl::init(51), cl::cat(category),
                                cl::desc("At most so many samples of each"));
static cl::opt<double> seconds("seconds", cl::init(5), cl::cat(category),
                               cl::desc("No round begins after this time"));
static cl::opt<int64_t>
    checkedRows("checked-rows", cl::init(16), cl::cat(category),
                cl::desc("Rows of each result that are compared with f64"));

/// The fixed sizes of the claims.
static constexpr int64_t kHeads = 8, kWidth = 64;

//===----------------------------------------------------------------------===//
// Graphs
//===----------------------------------------------------------------------===//

static llvm::Expected<OwningOpRef<ModuleOp>> loadGraph(MLIRContext &context) {
  auto module = parseSourceFile<ModuleOp>(file, &context);
  if (!module)
    return createError("cannot read the graph '" + file + "'");
  auto function = module->lookupSymbol<func::FuncOp>("main");
  auto type = RankedTensorType::get({1, kHeads, ShapedType::kDynamic, kWidth},
                                    Float32Type::get(&context));
  SmallVector<Type> inputs(3, type);
  if (!function || function.getFunctionType() !=
                       FunctionType::get(&context, inputs, {Type(type)}))
    return createError("'" + file + "': expected main(q, k, v) -> o of " +
                       llvm::formatv("{0}", type).str());
  return module;
}

/// The graph in the order that is linear in the number of tokens.
static llvm::Expected<OwningOpRef<ModuleOp>> forceLinear(ModuleOp module) {
  OwningOpRef<ModuleOp> copy(module.clone());
  mlir::attn::AttnReassociateOptions options;
  options.order = mlir::attn::OrderChoice::Linear;
  PassManager passes(module.getContext());
  passes.addNestedPass<func::FuncOp>(
      mlir::attn::createAttnReassociate(options));
  if (failed(passes.run(*copy)))
    return createError("the linear order cannot be forced");
  return copy;
}

static llvm::Expected<std::unique_ptr<Callable>> compile(ModuleOp module,
                                                         bool keepOrder) {
  CpuEngineOptions options;
  options.keepOrder = keepOrder;
  return createCpuEngine(options)->compile(module, "main");
}

static llvm::Expected<SmallVector<Array>> makeArguments() {
  SmallVector<Array> arguments;
  for (uint64_t seed : {1, 2, 3}) {
    auto array = Array::create(ElementType::F32, {1, kHeads, tokens, kWidth});
    if (!array)
      return array.takeError();
    fillNormal(*array, seed);
    arguments.push_back(std::move(*array));
  }
  return arguments;
}

//===----------------------------------------------------------------------===//
// Measurements
//===----------------------------------------------------------------------===//

/// A call that drops its results: two calls never hold an output each.
static Action makeAction(const Callable &callable, ArrayRef<Array> arguments) {
  return [&callable, arguments]() -> llvm::Error {
    return callable.call(arguments).takeError();
  };
}

static llvm::Expected<double> measureError(const Callable &callable,
                                           ArrayRef<Array> arguments) {
  auto results = callable.call(arguments);
  if (!results)
    return results.takeError();
  return getRowError(arguments, results->front(), checkedRows);
}

static json::Object describe(const Times &times, double error) {
  return json::Object{{"median_s", times.median},
                      {"min_s", times.min},
                      {"max_s", times.max},
                      {"samples", times.samples},
                      {"rel_err", error}};
}

static llvm::Expected<json::Object> measureScaling(ModuleOp module) {
  auto callable = compile(module, /*keepOrder=*/false);
  if (!callable)
    return callable.takeError();
  auto arguments = makeArguments();
  if (!arguments)
    return arguments.takeError();
  auto times =
      timeInterleaved(makeAction(**callable, *arguments), rounds, seconds);
  if (!times)
    return times.takeError();
  auto error = measureError(**callable, *arguments);
  if (!error)
    return error.takeError();
  json::Object result = describe(times->front(), *error);
  result["io_bytes"] = 4 * kHeads * tokens * kWidth * int64_t(sizeof(float));
  if (std::optional<int64_t> peak = getPeakMemory())
    result["peak_bytes"] = *peak;
  return result;
}

/// What the cost model says, in units of a flop; `explain` of it is what
/// `attn-run --explain` marks as chosen.
static llvm::Expected<json::Object> predict(ModuleOp module) {
  double flopsPerByte = mlir::attn::AttnReassociateOptions().flopsPerByte;
  auto function = module.lookupSymbol<func::FuncOp>("main");
  auto plan = mlir::attn::planFunction(function, mlir::attn::OrderChoice::Auto,
                                       flopsPerByte);
  if (failed(plan) || plan->chains.size() != 1)
    return createError("'" + file + "': expected one chain of products");
  const mlir::attn::Chain &chain = plan->chains.front().chain;
  auto getCost = [&](const mlir::attn::Bracketing &order) {
    return mlir::attn::ChainCost(chain)
        .getTotal(order)
        .getTime(flopsPerByte)
        .evaluate([](unsigned) { return double(tokens); });
  };
  json::Object result{{"written", getCost(chain.written)}};
  for (const auto &order : mlir::attn::enumerateOrders(chain.size()))
    if (order != chain.written)
      result["linear"] = getCost(order);
  std::string table = mlir::attn::explainPlan(
      module, "main", [](StringRef) { return std::optional<int64_t>(tokens); },
      flopsPerByte);
  size_t mark = table.find("->");
  if (mark == std::string::npos)
    return createError("the plan chooses no order");
  StringRef chosen = StringRef(table).substr(mark).split('\n').first;
  result["chosen"] = chosen.contains("(written)") ? "written" : "linear";
  return result;
}

static llvm::Expected<json::Object> measureOrders(ModuleOp module) {
  auto linear = forceLinear(module);
  if (!linear)
    return linear.takeError();
  auto arguments = makeArguments();
  if (!arguments)
    return arguments.takeError();
  struct Variant {
    StringRef name;
    ModuleOp module;
    bool keepOrder;
    std::unique_ptr<Callable> callable;
  } variants[] = {{"written", module, true, nullptr},
                  {"linear", **linear, true, nullptr},
                  {"automatic", module, false, nullptr}};
  SmallVector<Action> actions;
  for (Variant &variant : variants) {
    auto callable = compile(variant.module, variant.keepOrder);
    if (!callable)
      return callable.takeError();
    variant.callable = std::move(*callable);
    actions.push_back(makeAction(*variant.callable, *arguments));
  }
  auto times = timeInterleaved(actions, rounds, seconds);
  if (!times)
    return times.takeError();
  json::Object result;
  for (auto [variant, time] : llvm::zip(variants, *times)) {
    auto error = measureError(*variant.callable, *arguments);
    if (!error)
      return error.takeError();
    result[variant.name] = describe(time, *error);
  }
  auto prediction = predict(module);
  if (!prediction)
    return prediction.takeError();
  result["predicted"] = std::move(*prediction);
  return result;
}

static llvm::Error run() {
  if (tokens < 1 || rounds < 1 || checkedRows < 1)
    return createError("--tokens, --rounds and --checked-rows: expected 1 or "
                       "more");
  std::unique_ptr<MLIRContext> context = createGraphContext();
  auto module = loadGraph(*context);
  if (!module)
    return module.takeError();
  auto result = mode == Mode::Scaling ? measureScaling(**module)
                                      : measureOrders(**module);
  if (!result)
    return result.takeError();
  (*result)["tokens"] = int64_t(tokens);
  llvm::outs() << json::Value(std::move(*result)) << '\n';
  return llvm::Error::success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv,
                              "One measurement of linear attention\n");
  llvm::ExitOnError exitOnError("attn-bench: error: ");
  exitOnError(run());
  return 0;
}
