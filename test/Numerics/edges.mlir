// Rows without keys, NaN, infinity, and numbers at the ends of the range.
// DEFINE: %{write} = %python %S/Inputs/edges.py write
// DEFINE: %{rows} = %python %S/Inputs/edges.py rows
// RUN: rm -rf %t && mkdir -p %t
// RUN: %{write} %t/x.npy 130x8 1
// RUN: %{write} %t/y.npy 130x8 1
// RUN: %{write} %t/nan.npy 130x8 1 100=nan
// RUN: %{write} %t/inf.npy 130x8 1 100=inf
// RUN: %{write} %t/large.npy 130x8 10000
// RUN: %{write} %t/far.npy 130x8 100
// RUN: %{write} %t/seven.npy 130x8 7
// RUN: %{write} %t/far36.npy 130x8 36
// RUN: %{write} %t/w.npy 6x8 1
// RUN: %python %S/../Inputs/make_npy.py %t/cu.npy i4 6 0,0,60,60,100,130
// RUN: %python %S/../Inputs/make_npy.py %t/ck.npy i4 6 0,40,40,70,130,130

// Rows that are masked out entirely are zero, and no others are.
// RUN: attn-run %s --entry=softmax_strict --inputs=%t/x.npy,%t/y.npy,%t/x.npy --verify --outputs=%t/o.npy && %{rows} %t/o.npy | FileCheck %s --check-prefix=FIRST
// RUN: attn-run %s --entry=linear_strict --inputs=%t/x.npy,%t/y.npy,%t/x.npy --verify --outputs=%t/o.npy && %{rows} %t/o.npy | FileCheck %s --check-prefix=FIRST
// FIRST: {{^}}1 zero, 129 finite{{$}}
// Queries 0 to 59 and 100 to 129 are in segments without keys.
// RUN: attn-run %s --entry=softmax_packed --inputs=%t/x.npy,%t/y.npy,%t/x.npy,%t/cu.npy,%t/ck.npy --verify --outputs=%t/o.npy && %{rows} %t/o.npy | FileCheck %s --check-prefix=SEGMENTS
// RUN: attn-run %s --entry=linear_packed --inputs=%t/x.npy,%t/y.npy,%t/x.npy,%t/cu.npy,%t/ck.npy --verify --outputs=%t/o.npy && %{rows} %t/o.npy | FileCheck %s --check-prefix=SEGMENTS
// SEGMENTS: {{^}}60 zero, 40 finite, 30 zero{{$}}

// NaN in a query is in its row; in a key in the rows that see the key, where a
// mask keeps the others from it.
// RUN: attn-run %s --entry=softmax_causal --inputs=%t/nan.npy,%t/y.npy,%t/x.npy --verify --outputs=%t/o.npy && %{rows} %t/o.npy | FileCheck %s --check-prefix=QUERY
// RUN: attn-run %s --entry=softmax_causal --inputs=%t/x.npy,%t/nan.npy,%t/x.npy --verify --outputs=%t/o.npy && %{rows} %t/o.npy | FileCheck %s --check-prefix=KEY
// RUN: attn-run %s --entry=linear --inputs=%t/nan.npy,%t/y.npy,%t/x.npy --verify --outputs=%t/o.npy && %{rows} %t/o.npy | FileCheck %s --check-prefix=QUERY
// RUN: attn-run %s --entry=linear --inputs=%t/x.npy,%t/nan.npy,%t/x.npy --verify --outputs=%t/o.npy && %{rows} %t/o.npy | FileCheck %s --check-prefix=ALL
// RUN: attn-run %s --entry=softmax --inputs=%t/x.npy,%t/y.npy,%t/nan.npy --verify --outputs=%t/o.npy && %{rows} %t/o.npy | FileCheck %s --check-prefix=ALL
// RUN: attn-run %s --entry=linear --inputs=%t/x.npy,%t/y.npy,%t/nan.npy --verify --outputs=%t/o.npy && %{rows} %t/o.npy | FileCheck %s --check-prefix=ALL
// QUERY: {{^}}100 finite, 1 nan, 29 finite{{$}}
// KEY: {{^}}100 finite, 30 nan{{$}}
// ALL: {{^}}130 nan{{$}}
// Values that a mask excludes are read or not: the rows that see them are NaN.
// RUN: attn-run %s --entry=softmax_causal --inputs=%t/x.npy,%t/y.npy,%t/nan.npy --outputs=%t/o.npy && %{rows} %t/o.npy | FileCheck %s --check-prefix=VALUE
// VALUE: {{[1-9][0-9]}} nan{{$}}
// VALUE-NOT: nan, {{.*}} finite

// inf - inf is NaN in a softmax; exp(-inf) is 0.
// RUN: attn-run %s --entry=softmax_causal --inputs=%t/inf.npy,%t/y.npy,%t/x.npy --verify --outputs=%t/o.npy && %{rows} %t/o.npy | FileCheck %s --check-prefix=QUERY
// RUN: attn-run %s --entry=softmax_causal --inputs=%t/x.npy,%t/inf.npy,%t/x.npy --verify --outputs=%t/o.npy && %{rows} %t/o.npy | FileCheck %s --check-prefix=SOME
// RUN: attn-run %s --entry=softmax --inputs=%t/x.npy,%t/y.npy,%t/inf.npy --verify --outputs=%t/o.npy && %{rows} %t/o.npy | FileCheck %s --check-prefix=INF
// SOME: {{^}}10{{[0-9]}} finite, {{.*}}nan
// INF: {{^}}130 inf{{$}}

// Scores of 10^4, of 10^8, and features whose exponential overflows.
// RUN: attn-run %s --entry=softmax --inputs=%t/far.npy,%t/far.npy,%t/x.npy --verify --outputs=%t/o.npy && %{rows} %t/o.npy | FileCheck %s --check-prefix=FINITE
// RUN: attn-run %s --entry=softmax_causal --inputs=%t/large.npy,%t/y.npy,%t/x.npy --tol=1e-3 --verify --outputs=%t/o.npy && %{rows} %t/o.npy | FileCheck %s --check-prefix=FINITE
// RUN: attn-run %s --entry=exp --inputs=%t/far.npy,%t/far.npy,%t/x.npy --tol=1e-4 --verify --outputs=%t/o.npy && %{rows} %t/o.npy | FileCheck %s --check-prefix=FINITE
// RUN: attn-run %s --entry=exp --inputs=%t/far.npy,%t/far.npy,%t/x.npy --tol=1e-4 --verify --keep-order --outputs=%t/o.npy && %{rows} %t/o.npy | FileCheck %s --check-prefix=FINITE
// FINITE: {{^}}130 finite{{$}}

// exp(-|x|^2 / 2) with |x| about 20: 0 in f32, but not in f64; and about 100,
// where W x - |x|^2 / 2 itself has the error 5000 * 2^-24.
// RUN: attn-run %s --entry=favor --inputs=%t/seven.npy,%t/seven.npy,%t/x.npy,%t/w.npy --tol=1e-4 --verify
// RUN: attn-run %s --entry=favor --inputs=%t/seven.npy,%t/seven.npy,%t/x.npy,%t/w.npy --tol=1e-4 --verify --keep-order
// DEFINE: %{favor} = %t/far36.npy %t/far36.npy %t/x.npy %t/w.npy
// RUN: attn-run %s --entry=favor --inputs=%t/far36.npy,%t/far36.npy,%t/x.npy,%t/w.npy --outputs=%t/o.npy
// RUN: %python %S/Inputs/edges.py favor %{favor} %t/o.npy 1e-3
// RUN: attn-run %s --entry=favor --inputs=%t/far36.npy,%t/far36.npy,%t/x.npy,%t/w.npy --keep-order --outputs=%t/o.npy
// RUN: %python %S/Inputs/edges.py favor %{favor} %t/o.npy 1e-3

!t = tensor<130x8xf32>
!s = tensor<130x130xf32>
!f = tensor<130x6xf32>

func.func @softmax(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.score %q, %k : !t, !t -> !s
  %p = attn.softmax %a : !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o : !t
}

func.func @softmax_causal(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.score %q, %k : !t, !t -> !s
  %m = attn.mask %a, #attn.causal else -inf : !s
  %p = attn.softmax %m : !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o : !t
}

func.func @softmax_strict(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.score %q, %k : !t, !t -> !s
  %m = attn.mask %a, #attn.strictly_causal else -inf : !s
  %p = attn.softmax %m : !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o : !t
}

func.func @softmax_packed(%q: !t, %k: !t, %v: !t, %cu: tensor<6xi32>, %ck: tensor<6xi32>) -> !t {
  %a = attn.score %q, %k : !t, !t -> !s
  %m = attn.mask %a, #attn.packed(%cu, %ck : tensor<6xi32>, tensor<6xi32>) else -inf : !s
  %p = attn.softmax %m : !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o : !t
}

func.func @linear(%q: !t, %k: !t, %v: !t) -> !t {
  %fq = attn.feature_map %q, #attn.elu1 : !t -> !t
  %fk = attn.feature_map %k, #attn.elu1 : !t -> !t
  %a = attn.score %fq, %fk : !t, !t -> !s
  %p = attn.normalize %a : !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o : !t
}

func.func @linear_strict(%q: !t, %k: !t, %v: !t) -> !t {
  %fq = attn.feature_map %q, #attn.elu1 : !t -> !t
  %fk = attn.feature_map %k, #attn.elu1 : !t -> !t
  %a = attn.score %fq, %fk : !t, !t -> !s
  %m = attn.mask %a, #attn.strictly_causal else 0.0 : !s
  %p = attn.normalize %m : !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o : !t
}

func.func @linear_packed(%q: !t, %k: !t, %v: !t, %cu: tensor<6xi32>, %ck: tensor<6xi32>) -> !t {
  %fq = attn.feature_map %q, #attn.elu1 : !t -> !t
  %fk = attn.feature_map %k, #attn.elu1 : !t -> !t
  %a = attn.score %fq, %fk : !t, !t -> !s
  %m = attn.mask %a, #attn.packed(%cu, %ck : tensor<6xi32>, tensor<6xi32>) else 0.0 : !s
  %p = attn.normalize %m : !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o : !t
}

func.func @favor(%q: !t, %k: !t, %v: !t, %w: tensor<6x8xf32>) -> !t {
  %fq = attn.feature_map %q, #attn.favor(%w : tensor<6x8xf32>) : !t -> !f
  %fk = attn.feature_map %k, #attn.favor(%w : tensor<6x8xf32>) : !t -> !f
  %a = attn.score %fq, %fk : !f, !f -> !s
  %p = attn.normalize %a : !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o : !t
}

func.func @exp(%q: !t, %k: !t, %v: !t) -> !t {
  %fq = attn.feature_map %q, #attn.exp : !t -> !t
  %fk = attn.feature_map %k, #attn.exp : !t -> !t
  %a = attn.score %fq, %fk : !t, !t -> !s
  %p = attn.normalize %a : !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o : !t
}
