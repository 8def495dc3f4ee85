// A long input in pieces: the state is carried, the pieces are the whole run.
// RUN: attn-run %s --entry=delta --random=1 --dim=n=130 --stream=37 --verify | FileCheck %s --check-prefix=STREAM
// RUN: attn-run %s --entry=delta --random=1 --dim=n=9 --stream=1 --verify | FileCheck %s --check-prefix=DECODE
// RUN: attn-run %s --entry=delta --random=1 --dim=n=9 --state --verify | FileCheck %s --check-prefix=STATE
// RUN: not attn-run %s --entry=softmax --random=1 --dim=n=9 --stream=4 2>&1 | FileCheck %s --check-prefix=SOFTMAX
// RUN: not attn-run %s --entry=static --random=1 --stream=4 2>&1 | FileCheck %s --check-prefix=STATIC
// RUN: not attn-run %s --entry=delta --random=1 --dim=n=9 --stream=0 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: attn-run %s --entry=position --random=1 --dim=n=9 --stream=4 --verify | FileCheck %s --check-prefix=POSITION
// RUN: not attn-run %s --entry=position --random=1 --dim=n=65 --stream=4 2>&1 | FileCheck %s --check-prefix=LONG
// The state of exponential features is relative to their maximum.
// RUN: attn-run %s --entry=exponential --random=1 --dim=n=70 --stream=33 --verify | FileCheck %s --check-prefix=MAX
// MAX: streamed: @exponential, 70 tokens
// MAX: rel_err[2]=
// STREAM: streamed: @delta, 130 tokens, 37 a call
// STREAM: rel_err=
// STREAM: rel_err[1]=
// DECODE: streamed: @delta, 9 tokens, 1 a call
// DECODE: rel_err=
// STATE: cpu: @delta -> 2x9x24xf32, 2x16x24xf32
// SOFTMAX: mixes tokens and is no recurrence
// STATIC: streaming needs a dynamic number of tokens
// NONE: --stream: expected 1 or more tokens
// POSITION: streamed: @position, 9 tokens, 4 a call
// POSITION: rel_err=
// LONG: the feature map is defined for up to 64 tokens, got 1 from 64 on

!t = tensor<2x?x16xf32>
!v = tensor<2x?x24xf32>
!s = tensor<2x?x?xf32>

func.func @delta(%q: !t, %x: !t, %v: !v, %g: tensor<2x?xf32>, %beta: tensor<2x?xf32>) -> !v {
  %k = attn.feature_map %x, #attn.l2_norm<eps = 1.0e-6> : !t -> !t
  %c = attn.causal_score %k, %k decay(%g : tensor<2x?xf32>) strict : !t, !t -> !s
  %l = attn.gate %c, %beta in [0.0, 1.0] : !s, tensor<2x?xf32> -> !s
  %b = attn.gate %v, %beta : !v, tensor<2x?xf32> -> !v
  %u = attn.solve %l, %b : !s, !v -> !v
  %a = attn.causal_score %q, %k decay(%g : tensor<2x?xf32>) : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !v -> !v
  return %o : !v
}

func.func @softmax(%q: !t, %k: !t, %v: !v) -> !v {
  %a = attn.score %q, %k : !t, !t -> !s
  %m = attn.mask %a, #attn.causal else -inf : !s
  %p = attn.softmax %m : !s
  %o = attn.apply %p, %v : !s, !v -> !v
  return %o : !v
}

func.func @static(%q: tensor<2x8x16xf32>, %v: tensor<2x8x24xf32>) -> tensor<2x8x24xf32> {
  %a = attn.causal_score %q, %q : tensor<2x8x16xf32>, tensor<2x8x16xf32> -> tensor<2x8x8xf32>
  %o = attn.apply %a, %v : tensor<2x8x8xf32>, tensor<2x8x24xf32> -> tensor<2x8x24xf32>
  return %o : tensor<2x8x24xf32>
}

func.func @position(%q: !t, %k: !t, %v: !v) -> !v {
  %f = attn.feature_map %q, #attn.cosformer<max_len = 64> : !t -> tensor<2x?x32xf32>
  %e = attn.feature_map %k, #attn.cosformer<max_len = 64> : !t -> tensor<2x?x32xf32>
  %a = attn.causal_score %f, %e : tensor<2x?x32xf32>, tensor<2x?x32xf32> -> !s
  %o = attn.apply %a, %v : !s, !v -> !v
  return %o : !v
}

func.func @exponential(%q: !t, %k: !t, %v: !v) -> !v {
  %f = attn.feature_map %q, #attn.exp : !t -> !t
  %e = attn.feature_map %k, #attn.exp : !t -> !t
  %a = attn.causal_score %f, %e : !t, !t -> !s
  %p = attn.normalize %a : !s
  %o = attn.apply %p, %v : !s, !v -> !v
  return %o : !v
}
