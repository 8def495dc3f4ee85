// N1 to N4: softmax and normaliser. See docs/Spec.md.
// RUN: attn-opt %s -split-input-file -verify-diagnostics

// N1: softmax of rank 1.
func.func @f(%s: tensor<?xf32>) {
  // expected-error @below {{[N1] expected scores of rank 2 or more, got 'tensor<?xf32>'}}
  %0 = attn.softmax %s : tensor<?xf32>
  return
}

// -----

// N1: normalize of rank 0.
func.func @f(%s: tensor<f32>) {
  // expected-error @below {{[N1] expected scores of rank 2 or more, got 'tensor<f32>'}}
  %0 = attn.normalize %s : tensor<f32>
  return
}

// -----

// N2: negative.
func.func @f(%s: tensor<?x?xf32>) {
  // expected-error @below {{[N2] expected a finite eps of 0 or more, got}}
  %0 = attn.normalize %s eps -1.0 : tensor<?x?xf32>
  return
}

// -----

// N2: infinite.
func.func @f(%s: tensor<?x?xf32>) {
  // expected-error @below {{[N2]}}
  %0 = attn.normalize %s eps inf : tensor<?x?xf32>
  return
}

// -----

// N2: NaN.
func.func @f(%s: tensor<?x?xf32>) {
  // expected-error @below {{[N2]}}
  %0 = attn.normalize %s eps 0x7FF8000000000000 : tensor<?x?xf32>
  return
}

// -----

// N3.
func.func @f(%s: tensor<?x?xf32>) {
  // expected-error @below {{[N3] operands without a feature map}}
  %0 = "attn.softmax"(%s, %s) : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  return
}

// -----

// A mask is no feature map.
func.func @f(%s: tensor<?x?xf32>) {
  // expected-error @below {{expected a feature map, got #attn.causal}}
  %0 = attn.softmax %s approximated_by #attn.causal : tensor<?x?xf32>
  return
}

// -----

// N4.
func.func @f(%s: tensor<?x?xf32>) {
  // expected-error @below {{[N4] expected a finite floor above 0, got}}
  %0 = attn.normalize %s floor 0.0 : tensor<?x?xf32>
  return
}
