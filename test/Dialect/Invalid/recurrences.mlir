// R1 to R9: recurrences. See docs/Spec.md.
// RUN: attn-opt %s -split-input-file -verify-diagnostics

// R1: dimensions.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>) {
  // expected-error @below {{[R1] axes "hn" name 2 dimensions}}
  %0 = attn.recurrence #attn.no_decay read(%q "hn" current) write(%k "hnd", %v "hnv") -> "hnv" : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x3xf32>) -> tensor<2x?x3xf32>
  return
}

// -----

// R1: a value has two names.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>) {
  // expected-error @below {{[R1] one value has the axes "hnd" and "hnv"}}
  %0 = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %k "hnv") -> "hnv" : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x4xf32>) -> tensor<2x?x4xf32>
  return
}

// -----

// R1: sizes.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<3x?x3xf32>) {
  // expected-error @below {{[P4] axis 'h' has the sizes 2 and 3}}
  %0 = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hnv" : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<3x?x3xf32>) -> tensor<2x?x3xf32>
  return
}

// -----

// R2: a key with value channels.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>) {
  // expected-error @below {{[R2] the key has the axis 'v'}}
  %0 = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnv", %v "hnx") -> "hnv" : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x3xf32>) -> tensor<2x?x4xf32>
  return
}

// -----

// R2: an output without tokens.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>) {
  // expected-error @below {{[R2] the output has no axis 'n'}}
  %0 = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hv" : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

// R2: an output without heads.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>) {
  // expected-error @below {{[R2] the output has no axis 'h'}}
  %0 = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "nv" : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x3xf32>) -> tensor<?x3xf32>
  return
}

// -----

// R2: a state without channels.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>) {
  // expected-error @below {{[R2] the final state has no axis 'd'}}
  %0:2 = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hnv", state "hv" : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x3xf32>) -> (tensor<2x?x3xf32>, tensor<2x3xf32>)
  return
}

// -----

// R2: segments of what is not packed.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>, %s: tensor<5x2x4x3xf32>) {
  // expected-error @below {{[R2] states have the axis 's' where sequences are packed}}
  %0 = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") state(%s "shdv") -> "hnv" : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x3xf32>, tensor<5x2x4x3xf32>) -> tensor<2x?x3xf32>
  return
}

// -----

// R3: keys without values.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>) {
  // expected-error @below {{[R3] expected as many keys as values, got 2 and 1}}
  %0 = "attn.recurrence"(%q, %k, %q, %v) <{transition = #attn.no_decay, read = 0 : i32, operandAxes = ["hnd", "hnd", "hnd", "hnv"], resultAxes = ["hnv"], form = 0 : i32, operandSegmentSizes = array<i32: 0, 1, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0>}> : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x3xf32>) -> tensor<2x?x3xf32>
  return
}

// -----

// R3: nothing is written.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>) {
  // expected-error @below {{[R3] expected something that is written}}
  %0 = attn.recurrence #attn.no_decay read(%q "hnd" current) -> "hn" : (tensor<2x?x4xf32>) -> tensor<2x?xf32>
  return
}

// -----

// R3: dynamic channels.
func.func @f(%q: tensor<2x?x?xf32>, %k: tensor<2x?x?xf32>, %v: tensor<2x?x3xf32>) {
  // expected-error @below {{[R3] expected a static size of the axis 'd'}}
  %0 = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hnv" : (tensor<2x?x?xf32>, tensor<2x?x?xf32>, tensor<2x?x3xf32>) -> tensor<2x?x3xf32>
  return
}

// -----

// R4: no operand.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>) {
  // expected-error @below {{[R4] the transition #attn.scalar_decay takes an operand}}
  %0 = attn.recurrence #attn.scalar_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hnv" : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x3xf32>) -> tensor<2x?x3xf32>
  return
}

// -----

// R4: an operand.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>, %g: tensor<2x?xf32>) {
  // expected-error @below {{[R4] the transition #attn.no_decay takes no operand}}
  %0 = attn.recurrence #attn.no_decay by(%g "hn") read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hnv" : (tensor<2x?xf32>, tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x3xf32>) -> tensor<2x?x3xf32>
  return
}

// -----

// R4: another axis.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>, %g: tensor<2x?x4xf32>) {
  // expected-error @below {{[R4] the operand of #attn.scalar_decay has the axis 'd'}}
  %0 = attn.recurrence #attn.scalar_decay by(%g "hnd") read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hnv" : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x3xf32>) -> tensor<2x?x3xf32>
  return
}

// -----

// R5.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>) {
  // expected-error @below {{[R5] an erasure has a query, a key and an input, and reads the previous or the decayed state}}
  %0 = attn.recurrence #attn.no_decay read(%q "hnd" current) erase(%k "hnd", %k "hnd", %v "hnv" current) -> "hnv" : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x3xf32>) -> tensor<2x?x3xf32>
  return
}

// -----

// R6.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>, %u: tensor<4xf32>) {
  // expected-error @below {{[R6] a bonus needs the previous state to be read}}
  %0 = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") bonus(%u "d") -> "hnv" : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x3xf32>, tensor<4xf32>) -> tensor<2x?x3xf32>
  return
}

// -----

// R7: a maximum of nothing.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>) {
  // expected-error @below {{[R7] a running maximum needs a log_gate}}
  %0:2 = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hnv", log_scale "hn" : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x3xf32>) -> (tensor<2x?x3xf32>, tensor<2x?xf32>)
  return
}

// -----

// R7: a state without its maximum.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>, %i: tensor<2x?xf32>, %s: tensor<2x4x3xf32>) {
  // expected-error @below {{[R7] with a log_gate an initial state needs an initial maximum}}
  %0 = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") log_gate(%i "hn") state(%s "hdv") -> "hnv" : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x3xf32>, tensor<2x?xf32>, tensor<2x4x3xf32>) -> tensor<2x?x3xf32>
  return
}

// -----

// R7: a maximum for all channels.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>, %i: tensor<2x?x3xf32>) {
  // expected-error @below {{[R7] the log_gate has the axis 'v', a running maximum has not}}
  %0:2 = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") log_gate(%i "hnv") -> "hnv", log_scale "hn" : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x3xf32>, tensor<2x?x3xf32>) -> (tensor<2x?x3xf32>, tensor<2x?xf32>)
  return
}

// -----

// R7: an erasure under a gate.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>, %i: tensor<2x?xf32>) {
  // expected-error @below {{[R7] an erasure has no running maximum}}
  %0 = attn.recurrence #attn.no_decay read(%q "hnd" current) log_gate(%i "hn") erase(%k "hnd", %k "hnd", %v "hnv" decayed) -> "hnv" : (tensor<2x?x4xf32>, tensor<2x?xf32>, tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x3xf32>) -> tensor<2x?x3xf32>
  return
}

// -----

// R8.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>, %c: tensor<3xf32>) {
  // expected-error @below {{[R8] expected cu_seqlens of rank 1 of i32 or i64}}
  %0 = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") packed(%c) -> "hnv" : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x3xf32>, tensor<3xf32>) -> tensor<2x?x3xf32>
  return
}

// -----

// R9.
func.func @f(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>) {
  // expected-error @below {{[R9] expected a chunk of 1 to 4096 tokens, got 0}}
  %0 = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") as chunkwise 0 -> "hnv" : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x3xf32>) -> tensor<2x?x3xf32>
  return
}
