// A1 to A4: the normaliser as a column. See docs/Spec.md.
// RUN: attn-opt %s -split-input-file -verify-diagnostics

// A1: as wide.
func.func @f(%v: tensor<?x16xf32>) {
  // expected-error @below {{[A1] expected 'tensor<?x16xf32>' and 'tensor<?x16xf32>' to differ by one element of a static dimension 1}}
  %0 = attn.append_ones %v : tensor<?x16xf32> -> tensor<?x16xf32>
  return
}

// -----

// A1: dynamic.
func.func @f(%v: tensor<?x?xf32>) {
  // expected-error @below {{[A1]}}
  %0 = attn.append_ones %v : tensor<?x?xf32> -> tensor<?x?xf32>
  return
}

// -----

// A1: rank.
func.func @f(%v: tensor<?x16xf32>) {
  // expected-error @below {{[A1]}}
  %0 = attn.append_ones %v : tensor<?x16xf32> -> tensor<17xf32>
  return
}

// -----

// A1: rank 0.
func.func @f(%v: tensor<f32>) {
  // expected-error @below {{[A1]}}
  %0 = attn.append_ones %v : tensor<f32> -> tensor<f32>
  return
}

// -----

// A1: dimension out of range.
func.func @f(%v: tensor<?x16xf32>) {
  // expected-error @below {{[A1]}}
  %0 = attn.append_ones %v dim 2 : tensor<?x16xf32> -> tensor<?x17xf32>
  return
}

// -----

// A1: another dimension.
func.func @f(%v: tensor<4x16xf32>) {
  // expected-error @below {{[A1]}}
  %0 = attn.append_ones %v : tensor<4x16xf32> -> tensor<5x17xf32>
  return
}

// -----

// A1: wider after the division.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{[A1]}}
  %0 = attn.divide_by_last %x : tensor<?x16xf32> -> tensor<?x17xf32>
  return
}

// -----

// A2.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{[A2] expected a finite eps of 0 or more, got}}
  %0 = attn.divide_by_last %x eps -0.5 : tensor<?x16xf32> -> tensor<?x15xf32>
  return
}

// -----

// A2: of a quotient.
func.func @f(%x: tensor<?xf32>) {
  // expected-error @below {{[A2]}}
  %0 = attn.divide %x, %x eps -0.5 : tensor<?xf32>
  return
}

// -----

// A3.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{[A3] expected a finite floor above 0, got}}
  %0 = attn.divide_by_last %x floor -1.0 : tensor<?x16xf32> -> tensor<?x15xf32>
  return
}

// -----

// A4: without a floor.
func.func @f(%x: tensor<?x16xf32>, %m: tensor<?xf32>) {
  // expected-error @below {{[A4] a log_scale without a floor}}
  %0 = attn.divide_by_last %x log_scale(%m : tensor<?xf32>) : tensor<?x16xf32> -> tensor<?x15xf32>
  return
}

// -----

// A4: shape.
func.func @f(%x: tensor<?x16xf32>, %m: tensor<?x2xf32>) {
  // expected-error @below {{[A4] log_scale 'tensor<?x2xf32>' does not fit}}
  %0 = attn.divide_by_last %x floor 1.0 log_scale(%m : tensor<?x2xf32>) : tensor<?x16xf32> -> tensor<?x15xf32>
  return
}

// -----

// A4: shape of a quotient.
func.func @f(%x: tensor<?x3xf32>, %m: tensor<?xf32>) {
  // expected-error @below {{[A4]}}
  %0 = attn.divide %x, %x floor 1.0 log_scale(%m : tensor<?xf32>) : tensor<?x3xf32>
  return
}
