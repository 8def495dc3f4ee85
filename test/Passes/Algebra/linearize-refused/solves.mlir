// RUN: attn-opt %s --mlir-disable-threading --attn-linearize --remarks-filter=attn-linearize --remark-policy=all -o /dev/null 2>&1 | FileCheck %s

// Solves that are no delta rule on the state that is read.
// Each function is refused for the reason above it.

!t = tensor<2x?x16xf32>
!s = tensor<2x?x?xf32>
!g = tensor<2x?xf32>

// refused: the read sees later keys
// CHECK: Function=full_read | Remark="not linearised: its scores are not applied to values"
func.func @full_read(%q: !t, %k: !t, %v: !t, %beta: !g) -> !t {
  %c = attn.causal_score %k, %k strict : !t, !t -> !s
  %l = attn.gate %c, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %a = attn.score %q, %k : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !t -> !t
  return %o : !t
}

// refused: a softmax reads the corrections
// CHECK: Function=softmax_read | Remark="not linearised: the exponential of a softmax does not factor"
func.func @softmax_read(%q: !t, %k: !t, %v: !t, %beta: !g) -> !t {
  %c = attn.causal_score %k, %k strict : !t, !t -> !s
  %l = attn.gate %c, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %p = attn.softmax %a : !s
  %o = attn.apply %p, %u : !s, !t -> !t
  return %o : !t
}

// apart: the normaliser's sum is of a state without erasure
func.func @normalized_read(%q: !t, %k: !t, %v: !t, %beta: !g) -> !t {
  %c = attn.causal_score %k, %k strict : !t, !t -> !s
  %l = attn.gate %c, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %p = attn.normalize %a : !s
  %o = attn.apply %p, %u : !s, !t -> !t
  return %o : !t
}

// refused: a window on the read
// CHECK: Function=window_read | Remark="not linearised: the mask #attn.sliding_window<left = 7, right = 0> does not factor"
func.func @window_read(%q: !t, %k: !t, %v: !t, %beta: !g) -> !t {
  %c = attn.causal_score %k, %k strict : !t, !t -> !s
  %l = attn.gate %c, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %m = attn.mask %a, #attn.sliding_window<left = 7, right = 0> else 0.0 : !s
  %o = attn.apply %m, %u : !s, !t -> !t
  return %o : !t
}

// refused: each key reads later tokens
// CHECK: Function=anti_causal_read | Remark="not linearised: the product is summed over the queries, so that a token reads those after it"
func.func @anti_causal_read(%q: !t, %k: !t, %v: !t, %beta: !g) -> !t {
  %c = attn.causal_score %k, %k strict : !t, !t -> !s
  %l = attn.gate %c, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %o = attn.apply %a, %u subscripts "hnm,hnv->hmv" : !s, !t -> !t
  return %o : !t
}

// apart: the scores of the solve have no mask, but their lower part alone is read
func.func @full_scores(%q: !t, %k: !t, %v: !t, %beta: !g, %p: !t) -> !t {
  %c = attn.score %p, %k : !t, !t -> !s
  %l = attn.gate %c, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !t -> !t
  return %o : !t
}

// refused: a softmax in the solve
// CHECK: Function=softmax_solve | Remark="not linearised: the exponential of a softmax does not factor"
func.func @softmax_solve(%q: !t, %k: !t, %v: !t, %beta: !g) -> !t {
  %c = attn.causal_score %k, %k strict : !t, !t -> !s
  %e = attn.softmax %c : !s
  %l = attn.gate %e, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !t -> !t
  return %o : !t
}

// refused: normalised scores in the solve
// CHECK: Function=normalized_solve | Remark="not linearised: a mask, a factor or another normaliser follows the normaliser"
func.func @normalized_solve(%q: !t, %k: !t, %v: !t, %beta: !g) -> !t {
  %c = attn.causal_score %k, %k strict : !t, !t -> !s
  %e = attn.normalize %c : !s
  %l = attn.gate %e, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !t -> !t
  return %o : !t
}

// refused: a nonlinear function of the scores in the solve
// CHECK: Function=relu_solve | Remark="not linearised: a feature map of the scores is not linear in them"
func.func @relu_solve(%q: !t, %k: !t, %v: !t, %beta: !g) -> !t {
  %c = attn.causal_score %k, %k strict : !t, !t -> !s
  %e = attn.feature_map %c, #attn.relu : !s -> !s
  %l = attn.gate %e, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !t -> !t
  return %o : !t
}

// refused: a window in the solve
// CHECK: Function=window_solve | Remark="not linearised: the mask #attn.sliding_window<left = 7, right = 0> does not factor"
func.func @window_solve(%q: !t, %k: !t, %v: !t, %beta: !g) -> !t {
  %c = attn.causal_score %k, %k strict : !t, !t -> !s
  %e = attn.mask %c, #attn.sliding_window<left = 7, right = 0> else 0.0 : !s
  %l = attn.gate %e, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !t -> !t
  return %o : !t
}

// refused: the matrix of the solve is no score
// CHECK: Function=given_matrix | Remark="not linearised: what it solves has no causal scores"
func.func @given_matrix(%q: !t, %k: !t, %v: !t, %l: !s) -> !t {
  %u = attn.solve %l, %v : !s, !t -> !t
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !t -> !t
  return %o : !t
}

// refused: a gate of query and key in the solve
// CHECK: Function=gate_of_pairs | Remark="not linearised: a factor of both the query and the key does not factor"
func.func @gate_of_pairs(%q: !t, %k: !t, %v: !t, %beta: !g, %w: !s) -> !t {
  %c = attn.causal_score %k, %k strict : !t, !t -> !s
  %e = attn.gate %c, %w : !s, !s -> !s
  %l = attn.gate %e, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !t -> !t
  return %o : !t
}

// refused: the matrix of the solve is a sum of scores with two keys
// CHECK: Function=two_matrices | Remark="not linearised: 'arith.addf' is not linear in the scores"
func.func @two_matrices(%q: !t, %k: !t, %v: !t, %j: !t) -> !t {
  %x = attn.causal_score %k, %k strict : !t, !t -> !s
  %y = attn.causal_score %q, %j strict : !t, !t -> !s
  %l = arith.addf %x, %y : !s
  %u = attn.solve %l, %v : !s, !t -> !t
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !t -> !t
  return %o : !t
}

// refused: the solve reads the transposed scores
// CHECK: Function=transposed_matrix | Remark="not linearised: the product is summed over the queries, so that a token reads those after it"
func.func @transposed_matrix(%q: !t, %k: !t, %v: !t, %beta: !g) -> !t {
  %c = attn.causal_score %k, %k strict : !t, !t -> !s
  %l = attn.gate %c, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b subscripts "hmn,hmv->hnv" : !s, !t -> !t
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !t -> !t
  return %o : !t
}

// refused: the read has another key than the solve
// CHECK: Function=other_key | Remark="not linearised: what it solves and what reads its result have different keys"
func.func @other_key(%q: !t, %k: !t, %v: !t, %beta: !g, %j: !t) -> !t {
  %c = attn.causal_score %k, %k strict : !t, !t -> !s
  %l = attn.gate %c, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %a = attn.causal_score %q, %j : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !t -> !t
  return %o : !t
}

// refused: the keys of the read are gated, those of the solve are not
// CHECK: Function=gated_key | Remark="not linearised: its scores are not applied to values"
func.func @gated_key(%q: !t, %k: !t, %v: !t, %beta: !g) -> !t {
  %c = attn.causal_score %k, %k strict : !t, !t -> !s
  %l = attn.gate %c, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %e = attn.gate %u, %beta : !t, !g -> !t
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %o = attn.apply %a, %e : !s, !t -> !t
  return %o : !t
}

// refused: the keys of the solve are gated, those of the read are not
// CHECK: Function=gated_columns | Remark="not linearised: what it solves and what reads its result have different keys"
func.func @gated_columns(%q: !t, %k: !t, %v: !t, %beta: !g) -> !t {
  %c = attn.causal_score %k, %k strict : !t, !t -> !s
  %l = attn.gate %c, %beta subscripts "hnm,hm->hnm" : !s, !g -> !s
  %u = attn.solve %l, %v : !s, !t -> !t
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !t -> !t
  return %o : !t
}

// refused: the key of the read has features that the solve's has not
// CHECK: Function=mapped_key | Remark="not linearised: what it solves and what reads its result have different keys"
func.func @mapped_key(%q: !t, %k: !t, %v: !t, %beta: !g) -> !t {
  %c = attn.causal_score %k, %k strict : !t, !t -> !s
  %l = attn.gate %c, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %f = attn.feature_map %k, #attn.elu1 : !t -> !t
  %a = attn.causal_score %q, %f : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !t -> !t
  return %o : !t
}

// refused: the read has another decay than the solve
// CHECK: Function=other_decay | Remark="not linearised: what it solves and what reads its result do not decay alike"
func.func @other_decay(%q: !t, %k: !t, %v: !t, %beta: !g, %g: !g, %j: !g) -> !t {
  %c = attn.causal_score %k, %k decay(%g : !g) strict : !t, !t -> !s
  %l = attn.gate %c, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %a = attn.causal_score %q, %k decay(%j : !g) : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !t -> !t
  return %o : !t
}

// refused: the read has a decay, the solve has none
// CHECK: Function=decay_of_the_read_alone | Remark="not linearised: what it solves and what reads its result do not decay alike"
func.func @decay_of_the_read_alone(%q: !t, %k: !t, %v: !t, %beta: !g, %g: !g) -> !t {
  %c = attn.causal_score %k, %k strict : !t, !t -> !s
  %l = attn.gate %c, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %a = attn.causal_score %q, %k decay(%g : !g) : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !t -> !t
  return %o : !t
}

// refused: the solve has a decay, the read has none
// CHECK: Function=decay_of_the_solve_alone | Remark="not linearised: what it solves and what reads its result do not decay alike"
func.func @decay_of_the_solve_alone(%q: !t, %k: !t, %v: !t, %beta: !g, %g: !g) -> !t {
  %c = attn.causal_score %k, %k decay(%g : !g) strict : !t, !t -> !s
  %l = attn.gate %c, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !t -> !t
  return %o : !t
}

// refused: the decay may exceed 1
// CHECK: Function=unbounded_solve | Remark="not linearised: the decay is declared unbounded: a state that may grow has no stable form in time linear in the tokens"
func.func @unbounded_solve(%q: !t, %k: !t, %v: !t, %beta: !g, %g: !g) -> !t {
  %c = attn.causal_score %k, %k decay(%g : !g) unbounded strict : !t, !t -> !s
  %l = attn.gate %c, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %a = attn.causal_score %q, %k decay(%g : !g) unbounded : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !t -> !t
  return %o : !t
}

// refused: a bonus on what was erased as well as written
// CHECK: Function=bonus_on_corrections | Remark="not linearised: the output reads what the token itself corrects, by a bonus"
func.func @bonus_on_corrections(%q: !t, %k: !t, %v: !t, %beta: !g, %g: !g, %w: tensor<2x16xf32>) -> !t {
  %c = attn.causal_score %k, %k decay(%g : !g) exclusive strict : !t, !t -> !s
  %l = attn.gate %c, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %a = attn.causal_score %q, %k decay(%g : !g) exclusive bonus(%w : tensor<2x16xf32>) : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !t -> !t
  return %o : !t
}

// refused: exponential gates in the solve
// CHECK: Function=log_gate_in_solve | Remark="not linearised: a gate on the keys of an erasure"
func.func @log_gate_in_solve(%q: !t, %k: !t, %v: !t, %beta: !g, %i: !g) -> !t {
  %c = attn.causal_score %k, %k strict log_gate(%i : !g) : !t, !t -> !s
  %l = attn.gate %c, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %a = attn.causal_score %q, %k log_gate(%i : !g) : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !t -> !t
  return %o : !t
}

// refused: the solve is cut at other tokens than the read
// CHECK: Function=other_segments | Remark="not linearised: what it solves and what reads its result do not decay alike"
func.func @other_segments(%q: !t, %k: !t, %v: !t, %beta: !g, %x: tensor<?xi32>, %y: tensor<?xi32>) -> !t {
  %c = attn.causal_score %k, %k strict : !t, !t -> !s
  %e = attn.mask %c, #attn.packed(%x : tensor<?xi32>) else 0.0 : !s
  %l = attn.gate %e, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %m = attn.mask %a, #attn.packed(%y : tensor<?xi32>) else 0.0 : !s
  %o = attn.apply %m, %u : !s, !t -> !t
  return %o : !t
}

// refused: the read is cut into segments, the solve is not
// CHECK: Function=segments_of_the_read_alone | Remark="not linearised: what it solves and what reads its result do not decay alike"
func.func @segments_of_the_read_alone(%q: !t, %k: !t, %v: !t, %beta: !g, %y: tensor<?xi32>) -> !t {
  %c = attn.causal_score %k, %k strict : !t, !t -> !s
  %l = attn.gate %c, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %m = attn.mask %a, #attn.packed(%y : tensor<?xi32>) else 0.0 : !s
  %o = attn.apply %m, %u : !s, !t -> !t
  return %o : !t
}

// refused: a solve of a solve
// CHECK: Function=solved_twice | Remark="not linearised: its scores are not applied to values"
func.func @solved_twice(%q: !t, %k: !t, %v: !t, %beta: !g) -> !t {
  %c = attn.causal_score %k, %k strict : !t, !t -> !s
  %l = attn.gate %c, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %w = attn.solve %l, %u : !s, !t -> !t
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %o = attn.apply %a, %w : !s, !t -> !t
  return %o : !t
}

// refused: a solve of a solve with another matrix
// CHECK: Function=solved_with_two_matrices | Remark="not linearised: what it solves and what reads its result have different keys"
func.func @solved_with_two_matrices(%q: !t, %k: !t, %v: !t, %beta: !g) -> !t {
  %c = attn.causal_score %k, %k strict : !t, !t -> !s
  %l = attn.gate %c, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %e = attn.causal_score %q, %q strict : !t, !t -> !s
  %w = attn.solve %e, %u : !s, !t -> !t
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %o = attn.apply %a, %w : !s, !t -> !t
  return %o : !t
}

// refused: the keys come from a solve
// CHECK: Function=corrections_as_keys | Remark="not linearised: its scores are not applied to values"
func.func @corrections_as_keys(%q: !t, %k: !t, %v: !t, %beta: !g) -> !t {
  %c = attn.causal_score %k, %k strict : !t, !t -> !s
  %l = attn.gate %c, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %a = attn.causal_score %q, %u : !t, !t -> !s
  %o = attn.apply %a, %v : !s, !t -> !t
  return %o : !t
}

// refused: keys and values come from the same solve
// CHECK: Function=corrections_as_keys_and_values | Remark="not linearised: what it solves and what reads its result have different keys"
func.func @corrections_as_keys_and_values(%q: !t, %k: !t, %v: !t, %beta: !g) -> !t {
  %c = attn.causal_score %k, %k strict : !t, !t -> !s
  %l = attn.gate %c, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %a = attn.causal_score %q, %u : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !t -> !t
  return %o : !t
}

// refused: the queries come from a solve
// CHECK: Function=corrections_as_queries | Remark="not linearised: its scores are not applied to values"
func.func @corrections_as_queries(%q: !t, %k: !t, %v: !t, %beta: !g) -> !t {
  %c = attn.causal_score %k, %k strict : !t, !t -> !s
  %l = attn.gate %c, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %a = attn.causal_score %u, %k : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !t -> !t
  return %o : !t
}

// refused: a nonlinear function of the corrections
// CHECK: Function=corrections_mapped | Remark="not linearised: its scores are not applied to values"
func.func @corrections_mapped(%q: !t, %k: !t, %v: !t, %beta: !g) -> !t {
  %c = attn.causal_score %k, %k strict : !t, !t -> !s
  %l = attn.gate %c, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %e = attn.feature_map %u, #attn.relu : !t -> !t
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %o = attn.apply %a, %e : !s, !t -> !t
  return %o : !t
}

// refused: the corrections are returned
// CHECK: Function=corrections_returned | Remark="not linearised: its scores are not applied to values"
func.func @corrections_returned(%q: !t, %k: !t, %v: !t, %beta: !g) -> (!t, !t) {
  %c = attn.causal_score %k, %k strict : !t, !t -> !s
  %l = attn.gate %c, %beta : !s, !g -> !s
  %b = attn.gate %v, %beta : !t, !g -> !t
  %u = attn.solve %l, %b : !s, !t -> !t
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !t -> !t
  return %o, %u : !t, !t
}

// refused: two summands of one state have different bonuses
// CHECK: Function=summands_with_other_bonus | Remark="not linearised: the output reads what the token itself corrects, by a bonus"
func.func @summands_with_other_bonus(%q: !t, %k: !t, %v: !t, %g: !g, %j: !t, %w: tensor<2x16xf32>, %z: tensor<2x16xf32>) -> !t {
  %n = attn.causal_score %q, %k decay(%g : !g) exclusive strict : !t, !t -> !s
  %m = attn.causal_score %q, %j decay(%g : !g) exclusive strict : !t, !t -> !s
  %c = attn.apply %m, %v : !s, !t -> !t
  %u = attn.solve %n, %c : !s, !t -> !t
  %p = attn.causal_score %q, %j decay(%g : !g) exclusive bonus(%w : tensor<2x16xf32>) : !t, !t -> !s
  %r = attn.causal_score %q, %k decay(%g : !g) exclusive bonus(%z : tensor<2x16xf32>) : !t, !t -> !s
  %x = attn.apply %p, %v : !s, !t -> !t
  %y = attn.apply %r, %u : !s, !t -> !t
  %o = arith.addf %x, %y : !t
  return %o : !t
}
