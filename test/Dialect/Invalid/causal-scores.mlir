// D1 to D8: scores under a decay. See docs/Spec.md.
// RUN: attn-opt %s -split-input-file -verify-diagnostics

// D1: subscripts that cannot be read.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>) {
  // expected-error @below {{[P1]}}
  %0 = attn.causal_score %q, %k subscripts "hnd->hnm" : tensor<2x?x4xf32>, tensor<2x?x4xf32> -> tensor<2x?x?xf32>
  return
}

// -----

// D1: rank.
func.func @f(%q: tensor<4xf32>, %k: tensor<4xf32>) {
  // expected-error @below {{[D1] expected operands of rank 2 to 18 without subscripts}}
  %0 = attn.causal_score %q, %k : tensor<4xf32>, tensor<4xf32> -> tensor<f32>
  return
}

// -----

// D1: axes of a decay.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %g: tensor<2x?xf32>) {
  // expected-error @below {{[P1] unexpected '!'}}
  %0 = attn.causal_score %q, %k decay(%g "h!" : tensor<2x?xf32>) : tensor<2x?x4xf32>, tensor<2x?x4xf32> -> tensor<2x?x?xf32>
  return
}

// -----

// D2: keys come first.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>) {
  // expected-error @below {{[D2] expected a result that ends in the token axes of lhs and of rhs}}
  %0 = attn.causal_score %q, %k subscripts "hnd,hmd->hmn" : tensor<2x?x4xf32>, tensor<2x?x4xf32> -> tensor<2x?x?xf32>
  return
}

// -----

// D2: one token axis.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>) {
  // expected-error @below {{[D2]}}
  %0 = attn.causal_score %q, %k subscripts "hnd,hnd->hn" : tensor<2x?x4xf32>, tensor<2x?x4xf32> -> tensor<2x?xf32>
  return
}

// -----

// D3: two sums.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>) {
  // expected-error @below {{[D3] expected one axis to sum over}}
  %0 = attn.causal_score %q, %k subscripts "hnd,hmd->nm" : tensor<2x?x4xf32>, tensor<2x?x4xf32> -> tensor<?x?xf32>
  return
}

// -----

// D4: the token of the keys.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %g: tensor<2x?xf32>) {
  // expected-error @below {{[D4] axis 'm' of the decay is neither 'n', 'd' nor a batch axis}}
  %0 = attn.causal_score %q, %k decay(%g "hm" : tensor<2x?xf32>) : tensor<2x?x4xf32>, tensor<2x?x4xf32> -> tensor<2x?x?xf32>
  return
}

// -----

// D4: a bonus of no axis of the result.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %u: tensor<3x4xf32>) {
  // expected-error @below {{[D4] axis 'x' of the bonus}}
  %0 = attn.causal_score %q, %k bonus(%u "xd" : tensor<3x4xf32>) : tensor<2x?x4xf32>, tensor<2x?x4xf32> -> tensor<2x?x?xf32>
  return
}

// -----

// D4: a gate for each feature.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %i: tensor<2x?x4xf32>) {
  // expected-error @below {{[D4] the log_gate has the feature axis 'd'}}
  %0 = attn.causal_score %q, %k log_gate(%i "hmd" : tensor<2x?x4xf32>) : tensor<2x?x4xf32>, tensor<2x?x4xf32> -> tensor<2x?x?xf32>
  return
}

// -----

// D5: an axis from nowhere.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>) {
  // expected-error @below {{[D5] axis 'v' of the result is in no operand}}
  %0 = attn.causal_score %q, %k subscripts "hnd,hmd->hvnm" : tensor<2x?x4xf32>, tensor<2x?x4xf32> -> tensor<2x5x?x?xf32>
  return
}

// -----

// D5: a batch axis of one operand is lost.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>) {
  // expected-error @below {{[D5] axis 'b' is not in the result}}
  %0 = attn.causal_score %q, %k subscripts "bnd,hmd->hnm" : tensor<2x?x4xf32>, tensor<2x?x4xf32> -> tensor<2x?x?xf32>
  return
}

// -----

// D6.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %u: tensor<4xf32>) {
  // expected-error @below {{[D6] strict scores have no diagonal for a bonus}}
  %0 = attn.causal_score %q, %k strict bonus(%u : tensor<4xf32>) : tensor<2x?x4xf32>, tensor<2x?x4xf32> -> tensor<2x?x?xf32>
  return
}

// -----

// D7.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>) {
  // expected-error @below {{[D7] unbounded without a decay}}
  %0 = attn.causal_score %q, %k unbounded : tensor<2x?x4xf32>, tensor<2x?x4xf32> -> tensor<2x?x?xf32>
  return
}

// -----

// D8: dimensions of a decay.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %g: tensor<2x?xf32>) {
  // expected-error @below {{[D8] axes 'n' name 1 dimensions, 'tensor<2x?xf32>' has 2}}
  %0 = attn.causal_score %q, %k decay(%g "n" : tensor<2x?xf32>) : tensor<2x?x4xf32>, tensor<2x?x4xf32> -> tensor<2x?x?xf32>
  return
}

// -----

// D8: sizes.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %g: tensor<3x?xf32>) {
  // expected-error @below {{[P4] axis 'h' has the sizes 2 and 3}}
  %0 = attn.causal_score %q, %k decay(%g : tensor<3x?xf32>) : tensor<2x?x4xf32>, tensor<2x?x4xf32> -> tensor<2x?x?xf32>
  return
}

// -----

// D8: more keys than queries.
func.func @f(%q: tensor<5x4xf32>, %k: tensor<6x4xf32>) {
  // expected-error @below {{[P4] axes 'n' and 'm' have the sizes 5 and 6, expected equal ones}}
  %0 = attn.causal_score %q, %k : tensor<5x4xf32>, tensor<6x4xf32> -> tensor<5x6xf32>
  return
}

// -----

// E1: a result that is narrower than the decay.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %g: tensor<2x?xf64>) {
  // expected-error @below {{[E1]}}
  %0 = attn.causal_score %q, %k decay(%g : tensor<2x?xf64>) : tensor<2x?x4xf32>, tensor<2x?x4xf32> -> tensor<2x?x?xf32>
  return
}
