// F1 to F9: feature maps. See docs/Spec.md.
// RUN: attn-opt %s -split-input-file -verify-diagnostics

// F1: neither map nor region.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{[F1] expected either a named map or a region}}
  %0 = "attn.feature_map"(%x) <{operandSegmentSizes = array<i32: 1, 0, 0>}> ({}) : (tensor<?x16xf32>) -> tensor<?x16xf32>
  return
}

// -----

// F1: both.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{[F1]}}
  %0 = "attn.feature_map"(%x) <{map = #attn.elu1, operandSegmentSizes = array<i32: 1, 0, 0>}> ({
  ^bb0(%e: f32):
    attn.yield %e : f32
  }) : (tensor<?x16xf32>) -> tensor<?x16xf32>
  return
}

// -----

// F2: rank 1.
func.func @f(%x: tensor<16xf32>) {
  // expected-error @below {{[F2] expected two different dimensions of 'tensor<16xf32>' for tokens and features, got -1 and 0}}
  %0 = attn.feature_map %x, #attn.exp : tensor<16xf32> -> tensor<16xf32>
  return
}

// -----

// F2: rank 0.
func.func @f(%x: tensor<f32>) {
  // expected-error @below {{[F2]}}
  %0 = attn.feature_map %x, #attn.exp : tensor<f32> -> tensor<f32>
  return
}

// -----

// F2: the same dimension.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{[F2] expected two different dimensions of 'tensor<?x16xf32>' for tokens and features, got 1 and 1}}
  %0 = attn.feature_map %x, #attn.elu1 token_dim = 1 : tensor<?x16xf32> -> tensor<?x16xf32>
  return
}

// -----

// F2: out of range.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{[F2] expected two different dimensions of 'tensor<?x16xf32>' for tokens and features, got 0 and 2}}
  %0 = attn.feature_map %x, #attn.elu1 feature_dim = 2 : tensor<?x16xf32> -> tensor<?x16xf32>
  return
}

// -----

// F2: negative.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{[F2]}}
  %0 = attn.feature_map %x, #attn.elu1 token_dim = -1 : tensor<?x16xf32> -> tensor<?x16xf32>
  return
}

// -----

// F3: dynamic features.
func.func @f(%x: tensor<?x?xf32>) {
  // expected-error @below {{[F3] expected a static number of features, 1 to 16777216, got 'tensor<?x?xf32>'}}
  %0 = attn.feature_map %x, #attn.taylor2 : tensor<?x?xf32> -> tensor<?x273xf32>
  return
}

// -----

// F3: no features.
func.func @f(%x: tensor<?x0xf32>) {
  // expected-error @below {{[F3] expected a static number of features, 1 to 16777216, got 'tensor<?x0xf32>'}}
  %0 = attn.feature_map %x, #attn.hedgehog : tensor<?x0xf32> -> tensor<?x0xf32>
  return
}

// -----

// F3: features past counting.
func.func @f(%x: tensor<?x4611686018427387904xf32>) {
  // expected-error @below {{[F3] expected a static number of features, 1 to 16777216, got}}
  %0 = attn.feature_map %x, #attn.taylor2 : tensor<?x4611686018427387904xf32> -> tensor<?x1xf32>
  return
}

// -----

// F4: an operand too many.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{[F4] the feature map takes no operands, got 1}}
  %0 = attn.feature_map %x, #attn.elu1(%x : tensor<?x16xf32>) : tensor<?x16xf32> -> tensor<?x16xf32>
  return
}

// -----

// F4: a missing projection.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{[F4] the feature map takes one projection, got 0 operands}}
  %0 = attn.feature_map %x, #attn.favor : tensor<?x16xf32> -> tensor<?x16xf32>
  return
}

// -----

// F4: two projections.
func.func @f(%x: tensor<?x16xf32>, %w: tensor<8x16xf32>) {
  // expected-error @below {{[F4] the feature map takes one projection, got 2 operands}}
  %0 = attn.feature_map %x, #attn.favor(%w, %w : tensor<8x16xf32>, tensor<8x16xf32>) : tensor<?x16xf32> -> tensor<?x8xf32>
  return
}

// -----

// F4: the projection's width.
func.func @f(%x: tensor<?x16xf32>, %w: tensor<8x17xf32>) {
  // expected-error @below {{[F4] expected a projection of static size [.., m, 16], got 'tensor<8x17xf32>'}}
  %0 = attn.feature_map %x, #attn.favor(%w : tensor<8x17xf32>) : tensor<?x16xf32> -> tensor<?x8xf32>
  return
}

// -----

// F4: a dynamic projection.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{[F4] expected a projection of static size [.., m, 16], got 'tensor<?x16xf32>'}}
  %0 = attn.feature_map %x, #attn.favor(%x : tensor<?x16xf32>) : tensor<?x16xf32> -> tensor<?x8xf32>
  return
}

// -----

// F4: a projection of rank 1.
func.func @f(%x: tensor<?x16xf32>, %w: tensor<16xf32>) {
  // expected-error @below {{[F4]}}
  %0 = attn.feature_map %x, #attn.hedgehog(%w : tensor<16xf32>) : tensor<?x16xf32> -> tensor<?x32xf32>
  return
}

// -----

// F4: a projection of rank 0.
func.func @f(%x: tensor<?x16xf32>, %w: tensor<f32>) {
  // expected-error @below {{[F4]}}
  %0 = attn.feature_map %x, #attn.hedgehog(%w : tensor<f32>) : tensor<?x16xf32> -> tensor<?x32xf32>
  return
}

// -----

// F4: a projection without rows.
func.func @f(%x: tensor<?x16xf32>, %w: tensor<0x16xf32>) {
  // expected-error @below {{[F4]}}
  %0 = attn.feature_map %x, #attn.favor(%w : tensor<0x16xf32>) : tensor<?x16xf32> -> tensor<?x0xf32>
  return
}

// -----

// F4: projections for other heads.
func.func @f(%x: tensor<8x?x16xf32>, %w: tensor<7x4x16xf32>) {
  // expected-error @below {{[F4] expected an operand of rank 2 or more whose leading dimensions are the last batch dimensions of 'tensor<8x?x16xf32>', got 'tensor<7x4x16xf32>'}}
  %0 = attn.feature_map %x, #attn.favor(%w : tensor<7x4x16xf32>) : tensor<8x?x16xf32> -> tensor<8x?x4xf32>
  return
}

// -----

// F4: more projections than heads.
func.func @f(%x: tensor<?x16xf32>, %w: tensor<2x4x16xf32>) {
  // expected-error @below {{[F4] expected an operand of rank 2 or more}}
  %0 = attn.feature_map %x, #attn.favor(%w : tensor<2x4x16xf32>) : tensor<?x16xf32> -> tensor<?x4xf32>
  return
}

// -----

// F4: operands of a region.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{[F4] a region takes no operands}}
  %0 = "attn.feature_map"(%x, %x) <{operandSegmentSizes = array<i32: 1, 1, 0>}> ({
  ^bb0(%e: f32):
    attn.yield %e : f32
  }) : (tensor<?x16xf32>, tensor<?x16xf32>) -> tensor<?x16xf32>
  return
}

// -----

// F5: yields nothing.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{[F5] expected a region that maps one 'f32' to one 'f32'}}
  %0 = attn.feature_map %x {
  ^bb0(%e: f32):
  } : tensor<?x16xf32> -> tensor<?x16xf32>
  return
}

// -----

// F5: no argument.
func.func @f(%x: tensor<?x16xf32>, %c: f32) {
  // expected-error @below {{[F5]}}
  %0 = attn.feature_map %x {
    attn.yield %c : f32
  } : tensor<?x16xf32> -> tensor<?x16xf32>
  return
}

// -----

// F5: the input's type instead of the result's.
func.func @f(%x: tensor<?x16xbf16>) {
  // expected-error @below {{[F5] expected a region that maps one 'f32' to one 'f32'}}
  %0 = attn.feature_map %x {
  ^bb0(%e: bf16):
    attn.yield %e : bf16
  } : tensor<?x16xbf16> -> tensor<?x16xf32>
  return
}

// -----

// F5: side effects.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{[F5] expected a region without side effects, got 'vector.print'}}
  %0 = attn.feature_map %x {
  ^bb0(%e: f32):
    vector.print %e : f32
    attn.yield %e : f32
  } : tensor<?x16xf32> -> tensor<?x16xf32>
  return
}

// -----

// Another terminator.
func.func @f(%x: tensor<?x16xf32>) {
  %0 = attn.feature_map %x {
  ^bb0(%e: f32):
    // expected-error @below {{'func.return' op expects parent op 'func.func'}}
    func.return %e : f32
  } : tensor<?x16xf32> -> tensor<?x16xf32>
  return
}

// -----

// Two blocks.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{'attn.feature_map' op expects region #0 to have 0 or 1 blocks}}
  %0 = attn.feature_map %x {
  ^bb0(%e: f32):
    cf.br ^bb1
  ^bb1:
    attn.yield %e : f32
  } : tensor<?x16xf32> -> tensor<?x16xf32>
  return
}

// -----

// F6: features.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{[F6] expected 16 features and otherwise the shape of 'tensor<?x16xf32>', got 'tensor<?x17xf32>'}}
  %0 = attn.feature_map %x, #attn.elu1 : tensor<?x16xf32> -> tensor<?x17xf32>
  return
}

// -----

// F6: features of a projection.
func.func @f(%x: tensor<?x16xf32>, %w: tensor<8x16xf32>) {
  // expected-error @below {{[F6] expected 8 features}}
  %0 = attn.feature_map %x, #attn.favor(%w : tensor<8x16xf32>) : tensor<?x16xf32> -> tensor<?x16xf32>
  return
}

// -----

// F6: tokens.
func.func @f(%x: tensor<4x?xf32>) {
  // expected-error @below {{[F6] expected ? features and otherwise the shape of 'tensor<4x?xf32>', got 'tensor<5x?xf32>'}}
  %0 = attn.feature_map %x, #attn.elu1 : tensor<4x?xf32> -> tensor<5x?xf32>
  return
}

// -----

// F6: rank.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{[F6]}}
  %0 = attn.feature_map %x, #attn.elu1 : tensor<?x16xf32> -> tensor<16xf32>
  return
}

// -----

// F7.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{[F7] expected a positive max_len, got 0}}
  %0 = attn.feature_map %x, #attn.cosformer<max_len = 0> : tensor<?x16xf32> -> tensor<?x32xf32>
  return
}

// -----

// F7: negative.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{[F7] expected a positive max_len, got -1}}
  %0 = attn.feature_map %x, #attn.cosformer<max_len = -1> : tensor<?x16xf32> -> tensor<?x32xf32>
  return
}

// -----

// Not a feature map.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{expected a feature map, got #attn.causal}}
  %0 = attn.feature_map %x, #attn.causal : tensor<?x16xf32> -> tensor<?x16xf32>
  return
}

// -----

// Not an attribute of this dialect.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{expected a feature map, got 3 : i64}}
  %0 = attn.feature_map %x, 3 : i64 : tensor<?x16xf32> -> tensor<?x16xf32>
  return
}

// -----

// An unknown map.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{unknown attribute `elu2` in dialect `attn`}}
  %0 = attn.feature_map %x, #attn.elu2 : tensor<?x16xf32> -> tensor<?x16xf32>
  return
}

// -----

// A map that is none, in the generic form.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{Invalid attribute `map` in property conversion: 3 : i32}}
  %0 = "attn.feature_map"(%x) <{map = 3 : i32}> ({}) : (tensor<?x16xf32>) -> tensor<?x16xf32>
  return
}

// -----

// A map that is none, among the attributes.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{attribute 'map' failed to satisfy constraint}}
  %0 = attn.feature_map %x, #attn.elu1 {map = 3 : i32} : tensor<?x16xf32> -> tensor<?x16xf32>
  return
}

// -----

// Unknown permission.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{expected none, token or sequence}}
  %0 = attn.feature_map %x, #attn.exp stabilize = head : tensor<?x16xf32> -> tensor<?x16xf32>
  return
}

// -----

// A dimension that is no integer.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{expected}}
  %0 = attn.feature_map %x, #attn.elu1 token_dim = n : tensor<?x16xf32> -> tensor<?x16xf32>
  return
}

// -----

// A yield elsewhere.
func.func @f(%x: f32) {
  // expected-error @below {{'attn.yield' op expects parent op to be one of 'attn.feature_map, attn.scan'}}
  attn.yield %x : f32
  return
}

// -----

// F2: a dimension of an element-wise map that is not there.
func.func @f(%x: tensor<16xf32>) {
  // expected-error @below {{[F2]}}
  %0 = attn.feature_map %x, #attn.elu1 token_dim = 1 : tensor<16xf32> -> tensor<16xf32>
  return
}

// -----

// F7: eps.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{[F7] expected a finite eps, 0 or more, got -1}}
  %0 = attn.feature_map %x, #attn.l2_norm<eps = -1.0> : tensor<?x16xf32> -> tensor<?x16xf32>
  return
}

// -----

// F8: not an exponential map.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{[F8] expected an exponential map, got #attn.elu1}}
  %0 = attn.feature_scale %x, #attn.elu1 : tensor<?x16xf32> -> tensor<?xf32>
  return
}

// -----

// F8: shape.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{[F8] expected one element for the features of 'tensor<?x16xf32>', got 'tensor<?x16xf32>'}}
  %0 = attn.feature_scale %x, #attn.exp : tensor<?x16xf32> -> tensor<?x16xf32>
  return
}

// -----

// F9: a start for a map of the token alone.
func.func @start(%x: tensor<?x16xf32>, %p: tensor<i64>) {
  // expected-error @below {{[F9] expected a map that uses the position of a token}}
  %0 = attn.feature_map %x, #attn.elu1 start(%p : tensor<i64>) : tensor<?x16xf32> -> tensor<?x16xf32>
  return
}

// -----

// F9: a region maps an element alone.
func.func @start_of_region(%x: tensor<?x16xf32>, %p: tensor<i64>) {
  // expected-error @below {{[F9] expected a map that uses the position of a token}}
  %0 = attn.feature_map %x {
  ^bb0(%e: f32):
    attn.yield %e : f32
  } start(%p : tensor<i64>) : tensor<?x16xf32> -> tensor<?x16xf32>
  return
}
