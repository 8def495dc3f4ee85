//===- CpuSpec.cpp - What a module says of its CPU -----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/algebra/CpuSpec.h"
#include "mlir/Dialect/DLTI/DLTI.h"

using namespace mlir;
using namespace mlir::attn;

CpuSpec CpuSpec::get(Operation *op) {
  CpuSpec spec;
  auto read = [&](StringRef key, int64_t &value) {
    FailureOr<Attribute> entry = dlti::query(op, {kDevice, key});
    if (failed(entry))
      return;
    if (auto number = dyn_cast<IntegerAttr>(*entry); number && number.getInt())
      value = number.getInt();
  };
  read(kFirstCache, spec.firstCacheBytes);
  read(kVectorWidth, spec.vectorWidth);
  read(kVectorRegisters, spec.vectorRegisters);
  return spec;
}

void CpuSpec::add(ModuleOp module, ArrayRef<Entry> entries) {
  MLIRContext *context = module.getContext();
  auto getKey = [&](StringRef name) { return StringAttr::get(context, name); };
  SmallVector<DataLayoutEntryInterface> devices, known;
  auto spec = module->getAttrOfType<TargetSystemSpecAttr>(
      DLTIDialect::kTargetSystemDescAttrName);
  if (spec)
    for (DataLayoutEntryInterface device : spec.getEntries()) {
      auto deviceSpec = dyn_cast<TargetDeviceSpecAttr>(device.getValue());
      if (device.getKey() == DataLayoutEntryKey(getKey(kDevice)) && deviceSpec)
        llvm::append_range(known, deviceSpec.getEntries());
      else
        devices.push_back(device);
    }
  for (auto [name, value] : entries) {
    StringAttr key = getKey(name);
    if (llvm::none_of(known, [&](DataLayoutEntryInterface entry) {
          return entry.getKey() == DataLayoutEntryKey(key);
        }))
      known.push_back(DataLayoutEntryAttr::get(
          key, IntegerAttr::get(IntegerType::get(context, 64), value)));
  }
  devices.push_back(DataLayoutEntryAttr::get(
      getKey(kDevice), TargetDeviceSpecAttr::get(context, known)));
  module->setAttr(DLTIDialect::kTargetSystemDescAttrName,
                  TargetSystemSpecAttr::get(context, devices));
}
