// RUN: attn-opt %s --attn-analyze-scans --split-input-file --verify-diagnostics

// A nonlinearity on the state.
func.func @tanh(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>):
    // expected-error @+1 {{the update is not linear in the state: 'math.tanh' of a value that depends on it}}
    %x1 = math.tanh %s : tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %x1, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// An exponential of the state.
func.func @exponential(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>):
    // expected-error @+1 {{the update is not linear in the state: 'math.exp' of a value that depends on it}}
    %x1 = math.exp %s : tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %x1, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// A norm of the state.
func.func @absolute(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>):
    // expected-error @+1 {{the update is not linear in the state: 'math.absf' of a value that depends on it}}
    %x1 = math.absf %s : tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %x1, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// The state squared.
func.func @squared(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>):
    // expected-error @+1 {{the update is not linear in the state: the product of two values that depend on it}}
    %x1 = arith.mulf %s, %s : tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %x1, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// max(S, 0).
func.func @relu(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>):
    %zero = arith.constant dense<0.0> : tensor<64x32xf32>
    // expected-error @+1 {{the update is not linear in the state: 'arith.maximumf' of a value that depends on it}}
    %x1 = arith.maximumf %s, %zero : tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %x1, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// A feature map of the state.
func.func @feature_map(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>):
    // expected-error @+1 {{the update is not linear in the state: 'attn.feature_map' of a value that depends on it}}
    %x1 = attn.feature_map %s, #attn.elu1 : tensor<64x32xf32> -> tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %x1, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// A quotient with the state below.
func.func @division_by_state(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %G: tensor<8x?x64x32xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %G "hndv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %Gt: tensor<64x32xf32>):
    // expected-error @+1 {{the update is not linear in the state: the division by a value that depends on it}}
    %x1 = arith.divf %Gt, %s : tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %x1, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x64x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// A quotient is no factor from 0 to 1.
func.func @divided_state(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %G: tensor<8x?x64x32xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %G "hndv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %Gt: tensor<64x32xf32>):
    // expected-error @+1 {{the state is divided by a value: multiply it by a factor instead}}
    %x1 = arith.divf %s, %Gt : tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %x1, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x64x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// The state is gated by what it reads.
func.func @state_times_read(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>):
    %r = attn.contract %qt, %s subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    // expected-error @+1 {{the update is not linear in the state: the product of two values that depend on it}}
    %x1 = attn.gate %s, %r subscripts "dv,v->dv" : tensor<64x32xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %x1, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// The square of a read.
func.func @read_times_read(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>):
    %r = attn.contract %kt, %s subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    // expected-error @+1 {{the update is not linear in the state: the product of two values that depend on it}}
    %r2 = arith.mulf %r, %r : tensor<32xf32>
    %ku = attn.gate %kt, %r2 subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %x1 = arith.addf %s, %ku : tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %x1, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// A nonlinearity on a read that is written.
func.func @gated_correction(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>):
    %r = attn.contract %kt, %s subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    // expected-error @+1 {{the update is not linear in the state: 'math.tanh' of a value that depends on it}}
    %r2 = math.tanh %r : tensor<32xf32>
    %ku = attn.gate %kt, %r2 subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %x1 = arith.addf %s, %ku : tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %x1, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// The output is not linear in the state; outside of the region it may be so.
func.func @nonlinear_output(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>):
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %s, %kv : tensor<64x32xf32>
    %r = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    // expected-error @+1 {{the update is not linear in the state: 'math.tanh' of a value that depends on it}}
    %y = math.tanh %r : tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// A comparison of the state.
func.func @compared(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>):
    %zero = arith.constant dense<0.0> : tensor<64x32xf32>
    // expected-error @+1 {{the update is not linear in the state: 'arith.cmpf' of a value that depends on it}}
    %c = arith.cmpf olt, %s, %zero : tensor<64x32xf32>
    %x1 = arith.select %c, %s, %zero : tensor<64x32xi1>, tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %x1, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// A choice between two states.
func.func @selected(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %G: tensor<8x?x64x32xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %G "hndv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %Gt: tensor<64x32xf32>):
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %x1 = arith.addf %s, %kv : tensor<64x32xf32>
    %zero = arith.constant dense<0.0> : tensor<64x32xf32>
    %c = arith.cmpf olt, %Gt, %zero : tensor<64x32xf32>
    // expected-error @+1 {{the update is not linear in the state: 'arith.select' of a value that depends on it}}
    %n = arith.select %c, %x1, %s : tensor<64x32xi1>, tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x64x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// Nothing is known of the factor.
func.func @unknown_factor(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %w: tensor<8x?x64xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %w "hnd") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %wt: tensor<64xf32>):
    // expected-error @+1 {{the factor of the state is not known to be between 0 and 1: write it as exp(g), or declare its range}}
    %d = attn.gate %s, %wt subscripts "dv,d->dv" : tensor<64x32xf32>, tensor<64xf32> -> tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %d, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x64xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// The factor may be more than 1, as declared.
func.func @range_above_one(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %w: tensor<8x?x64xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %w "hnd") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %wt: tensor<64xf32>):
    // expected-error @+1 {{the factor of the state is not known to be between 0 and 1: write it as exp(g), or declare its range}}
    %d = attn.gate %s, %wt subscripts "dv,d->dv" in [0.0, 2.0] : tensor<64x32xf32>, tensor<64xf32> -> tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %d, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x64xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// The factor -1.
func.func @negative_factor(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>):
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    // expected-error @+1 {{the factor of the state is not known to be between 0 and 1: write it as exp(g), or declare its range}}
    %n = arith.subf %kv, %s : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// A constant factor above 1.
func.func @growing_factor(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>):
    // expected-error @+1 {{the factor of the state is not known to be between 0 and 1: write it as exp(g), or declare its range}}
    %d = attn.scale %s by 1.5 : tensor<64x32xf32> -> tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %d, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// An exponential times 2.
func.func @growing_product(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %w: tensor<8x?x64xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %w "hnd") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %wt: tensor<64xf32>):
    %c = math.exp %wt : tensor<64xf32>
    %c2 = attn.scale %c by 2.0 : tensor<64xf32> -> tensor<64xf32>
    // expected-error @+1 {{the factor of the state is not known to be between 0 and 1: write it as exp(g), or declare its range}}
    %d = attn.gate %s, %c2 subscripts "dv,d->dv" : tensor<64x32xf32>, tensor<64xf32> -> tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %d, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x64xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// Two corrections.
func.func @two_corrections(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %p: tensor<8x?x64xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %p "hnd") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %pt: tensor<64xf32>):
    %r = attn.contract %kt, %s subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    %kr = attn.gate %kt, %r subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %x1 = arith.subf %s, %kr : tensor<64x32xf32>
    %r2 = attn.contract %pt, %x1 subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    // expected-error @+1 {{more than one low-rank correction of the state a token}}
    %pr = attn.gate %pt, %r2 subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %x2 = arith.subf %x1, %pr : tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %x2, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x64xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// A correction and a decay for each value channel.
func.func @correction_with_value_decay(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %z: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %z "hnv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %zt: tensor<32xf32>):
    %c = math.exp %zt : tensor<32xf32>
    %d = attn.gate %s, %c subscripts "dv,v->dv" : tensor<64x32xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %r = attn.contract %kt, %d subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    // expected-error @+1 {{a low-rank correction of a state whose factors differ along the value channels}}
    %kr = attn.gate %kt, %r subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %x1 = arith.subf %d, %kr : tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %x1, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// A correction and a dense transition.
func.func @correction_with_matrix(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %m: tensor<8x?x64x64xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %m "hned") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %mt: tensor<64x64xf32>):
    %d = attn.contract %mt, %s subscripts "ed,dv->ev" : tensor<64x64xf32>, tensor<64x32xf32> -> tensor<64x32xf32>
    %r = attn.contract %kt, %s subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    %kr = attn.gate %kt, %r subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    // expected-error @+1 {{the channels of its operands are different ones}}
    %x1 = arith.subf %d, %kr : tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %x1, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x64x64xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// What is erased has a factor for each value channel.
func.func @gated_read_written(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %z: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %z "hnv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %zt: tensor<32xf32>):
    %r = attn.contract %kt, %s subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    %rz = arith.mulf %r, %zt : tensor<32xf32>
    // expected-error @+1 {{a low-rank correction with a factor for each value channel}}
    %kr = attn.gate %kt, %rz subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %x1 = arith.subf %s, %kr : tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %x1, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// A tensor of rank one is not known to be written.
func.func @added_tensor(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %G: tensor<8x?x64x32xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %G "hndv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %Gt: tensor<64x32xf32>):
    // expected-error @+1 {{what is added to the state is not an outer product of a key and a value}}
    %n = arith.addf %s, %Gt : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x64x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// (1 + c) S.
func.func @state_twice(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %w: tensor<8x?x64xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %w "hnd") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %wt: tensor<64xf32>):
    %c = math.exp %wt : tensor<64xf32>
    %d = attn.gate %s, %c subscripts "dv,d->dv" : tensor<64x32xf32>, tensor<64xf32> -> tensor<64x32xf32>
    // expected-error @+1 {{the state stands in the sum twice: write it once, with one factor}}
    %x1 = arith.addf %s, %d : tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %x1, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x64xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// The state is overwritten.
func.func @no_state(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>):
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %y = attn.contract %qt, %kv subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    // expected-error @+1 {{the new state does not depend on the state}}
    attn.yield %kv, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// All of the state but a read of it is dropped.
func.func @lost_state(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>):
    %r = attn.contract %kt, %s subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    %n = attn.gate %kt, %r subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    // expected-error @+1 {{the new state has no multiple of the state in it}}
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// A state that only decays.
func.func @no_write(%q: tensor<8x?x64xf32>, %w: tensor<8x?x64xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %w "hnd") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %wt: tensor<64xf32>):
    %c = math.exp %wt : tensor<64xf32>
    %d = attn.gate %s, %c subscripts "dv,d->dv" : tensor<64x32xf32>, tensor<64xf32> -> tensor<64x32xf32>
    %y = attn.contract %qt, %d subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    // expected-error @+1 {{nothing is written to the state}}
    attn.yield %d, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// An output that does not read.
func.func @no_read(%k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>):
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %s, %kv : tensor<64x32xf32>
    // expected-error @+1 {{the output does not depend on the state}}
    attn.yield %n, %vt : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// The output reads a state that the recurrence has not.
func.func @unrelated_read(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %G: tensor<8x?x64x32xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %G "hndv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %Gt: tensor<64x32xf32>):
    %c = math.exp %Gt : tensor<64x32xf32>
    %d = arith.mulf %s, %c : tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %s, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %d subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    // expected-error @+1 {{the state is read with a factor for each element that the update has not}}
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x64x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// The state is read with values.
func.func @read_over_values(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>):
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %s, %kv : tensor<64x32xf32>
    // expected-error @+1 {{the state is read over other channels than the axis d alone}}
    %r = attn.contract %n, %vt subscripts "dv,v->d" : tensor<64x32xf32>, tensor<32xf32> -> tensor<64xf32>
    %g = attn.contract %r, %qt subscripts "d,d->" : tensor<64xf32>, tensor<64xf32> -> tensor<f32>
    %y = attn.gate %vt, %g subscripts "v,->v" : tensor<32xf32>, tensor<f32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// A matrix on the side of the values.
func.func @matrix_on_values(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>):
    %i = arith.constant dense<1.0> : tensor<32x32xf32>
    // expected-error @+1 {{the state is read over other channels than the axis d alone}}
    %d = attn.contract %s, %i subscripts "dv,vw->dw" : tensor<64x32xf32>, tensor<32x32xf32> -> tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %d, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// k^T S v, a number, is written.
func.func @summed_read(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>):
    %r = attn.contract %kt, %s subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    // expected-error @+1 {{a sum over the channels of a read of the state}}
    %g = attn.contract %r, %vt subscripts "v,v->" : tensor<32xf32>, tensor<32xf32> -> tensor<f32>
    %gv = attn.gate %vt, %g subscripts "v,->v" : tensor<32xf32>, tensor<f32> -> tensor<32xf32>
    %kg = attn.gate %kt, %gv subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %x1 = arith.addf %s, %kg : tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %x1, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// A matrix squared: the product of the two belongs before.
func.func @matrix_twice(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %m: tensor<8x?x64x64xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %m "hned") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %mt: tensor<64x64xf32>):
    %d = attn.contract %mt, %s subscripts "ed,dv->ev" : tensor<64x64xf32>, tensor<64x32xf32> -> tensor<64x32xf32>
    %d2 = attn.contract %mt, %d subscripts "ed,dv->ev" : tensor<64x64xf32>, tensor<64x32xf32> -> tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %d2, %kv : tensor<64x32xf32>
    // expected-error @+1 {{a matrix times anything but the state before the token}}
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x64x64xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// Two reads that cannot be one.
func.func @two_reads(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %z: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %z "hnv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %zt: tensor<32xf32>):
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %s, %kv : tensor<64x32xf32>
    %r = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    %rz = arith.mulf %r, %zt : tensor<32xf32>
    %r2 = attn.contract %kt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    %y = arith.addf %rz, %r2 : tensor<32xf32>
    // expected-error @+1 {{two reads of the state have different factors of the value channels}}
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// -----

// Operations on rows stand outside.
func.func @other_operation(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %G: tensor<8x?x64x32xf32>) -> tensor<8x?x32xf32> {
  // expected-note @+1 {{this scan has no form as a recurrence}}
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %G "hndv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %Gt: tensor<64x32xf32>):
    // expected-error @+1 {{'attn.softmax' is not taken in a region: compute it before the scan}}
    %p = attn.softmax %Gt : tensor<64x32xf32>
    %x1 = arith.mulf %p, %s : tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %x1, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x64x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}
