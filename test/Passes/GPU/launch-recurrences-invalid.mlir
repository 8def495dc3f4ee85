// RUN: not attn-opt %s --attn-launch-recurrences=chip=gfx90a 2>&1 | FileCheck %s --check-prefix=CHIP
// RUN: not attn-opt %s --attn-launch-recurrences=value-columns=20 2>&1 | FileCheck %s --check-prefix=COLUMNS
// RUN: attn-opt %s --attn-launch-recurrences=chip=sm_70 --remarks-filter="attn-launch-recurrences" 2>&1 | FileCheck %s --check-prefix=OLD

// CHIP: error: expected a chip such as sm_90, got 'gfx90a'
// COLUMNS: error: expected a multiple of 16 value channels in a block, got 20
// OLD: [Missed] attn-launch-recurrences{{.*}}the chip has no tensor cores for bf16
func.func @linear(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x64xf32>) -> tensor<8x?x64xf32> {
  %o = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x64xf32>) -> tensor<8x?x64xf32>
  return %o : tensor<8x?x64xf32>
}
