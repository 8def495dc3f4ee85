// No tokens, one token, rows without keys, NaN and infinity.
// RUN: rm -rf %t && mkdir -p %t
// RUN: attn-run %s --entry=softmax --random=1 --dim=n=0 --dim=m=0 --verify | FileCheck %s --check-prefix=EMPTY
// RUN: attn-run %s --entry=softmax --random=1 --dim=n=3 --dim=m=0 --verify --outputs=%t/no_keys.npy
// RUN: %python %S/../../Inputs/make_npy.py --print %t/no_keys.npy | FileCheck %s --check-prefix=ZEROS
// RUN: attn-run %s --entry=softmax --random=1 --dim=n=1 --dim=m=1 --verify
// RUN: attn-run %s --entry=linear --random=1 --dim=n=0 --dim=m=0 --verify
// RUN: attn-run %s --entry=linear --random=1 --dim=n=3 --dim=m=0 --verify --outputs=%t/no_keys.npy
// RUN: %python %S/../../Inputs/make_npy.py --print %t/no_keys.npy | FileCheck %s --check-prefix=ZEROS
// RUN: attn-run %s --entry=linear --random=1 --dim=n=1 --dim=m=1 --verify
// EMPTY: cpu: @softmax -> 0x4xf32
// EMPTY: rel_err=0.0e+00
// ZEROS: f4 3x4: 0 0 0 0 0 0 0 0 0 0 0 0

// RUN: %python %S/../../Inputs/make_npy.py %t/nan.npy f4 3x4 1,2,nan,4,5,6,7,8,1,2,3,4
// RUN: %python %S/../../Inputs/make_npy.py %t/inf.npy f4 3x4 1,2,3,4,5,6,inf,8,1,2,3,4
// RUN: attn-run %s --entry=softmax --random=1 --dim=m=5 --inputs=%t/nan.npy,, --verify --outputs=%t/o.npy
// RUN: %python %S/../../Inputs/make_npy.py --print %t/o.npy | FileCheck %s --check-prefix=NAN
// RUN: attn-run %s --entry=linear --random=1 --dim=m=5 --inputs=%t/nan.npy,, --verify
// RUN: attn-run %s --entry=linear --random=1 --dim=m=5 --inputs=%t/inf.npy,, --verify
// The row of the query that is NaN, and no other.
// NAN: f4 3x4: nan nan nan nan {{-?[0-9].*}}
// NAN-NOT: nan

// RUN: attn-run %s --entry=strict --random=1 --dim=n=5 --verify --outputs=%t/strict.npy
// RUN: %python %S/../../Inputs/make_npy.py --print %t/strict.npy | FileCheck %s --check-prefix=STRICT
// STRICT: f4 5x4: 0 0 0 0 {{-?0?[.1-9].*}}
func.func @softmax(%q: tensor<?x4xf32>, %k: tensor<?x4xf32>, %v: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %a = attn.score %q, %k : tensor<?x4xf32>, tensor<?x4xf32> -> tensor<?x?xf32>
  %p = attn.softmax %a : tensor<?x?xf32>
  %o = attn.apply %p, %v : tensor<?x?xf32>, tensor<?x4xf32> -> tensor<?x4xf32>
  return %o : tensor<?x4xf32>
}

func.func @linear(%q: tensor<?x4xf32>, %k: tensor<?x4xf32>, %v: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %fq = attn.feature_map %q, #attn.elu1 : tensor<?x4xf32> -> tensor<?x4xf32>
  %fk = attn.feature_map %k, #attn.elu1 : tensor<?x4xf32> -> tensor<?x4xf32>
  %a = attn.score %fq, %fk : tensor<?x4xf32>, tensor<?x4xf32> -> tensor<?x?xf32>
  %p = attn.normalize %a : tensor<?x?xf32>
  %o = attn.apply %p, %v : tensor<?x?xf32>, tensor<?x4xf32> -> tensor<?x4xf32>
  return %o : tensor<?x4xf32>
}

// The first query sees no key.
func.func @strict(%q: tensor<?x4xf32> {attn.axes = "nd"}, %k: tensor<?x4xf32> {attn.axes = "nd"}, %v: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %a = attn.score %q, %k : tensor<?x4xf32>, tensor<?x4xf32> -> tensor<?x?xf32>
  %m = attn.mask %a, #attn.strictly_causal else -inf : tensor<?x?xf32>
  %p = attn.softmax %m : tensor<?x?xf32>
  %o = attn.apply %p, %v : tensor<?x?xf32>, tensor<?x4xf32> -> tensor<?x4xf32>
  return %o : tensor<?x4xf32>
}
