//===- Maps.h - Feature maps and gates of one's own, as operations -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_DSL_MAPS_H
#define ATTN_RUNTIME_DSL_MAPS_H

#include "runtime/dsl/GraphBuilder.h"
#include "runtime/dsl/Scalar.h"

namespace attn::dsl {

/// The scalar that stands for argument i of a map.
Scalar makeArgument(int number);

/// attn.feature_map with a region that computes `map`, a scalar of argument 0
/// alone, of each element of `input`.
mlir::FailureOr<Tensor> makeRegionMap(GraphBuilder &builder, const Scalar &map,
                                      const Tensor &input,
                                      mlir::IntegerAttr tokenDim,
                                      mlir::IntegerAttr featureDim);

/// `map`, a scalar of one argument for each tensor, element by element: what
/// depends on one argument is a feature map of it, what joins several is an
/// operation on tensors. The tensors have the same dimensions.
mlir::FailureOr<Tensor> makeElementwise(GraphBuilder &builder,
                                        const Scalar &map,
                                        llvm::ArrayRef<Tensor> inputs);

} // namespace attn::dsl

#endif // ATTN_RUNTIME_DSL_MAPS_H
