// The graphs of golden/README.md against results that were made without this
// project, on the CPU: in the order that the cost model takes and in the order
// that is written, in f32 and from 16 bits.
// DEFINE: %{case} =
// DEFINE: %{size} =
// DEFINE: %{graph} = %s
// DEFINE: %{tol} = 1e-5
// DEFINE: %{dir} = %S/golden/%{case}_N%{size}
// DEFINE: %{extra} =
// DEFINE: %{run} = attn-run %{graph} --entry=%{case} --inputs=%{dir}/in_q.npy,%{dir}/in_k.npy,%{dir}/in_v.npy%{extra} --check=%{dir}/out_o.npy --tol=%{tol} --verify
// DEFINE: %{both} = %{run} && %{run} --keep-order
// RUN: sed 's/^\(!in_.*x\)f32>/\1bf16>/' %s > %t.bf16.mlir
// RUN: FileCheck %s --check-prefix=BF16 --input-file=%t.bf16.mlir
// BF16: !in_qk = tensor<1x?x2x16xbf16>
// BF16: !in_v = tensor<1x?x2x24xbf16>
// BF16: !in_w = tensor<2x32x16xbf16>

// REDEFINE: %{case} = softmax_full
// REDEFINE: %{size} = 96
// RUN: %{both}
// REDEFINE: %{case} = softmax_causal
// RUN: %{both}
// REDEFINE: %{size} = 77
// RUN: %{both}
// REDEFINE: %{case} = linear_elu1_causal
// RUN: %{both}
// REDEFINE: %{size} = 96
// RUN: %{both}
// REDEFINE: %{case} = linear_elu1_full
// RUN: %{both}
// REDEFINE: %{case} = linear
// RUN: %{both}
// REDEFINE: %{extra} = ,%{dir}/in_W.npy
// REDEFINE: %{case} = performer_full
// RUN: %{both}
// REDEFINE: %{case} = performer_causal
// RUN: %{both}

// REDEFINE: %{graph} = %t.bf16.mlir
// REDEFINE: %{tol} = 1e-2
// RUN: %{run}
// REDEFINE: %{case} = performer_full
// RUN: %{run}
// REDEFINE: %{extra} =
// REDEFINE: %{case} = softmax_full
// RUN: %{run}
// REDEFINE: %{case} = softmax_causal
// RUN: %{run}
// REDEFINE: %{case} = linear_elu1_full
// RUN: %{run}
// REDEFINE: %{case} = linear_elu1_causal
// RUN: %{run}
// REDEFINE: %{case} = linear
// RUN: %{run}

// A tolerance that the rounding to 16 bits does not meet is not met.
// REDEFINE: %{tol} = 1e-5
// RUN: not %{run}

!in_qk = tensor<1x?x2x16xf32>
!in_v = tensor<1x?x2x24xf32>
!in_w = tensor<2x32x16xf32>
!wide = tensor<1x?x2x16xf32>
!features = tensor<1x?x2x32xf32>
!scores = tensor<1x2x?x?xf32>
!out = tensor<1x?x2x24xf32>

func.func @softmax_full(%q: !in_qk, %k: !in_qk, %v: !in_v) -> !out {
  %a = attn.score %q, %k subscripts "bnhd,bmhd->bhnm" : !in_qk, !in_qk -> !scores
  %s = attn.scale %a by 0.25 : !scores -> !scores
  %p = attn.softmax %s : !scores
  %o = attn.apply %p, %v subscripts "bhnm,bmhv->bnhv" : !scores, !in_v -> !out
  return %o : !out
}

func.func @softmax_causal(%q: !in_qk, %k: !in_qk, %v: !in_v) -> !out {
  %a = attn.score %q, %k subscripts "bnhd,bmhd->bhnm" : !in_qk, !in_qk -> !scores
  %s = attn.scale %a by 0.25 : !scores -> !scores
  %m = attn.mask %s, #attn.causal else -inf : !scores
  %p = attn.softmax %m : !scores
  %o = attn.apply %p, %v subscripts "bhnm,bmhv->bnhv" : !scores, !in_v -> !out
  return %o : !out
}

func.func @linear_elu1_full(%q: !in_qk, %k: !in_qk, %v: !in_v) -> !out {
  %fq = attn.feature_map %q, #attn.elu1 token_dim = 1 : !in_qk -> !wide
  %fk = attn.feature_map %k, #attn.elu1 token_dim = 1 : !in_qk -> !wide
  %a = attn.score %fq, %fk subscripts "bnhd,bmhd->bhnm" : !wide, !wide -> !scores
  %p = attn.normalize %a : !scores
  %o = attn.apply %p, %v subscripts "bhnm,bmhv->bnhv" : !scores, !in_v -> !out
  return %o : !out
}

func.func @linear_elu1_causal(%q: !in_qk, %k: !in_qk, %v: !in_v) -> !out {
  %fq = attn.feature_map %q, #attn.elu1 token_dim = 1 : !in_qk -> !wide
  %fk = attn.feature_map %k, #attn.elu1 token_dim = 1 : !in_qk -> !wide
  %a = attn.score %fq, %fk subscripts "bnhd,bmhd->bhnm" : !wide, !wide -> !scores
  %m = attn.mask %a, #attn.causal else 0.0 : !scores
  %p = attn.normalize %m : !scores
  %o = attn.apply %p, %v subscripts "bhnm,bmhv->bnhv" : !scores, !in_v -> !out
  return %o : !out
}

func.func @linear(%q: !in_qk, %k: !in_qk, %v: !in_v) -> !out {
  %a = attn.score %q, %k subscripts "bnhd,bmhd->bhnm" : !in_qk, !in_qk -> !scores
  %s = attn.scale %a by 0.25 : !scores -> !scores
  %m = attn.mask %s, #attn.causal else 0.0 : !scores
  %o = attn.apply %m, %v subscripts "bhnm,bmhv->bnhv" : !scores, !in_v -> !out
  return %o : !out
}

func.func @performer_full(%q: !in_qk, %k: !in_qk, %v: !in_v, %w: !in_w) -> !out {
  %sq = attn.scale %q by 0.5 : !in_qk -> !wide
  %sk = attn.scale %k by 0.5 : !in_qk -> !wide
  %fq = attn.feature_map %sq, #attn.favor(%w : !in_w) token_dim = 1 : !wide -> !features
  %fk = attn.feature_map %sk, #attn.favor(%w : !in_w) token_dim = 1 : !wide -> !features
  %a = attn.score %fq, %fk subscripts "bnhd,bmhd->bhnm" : !features, !features -> !scores
  %p = attn.normalize %a : !scores
  %o = attn.apply %p, %v subscripts "bhnm,bmhv->bnhv" : !scores, !in_v -> !out
  return %o : !out
}

func.func @performer_causal(%q: !in_qk, %k: !in_qk, %v: !in_v, %w: !in_w) -> !out {
  %sq = attn.scale %q by 0.5 : !in_qk -> !wide
  %sk = attn.scale %k by 0.5 : !in_qk -> !wide
  %fq = attn.feature_map %sq, #attn.favor(%w : !in_w) token_dim = 1 : !wide -> !features
  %fk = attn.feature_map %sk, #attn.favor(%w : !in_w) token_dim = 1 : !wide -> !features
  %a = attn.score %fq, %fk subscripts "bnhd,bmhd->bhnm" : !features, !features -> !scores
  %m = attn.mask %a, #attn.causal else 0.0 : !scores
  %p = attn.normalize %m : !scores
  %o = attn.apply %p, %v subscripts "bhnm,bmhv->bnhv" : !scores, !in_v -> !out
  return %o : !out
}
