// Values that get no buffer, and sizes that tiles cannot take.
// RUN: attn-opt %s --split-input-file --convert-attn-to-linalg --verify-diagnostics
// RUN: not attn-opt %s --split-input-file --convert-attn-to-linalg=row-tile=0 2>&1 | FileCheck %s --check-prefix=TILE
// RUN: not attn-opt %s --split-input-file --convert-attn-to-linalg=key-tile=-1 2>&1 | FileCheck %s --check-prefix=TILE
// TILE: error: expected tiles of one token or more

func.func @scores(%q: tensor<?x8xf32>, %k: tensor<?x8xf32>) -> tensor<?x?xf32> {
  // expected-error @below {{would need a buffer for a value with two token axes: 'tensor<?x?xf32>' (allow-quadratic permits it)}}
  %s = attn.score %q, %k : tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x?xf32>
  return %s : tensor<?x?xf32>
}

// -----

func.func @weights(%s: tensor<?x?xf32>) -> tensor<?x?xf32> {
  // expected-error @below {{would need a buffer for a value with two token axes: 'tensor<?x?xf32>' (allow-quadratic permits it)}}
  %p = attn.softmax %s : tensor<?x?xf32>
  return %p : tensor<?x?xf32>
}

// -----

// Scores that another dialect reads need a buffer, too.
func.func @used(%q: tensor<?x8xf32>, %k: tensor<?x8xf32>, %i: index) -> f32 {
  // expected-error @below {{would need a buffer for a value with two token axes: 'tensor<?x?xf32>' (allow-quadratic permits it)}}
  %s = attn.score %q, %k : tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x?xf32>
  %e = tensor.extract %s[%i, %i] : tensor<?x?xf32>
  return %e : f32
}

// -----

func.func @sum(%q: tensor<?x?xf32>, %s: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{sums over the axis 'd' whose size is not static}}
  %o = attn.contract %q, %s subscripts "nd,dv->nv" : tensor<?x?xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  return %o : tensor<?x8xf32>
}

// -----

func.func @width(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  // expected-error @below {{expected a static number of features, got 'tensor<?x?xf32>'}}
  %f = attn.feature_map %x, #attn.relu : tensor<?x?xf32> -> tensor<?x?xf32>
  return %f : tensor<?x?xf32>
}

// -----

func.func @vector(%q: tensor<8x16xf32>, %s: tensor<16xf32>) -> tensor<8xf32> {
  // expected-error @below {{cannot compute a value of type 'tensor<8xf32>': expected rows and columns, one of each operand}}
  %o = attn.contract %q, %s subscripts "nd,d->n" : tensor<8x16xf32>, tensor<16xf32> -> tensor<8xf32>
  return %o : tensor<8xf32>
}
