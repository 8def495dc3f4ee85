//===- Autoschedule.cpp - Schedules that Halide finds
//----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/halide/Schedule.h"
#include <dlfcn.h>
#include <stdexcept>

using namespace Halide;

namespace attn::halide {

/// Where Halide's library is: its plugins lie beside it.
static std::string getFolder() {
  Dl_info library;
  if (!dladdr(reinterpret_cast<void *>(&exceptions_enabled), &library) ||
      !library.dli_fname)
    return "";
  std::string path = library.dli_fname;
  return path.substr(0, path.rfind('/') + 1);
}

void autoschedule(Program &program, const Target &target,
                  const std::string &name, int size) {
  static const std::map<std::string, std::string> plugins = {
      {"Mullapudi2016", "autoschedule_mullapudi2016"},
      {"Adams2019", "autoschedule_adams2019"},
      {"Li2018", "autoschedule_li2018"},
      {"Anderson2021", "autoschedule_anderson2021"}};
  auto plugin = plugins.find(name);
  if (plugin == plugins.end())
    throw std::runtime_error("no autoscheduler '" + name +
                             "': expected Mullapudi2016, Adams2019, Li2018 or "
                             "Anderson2021");
  // Mullapudi2016's schedules of recurrences compute something else.
  for (const Stage &stage : program.stages)
    if (!stage.hints.empty() && stage.hints.front() == "steps")
      throw std::runtime_error("no autoscheduler keeps the steps of a "
                               "recurrence: leave it out");
  load_plugin(getFolder() + "lib" + plugin->second + ".so");
  std::map<std::string, Expr> estimates;
  for (Param<int32_t> &param : program.sizes) {
    param.set_estimate(size);
    estimates[param.name()] = size;
  }
  auto estimate = [&](const Expr &extent) {
    return Internal::simplify(Internal::substitute(estimates, extent));
  };
  for (size_t i = 0; i < program.inputs.size(); ++i)
    for (int d = 0; d < program.inputs[i].dimensions(); ++d)
      program.inputs[i].dim(d).set_estimate(
          0, estimate(program.inputExtents[i][d]));
  for (int id : program.outputs) {
    Stage &stage = program.getStage(id);
    for (size_t d = 0; d < stage.vars.size(); ++d)
      stage.func.set_estimate(stage.vars[d], 0, estimate(stage.extents[d]));
  }
  program.getPipeline().apply_autoscheduler(target, {name});
}

} // namespace attn::halide
