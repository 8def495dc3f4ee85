// R10 to R12: a user's own recurrence. See docs/Spec.md.
// RUN: attn-opt %s -split-input-file -verify-diagnostics

// R10: dimensions.
func.func @f(%q: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>) {
  // expected-error @below {{[R10] axes 'hn' name 2 dimensions}}
  %0 = attn.scan inputs(%q "hn", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<4x3xf32>, %a: tensor<4xf32>, %b: tensor<3xf32>):
    attn.yield %s, %b : tensor<4x3xf32>, tensor<3xf32>
  } -> "hnv" : (tensor<2x?x4xf32>, tensor<2x?x3xf32>) -> tensor<2x?x3xf32>
  return
}

// -----

// R10: a group.
func.func @f(%q: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>) {
  // expected-error @below {{[R10] axes '(hn)d' have a group}}
  %0 = attn.scan inputs(%q "(hn)d", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<4x3xf32>, %a: tensor<4xf32>, %b: tensor<3xf32>):
    attn.yield %s, %b : tensor<4x3xf32>, tensor<3xf32>
  } -> "hnv" : (tensor<2x?x4xf32>, tensor<2x?x3xf32>) -> tensor<2x?x3xf32>
  return
}

// -----

// R10: a state of tokens.
func.func @f(%q: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>) {
  // expected-error @below {{[R10] expected a state with the axes d and v and without n}}
  %0 = attn.scan inputs(%q "hnd", %v "hnv") over "hndv" {
  ^bb0(%s: tensor<4x3xf32>, %a: tensor<4xf32>, %b: tensor<3xf32>):
    attn.yield %s, %b : tensor<4x3xf32>, tensor<3xf32>
  } -> "hnv" : (tensor<2x?x4xf32>, tensor<2x?x3xf32>) -> tensor<2x?x3xf32>
  return
}

// -----

// R10: an output without tokens.
func.func @f(%q: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>) {
  // expected-error @below {{[R10] expected an output with the axis n and without d}}
  %0 = attn.scan inputs(%q "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<4x3xf32>, %a: tensor<4xf32>, %b: tensor<3xf32>):
    attn.yield %s, %b : tensor<4x3xf32>, tensor<3xf32>
  } -> "hv" : (tensor<2x?x4xf32>, tensor<2x?x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

// R11: arguments.
func.func @f(%q: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>) {
  // expected-error @below {{[R11] expected a region of ('tensor<4x3xf32>', 'tensor<4xf32>', 'tensor<3xf32>')}}
  %0 = attn.scan inputs(%q "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<4x3xf32>, %a: tensor<5xf32>, %b: tensor<3xf32>):
    attn.yield %s, %b : tensor<4x3xf32>, tensor<3xf32>
  } -> "hnv" : (tensor<2x?x4xf32>, tensor<2x?x3xf32>) -> tensor<2x?x3xf32>
  return
}

// -----

// R11: results.
func.func @f(%q: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>) {
  // expected-error @below {{[R11] expected the region to yield ('tensor<4x3xf32>', 'tensor<3xf32>')}}
  %0 = attn.scan inputs(%q "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<4x3xf32>, %a: tensor<4xf32>, %b: tensor<3xf32>):
    attn.yield %s, %a : tensor<4x3xf32>, tensor<4xf32>
  } -> "hnv" : (tensor<2x?x4xf32>, tensor<2x?x3xf32>) -> tensor<2x?x3xf32>
  return
}

// -----

// R12.
func.func @f(%q: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>) {
  // expected-error @below {{[R12] expected a region without side effects, got 'memref.alloc'}}
  %0 = attn.scan inputs(%q "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<4x3xf32>, %a: tensor<4xf32>, %b: tensor<3xf32>):
    %m = memref.alloc() : memref<4xf32>
    attn.yield %s, %b : tensor<4x3xf32>, tensor<3xf32>
  } -> "hnv" : (tensor<2x?x4xf32>, tensor<2x?x3xf32>) -> tensor<2x?x3xf32>
  return
}
