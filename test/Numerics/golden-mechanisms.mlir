// The causal mechanisms of golden/README.md against results that were made
// without this project: the f64 evaluation of each graph.
// DEFINE: %{case} =
// DEFINE: %{entry} = %{case}
// DEFINE: %{size} = 96
// DEFINE: %{tol} = 1e-6
// DEFINE: %{dir} = %S/golden/%{case}_N%{size}
// DEFINE: %{qkv} = %{dir}/in_q.npy,%{dir}/in_k.npy,%{dir}/in_v.npy
// DEFINE: %{rwkv} = %{dir}/in_r.npy,%{dir}/in_w.npy,%{dir}/in_k.npy,%{dir}/in_v.npy
// DEFINE: %{in} =
// DEFINE: %{run} = attn-run %s --entry=%{entry} --target=reference --inputs=%{in} --check=%{dir}/out_o.npy --tol=%{tol}

// REDEFINE: %{in} = %{qkv}
// REDEFINE: %{case} = linear
// RUN: %{run}
// REDEFINE: %{case} = linear_elu1_causal
// RUN: %{run}
// REDEFINE: %{case} = retention
// RUN: %{run}
// REDEFINE: %{in} = %{qkv},%{dir}/in_W.npy
// REDEFINE: %{case} = performer_causal
// RUN: %{run}
// REDEFINE: %{in} = %{qkv},%{dir}/in_g.npy
// REDEFINE: %{case} = simple_gla
// RUN: %{run}
// REDEFINE: %{case} = gla
// RUN: %{run}
// REDEFINE: %{entry} = gla
// REDEFINE: %{case} = gla_harsh
// RUN: %{run}
// REDEFINE: %{entry} = %{case}
// REDEFINE: %{in} = %{qkv},%{dir}/in_beta.npy
// REDEFINE: %{case} = delta_rule
// RUN: %{run}
// REDEFINE: %{in} = %{qkv},%{dir}/in_g.npy,%{dir}/in_beta.npy
// REDEFINE: %{case} = gated_delta_rule
// RUN: %{run}
// REDEFINE: %{case} = kda
// RUN: %{run}
// REDEFINE: %{in} = %{dir}/in_q.npy,%{dir}/in_g.npy,%{dir}/in_v.npy
// REDEFINE: %{case} = hgrn2
// RUN: %{run}
// REDEFINE: %{in} = %{dir}/in_g.npy,%{dir}/in_x.npy
// REDEFINE: %{case} = hgrn
// RUN: %{run}
// REDEFINE: %{in} = %{dir}/in_x.npy,%{dir}/in_dt.npy,%{dir}/in_A.npy,%{dir}/in_B.npy,%{dir}/in_C.npy
// REDEFINE: %{case} = mamba2
// RUN: %{run}
// REDEFINE: %{in} = %{dir}/in_u.npy,%{dir}/in_delta.npy,%{dir}/in_A.npy,%{dir}/in_B.npy,%{dir}/in_C.npy,%{dir}/in_D.npy,%{dir}/in_z.npy
// REDEFINE: %{case} = mamba1
// RUN: %{run}
// REDEFINE: %{in} = %{dir}/in_w.npy,%{dir}/in_u.npy,%{dir}/in_k.npy,%{dir}/in_v.npy
// REDEFINE: %{case} = rwkv4
// RUN: %{run}
// REDEFINE: %{in} = %{rwkv},%{dir}/in_u.npy
// REDEFINE: %{case} = rwkv5
// RUN: %{run}
// REDEFINE: %{case} = rwkv6
// RUN: %{run}
// REDEFINE: %{in} = %{rwkv},%{dir}/in_a.npy,%{dir}/in_b.npy
// REDEFINE: %{case} = rwkv7
// RUN: %{run}
// The golden divisor has an eps of 1e-6 besides the floor.
// REDEFINE: %{in} = %{qkv},%{dir}/in_f.npy,%{dir}/in_i.npy
// REDEFINE: %{case} = mlstm
// REDEFINE: %{tol} = 1e-5
// RUN: %{run}

!k = tensor<1x?x2x16xf32>
!v = tensor<1x?x2x24xf32>
!g = tensor<1x?x2xf32>
!f = tensor<1x?x2x32xf32>
!w = tensor<2x32x16xf32>
!hd = tensor<2x16xf32>
!h = tensor<2xf32>
!s = tensor<1x2x?x?xf32>
!c = tensor<1x?x32xf32>
!cn = tensor<1x?x16xf32>
!vd = tensor<32x16xf32>
!ch = tensor<32xf32>
!one = tensor<1xf32>
!bc = tensor<1x?x1x16xf32>
!sc = tensor<1x32x?x?xf32>

func.func @linear(%q: !k, %k: !k, %v: !v) -> !v {
  %s = attn.scale %q by 0.25 : !k -> !k
  %a = attn.causal_score %s, %k subscripts "bnhd,bmhd->bhnm" : !k, !k -> !s
  %o = attn.apply %a, %v subscripts "bhnm,bmhv->bnhv" : !s, !v -> !v
  return %o : !v
}

func.func @linear_elu1_causal(%q: !k, %k: !k, %v: !v) -> !v {
  %fq = attn.feature_map %q, #attn.elu1 token_dim = 1 : !k -> !k
  %fk = attn.feature_map %k, #attn.elu1 token_dim = 1 : !k -> !k
  %a = attn.causal_score %fq, %fk subscripts "bnhd,bmhd->bhnm" : !k, !k -> !s
  %p = attn.normalize %a : !s
  %o = attn.apply %p, %v subscripts "bhnm,bmhv->bnhv" : !s, !v -> !v
  return %o : !v
}

func.func @performer_causal(%q: !k, %k: !k, %v: !v, %w: !w) -> !v {
  %sq = attn.scale %q by 0.5 : !k -> !k
  %sk = attn.scale %k by 0.5 : !k -> !k
  %fq = attn.feature_map %sq, #attn.favor(%w : !w) token_dim = 1 : !k -> !f
  %fk = attn.feature_map %sk, #attn.favor(%w : !w) token_dim = 1 : !k -> !f
  %a = attn.causal_score %fq, %fk subscripts "bnhd,bmhd->bhnm" : !f, !f -> !s
  %p = attn.normalize %a : !s
  %o = attn.apply %p, %v subscripts "bhnm,bmhv->bnhv" : !s, !v -> !v
  return %o : !v
}

func.func @retention(%q: !k, %k: !k, %v: !v) -> !v {
  // log(1 - 2^-5), log(1 - 2^-6)
  %g = arith.constant dense<[-0.031748698314580298, -0.015748356968139112]> : !h
  %s = attn.scale %q by 0.25 : !k -> !k
  %a = attn.causal_score %s, %k subscripts "bnhd,bmhd->bhnm" decay(%g "h" : !h) : !k, !k -> !s
  %o = attn.apply %a, %v subscripts "bhnm,bmhv->bnhv" : !s, !v -> !v
  return %o : !v
}

func.func @simple_gla(%q: !k, %k: !k, %v: !v, %g: !g) -> !v {
  %s = attn.scale %q by 0.25 : !k -> !k
  %a = attn.causal_score %s, %k subscripts "bnhd,bmhd->bhnm" decay(%g : !g) : !k, !k -> !s
  %o = attn.apply %a, %v subscripts "bhnm,bmhv->bnhv" : !s, !v -> !v
  return %o : !v
}

func.func @gla(%q: !k, %k: !k, %v: !v, %g: !k) -> !v {
  %s = attn.scale %q by 0.25 : !k -> !k
  %a = attn.causal_score %s, %k subscripts "bnhd,bmhd->bhnm" decay(%g : !k) : !k, !k -> !s
  %o = attn.apply %a, %v subscripts "bhnm,bmhv->bnhv" : !s, !v -> !v
  return %o : !v
}

func.func @hgrn2(%q: !k, %g: !k, %v: !v) -> !v {
  %s = attn.scale %q by 0.25 : !k -> !k
  %k = attn.feature_map %g { ^bb0(%x: f32):
    %e = math.expm1 %x : f32
    %y = arith.negf %e : f32
    attn.yield %y : f32
  } token_dim = 1 : !k -> !k
  %a = attn.causal_score %s, %k subscripts "bnhd,bmhd->bhnm" decay(%g : !k) : !k, !k -> !s
  %o = attn.apply %a, %v subscripts "bhnm,bmhv->bnhv" : !s, !v -> !v
  return %o : !v
}

func.func @hgrn(%g: !c, %x: !c) -> !c {
  %one = arith.constant dense<1.0> : !one
  %a = attn.causal_score %one, %one subscripts "d,d->bcnm" decay(%g "bnc" : !c) : !one, !one -> !sc
  %o = attn.apply %a, %x subscripts "bcnm,bmc->bnc" : !sc, !c -> !c
  return %o : !c
}

func.func @delta_rule(%q: !k, %k: !k, %v: !v, %beta: !g) -> !v {
  %s = attn.scale %q by 0.25 : !k -> !k
  %c = attn.causal_score %k, %k subscripts "bnhd,bmhd->bhnm" strict : !k, !k -> !s
  %l = attn.gate %c, %beta subscripts "bhnm,bnh->bhnm" in [0.0, 1.0] : !s, !g -> !s
  %b = attn.gate %v, %beta in [0.0, 1.0] : !v, !g -> !v
  %u = attn.solve %l, %b subscripts "bhnm,bmhv->bnhv" : !s, !v -> !v
  %a = attn.causal_score %s, %k subscripts "bnhd,bmhd->bhnm" : !k, !k -> !s
  %o = attn.apply %a, %u subscripts "bhnm,bmhv->bnhv" : !s, !v -> !v
  return %o : !v
}

func.func @gated_delta_rule(%q: !k, %k: !k, %v: !v, %g: !g, %beta: !g) -> !v {
  %s = attn.scale %q by 0.25 : !k -> !k
  %c = attn.causal_score %k, %k subscripts "bnhd,bmhd->bhnm" decay(%g : !g) strict : !k, !k -> !s
  %l = attn.gate %c, %beta subscripts "bhnm,bnh->bhnm" in [0.0, 1.0] : !s, !g -> !s
  %b = attn.gate %v, %beta in [0.0, 1.0] : !v, !g -> !v
  %u = attn.solve %l, %b subscripts "bhnm,bmhv->bnhv" : !s, !v -> !v
  %a = attn.causal_score %s, %k subscripts "bnhd,bmhd->bhnm" decay(%g : !g) : !k, !k -> !s
  %o = attn.apply %a, %u subscripts "bhnm,bmhv->bnhv" : !s, !v -> !v
  return %o : !v
}

func.func @kda(%q: !k, %k: !k, %v: !v, %g: !k, %beta: !g) -> !v {
  %s = attn.scale %q by 0.25 : !k -> !k
  %c = attn.causal_score %k, %k subscripts "bnhd,bmhd->bhnm" decay(%g : !k) strict : !k, !k -> !s
  %l = attn.gate %c, %beta subscripts "bhnm,bnh->bhnm" in [0.0, 1.0] : !s, !g -> !s
  %b = attn.gate %v, %beta in [0.0, 1.0] : !v, !g -> !v
  %u = attn.solve %l, %b subscripts "bhnm,bmhv->bnhv" : !s, !v -> !v
  %a = attn.causal_score %s, %k subscripts "bnhd,bmhd->bhnm" decay(%g : !k) : !k, !k -> !s
  %o = attn.apply %a, %u subscripts "bhnm,bmhv->bnhv" : !s, !v -> !v
  return %o : !v
}

func.func @mamba2(%x: !v, %dt: !g, %A: !h, %B: !bc, %C: !bc) -> !v {
  %g = attn.gate %dt, %A subscripts "bnh,h->bnh" : !g, !h -> !g
  %dx = attn.gate %x, %dt : !v, !g -> !v
  %s = attn.causal_score %C, %B subscripts "bngd,bmgd->b(gr)nm" decay(%g "bn(gr)" : !g) : !bc, !bc -> !s
  %o = attn.apply %s, %dx subscripts "bhnm,bmhv->bnhv" : !s, !v -> !v
  return %o : !v
}

func.func @mamba1(%u: !c, %delta: !c, %A: !vd, %B: !cn, %C: !cn, %D: !ch, %z: !c) -> !c {
  %dt = attn.feature_map %delta, #attn.softplus : !c -> !c
  %g = attn.gate %dt, %A subscripts "bnv,vd->bnvd" : !c, !vd -> tensor<1x?x32x16xf32>
  %dx = attn.gate %u, %dt : !c, !c -> !c
  %s = attn.causal_score %C, %B subscripts "bnd,bmd->bvnm" decay(%g "bnvd" : tensor<1x?x32x16xf32>) : !cn, !cn -> !sc
  %h = attn.apply %s, %dx subscripts "bvnm,bmv->bnv" : !sc, !c -> !c
  %uD = attn.gate %u, %D subscripts "bnv,v->bnv" : !c, !ch -> !c
  %y = arith.addf %h, %uD : !c
  %sz = attn.feature_map %z, #attn.silu : !c -> !c
  %o = attn.gate %y, %sz : !c, !c -> !c
  return %o : !c
}

func.func @mlstm(%q: !k, %k: !k, %v: !v, %f: !g, %i: !g) -> !v {
  %g = attn.feature_map %f, #attn.log_sigmoid : !g -> !g
  %s = attn.scale %q by 0.25 : !k -> !k
  %a = attn.causal_score %s, %k subscripts "bnhd,bmhd->bhnm" decay(%g : !g) log_gate(%i : !g) : !k, !k -> !s
  %p = attn.normalize %a floor 1.0 : !s
  %o = attn.apply %p, %v subscripts "bhnm,bmhv->bnhv" : !s, !v -> !v
  return %o : !v
}

func.func @rwkv4(%w: !ch, %u: !ch, %k: !c, %v: !c) -> !c {
  %one = arith.constant dense<1.0> : !one
  %g = attn.feature_map %w, #attn.negative_exp : !ch -> !ch
  %eu = attn.feature_map %u { ^bb0(%x: f32):
    %y = math.exp %x : f32
    attn.yield %y : f32
  } : !ch -> !ch
  %a = attn.causal_score %one, %one subscripts "d,d->bcnm" decay(%g "c" : !ch) exclusive bonus(%eu "c" : !ch) log_gate(%k "bmc" : !c) : !one, !one -> !sc
  %p = attn.normalize %a : !sc
  %o = attn.apply %p, %v subscripts "bcnm,bmc->bnc" : !sc, !c -> !c
  return %o : !c
}

func.func @rwkv5(%r: !k, %w: !hd, %k: !k, %v: !v, %u: !hd) -> !v {
  %s = attn.scale %r by 0.25 : !k -> !k
  %a = attn.causal_score %s, %k subscripts "bnhd,bmhd->bhnm" decay(%w "hd" : !hd) exclusive bonus(%u : !hd) : !k, !k -> !s
  %o = attn.apply %a, %v subscripts "bhnm,bmhv->bnhv" : !s, !v -> !v
  return %o : !v
}

func.func @rwkv6(%r: !k, %w: !k, %k: !k, %v: !v, %u: !hd) -> !v {
  %s = attn.scale %r by 0.25 : !k -> !k
  %a = attn.causal_score %s, %k subscripts "bnhd,bmhd->bhnm" decay(%w : !k) exclusive bonus(%u : !hd) : !k, !k -> !s
  %o = attn.apply %a, %v subscripts "bhnm,bmhv->bnhv" : !s, !v -> !v
  return %o : !v
}

func.func @rwkv7(%r: !k, %w: !k, %k: !k, %v: !v, %a: !k, %b: !k) -> !v {
  %n = attn.causal_score %a, %b subscripts "bnhd,bmhd->bhnm" decay(%w : !k) exclusive strict : !k, !k -> !s
  %l = attn.scale %n by -1.0 : !s -> !s
  %m = attn.causal_score %a, %k subscripts "bnhd,bmhd->bhnm" decay(%w : !k) exclusive strict : !k, !k -> !s
  %c = attn.apply %m, %v subscripts "bhnm,bmhv->bnhv" : !s, !v -> !v
  %u = attn.solve %l, %c subscripts "bhnm,bmhv->bnhv" : !s, !v -> !v
  %p = attn.causal_score %r, %k subscripts "bnhd,bmhd->bhnm" decay(%w : !k) : !k, !k -> !s
  %s = attn.causal_score %r, %b subscripts "bnhd,bmhd->bhnm" decay(%w : !k) : !k, !k -> !s
  %x = attn.apply %p, %v subscripts "bhnm,bmhv->bnhv" : !s, !v -> !v
  %y = attn.apply %s, %u subscripts "bhnm,bmhv->bnhv" : !s, !v -> !v
  %o = arith.addf %x, %y : !v
  return %o : !v
}
