// Linear attention over 200,000 tokens adds its result, the state and a few
// tiles to its inputs: 12.2 MiB each. The N x M scores would be 149 GiB.
// The memory of a process has what a sanitizer keeps of it.
// UNSUPPORTED: sanitizer
// RUN: attn-run %s --random=1 --explain > %t.txt
// RUN: %python %S/Inputs/check_memory.py %t.txt 1.25 8
// RUN: not %python %S/Inputs/check_memory.py %t.txt 0.1 0
!t = tensor<200000x16xf32>
!s = tensor<200000x200000xf32>
func.func @main(%q: !t, %k: !t, %v: !t) -> !t {
  %fq = attn.feature_map %q, #attn.elu1 : !t -> !t
  %fk = attn.feature_map %k, #attn.elu1 : !t -> !t
  %a = attn.score %fq, %fk : !t, !t -> !s
  %p = attn.normalize %a : !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o : !t
}
