// RUN: attn-opt %s --attn-verify-no-quadratic --split-input-file --verify-diagnostics

func.func @state(%k: tensor<8x?x64xf32>, %v: tensor<8x?x64xf32>) -> tensor<8x64x64xf32> {
  %s = attn.contract %k, %v subscripts "hmd,hmv->hdv" : tensor<8x?x64xf32>, tensor<8x?x64xf32> -> tensor<8x64x64xf32>
  return %s : tensor<8x64x64xf32>
}

// -----

func.func @scores(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %c: i1, %z: tensor<8x?x?xf32>) -> tensor<8x?x?xf32> {
  %r = scf.if %c -> tensor<8x?x?xf32> {
    // expected-error @+1 {{quadratic intermediate: the result of 'attn.score' has the token axes n, m, of type 'tensor<8x?x?xf32>'}}
    %a = attn.score %q, %k : tensor<8x?x64xf32>, tensor<8x?x64xf32> -> tensor<8x?x?xf32>
    scf.yield %a : tensor<8x?x?xf32>
  } else {
    scf.yield %z : tensor<8x?x?xf32>
  }
  return %r : tensor<8x?x?xf32>
}

// -----

func.func @maps(%a: tensor<8x?x?xf32>) -> tensor<8x?x?xf32> {
  // expected-error @+1 {{quadratic intermediate: the result of 'attn.mask'}}
  %m = attn.mask %a, #attn.causal else 0.0 : tensor<8x?x?xf32>
  // expected-error @+1 {{quadratic intermediate: the result of 'attn.normalize'}}
  %p = attn.normalize %m : tensor<8x?x?xf32>
  // expected-error @+1 {{quadratic intermediate: the result of 'attn.softmax'}}
  %s = attn.softmax %p : tensor<8x?x?xf32>
  return %s : tensor<8x?x?xf32>
}
