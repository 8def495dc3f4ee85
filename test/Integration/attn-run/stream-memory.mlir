// Eight times the tokens from file to file, in the same memory.
// The memory of a process has what a sanitizer keeps of it.
// UNSUPPORTED: sanitizer
// RUN: rm -rf %t
// RUN: %python %S/Inputs/stream_memory.py %attn_tools/attn-run %s %t | FileCheck %s
// CHECK: written: {{.*}} agree
// CHECK: compared: {{.*}} agree
!t = tensor<?x64xf32>
!s = tensor<?x?xf32>
func.func @main(%x: !t, %v: !t) -> !t {
  %a = attn.causal_score %x, %x : !t, !t -> !s
  %o = attn.apply %a, %v : !s, !t -> !t
  return %o : !t
}
