// RUN: attn-opt %s --attn-choose-form=form=chunkwise --split-input-file --verify-diagnostics
// RUN: attn-opt %s --attn-choose-form=form=quadratic --split-input-file --verify-diagnostics
// RUN: not attn-opt %s --attn-choose-form=chunk=-1 --split-input-file 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// RUN: not attn-opt %s --attn-choose-form=chunk=4097 --split-input-file 2>&1 | FileCheck %s --check-prefix=LARGE
// NEGATIVE: error: expected a chunk of 0 to 4096 tokens, got -1
// LARGE: error: expected a chunk of 0 to 4096 tokens, got 4097

func.func @elementwise(%q: tensor<?x8xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>, %g: tensor<?x8x8xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{'attn.recurrence' op has no form in products of chunks: #attn.elementwise_decay takes one token at a time, as form=recurrent and form=auto do}}
  %o = attn.recurrence #attn.elementwise_decay by(%g "ndv") read(%q "nd" current) write(%k "nd", %v "nv") -> "nv" : (tensor<?x8x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %o : tensor<?x8xf32>
}

// -----

func.func @dense(%q: tensor<?x8xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>, %m: tensor<?x8x8xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{'attn.recurrence' op has no form in products of chunks: #attn.dense_transition takes one token at a time, as form=recurrent and form=auto do}}
  %o = attn.recurrence #attn.dense_transition by(%m "ned") read(%q "nd" current) write(%k "nd", %v "nv") -> "nv" : (tensor<?x8x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %o : tensor<?x8xf32>
}
