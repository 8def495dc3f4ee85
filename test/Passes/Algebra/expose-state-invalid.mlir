// RUN: attn-opt %s --attn-expose-state --split-input-file --verify-diagnostics

func.func @softmax(%q: tensor<2x?x16xf32>, %k: tensor<2x?x16xf32>, %v: tensor<2x?x16xf32>) -> tensor<2x?x16xf32> {
  %a = attn.score %q, %k : tensor<2x?x16xf32>, tensor<2x?x16xf32> -> tensor<2x?x?xf32>
  // expected-error @below {{'attn.softmax' op mixes tokens and is no recurrence: the sequence cannot be cut}}
  %p = attn.softmax %a : tensor<2x?x?xf32>
  %o = attn.apply %p, %v : tensor<2x?x?xf32>, tensor<2x?x16xf32> -> tensor<2x?x16xf32>
  return %o : tensor<2x?x16xf32>
}

// -----

// A product that sums over tokens.
func.func @sum(%k: tensor<2x?x16xf32>, %v: tensor<2x?x16xf32>) -> tensor<2x16x16xf32> {
  // expected-error @below {{'attn.contract' op mixes tokens and is no recurrence: the sequence cannot be cut}}
  %s = attn.contract %k, %v subscripts "hmd,hmv->hdv" : tensor<2x?x16xf32>, tensor<2x?x16xf32> -> tensor<2x16x16xf32>
  return %s : tensor<2x16x16xf32>
}

// -----

// The scores of a solve, which comes first.
func.func @solve(%k: tensor<2x?x16xf32>, %v: tensor<2x?x16xf32>) -> tensor<2x?x16xf32> {
  // expected-error @below {{'attn.causal_score' op mixes tokens and is no recurrence: the sequence cannot be cut}}
  %l = attn.causal_score %k, %k strict : tensor<2x?x16xf32>, tensor<2x?x16xf32> -> tensor<2x?x?xf32>
  %u = attn.solve %l, %v : tensor<2x?x?xf32>, tensor<2x?x16xf32> -> tensor<2x?x16xf32>
  return %u : tensor<2x?x16xf32>
}

// -----

// An argument is there on every path.
func.func @nested(%c: i1, %q: tensor<2x?x16xf32>, %v: tensor<2x?x16xf32>) -> tensor<2x?x16xf32> {
  %r = scf.if %c -> tensor<2x?x16xf32> {
    // expected-error @below {{'attn.recurrence' op is not in the body of the function: its state cannot be an argument}}
    %o = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%q "hnd", %v "hnv") -> "hnv" : (tensor<2x?x16xf32>, tensor<2x?x16xf32>, tensor<2x?x16xf32>) -> tensor<2x?x16xf32>
    scf.yield %o : tensor<2x?x16xf32>
  } else {
    scf.yield %q : tensor<2x?x16xf32>
  }
  return %r : tensor<2x?x16xf32>
}
