// M1 to M6: masks. See docs/Spec.md.
// RUN: attn-opt %s -split-input-file -verify-diagnostics

// M1: rank 1.
func.func @f(%s: tensor<?xf32>) {
  // expected-error @below {{[M1] expected scores of rank 2 or more, got 'tensor<?xf32>'}}
  %0 = attn.mask %s, #attn.causal else -inf : tensor<?xf32>
  return
}

// -----

// M1: rank 0.
func.func @f(%s: tensor<f32>) {
  // expected-error @below {{[M1]}}
  %0 = attn.mask %s, #attn.full else -inf : tensor<f32>
  return
}

// -----

// M2: another fill.
func.func @f(%s: tensor<?x?xf32>) {
  // expected-error @below {{[M2] expected a fill of 0.0 or -inf, got}}
  %0 = attn.mask %s, #attn.causal else 1.0 : tensor<?x?xf32>
  return
}

// -----

// M2: inf.
func.func @f(%s: tensor<?x?xf32>) {
  // expected-error @below {{[M2]}}
  %0 = attn.mask %s, #attn.causal else inf : tensor<?x?xf32>
  return
}

// -----

// M2: NaN.
func.func @f(%s: tensor<?x?xf32>) {
  // expected-error @below {{[M2]}}
  %0 = attn.mask %s, #attn.causal else 0x7FF8000000000000 : tensor<?x?xf32>
  return
}

// -----

// M3: an operand too many.
func.func @f(%s: tensor<?x?xf32>) {
  // expected-error @below {{[M3] the mask takes no operands, got 1}}
  %0 = attn.mask %s, #attn.causal(%s : tensor<?x?xf32>) else -inf : tensor<?x?xf32>
  return
}

// -----

// M4: no operands.
func.func @f(%s: tensor<?x?xf32>) {
  // expected-error @below {{[M4] expected cu_seqlens of the tokens, or of queries and of keys, got 0 operands}}
  %0 = attn.mask %s, #attn.packed else -inf : tensor<?x?xf32>
  return
}

// -----

// M4: three operands.
func.func @f(%s: tensor<?x?xf32>, %c: tensor<3xi32>) {
  // expected-error @below {{[M4] expected cu_seqlens of the tokens, or of queries and of keys, got 3 operands}}
  %0 = attn.mask %s, #attn.packed(%c, %c, %c : tensor<3xi32>, tensor<3xi32>, tensor<3xi32>) else -inf : tensor<?x?xf32>
  return
}

// -----

// M4: rank.
func.func @f(%s: tensor<?x?xf32>, %c: tensor<1x3xi32>) {
  // expected-error @below {{[M4] expected cu_seqlens of one or more i32 or i64, got}}
  %0 = attn.mask %s, #attn.packed(%c : tensor<1x3xi32>) else -inf : tensor<?x?xf32>
  return
}

// -----

// M4: rank 0.
func.func @f(%s: tensor<?x?xf32>, %c: tensor<i32>) {
  // expected-error @below {{[M4]}}
  %0 = attn.mask %s, #attn.packed(%c : tensor<i32>) else -inf : tensor<?x?xf32>
  return
}

// -----

// M4: no 0 at the start.
func.func @f(%s: tensor<?x?xf32>, %c: tensor<0xi32>) {
  // expected-error @below {{[M4]}}
  %0 = attn.mask %s, #attn.packed(%c : tensor<0xi32>) else -inf : tensor<?x?xf32>
  return
}

// -----

// M4: element type.
func.func @f(%s: tensor<?x?xf32>, %c: tensor<3xf32>) {
  // expected-error @below {{[M4]}}
  %0 = attn.mask %s, #attn.packed(%c : tensor<3xf32>) else -inf : tensor<?x?xf32>
  return
}

// -----

// M4: other keys.
func.func @f(%s: tensor<4x5xf32>, %c: tensor<3xi32>) {
  // expected-error @below {{[M4] expected as many keys as queries for one cu_seqlens, got 'tensor<4x5xf32>'}}
  %0 = attn.mask %s, #attn.packed(%c : tensor<3xi32>) else -inf : tensor<4x5xf32>
  return
}

// -----

// M4: other segments of keys.
func.func @f(%s: tensor<?x?xf32>, %c: tensor<3xi32>, %d: tensor<4xi32>) {
  // expected-error @below {{[M4] expected as many segments of queries as of keys, got}}
  %0 = attn.mask %s, #attn.packed(%c, %d : tensor<3xi32>, tensor<4xi32>) else -inf : tensor<?x?xf32>
  return
}

// -----

// M5: no operand.
func.func @f(%s: tensor<?x?xf32>) {
  // expected-error @below {{[M5] expected one boolean tensor, got 0 operands}}
  %0 = attn.mask %s, #attn.dense else -inf : tensor<?x?xf32>
  return
}

// -----

// M5: element type.
func.func @f(%s: tensor<?x?xf32>, %m: tensor<?x?xi8>) {
  // expected-error @below {{[M5] expected an i1 tensor that broadcasts to}}
  %0 = attn.mask %s, #attn.dense(%m : tensor<?x?xi8>) else -inf : tensor<?x?xf32>
  return
}

// -----

// M5: size.
func.func @f(%s: tensor<8x4x4xf32>, %m: tensor<4x5xi1>) {
  // expected-error @below {{[M5]}}
  %0 = attn.mask %s, #attn.dense(%m : tensor<4x5xi1>) else -inf : tensor<8x4x4xf32>
  return
}

// -----

// M5: rank.
func.func @f(%s: tensor<?x?xf32>, %m: tensor<1x?x?xi1>) {
  // expected-error @below {{[M5]}}
  %0 = attn.mask %s, #attn.dense(%m : tensor<1x?x?xi1>) else -inf : tensor<?x?xf32>
  return
}

// -----

// M6: left.
func.func @f(%s: tensor<?x?xf32>) {
  // expected-error @below {{[M6] expected left and right of 0 or more, got -1 and 0}}
  %0 = attn.mask %s, #attn.sliding_window<left = -1, right = 0> else -inf : tensor<?x?xf32>
  return
}

// -----

// M6: right.
func.func @f(%s: tensor<?x?xf32>) {
  // expected-error @below {{[M6] expected left and right of 0 or more, got 0 and -3}}
  %0 = attn.mask %s, #attn.sliding_window<left = 0, right = -3> else -inf : tensor<?x?xf32>
  return
}

// -----

// Not a mask.
func.func @f(%s: tensor<?x?xf32>) {
  // expected-error @below {{invalid kind of attribute specified}}
  %0 = attn.mask %s, #attn.elu1 else -inf : tensor<?x?xf32>
  return
}

// -----

// A mask that is none, in the generic form.
func.func @f(%s: tensor<?x?xf32>) {
  // expected-error @below {{Invalid attribute `mask` in property conversion: "causal"}}
  %0 = "attn.mask"(%s) <{mask = "causal", fill = 0.0 : f64}> : (tensor<?x?xf32>) -> tensor<?x?xf32>
  return
}

// -----

// No mask at all.
func.func @f(%s: tensor<?x?xf32>) {
  // expected-error @below {{requires attribute 'mask'}}
  %0 = "attn.mask"(%s) <{fill = 0.0 : f64}> : (tensor<?x?xf32>) -> tensor<?x?xf32>
  return
}

// -----

// An unknown mask.
func.func @f(%s: tensor<?x?xf32>) {
  // expected-error @below {{unknown attribute `acausal` in dialect `attn`}}
  %0 = attn.mask %s, #attn.acausal else -inf : tensor<?x?xf32>
  return
}

// -----

// Unknown parameter.
func.func @f(%s: tensor<?x?xf32>) {
  // expected-error @below {{expected}}
  %0 = attn.mask %s, #attn.causal<shift = 3> else -inf : tensor<?x?xf32>
  return
}

// -----

// Another type of result.
func.func @f(%s: tensor<?x?xf32>) {
  // expected-error @below {{failed to verify that all of {scores, result} have same type}}
  %0 = "attn.mask"(%s) <{mask = #attn.causal, fill = 0.0 : f64}> : (tensor<?x?xf32>) -> tensor<?x4xf32>
  return
}
