// RUN: attn-opt %s --attn-linearize | FileCheck %s

!t = tensor<2x?x16xf32>
!s = tensor<2x?x?xf32>
!g = tensor<2x?xf32>

// A causal mask of a product of queries and keys.
// CHECK-LABEL: @mask(
// CHECK-SAME: %[[Q:.*]]: tensor<2x?x16xf32> {attn.axes = "hnd"}, %[[K:.*]]: tensor<2x?x16xf32> {attn.axes = "hnd"}, %[[V:.*]]: tensor<2x?x32xf32>)
func.func @mask(%q: !t {attn.axes = "hnd"}, %k: !t {attn.axes = "hnd"}, %v: tensor<2x?x32xf32>) -> tensor<2x?x32xf32> {
  // CHECK-NEXT: %[[X1:.*]] = attn.recurrence #attn.no_decay read(%[[Q]] "hnd" current) write(%[[K]] "hnd", %[[V]] "hnv") -> "hnv"
  // CHECK-NEXT: return %[[X1]]
  %s = attn.score %q, %k : !t, !t -> !s
  %m = attn.mask %s, #attn.causal else 0.0 : !s
  %o = attn.apply %m, %v : !s, tensor<2x?x32xf32> -> tensor<2x?x32xf32>
  return %o : tensor<2x?x32xf32>
}

// Without the diagonal, the state before the token is read.
// CHECK-LABEL: @strict_mask(
// CHECK-SAME: %[[Q:.*]]: tensor<2x?x16xf32> {attn.axes = "hnd"}, %[[K:.*]]: tensor<2x?x16xf32> {attn.axes = "hnd"}, %[[V:.*]]: tensor<2x?x16xf32>)
func.func @strict_mask(%q: !t {attn.axes = "hnd"}, %k: !t {attn.axes = "hnd"}, %v: !t) -> !t {
  // CHECK-NEXT: %[[X1:.*]] = attn.recurrence #attn.no_decay read(%[[Q]] "hnd" previous) write(%[[K]] "hnd", %[[V]] "hnv") -> "hnv"
  // CHECK-NEXT: return %[[X1]]
  %s = attn.score %q, %k : !t, !t -> !s
  %m = attn.mask %s, #attn.strictly_causal else 0.0 : !s
  %o = attn.apply %m, %v : !s, !t -> !t
  return %o : !t
}

// The decay's axes choose the transition: one constant a head,
// CHECK-LABEL: @decay_of_head(
// CHECK-SAME: %[[Q:.*]]: tensor<2x?x16xf32>, %[[K:.*]]: tensor<2x?x16xf32>, %[[V:.*]]: tensor<2x?x16xf32>, %[[G:.*]]: tensor<2xf32>)
func.func @decay_of_head(%q: !t, %k: !t, %v: !t, %g: tensor<2xf32>) -> !t {
  // CHECK-NEXT: %[[X1:.*]] = attn.recurrence #attn.scalar_decay by(%[[G]] "h") read(%[[Q]] "hnd" current) write(%[[K]] "hnd", %[[V]] "hnv") -> "hnv"
  // CHECK-NEXT: return %[[X1]]
  %a = attn.causal_score %q, %k decay(%g "h" : tensor<2xf32>) : !t, !t -> !s
  %o = attn.apply %a, %v : !s, !t -> !t
  return %o : !t
}

// one a token,
// CHECK-LABEL: @decay_of_token(
// CHECK-SAME: %[[Q:.*]]: tensor<2x?x16xf32>, %[[K:.*]]: tensor<2x?x16xf32>, %[[V:.*]]: tensor<2x?x16xf32>, %[[G:.*]]: tensor<2x?xf32>)
func.func @decay_of_token(%q: !t, %k: !t, %v: !t, %g: !g) -> !t {
  // CHECK-NEXT: %[[X1:.*]] = attn.recurrence #attn.scalar_decay by(%[[G]] "hn") read(%[[Q]] "hnd" current) write(%[[K]] "hnd", %[[V]] "hnv") -> "hnv"
  // CHECK-NEXT: return %[[X1]]
  %a = attn.causal_score %q, %k decay(%g : !g) : !t, !t -> !s
  %o = attn.apply %a, %v : !s, !t -> !t
  return %o : !t
}

// or one a key channel.
// CHECK-LABEL: @decay_of_channel(
// CHECK-SAME: %[[Q:.*]]: tensor<2x?x16xf32>, %[[K:.*]]: tensor<2x?x16xf32>, %[[V:.*]]: tensor<2x?x16xf32>, %[[G:.*]]: tensor<2x?x16xf32>)
func.func @decay_of_channel(%q: !t, %k: !t, %v: !t, %g: !t) -> !t {
  // CHECK-NEXT: %[[X1:.*]] = attn.recurrence #attn.diagonal_decay by(%[[G]] "hnd") read(%[[Q]] "hnd" current) write(%[[K]] "hnd", %[[V]] "hnv") -> "hnv"
  // CHECK-NEXT: return %[[X1]]
  %a = attn.causal_score %q, %k decay(%g : !t) : !t, !t -> !s
  %o = attn.apply %a, %v : !s, !t -> !t
  return %o : !t
}

// The token's own pair is not decayed: a bonus of 1,
// CHECK-LABEL: @exclusive(
// CHECK-SAME: %[[Q:.*]]: tensor<2x?x16xf32>, %[[K:.*]]: tensor<2x?x16xf32>, %[[V:.*]]: tensor<2x?x16xf32>, %[[G:.*]]: tensor<2x?xf32>)
func.func @exclusive(%q: !t, %k: !t, %v: !t, %g: !g) -> !t {
  // CHECK-NEXT: %[[X1:.*]] = arith.constant dense<1.000000e+00> : tensor<f32>
  // CHECK-NEXT: %[[X2:.*]] = attn.recurrence #attn.scalar_decay by(%[[G]] "hn") read(%[[Q]] "hnd" previous) write(%[[K]] "hnd", %[[V]] "hnv") bonus(%[[X1]] "") -> "hnv"
  // CHECK-NEXT: return %[[X2]]
  %a = attn.causal_score %q, %k decay(%g : !g) exclusive : !t, !t -> !s
  %o = attn.apply %a, %v : !s, !t -> !t
  return %o : !t
}

// the factors of it,
// CHECK-LABEL: @bonus(
// CHECK-SAME: %[[Q:.*]]: tensor<2x?x16xf32>, %[[K:.*]]: tensor<2x?x16xf32>, %[[V:.*]]: tensor<2x?x16xf32>, %[[G:.*]]: tensor<2x?x16xf32>, %[[U:.*]]: tensor<2x16xf32>)
func.func @bonus(%q: !t, %k: !t, %v: !t, %g: !t, %u: tensor<2x16xf32>) -> !t {
  // CHECK-NEXT: %[[X1:.*]] = attn.recurrence #attn.diagonal_decay by(%[[G]] "hnd") read(%[[Q]] "hnd" previous) write(%[[K]] "hnd", %[[V]] "hnv") bonus(%[[U]] "hd") -> "hnv"
  // CHECK-NEXT: return %[[X1]]
  %a = attn.causal_score %q, %k decay(%g : !t) exclusive bonus(%u : tensor<2x16xf32>) : !t, !t -> !s
  %o = attn.apply %a, %v : !s, !t -> !t
  return %o : !t
}

// or not read at all.
// CHECK-LABEL: @exclusive_strict(
// CHECK-SAME: %[[Q:.*]]: tensor<2x?x16xf32>, %[[K:.*]]: tensor<2x?x16xf32>, %[[V:.*]]: tensor<2x?x16xf32>, %[[G:.*]]: tensor<2x?xf32>)
func.func @exclusive_strict(%q: !t, %k: !t, %v: !t, %g: !g) -> !t {
  // CHECK-NEXT: %[[X1:.*]] = attn.recurrence #attn.scalar_decay by(%[[G]] "hn") read(%[[Q]] "hnd" previous) write(%[[K]] "hnd", %[[V]] "hnv") -> "hnv"
  // CHECK-NEXT: return %[[X1]]
  %a = attn.causal_score %q, %k decay(%g : !g) exclusive strict : !t, !t -> !s
  %o = attn.apply %a, %v : !s, !t -> !t
  return %o : !t
}

// Strict scores are decayed by their own token: the decayed state is read.
// CHECK-LABEL: @strict(
// CHECK-SAME: %[[Q:.*]]: tensor<2x?x16xf32>, %[[K:.*]]: tensor<2x?x16xf32>, %[[V:.*]]: tensor<2x?x16xf32>, %[[G:.*]]: tensor<2x?xf32>)
func.func @strict(%q: !t, %k: !t, %v: !t, %g: !g) -> !t {
  // CHECK-NEXT: %[[X1:.*]] = attn.recurrence #attn.scalar_decay by(%[[G]] "hn") read(%[[Q]] "hnd" decayed) write(%[[K]] "hnd", %[[V]] "hnv") -> "hnv"
  // CHECK-NEXT: return %[[X1]]
  %a = attn.causal_score %q, %k decay(%g : !g) strict : !t, !t -> !s
  %o = attn.apply %a, %v : !s, !t -> !t
  return %o : !t
}

// A normaliser is one more column of the values.
// CHECK-LABEL: @normalized(
// CHECK-SAME: %[[Q:.*]]: tensor<2x?x16xf32>, %[[K:.*]]: tensor<2x?x16xf32>, %[[V:.*]]: tensor<2x?x16xf32>, %[[G:.*]]: tensor<2x?xf32>)
func.func @normalized(%q: !t, %k: !t, %v: !t, %g: !g) -> !t {
  // CHECK-NEXT: %[[X1:.*]] = attn.append_ones %[[V]] : {{.*}} -> tensor<2x?x17xf32>
  // CHECK-NEXT: %[[X2:.*]] = attn.recurrence #attn.scalar_decay by(%[[G]] "hn") read(%[[Q]] "hnd" current) write(%[[K]] "hnd", %[[X1]] "hnv") -> "hnv"
  // CHECK-NEXT: %[[X3:.*]] = attn.divide_by_last %[[X2]] eps 5.000000e-01 : {{.*}} -> tensor<2x?x16xf32>
  // CHECK-NEXT: return %[[X3]]
  %a = attn.causal_score %q, %k decay(%g : !g) : !t, !t -> !s
  %p = attn.normalize %a eps 5.000000e-01 : !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o : !t
}

// The normaliser cancels the common factor of an exponential gate: the gate is
// the one of a running maximum. A floor needs what the sums were divided by.
// CHECK-LABEL: @floor(
// CHECK-SAME: %[[Q:.*]]: tensor<2x?x16xf32>, %[[K:.*]]: tensor<2x?x16xf32>, %[[V:.*]]: tensor<2x?x16xf32>, %[[G:.*]]: tensor<2x?xf32>, %[[I:.*]]: tensor<2x?xf32>)
func.func @floor(%q: !t, %k: !t, %v: !t, %g: !g, %i: !g) -> !t {
  // CHECK-NEXT: %[[X1:.*]] = attn.append_ones %[[V]] : {{.*}} -> tensor<2x?x17xf32>
  // CHECK-NEXT: %[[X2:.*]], %[[X3:.*]] = attn.recurrence #attn.scalar_decay by(%[[G]] "hn") read(%[[Q]] "hnd" current) write(%[[K]] "hnd", %[[X1]] "hnv") log_gate(%[[I]] "hn") -> "hnv", log_scale "hn"
  // CHECK-NEXT: %[[X4:.*]] = attn.divide_by_last %[[X2]] floor 1.000000e+00 log_scale(%[[X3]] : tensor<2x?xf32>) : tensor<2x?x17xf32> -> tensor<2x?x16xf32>
  // CHECK-NEXT: return %[[X4]]
  %a = attn.causal_score %q, %k decay(%g : !g) log_gate(%i : !g) : !t, !t -> !s
  %p = attn.normalize %a floor 1.0 : !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o : !t
}

// Without a normaliser it is a factor of the key.
// CHECK-LABEL: @log_gate(
// CHECK-SAME: %[[Q:.*]]: tensor<2x?x16xf32>, %[[K:.*]]: tensor<2x?x16xf32>, %[[V:.*]]: tensor<2x?x16xf32>, %[[G:.*]]: tensor<2x?xf32>, %[[I:.*]]: tensor<2x?xf32>)
func.func @log_gate(%q: !t, %k: !t, %v: !t, %g: !g, %i: !g) -> !t {
  // CHECK-NEXT: %[[X1:.*]] = math.exp %[[I]] : tensor<2x?xf32>
  // CHECK-NEXT: %[[X2:.*]] = attn.gate %[[K]], %[[X1]] subscripts "hnd,hn->hnd" : {{.*}} -> tensor<2x?x16xf32>
  // CHECK-NEXT: %[[X3:.*]] = attn.recurrence #attn.scalar_decay by(%[[G]] "hn") read(%[[Q]] "hnd" current) write(%[[X2]] "hnd", %[[V]] "hnv") -> "hnv"
  // CHECK-NEXT: return %[[X3]]
  %a = attn.causal_score %q, %k decay(%g : !g) log_gate(%i : !g) : !t, !t -> !s
  %o = attn.apply %a, %v : !s, !t -> !t
  return %o : !t
}

// Values without an axis of their own: the channel c is the value axis, and the
// sums of rows are a recurrence.
// CHECK-LABEL: @elementwise(
// CHECK-SAME: %[[G:.*]]: tensor<64xf32>, %[[U:.*]]: tensor<64xf32>, %[[K:.*]]: tensor<1x?x64xf32>, %[[V:.*]]: tensor<1x?x64xf32>)
func.func @elementwise(%g: tensor<64xf32>, %u: tensor<64xf32>, %k: tensor<1x?x64xf32>, %v: tensor<1x?x64xf32>) -> tensor<1x?x64xf32> {
  // CHECK-NEXT: %[[X1:.*]] = arith.constant dense<1.000000e+00> : tensor<1xf32>
  // CHECK-NEXT: %[[X2:.*]] = attn.recurrence #attn.elementwise_decay by(%[[G]] "v") read(%[[X1]] "d" previous) write(%[[X1]] "d", %[[V]] "bnv") bonus(%[[U]] "v") log_gate(%[[K]] "bnv") -> "bnv"
  // CHECK-NEXT: %[[X3:.*]] = arith.constant dense<1.000000e+00> : tensor<f32>
  // CHECK-NEXT: %[[X4:.*]] = attn.recurrence #attn.elementwise_decay by(%[[G]] "v") read(%[[X1]] "d" previous) write(%[[X1]] "d", %[[X3]] "") bonus(%[[U]] "v") log_gate(%[[K]] "bnv") -> "bnv"
  // CHECK-NEXT: %[[X5:.*]] = attn.divide %[[X2]], %[[X4]]
  // CHECK-NEXT: return %[[X5]]
  %one = arith.constant dense<1.0> : tensor<1xf32>
  %a = attn.causal_score %one, %one subscripts "d,d->bcnm" decay(%g "c" : tensor<64xf32>) exclusive bonus(%u "c" : tensor<64xf32>) log_gate(%k "bmc" : tensor<1x?x64xf32>) : tensor<1xf32>, tensor<1xf32> -> tensor<1x64x?x?xf32>
  %p = attn.normalize %a : tensor<1x64x?x?xf32>
  %o = attn.apply %p, %v subscripts "bcnm,bmc->bnc" : tensor<1x64x?x?xf32>, tensor<1x?x64xf32> -> tensor<1x?x64xf32>
  return %o : tensor<1x?x64xf32>
}

// An exponential feature map of keys is divided by its largest feature of a
// token, which becomes the gate; that of queries cancels.
// CHECK-LABEL: @features(
// CHECK-SAME: %[[Q:.*]]: tensor<2x?x16xf32>, %[[K:.*]]: tensor<2x?x16xf32>, %[[V:.*]]: tensor<2x?x16xf32>, %[[W:.*]]: tensor<32x16xf32>)
func.func @features(%q: !t, %k: !t, %v: !t, %w: tensor<32x16xf32>) -> !t {
  // CHECK-NEXT: %[[X1:.*]] = attn.feature_map %[[Q]], #attn.favor(%[[W]] : tensor<32x16xf32>) stabilize = token : tensor<2x?x16xf32> -> tensor<2x?x32xf32>
  // CHECK-NEXT: %[[X2:.*]] = attn.feature_scale %[[K]], #attn.favor(%[[W]] : tensor<32x16xf32>) : tensor<2x?x16xf32> -> tensor<2x?xf32>
  // CHECK-NEXT: %[[X3:.*]] = attn.feature_map %[[K]], #attn.favor(%[[W]] : tensor<32x16xf32>) stabilize = token : tensor<2x?x16xf32> -> tensor<2x?x32xf32>
  // CHECK-NEXT: %[[X4:.*]] = attn.append_ones %[[V]] : {{.*}} -> tensor<2x?x17xf32>
  // CHECK-NEXT: %[[X5:.*]] = attn.recurrence #attn.no_decay read(%[[X1]] "hnd" current) write(%[[X3]] "hnd", %[[X4]] "hnv") log_gate(%[[X2]] "hn") -> "hnv"
  // CHECK-NEXT: %[[X6:.*]] = attn.divide_by_last %[[X5]] : {{.*}} -> tensor<2x?x16xf32>
  // CHECK-NEXT: return %[[X6]]
  %fq = attn.feature_map %q, #attn.favor(%w : tensor<32x16xf32>) : !t -> tensor<2x?x32xf32>
  %fk = attn.feature_map %k, #attn.favor(%w : tensor<32x16xf32>) : !t -> tensor<2x?x32xf32>
  %a = attn.causal_score %fq, %fk : tensor<2x?x32xf32>, tensor<2x?x32xf32> -> !s
  %p = attn.normalize %a : !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o : !t
}

// Where eps is added, the factor does not cancel: the map stays.
// CHECK-LABEL: @features_eps(
// CHECK-SAME: %[[Q:.*]]: tensor<2x?x16xf32>, %[[K:.*]]: tensor<2x?x16xf32>, %[[V:.*]]: tensor<2x?x16xf32>)
func.func @features_eps(%q: !t, %k: !t, %v: !t) -> !t {
  // CHECK-NEXT: %[[X1:.*]] = attn.feature_map %[[K]], #attn.exp : {{.*}} -> tensor<2x?x16xf32>
  // CHECK-NEXT: %[[X2:.*]] = attn.append_ones %[[V]] : {{.*}} -> tensor<2x?x17xf32>
  // CHECK-NEXT: %[[X3:.*]] = attn.recurrence #attn.no_decay read(%[[Q]] "hnd" current) write(%[[X1]] "hnd", %[[X2]] "hnv") -> "hnv"
  // CHECK-NEXT: %[[X4:.*]] = attn.divide_by_last %[[X3]] eps 5.000000e-01 : {{.*}} -> tensor<2x?x16xf32>
  // CHECK-NEXT: return %[[X4]]
  %fk = attn.feature_map %k, #attn.exp : !t -> !t
  %a = attn.causal_score %q, %fk : !t, !t -> !s
  %p = attn.normalize %a eps 5.000000e-01 : !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o : !t
}

// The rows of a solve are v - p^T S: the delta rule.
// CHECK-LABEL: @solve(
// CHECK-SAME: %[[Q:.*]]: tensor<2x?x16xf32>, %[[K:.*]]: tensor<2x?x16xf32>, %[[V:.*]]: tensor<2x?x16xf32>, %[[G:.*]]: tensor<2x?xf32>, %[[BETA:.*]]: tensor<2x?xf32>)
func.func @solve(%q: !t, %k: !t, %v: !t, %g: !g, %beta: !g) -> !t {
  // CHECK-NEXT: %[[X1:.*]] = attn.gate %[[K]], %[[BETA]] subscripts "hnd,hn->hnd" : {{.*}} -> tensor<2x?x16xf32>
  // CHECK-NEXT: %[[X2:.*]] = attn.recurrence #attn.scalar_decay by(%[[G]] "hn") read(%[[Q]] "hnd" current) erase(%[[X1]] "hnd", %[[K]] "hnd", %[[V]] "hnv" decayed) -> "hnv"
  // CHECK-NEXT: return %[[X2]]
  %n = attn.causal_score %k, %k decay(%g : !g) strict : !t, !t -> !s
  %l = attn.gate %n, %beta : !s, !g -> !s
  %u = attn.solve %l, %v : !s, !t -> !t
  %a = attn.causal_score %q, %k decay(%g : !g) : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !t -> !t
  return %o : !t
}

// Its decay may have key channels.
// CHECK-LABEL: @solve_of_channels(
// CHECK-SAME: %[[Q:.*]]: tensor<2x?x16xf32>, %[[K:.*]]: tensor<2x?x16xf32>, %[[V:.*]]: tensor<2x?x16xf32>, %[[G:.*]]: tensor<2x?x16xf32>)
func.func @solve_of_channels(%q: !t, %k: !t, %v: !t, %g: !t) -> !t {
  // CHECK-NEXT: %[[X1:.*]] = attn.recurrence #attn.diagonal_decay by(%[[G]] "hnd") read(%[[Q]] "hnd" current) erase(%[[K]] "hnd", %[[K]] "hnd", %[[V]] "hnv" decayed) -> "hnv"
  // CHECK-NEXT: return %[[X1]]
  %n = attn.causal_score %k, %k decay(%g : !t) strict : !t, !t -> !s
  %u = attn.solve %n, %v : !s, !t -> !t
  %a = attn.causal_score %q, %k decay(%g : !t) : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !t -> !t
  return %o : !t
}

// It erases from the state before the decay.
// CHECK-LABEL: @solve_of_previous(
// CHECK-SAME: %[[Q:.*]]: tensor<2x?x16xf32>, %[[K:.*]]: tensor<2x?x16xf32>, %[[P:.*]]: tensor<2x?x16xf32>, %[[V:.*]]: tensor<2x?x16xf32>, %[[G:.*]]: tensor<2x?xf32>)
func.func @solve_of_previous(%q: !t, %k: !t, %p: !t, %v: !t, %g: !g) -> !t {
  // CHECK-NEXT: %[[X1:.*]] = attn.recurrence #attn.scalar_decay by(%[[G]] "hn") read(%[[Q]] "hnd" current) erase(%[[P]] "hnd", %[[K]] "hnd", %[[V]] "hnv" previous) -> "hnv"
  // CHECK-NEXT: return %[[X1]]
  %n = attn.causal_score %p, %k decay(%g : !g) exclusive strict : !t, !t -> !s
  %u = attn.solve %n, %v : !s, !t -> !t
  %a = attn.causal_score %q, %k decay(%g : !g) : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !t -> !t
  return %o : !t
}

// Two pairs a token share a state, (k, v) and the rows of the solve with b.
// CHECK-LABEL: @two_pairs(
// CHECK-SAME: %[[R:.*]]: tensor<2x?x16xf32>, %[[K:.*]]: tensor<2x?x16xf32>, %[[V:.*]]: tensor<2x?x16xf32>, %[[A:.*]]: tensor<2x?x16xf32>, %[[B:.*]]: tensor<2x?x16xf32>, %[[G:.*]]: tensor<2x?x16xf32>)
func.func @two_pairs(%r: !t, %k: !t, %v: !t, %a: !t, %b: !t, %g: !t) -> !t {
  // CHECK-NEXT: %[[X1:.*]] = attn.scale %[[A]] by -1.000000e+00 : {{.*}} -> tensor<2x?x16xf32>
  // CHECK-NEXT: %[[X2:.*]] = arith.constant dense<0.000000e+00> : tensor<f32>
  // CHECK-NEXT: %[[X3:.*]] = attn.recurrence #attn.diagonal_decay by(%[[G]] "hnd") read(%[[R]] "hnd" current) write(%[[K]] "hnd", %[[V]] "hnv") erase(%[[X1]] "hnd", %[[B]] "hnd", %[[X2]] "" previous) -> "hnv"
  // CHECK-NEXT: return %[[X3]]
  %n = attn.causal_score %a, %b decay(%g : !t) exclusive strict : !t, !t -> !s
  %l = attn.scale %n by -1.0 : !s -> !s
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

// Segments start anew.
// CHECK-LABEL: @packed(
// CHECK-SAME: %[[Q:.*]]: tensor<2x?x16xf32>, %[[K:.*]]: tensor<2x?x16xf32>, %[[V:.*]]: tensor<2x?x16xf32>, %[[N:.*]]: tensor<?xi32>)
func.func @packed(%q: !t, %k: !t, %v: !t, %n: tensor<?xi32>) -> !t {
  // CHECK-NEXT: %[[X1:.*]] = attn.recurrence #attn.no_decay read(%[[Q]] "hnd" current) write(%[[K]] "hnd", %[[V]] "hnv") packed(%[[N]]) -> "hnv"
  // CHECK-NEXT: return %[[X1]]
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %m = attn.mask %a, #attn.packed(%n : tensor<?xi32>) else 0.0 : !s
  %o = attn.apply %m, %v : !s, !t -> !t
  return %o : !t
}

// Queries of a group share a state.
// CHECK-LABEL: @grouped(
// CHECK-SAME: %[[Q:.*]]: tensor<4x8x?x16xf32>, %[[K:.*]]: tensor<4x2x?x16xf32>, %[[V:.*]]: tensor<4x2x?x16xf32>, %[[G:.*]]: tensor<4x2x?xf32>)
func.func @grouped(%q: tensor<4x8x?x16xf32>, %k: tensor<4x2x?x16xf32>, %v: tensor<4x2x?x16xf32>, %g: tensor<4x2x?xf32>) -> tensor<4x8x?x16xf32> {
  // CHECK-NEXT: %[[X1:.*]] = attn.recurrence #attn.scalar_decay by(%[[G]] "bgn") read(%[[Q]] "b(gr)nd" current) write(%[[K]] "bgnd", %[[V]] "bgnv") -> "b(gr)nv"
  // CHECK-NEXT: return %[[X1]]
  %a = attn.causal_score %q, %k subscripts "b(gr)nd,bgmd->b(gr)nm" decay(%g "bgn" : tensor<4x2x?xf32>) : tensor<4x8x?x16xf32>, tensor<4x2x?x16xf32> -> tensor<4x8x?x?xf32>
  %o = attn.apply %a, %v subscripts "b(gr)nm,bgmv->b(gr)nv" : tensor<4x8x?x?xf32>, tensor<4x2x?x16xf32> -> tensor<4x8x?x16xf32>
  return %o : tensor<4x8x?x16xf32>
}

// Gates on rows go to the query, gates on columns to the key, scales to the
// query.
// CHECK-LABEL: @factors(
// CHECK-SAME: %[[Q:.*]]: tensor<2x?x16xf32>, %[[K:.*]]: tensor<2x?x16xf32>, %[[V:.*]]: tensor<2x?x16xf32>, %[[X:.*]]: tensor<2x?xf32>, %[[Y:.*]]: tensor<2x?xf32>)
func.func @factors(%q: !t, %k: !t, %v: !t, %x: !g, %y: !g) -> !t {
  // CHECK-NEXT: %[[X1:.*]] = attn.gate %[[Q]], %[[X]] subscripts "hnd,hn->hnd" : {{.*}} -> tensor<2x?x16xf32>
  // CHECK-NEXT: %[[X2:.*]] = attn.scale %[[X1]] by 2.500000e-01 : {{.*}} -> tensor<2x?x16xf32>
  // CHECK-NEXT: %[[X3:.*]] = attn.gate %[[K]], %[[Y]] subscripts "hnd,hn->hnd" : {{.*}} -> tensor<2x?x16xf32>
  // CHECK-NEXT: %[[X4:.*]] = attn.recurrence #attn.no_decay read(%[[X2]] "hnd" current) write(%[[X3]] "hnd", %[[V]] "hnv") -> "hnv"
  // CHECK-NEXT: return %[[X4]]
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %b = attn.gate %a, %x subscripts "hnm,hn->hnm" : !s, !g -> !s
  %c = attn.gate %b, %y subscripts "hnm,hm->hnm" : !s, !g -> !s
  %d = attn.scale %c by 2.500000e-01 : !s -> !s
  %o = attn.apply %d, %v : !s, !t -> !t
  return %o : !t
}

// [B, N, H, D] without a copy.
// CHECK-LABEL: @bnhd(
// CHECK-SAME: %[[Q:.*]]: tensor<2x?x8x16xf32>, %[[K:.*]]: tensor<2x?x8x16xf32>, %[[V:.*]]: tensor<2x?x32x8xf32>, %[[G:.*]]: tensor<2x?x8xf32>)
func.func @bnhd(%q: tensor<2x?x8x16xf32>, %k: tensor<2x?x8x16xf32>, %v: tensor<2x?x32x8xf32>, %g: tensor<2x?x8xf32>) -> tensor<2x?x32x8xf32> {
  // CHECK-NEXT: %[[X1:.*]] = attn.append_ones %[[V]] dim 2 : {{.*}} -> tensor<2x?x33x8xf32>
  // CHECK-NEXT: %[[X2:.*]] = attn.recurrence #attn.scalar_decay by(%[[G]] "bnh") read(%[[Q]] "bnhd" current) write(%[[K]] "bnhd", %[[X1]] "bnvh") -> "bnvh"
  // CHECK-NEXT: %[[X3:.*]] = attn.divide_by_last %[[X2]] dim 2 : {{.*}} -> tensor<2x?x32x8xf32>
  // CHECK-NEXT: return %[[X3]]
  %a = attn.causal_score %q, %k subscripts "bnhd,bmhd->bhnm" decay(%g "bnh" : tensor<2x?x8xf32>) : tensor<2x?x8x16xf32>, tensor<2x?x8x16xf32> -> tensor<2x8x?x?xf32>
  %p = attn.normalize %a : tensor<2x8x?x?xf32>
  %o = attn.apply %p, %v subscripts "bhnm,bmvh->bnvh" : tensor<2x8x?x?xf32>, tensor<2x?x32x8xf32> -> tensor<2x?x32x8xf32>
  return %o : tensor<2x?x32x8xf32>
}

// f64 throughout.
// CHECK-LABEL: @double(
// CHECK-SAME: %[[Q:.*]]: tensor<?x16xf64>, %[[K:.*]]: tensor<?x16xf64>, %[[V:.*]]: tensor<?x16xf64>)
func.func @double(%q: tensor<?x16xf64>, %k: tensor<?x16xf64>, %v: tensor<?x16xf64>) -> tensor<?x16xf64> {
  // CHECK-NEXT: %[[X1:.*]] = attn.append_ones %[[V]] : {{.*}} -> tensor<?x17xf64>
  // CHECK-NEXT: %[[X2:.*]] = arith.constant dense<1.000000e+00> : tensor<f64>
  // CHECK-NEXT: %[[X3:.*]] = attn.recurrence #attn.no_decay read(%[[Q]] "nd" previous) write(%[[K]] "nd", %[[X1]] "nv") bonus(%[[X2]] "") -> "nv"
  // CHECK-NEXT: %[[X4:.*]] = attn.divide_by_last %[[X3]] : {{.*}} -> tensor<?x16xf64>
  // CHECK-NEXT: return %[[X4]]
  %a = attn.causal_score %q, %k exclusive : tensor<?x16xf64>, tensor<?x16xf64> -> tensor<?x?xf64>
  %p = attn.normalize %a : tensor<?x?xf64>
  %o = attn.apply %p, %v : tensor<?x?xf64>, tensor<?x16xf64> -> tensor<?x16xf64>
  return %o : tensor<?x16xf64>
}

// Narrow inputs, sums in f32.
// CHECK-LABEL: @narrow(
// CHECK-SAME: %[[Q:.*]]: tensor<?x16xbf16>, %[[K:.*]]: tensor<?x16xbf16>, %[[V:.*]]: tensor<?x16xbf16>, %[[I:.*]]: tensor<?xbf16>)
func.func @narrow(%q: tensor<?x16xbf16>, %k: tensor<?x16xbf16>, %v: tensor<?x16xbf16>, %i: tensor<?xbf16>) -> tensor<?x16xf32> {
  // CHECK-NEXT: %[[X1:.*]] = arith.extf %[[I]] : tensor<?xbf16> to tensor<?xf32>
  // CHECK-NEXT: %[[X2:.*]] = math.exp %[[X1]] : tensor<?xf32>
  // CHECK-NEXT: %[[X3:.*]] = attn.gate %[[K]], %[[X2]] subscripts "nd,n->nd" : {{.*}} -> tensor<?x16xf32>
  // CHECK-NEXT: %[[X4:.*]] = attn.recurrence #attn.no_decay read(%[[Q]] "nd" current) write(%[[X3]] "nd", %[[V]] "nv") -> "nv"
  // CHECK-NEXT: return %[[X4]]
  %a = attn.causal_score %q, %k log_gate(%i : tensor<?xbf16>) : tensor<?x16xbf16>, tensor<?x16xbf16> -> tensor<?x?xf32>
  %o = attn.apply %a, %v : tensor<?x?xf32>, tensor<?x16xbf16> -> tensor<?x16xf32>
  return %o : tensor<?x16xf32>
}

// Scores that a softmax reads are left.
// CHECK-LABEL: @softmax(
// CHECK-SAME: %[[Q:.*]]: tensor<2x?x16xf32>, %[[K:.*]]: tensor<2x?x16xf32>, %[[V:.*]]: tensor<2x?x16xf32>)
func.func @softmax(%q: !t, %k: !t, %v: !t) -> !t {
  // CHECK-NEXT: %[[X1:.*]] = attn.score %[[Q]], %[[K]] : {{.*}} -> tensor<2x?x?xf32>
  // CHECK-NEXT: %[[X2:.*]] = attn.mask %[[X1]], #attn.causal else -inf
  // CHECK-NEXT: %[[X3:.*]] = attn.softmax %[[X2]]
  // CHECK-NEXT: %[[X4:.*]] = attn.apply %[[X3]], %[[V]] : {{.*}} -> tensor<2x?x16xf32>
  // CHECK-NEXT: return %[[X4]]
  %s = attn.score %q, %k : !t, !t -> !s
  %m = attn.mask %s, #attn.causal else -inf : !s
  %p = attn.softmax %m : !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o : !t
}

// Keys that are the values too: one tensor, two sets of axes.
// CHECK-LABEL: @keys_as_values(
// CHECK-SAME: %[[Q:[a-z0-9]*]]: {{.*}}, %[[K:[a-z0-9]*]]: {{.*}}) ->
// CHECK: %[[V:.*]] = attn.feature_map %[[K]], #attn.identity
// CHECK: attn.recurrence #attn.no_decay read(%[[Q]] "hnd" current) write(%[[K]] "hnd", %[[V]] "hnv") -> "hnv"
func.func @keys_as_values(%q: tensor<2x?x16xf32>, %k: tensor<2x?x16xf32>) -> tensor<2x?x16xf32> {
  %a = attn.causal_score %q, %k : tensor<2x?x16xf32>, tensor<2x?x16xf32> -> tensor<2x?x?xf32>
  %o = attn.apply %a, %k : tensor<2x?x?xf32>, tensor<2x?x16xf32> -> tensor<2x?x16xf32>
  return %o : tensor<2x?x16xf32>
}
