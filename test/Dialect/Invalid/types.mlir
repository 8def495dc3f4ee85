// E1: element types. See docs/Spec.md.
// RUN: attn-opt %s -split-input-file -verify-diagnostics

// E1: f64 into f32.
func.func @f(%a: tensor<?x64xf64>, %b: tensor<?x64xf32>) {
  // expected-error @below {{[E1] result of 'f32' is narrower than an input of 'f64'}}
  %0 = attn.score %a, %b : tensor<?x64xf64>, tensor<?x64xf32> -> tensor<?x?xf32>
  return
}

// -----

// E1: results are f32 or wider.
func.func @f(%a: tensor<?x64xbf16>, %b: tensor<?x64xbf16>) {
  // expected-error @below {{result #0 must be ranked tensor of 64-bit float or 32-bit float values}}
  %0 = attn.score %a, %b : tensor<?x64xbf16>, tensor<?x64xbf16> -> tensor<?x?xbf16>
  return
}

// -----

// E1: no 8-bit inputs.
func.func @f(%a: tensor<?x64xf8E4M3FN>, %b: tensor<?x64xf32>) {
  // expected-error @below {{operand #0 must be ranked tensor of 64-bit float or 32-bit float or 16-bit float or bfloat16 type values}}
  %0 = attn.score %a, %b : tensor<?x64xf8E4M3FN>, tensor<?x64xf32> -> tensor<?x?xf32>
  return
}

// -----

// E1: no integers.
func.func @f(%a: tensor<?x64xf32>, %b: tensor<?x64xi32>) {
  // expected-error @below {{operand #1 must be ranked tensor of}}
  %0 = attn.score %a, %b : tensor<?x64xf32>, tensor<?x64xi32> -> tensor<?x?xf32>
  return
}

// -----

// E1: no encodings.
func.func @f(%x: tensor<4x4xf32, "packed">) {
  // expected-error @below {{operand #0 must be ranked tensor of}}
  %0 = attn.scale %x by 2.0 : tensor<4x4xf32, "packed"> -> tensor<4x4xf32>
  return
}

// -----

// E1: a wider projection.
func.func @f(%x: tensor<?x16xf32>, %w: tensor<8x16xf64>) {
  // expected-error @below {{[E1] result of 'f32' is narrower than an input of 'f64'}}
  %0 = attn.feature_map %x, #attn.favor(%w : tensor<8x16xf64>) : tensor<?x16xf32> -> tensor<?x8xf32>
  return
}

// -----

// E1: a wider projection of a declared map.
func.func @f(%s: tensor<?x?xf32>, %w: tensor<8x16xf64>) {
  // expected-error @below {{[E1] result of 'f32' is narrower than an input of 'f64'}}
  %0 = attn.softmax %s approximated_by #attn.favor(%w : tensor<8x16xf64>) : tensor<?x?xf32>
  return
}

// -----

// E1: scale.
func.func @f(%x: tensor<?x16xf64>) {
  // expected-error @below {{[E1]}}
  %0 = attn.scale %x by 2.0 : tensor<?x16xf64> -> tensor<?x16xf32>
  return
}

// -----

// E1: append_ones.
func.func @f(%x: tensor<?x16xf64>) {
  // expected-error @below {{[E1]}}
  %0 = attn.append_ones %x : tensor<?x16xf64> -> tensor<?x17xf32>
  return
}

// -----

// E1: divide_by_last.
func.func @f(%x: tensor<?x17xf64>) {
  // expected-error @below {{[E1]}}
  %0 = attn.divide_by_last %x : tensor<?x17xf64> -> tensor<?x16xf32>
  return
}
