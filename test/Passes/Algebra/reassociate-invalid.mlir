// RUN: attn-opt %s --attn-reassociate --split-input-file --verify-diagnostics

// The declared map does not fit the width of queries and keys.
func.func @width(%q: tensor<4096x16xf32>, %k: tensor<4096x16xf32>, %v: tensor<4096x16xf32>, %w: tensor<64x32xf32>) -> tensor<4096x16xf32> {
  %a = attn.score %q, %k : tensor<4096x16xf32>, tensor<4096x16xf32> -> tensor<4096x4096xf32>
  // expected-error @+1 {{'attn.softmax' op cannot be approximated: [F4] expected a projection of static size [.., m, 16], got 'tensor<64x32xf32>'}}
  %p = attn.softmax %a approximated_by #attn.favor(%w : tensor<64x32xf32>) : tensor<4096x4096xf32>
  %o = attn.apply %p, %v : tensor<4096x4096xf32>, tensor<4096x16xf32> -> tensor<4096x16xf32>
  return %o : tensor<4096x16xf32>
}

// -----

// expected-error @+1 {{'attn.axes' of argument 0: expected 2 dimensions for 'tensor<4x16xf32>', got 'bnd'}}
func.func @axes_rank(%q: tensor<4x16xf32> {attn.axes = "bnd"}) {
  return
}

// -----

// expected-error @+1 {{'attn.axes' of argument 0: [P1] unexpected 'N' in subscripts 'Nd'}}
func.func @axes_text(%q: tensor<4x16xf32> {attn.axes = "Nd"}) {
  return
}

// -----

// expected-error @+1 {{'attn.axes' of argument 0: expected a string on a ranked tensor, got 1 : i64}}
func.func @axes_kind(%q: tensor<4x16xf32> {attn.axes = 1}) {
  return
}
