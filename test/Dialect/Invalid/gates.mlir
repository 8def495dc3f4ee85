// G1 to G4, L1 to L3, T1 to T3: gates, solves and steps. See docs/Spec.md.
// RUN: attn-opt %s -split-input-file -verify-diagnostics

// G1: subscripts that cannot be read.
func.func @f(%v: tensor<2x?x4xf32>, %g: tensor<2x?xf32>) {
  // expected-error @below {{[P1]}}
  %0 = attn.gate %v, %g subscripts "hnd,hn" : tensor<2x?x4xf32>, tensor<2x?xf32> -> tensor<2x?x4xf32>
  return
}

// -----

// G1: two dimensions less.
func.func @f(%v: tensor<2x?x4xf32>, %g: tensor<2xf32>) {
  // expected-error @below {{[G1] expected a gate of the rank of the input, or of one less, without subscripts}}
  %0 = attn.gate %v, %g : tensor<2x?x4xf32>, tensor<2xf32> -> tensor<2x?x4xf32>
  return
}

// -----

// G2: a sum.
func.func @f(%v: tensor<2x?x4xf32>, %g: tensor<2x?xf32>) {
  // expected-error @below {{[G2] axis 'd' is not in the result}}
  %0 = attn.gate %v, %g subscripts "hnd,hn->hn" : tensor<2x?x4xf32>, tensor<2x?xf32> -> tensor<2x?xf32>
  return
}

// -----

// G2: an axis from nowhere.
func.func @f(%v: tensor<2x?x4xf32>, %g: tensor<2x?xf32>) {
  // expected-error @below {{[G2] axis 'v' of the result is in neither operand}}
  %0 = attn.gate %v, %g subscripts "hnd,hn->hndv" : tensor<2x?x4xf32>, tensor<2x?xf32> -> tensor<2x?x4x3xf32>
  return
}

// -----

// G3: dimensions.
func.func @f(%v: tensor<2x?x4xf32>, %g: tensor<2x?xf32>) {
  // expected-error @below {{[G3] axes 'h' name 1 dimensions}}
  %0 = attn.gate %v, %g subscripts "hnd,h->hnd" : tensor<2x?x4xf32>, tensor<2x?xf32> -> tensor<2x?x4xf32>
  return
}

// -----

// G3: sizes.
func.func @f(%v: tensor<2x?x4xf32>, %g: tensor<3x?xf32>) {
  // expected-error @below {{[P4] axis 'a' has the sizes 2 and 3}}
  %0 = attn.gate %v, %g : tensor<2x?x4xf32>, tensor<3x?xf32> -> tensor<2x?x4xf32>
  return
}

// -----

// G4: an empty range.
func.func @f(%v: tensor<2x?x4xf32>, %g: tensor<2x?xf32>) {
  // expected-error @below {{[G4] expected a range [lo, hi] with lo <= hi}}
  %0 = attn.gate %v, %g in [1.0, 0.0] : tensor<2x?x4xf32>, tensor<2x?xf32> -> tensor<2x?x4xf32>
  return
}

// -----

// G4: NaN.
func.func @f(%v: tensor<2x?x4xf32>, %g: tensor<2x?xf32>) {
  // expected-error @below {{[G4]}}
  %0 = attn.gate %v, %g in [0.0, 0x7FF8000000000000] : tensor<2x?x4xf32>, tensor<2x?xf32> -> tensor<2x?x4xf32>
  return
}

// -----

// L1: subscripts that cannot be read.
func.func @f(%l: tensor<2x?x?xf32>, %b: tensor<2x?x4xf32>) {
  // expected-error @below {{[P1]}}
  %0 = attn.solve %l, %b subscripts "hnm" : tensor<2x?x?xf32>, tensor<2x?x4xf32> -> tensor<2x?x4xf32>
  return
}

// -----

// L1: rank.
func.func @f(%l: tensor<2x?x?xf32>, %b: tensor<4xf32>) {
  // expected-error @below {{[L1] expected operands of rank 2 to 18 without subscripts}}
  %0 = attn.solve %l, %b : tensor<2x?x?xf32>, tensor<4xf32> -> tensor<2x?x4xf32>
  return
}

// -----

// L2: a sum over features.
func.func @f(%l: tensor<2x?x?xf32>, %b: tensor<2x?x4xf32>) {
  // expected-error @below {{[L2] expected a product over one token axis with the rows of L}}
  %0 = attn.solve %l, %b subscripts "hnd,hdm->hnm" : tensor<2x?x?xf32>, tensor<2x?x4xf32> -> tensor<2x?x4xf32>
  return
}

// -----

// L2: rows of several axes.
func.func @f(%l: tensor<2x?x?xf32>, %b: tensor<2x?x4xf32>) {
  // expected-error @below {{[L2]}}
  %0 = attn.solve %l, %b subscripts "hnm,bmv->hnv" : tensor<2x?x?xf32>, tensor<2x?x4xf32> -> tensor<2x?x4xf32>
  return
}

// -----

// L2: an axis is lost.
func.func @f(%l: tensor<?x?xf32>, %b: tensor<3x?x4xf32>) {
  // expected-error @below {{[L2] axis 'b' is not in the result}}
  %0 = attn.solve %l, %b subscripts "nm,bmv->nv" : tensor<?x?xf32>, tensor<3x?x4xf32> -> tensor<?x4xf32>
  return
}

// -----

// L3: dimensions.
func.func @f(%l: tensor<2x?x?xf32>, %b: tensor<2x?x4xf32>) {
  // expected-error @below {{[L3] axes 'nm' name 2 dimensions}}
  %0 = attn.solve %l, %b subscripts "nm,hmv->hnv" : tensor<2x?x?xf32>, tensor<2x?x4xf32> -> tensor<2x?x4xf32>
  return
}

// -----

// L3: more rows than columns.
func.func @f(%l: tensor<2x5x6xf32>, %b: tensor<2x6x4xf32>) {
  // expected-error @below {{[P4] axes 'n' and 'm' have the sizes 5 and 6, expected equal ones}}
  %0 = attn.solve %l, %b : tensor<2x5x6xf32>, tensor<2x6x4xf32> -> tensor<2x5x4xf32>
  return
}

// -----

// T1.
func.func @f(%v: tensor<2x?x4xf32>) {
  // expected-error @below {{[T1] expected one step or more, got 0}}
  %0 = attn.expand_steps %v steps 0 : tensor<2x?x4xf32> -> tensor<2x?x4xf32>
  return
}

// -----

// T2.
func.func @f(%v: tensor<2x?x4xf32>) {
  // expected-error @below {{[T2] expected a token dimension of 'tensor<2x?x4xf32>', got 3}}
  %0 = attn.take_steps %v steps 2 token_dim = 3 : tensor<2x?x4xf32> -> tensor<2x?x4xf32>
  return
}

// -----

// T3: not as many steps.
func.func @f(%v: tensor<3x4xf32>) {
  // expected-error @below {{[T3] expected 'tensor<5x4xf32>' to have 2 times the tokens of 'tensor<3x4xf32>'}}
  %0 = attn.expand_steps %v steps 2 : tensor<3x4xf32> -> tensor<5x4xf32>
  return
}

// -----

// T3: another shape.
func.func @f(%v: tensor<6x4xf32>) {
  // expected-error @below {{[T3]}}
  %0 = attn.take_steps %v steps 2 : tensor<6x4xf32> -> tensor<3x5xf32>
  return
}
