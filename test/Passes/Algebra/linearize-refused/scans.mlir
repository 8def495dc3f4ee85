// RUN: not attn-opt %s --attn-analyze-scans -o /dev/null 2>&1 | FileCheck %s

// Updates of a user's own that are not linear in the state.
// Each function is refused for the reason above it.

!m = tensor<4x8xf32>

// CHECK: error: the update is not linear in the state: 'math.tanh' of a value that depends on it
// refused: a nonlinear function of the state
func.func @tanh_of_the_state(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x8xf32>) -> tensor<2x?x8xf32> {
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: !m, %qt: tensor<4xf32>, %kt: tensor<4xf32>, %vt: tensor<8xf32>):
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<4xf32>, tensor<8xf32> -> !m
    %t = math.tanh %s : !m
    %n = arith.addf %t, %kv : !m
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<4xf32>, !m -> tensor<8xf32>
    attn.yield %n, %y : !m, tensor<8xf32>
  } -> "hnv" : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x8xf32>) -> tensor<2x?x8xf32>
  return %o : tensor<2x?x8xf32>
}

// CHECK: error: the update is not linear in the state: the product of two values that depend on it
// refused: the state times the state
func.func @square_of_the_state(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x8xf32>) -> tensor<2x?x8xf32> {
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: !m, %qt: tensor<4xf32>, %kt: tensor<4xf32>, %vt: tensor<8xf32>):
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<4xf32>, tensor<8xf32> -> !m
    %t = arith.mulf %s, %s : !m
    %n = arith.addf %t, %kv : !m
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<4xf32>, !m -> tensor<8xf32>
    attn.yield %n, %y : !m, tensor<8xf32>
  } -> "hnv" : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x8xf32>) -> tensor<2x?x8xf32>
  return %o : tensor<2x?x8xf32>
}

// CHECK: error: the update is not linear in the state: 'arith.maximumf' of a value that depends on it
// refused: a maximum with the state
func.func @larger_of_state_and_input(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x8xf32>) -> tensor<2x?x8xf32> {
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: !m, %qt: tensor<4xf32>, %kt: tensor<4xf32>, %vt: tensor<8xf32>):
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<4xf32>, tensor<8xf32> -> !m
    %n = arith.maximumf %s, %kv : !m
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<4xf32>, !m -> tensor<8xf32>
    attn.yield %n, %y : !m, tensor<8xf32>
  } -> "hnv" : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x8xf32>) -> tensor<2x?x8xf32>
  return %o : tensor<2x?x8xf32>
}

// CHECK: error: the update is not linear in the state: the division by a value that depends on it
// refused: a division by the state
func.func @division_by_the_state(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x8xf32>) -> tensor<2x?x8xf32> {
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: !m, %qt: tensor<4xf32>, %kt: tensor<4xf32>, %vt: tensor<8xf32>):
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<4xf32>, tensor<8xf32> -> !m
    %t = arith.divf %kv, %s : !m
    %n = arith.addf %s, %t : !m
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<4xf32>, !m -> tensor<8xf32>
    attn.yield %n, %y : !m, tensor<8xf32>
  } -> "hnv" : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x8xf32>) -> tensor<2x?x8xf32>
  return %o : tensor<2x?x8xf32>
}

// CHECK: error: the update is not linear in the state: 'attn.feature_map' of a value that depends on it
// refused: a gate that depends on the state
func.func @gate_of_the_state(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x8xf32>) -> tensor<2x?x8xf32> {
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: !m, %qt: tensor<4xf32>, %kt: tensor<4xf32>, %vt: tensor<8xf32>):
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<4xf32>, tensor<8xf32> -> !m
    %t = attn.feature_map %s, #attn.elu1 : !m -> !m
    %w = arith.mulf %t, %kv : !m
    %n = arith.addf %s, %w : !m
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<4xf32>, !m -> tensor<8xf32>
    attn.yield %n, %y : !m, tensor<8xf32>
  } -> "hnv" : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x8xf32>) -> tensor<2x?x8xf32>
  return %o : tensor<2x?x8xf32>
}

// CHECK: error: the update is not linear in the state: the division by a value that depends on it
// refused: a division by the state
func.func @normalized_state(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x8xf32>) -> tensor<2x?x8xf32> {
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: !m, %qt: tensor<4xf32>, %kt: tensor<4xf32>, %vt: tensor<8xf32>):
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<4xf32>, tensor<8xf32> -> !m
    %z = attn.contract %kt, %s subscripts "d,dv->v" : tensor<4xf32>, !m -> tensor<8xf32>
    %w = arith.divf %vt, %z : tensor<8xf32>
    %t = attn.gate %kt, %w subscripts "d,v->dv" : tensor<4xf32>, tensor<8xf32> -> !m
    %n = arith.addf %s, %t : !m
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<4xf32>, !m -> tensor<8xf32>
    attn.yield %n, %y : !m, tensor<8xf32>
  } -> "hnv" : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x8xf32>) -> tensor<2x?x8xf32>
  return %o : tensor<2x?x8xf32>
}

// CHECK: error: the update is not linear in the state: 'math.absf' of a value that depends on it
// refused: an output that is not linear in the state
func.func @quadratic_output(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x8xf32>) -> tensor<2x?x8xf32> {
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: !m, %qt: tensor<4xf32>, %kt: tensor<4xf32>, %vt: tensor<8xf32>):
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<4xf32>, tensor<8xf32> -> !m
    %n = arith.addf %s, %kv : !m
    %z = attn.contract %qt, %n subscripts "d,dv->v" : tensor<4xf32>, !m -> tensor<8xf32>
    %y = math.absf %z : tensor<8xf32>
    attn.yield %n, %y : !m, tensor<8xf32>
  } -> "hnv" : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x8xf32>) -> tensor<2x?x8xf32>
  return %o : tensor<2x?x8xf32>
}
