// RUN: attn-opt %s --attn-linearize --remarks-filter=attn-linearize --remark-policy=all --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s

!t = tensor<2x?x16xf32>
!s = tensor<2x?x?xf32>
!g = tensor<2x?xf32>

// Passed: what the recurrence has.
// CHECK: [[@LINE+11]]:8: remark: [Passed] {{.*}}Function=two_pairs |{{.*}}"scores became a recurrence: a decay for each key channel, an erasure, 2 pairs a token; no N x N value is left of them
func.func @two_pairs(%r: !t, %k: !t, %v: !t, %a: !t, %b: !t, %g: !t) -> !t {
  %n0 = attn.causal_score %a, %b decay(%g : !t) exclusive strict : !t, !t -> !s
  %l = attn.scale %n0 by -1.0 : !s -> !s
  %m = attn.causal_score %a, %k decay(%g : !t) exclusive strict : !t, !t -> !s
  %c = attn.apply %m, %v : !s, !t -> !t
  %u = attn.solve %l, %c : !s, !t -> !t
  %p = attn.causal_score %r, %k decay(%g : !t) : !t, !t -> !s
  %s = attn.causal_score %r, %b decay(%g : !t) : !t, !t -> !s
  %x = attn.apply %p, %v : !s, !t -> !t
  %y = attn.apply %s, %u : !s, !t -> !t
  %o = arith.addf %x, %y : !t
  return %o : !t
}

// CHECK: [[@LINE+5]]:8: remark: [Passed] {{.*}}Function=normalized |{{.*}}"scores became a recurrence: one decay, a normaliser, packed sequences; no N x N value is left of them
func.func @normalized(%q: !t, %k: !t, %v: !t, %g: !g, %n: tensor<?xi32>) -> !t {
  %a = attn.causal_score %q, %k decay(%g : !g) : !t, !t -> !s
  %m = attn.mask %a, #attn.packed(%n : tensor<?xi32>) else 0.0 : !s
  %p = attn.normalize %m : !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o : !t
}

// Missed: the first obstacle, at its place.
// CHECK: [[@LINE+2]]:8: remark: [Missed] {{.*}}Function=unbounded |{{.*}}"not linearised: the decay is declared unbounded: a state that may grow has no stable form in time linear in the tokens
func.func @unbounded(%q: !t, %k: !t, %v: !t, %g: !g) -> !t {
  %a = attn.causal_score %q, %k decay(%g : !g) unbounded : !t, !t -> !s
  %o = attn.apply %a, %v : !s, !t -> !t
  return %o : !t
}

// CHECK: [[@LINE+3]]:8: remark: [Missed] {{.*}}Function=window |{{.*}}"not linearised: the mask #attn.sliding_window<left = 7, right = 0> does not factor
func.func @window(%q: !t, %k: !t, %v: !t, %g: !g) -> !t {
  %a = attn.causal_score %q, %k decay(%g : !g) : !t, !t -> !s
  %m = attn.mask %a, #attn.sliding_window<left = 7, right = 0> else 0.0 : !s
  %o = attn.apply %m, %v : !s, !t -> !t
  return %o : !t
}

// CHECK: [[@LINE+3]]:8: remark: [Missed] {{.*}}Function=softmax |{{.*}}"not linearised: the exponential of a softmax does not factor
func.func @softmax(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %p = attn.softmax %a : !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o : !t
}

// CHECK: [[@LINE+2]]:8: remark: [Missed] {{.*}}Function=queries |{{.*}}"not linearised: as many queries as keys are not known: give both the same letter in 'attn.axes'
func.func @queries(%q: !t, %k: !t, %v: !t) -> !t {
  %s = attn.score %q, %k : !t, !t -> !s
  %m = attn.mask %s, #attn.causal else 0.0 : !s
  %o = attn.apply %m, %v : !s, !t -> !t
  return %o : !t
}

// CHECK: [[@LINE+4]]:3: remark: [Missed] {{.*}}Function=used |{{.*}}"not linearised: the scores have another use
func.func @used(%q: !t, %k: !t, %v: !t) -> (!t, !s) {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %o = attn.apply %a, %v : !s, !t -> !t
  return %o, %a : !t, !s
}

// CHECK: [[@LINE+2]]:8: remark: [Missed] {{.*}}Function=unapplied |{{.*}}"not linearised: its scores are not applied to values
func.func @unapplied(%q: !t, %k: !t) -> !s {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  return %a : !s
}

// CHECK: [[@LINE+3]]:8: remark: [Missed] {{.*}}Function=decays |{{.*}}"not linearised: what it solves and what reads its result do not decay alike
func.func @decays(%q: !t, %k: !t, %v: !t, %g: !g, %j: !g) -> !t {
  %n = attn.causal_score %k, %k decay(%g : !g) strict : !t, !t -> !s
  %u = attn.solve %n, %v : !s, !t -> !t
  %a = attn.causal_score %q, %k decay(%j : !g) : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !t -> !t
  return %o : !t
}

// CHECK: [[@LINE+3]]:8: remark: [Missed] {{.*}}Function=keys |{{.*}}"not linearised: what it solves and what reads its result have different keys
func.func @keys(%q: !t, %k: !t, %v: !t, %g: !g, %j: !t) -> !t {
  %n = attn.causal_score %k, %k decay(%g : !g) strict : !t, !t -> !s
  %u = attn.solve %n, %v : !s, !t -> !t
  %a = attn.causal_score %q, %j decay(%g : !g) : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !t -> !t
  return %o : !t
}

// CHECK: [[@LINE+3]]:8: remark: [Missed] {{.*}}Function=nonlinear |{{.*}}"not linearised: a feature map of the scores is not linear in them
func.func @nonlinear(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %r = attn.feature_map %a, #attn.squared_relu feature_dim = 2 : !s -> !s
  %o = attn.apply %r, %v : !s, !t -> !t
  return %o : !t
}

// CHECK: [[@LINE+3]]:8: remark: [Missed] {{.*}}Function=dynamic |{{.*}}"not linearised: the number of key channels is not static
func.func @dynamic(%q: tensor<?x?xf32>, %k: tensor<?x?xf32>, %v: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %a = attn.causal_score %q, %k : tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>
  %o = attn.apply %a, %v : tensor<?x?xf32>, tensor<?x16xf32> -> tensor<?x16xf32>
  return %o : tensor<?x16xf32>
}

// CHECK: [[@LINE+3]]:8: remark: [Missed] {{.*}}Function=both |{{.*}}"not linearised: a factor of both the query and the key does not factor
func.func @both(%q: !t, %k: !t, %v: !t, %e: !s) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %r = attn.gate %a, %e : !s, !s -> !s
  %o = attn.apply %r, %v : !s, !t -> !t
  return %o : !t
}
