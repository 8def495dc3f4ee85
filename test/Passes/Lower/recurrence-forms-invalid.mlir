// RUN: attn-opt %s --convert-attn-to-linalg --split-input-file --verify-diagnostics

func.func @quadratic(%q: tensor<?x8xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{'attn.recurrence' op the quadratic form takes the tokens as one chunk: expected a static number of them}}
  %o = attn.recurrence #attn.no_decay read(%q "nd" current) write(%k "nd", %v "nv") as quadratic -> "nv" : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %o : tensor<?x8xf32>
}

// -----

func.func @elementwise(%q: tensor<?x8xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>, %g: tensor<?x8x8xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{'attn.recurrence' op has no form in products of chunks: the transition #attn.elementwise_decay takes one token at a time (form=recurrent)}}
  %o = attn.recurrence #attn.elementwise_decay by(%g "ndv") read(%q "nd" current) write(%k "nd", %v "nv") as chunkwise 16 -> "nv" : (tensor<?x8x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %o : tensor<?x8xf32>
}
