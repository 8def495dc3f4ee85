// RUN: attn-opt %s --attn-choose-form | FileCheck %s

// The module says how large the first cache is: this one holds the state twice,
// as the default of 32 KiB does not (@far in choose-form.mlir).
module attributes {dlti.target_system_spec = #dlti.target_system_spec<"CPU" = #dlti.target_device_spec<"L1_cache_size_in_bytes" = 2097152 : i32>>} {
  // CHECK: attn.recurrence {{.*}} as recurrent ->
  func.func @large_cache(%q: tensor<2x?x2048xf32>, %v: tensor<2x?x64xf32>) -> tensor<2x?x64xf32> {
    %o = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%q "hnd", %v "hnv") -> "hnv" : (tensor<2x?x2048xf32>, tensor<2x?x2048xf32>, tensor<2x?x64xf32>) -> tensor<2x?x64xf32>
    return %o : tensor<2x?x64xf32>
  }
}
