// The smallest file that has a softmax, by a script that looks for one.
// RUN: attn-reduce %s -reduction-tree='traversal-mode=0 test=%S/Inputs/has-softmax.sh' | FileCheck %s
// RUN: attn-reduce %s -reduction-tree='traversal-mode=0 test=%S/Inputs/has-softmax.sh' | not grep append_ones

// CHECK: attn.softmax
func.func @scores(%s: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %p = attn.softmax %s : tensor<?x?xf32>
  return %p : tensor<?x?xf32>
}

func.func @other(%v: tensor<?x64xf32>) -> tensor<?x65xf32> {
  %0 = attn.append_ones %v : tensor<?x64xf32> -> tensor<?x65xf32>
  return %0 : tensor<?x65xf32>
}
