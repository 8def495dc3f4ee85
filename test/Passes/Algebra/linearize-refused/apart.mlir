// RUN: attn-opt %s -o /dev/null

// Solves and sums that do not share one state: as one recurrence they are wrong, as
// several they are right.

!t = tensor<2x?x16xf32>
!s = tensor<2x?x?xf32>
!g = tensor<2x?xf32>

// apart: the right side reads a state with another decay
func.func @right_side_with_other_decay(%q: !t, %k: !t, %v: !t, %g: !g, %j: !g) -> !t {
  %n = attn.causal_score %q, %k decay(%g : !g) exclusive strict : !t, !t -> !s
  %m = attn.causal_score %q, %k decay(%j : !g) exclusive strict : !t, !t -> !s
  %c = attn.apply %m, %v : !s, !t -> !t
  %u = attn.solve %n, %c : !s, !t -> !t
  %p = attn.causal_score %q, %k decay(%g : !g) : !t, !t -> !s
  %x = attn.apply %p, %v : !s, !t -> !t
  %y = attn.apply %p, %u : !s, !t -> !t
  %o = arith.addf %x, %y : !t
  return %o : !t
}

// apart: the right side reads the decayed state, the solve the one before
func.func @right_side_inclusive(%q: !t, %k: !t, %v: !t, %g: !g) -> !t {
  %n = attn.causal_score %q, %k decay(%g : !g) exclusive strict : !t, !t -> !s
  %m = attn.causal_score %q, %k decay(%g : !g) strict : !t, !t -> !s
  %c = attn.apply %m, %v : !s, !t -> !t
  %u = attn.solve %n, %c : !s, !t -> !t
  %p = attn.causal_score %q, %k decay(%g : !g) : !t, !t -> !s
  %x = attn.apply %p, %v : !s, !t -> !t
  %y = attn.apply %p, %u : !s, !t -> !t
  %o = arith.addf %x, %y : !t
  return %o : !t
}

// apart: the right side erases with another query than the solve
func.func @right_side_of_another_query(%q: !t, %k: !t, %v: !t, %g: !g, %r: !t) -> !t {
  %n = attn.causal_score %q, %k decay(%g : !g) exclusive strict : !t, !t -> !s
  %m = attn.causal_score %r, %k decay(%g : !g) exclusive strict : !t, !t -> !s
  %c = attn.apply %m, %v : !s, !t -> !t
  %u = attn.solve %n, %c : !s, !t -> !t
  %p = attn.causal_score %q, %k decay(%g : !g) : !t, !t -> !s
  %x = attn.apply %p, %v : !s, !t -> !t
  %y = attn.apply %p, %u : !s, !t -> !t
  %o = arith.addf %x, %y : !t
  return %o : !t
}

// apart: two summands of one state have different queries
func.func @summands_with_other_query(%q: !t, %k: !t, %v: !t, %g: !g, %j: !t, %z: !t) -> !t {
  %n = attn.causal_score %q, %k decay(%g : !g) exclusive strict : !t, !t -> !s
  %m = attn.causal_score %q, %j decay(%g : !g) exclusive strict : !t, !t -> !s
  %c = attn.apply %m, %v : !s, !t -> !t
  %u = attn.solve %n, %c : !s, !t -> !t
  %p = attn.causal_score %q, %j decay(%g : !g) : !t, !t -> !s
  %r = attn.causal_score %z, %k decay(%g : !g) : !t, !t -> !s
  %x = attn.apply %p, %v : !s, !t -> !t
  %y = attn.apply %r, %u : !s, !t -> !t
  %o = arith.addf %x, %y : !t
  return %o : !t
}

// apart: the state that the solve reads is not the one that is read: V is not in it
func.func @summand_missing(%q: !t, %k: !t, %v: !t, %g: !g, %j: !t) -> !t {
  %n = attn.causal_score %q, %k decay(%g : !g) exclusive strict : !t, !t -> !s
  %m = attn.causal_score %q, %j decay(%g : !g) exclusive strict : !t, !t -> !s
  %c = attn.apply %m, %v : !s, !t -> !t
  %u = attn.solve %n, %c : !s, !t -> !t
  %r = attn.causal_score %q, %k decay(%g : !g) : !t, !t -> !s
  %o = attn.apply %r, %u : !s, !t -> !t
  return %o : !t
}

// apart: two summands have states of their own
func.func @decays_of_two_summands(%q: !t, %k: !t, %v: !t, %g: !g, %j: !g) -> !t {
  %a = attn.causal_score %q, %k decay(%g : !g) : !t, !t -> !s
  %b = attn.causal_score %q, %k decay(%j : !g) : !t, !t -> !s
  %x = attn.apply %a, %v : !s, !t -> !t
  %y = attn.apply %b, %v : !s, !t -> !t
  %o = arith.addf %x, %y : !t
  return %o : !t
}

// apart: two summands read one state with different bonuses
func.func @bonuses_of_two_summands(%q: !t, %k: !t, %v: !t, %g: !g, %j: !t, %z: !t, %u: tensor<2x16xf32>, %w: tensor<2x16xf32>) -> !t {
  %a = attn.causal_score %q, %k decay(%g : !g) exclusive bonus(%u : tensor<2x16xf32>) : !t, !t -> !s
  %b = attn.causal_score %q, %j decay(%g : !g) exclusive bonus(%w : tensor<2x16xf32>) : !t, !t -> !s
  %x = attn.apply %a, %v : !s, !t -> !t
  %y = attn.apply %b, %z : !s, !t -> !t
  %o = arith.addf %x, %y : !t
  return %o : !t
}

// apart: one summand reads the state before the token, one after it
func.func @reads_of_two_summands(%q: !t, %k: !t, %v: !t, %g: !g, %j: !t, %z: !t) -> !t {
  %a = attn.causal_score %q, %k decay(%g : !g) exclusive strict : !t, !t -> !s
  %b = attn.causal_score %q, %j decay(%g : !g) : !t, !t -> !s
  %x = attn.apply %a, %v : !s, !t -> !t
  %y = attn.apply %b, %z : !s, !t -> !t
  %o = arith.addf %x, %y : !t
  return %o : !t
}

// apart: two summands have different exponential gates
func.func @gates_of_two_summands(%q: !t, %k: !t, %v: !t, %g: !g, %j: !t, %z: !t, %i: !g, %l: !g) -> !t {
  %a = attn.causal_score %q, %k decay(%g : !g) log_gate(%i : !g) : !t, !t -> !s
  %b = attn.causal_score %q, %j decay(%g : !g) log_gate(%l : !g) : !t, !t -> !s
  %x = attn.apply %a, %v : !s, !t -> !t
  %y = attn.apply %b, %z : !s, !t -> !t
  %o = arith.addf %x, %y : !t
  return %o : !t
}

// apart: two summands are cut at different tokens
func.func @segments_of_two_summands(%q: !t, %k: !t, %v: !t, %g: !g, %j: !t, %z: !t, %m: tensor<?xi32>, %n: tensor<?xi32>) -> !t {
  %a = attn.causal_score %q, %k decay(%g : !g) : !t, !t -> !s
  %c = attn.mask %a, #attn.packed(%m : tensor<?xi32>) else 0.0 : !s
  %b = attn.causal_score %q, %j decay(%g : !g) : !t, !t -> !s
  %d = attn.mask %b, #attn.packed(%n : tensor<?xi32>) else 0.0 : !s
  %x = attn.apply %c, %v : !s, !t -> !t
  %y = attn.apply %d, %z : !s, !t -> !t
  %o = arith.addf %x, %y : !t
  return %o : !t
}
