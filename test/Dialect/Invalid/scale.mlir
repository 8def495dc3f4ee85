// S1, S2: scale. See docs/Spec.md.
// RUN: attn-opt %s -split-input-file -verify-diagnostics

// S1.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{[S1] expected the shape of 'tensor<?x16xf32>', got 'tensor<4x16xf32>'}}
  %0 = attn.scale %x by 2.0 : tensor<?x16xf32> -> tensor<4x16xf32>
  return
}

// -----

// S2: infinite.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{[S2] expected a finite factor, got}}
  %0 = attn.scale %x by inf : tensor<?x16xf32> -> tensor<?x16xf32>
  return
}

// -----

// S2: NaN.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{[S2]}}
  %0 = attn.scale %x by 0x7FF8000000000000 : tensor<?x16xf32> -> tensor<?x16xf32>
  return
}

// -----

// A factor that is no number.
func.func @f(%x: tensor<?x16xf32>) {
  // expected-error @below {{expected floating point literal}}
  %0 = attn.scale %x by two : tensor<?x16xf32> -> tensor<?x16xf32>
  return
}
