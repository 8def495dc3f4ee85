// RUN: split-file %s %t
// RUN: attn-opt %t/haswell.mlir --attn-describe-cpu | FileCheck %s --check-prefix=HASWELL
// RUN: attn-opt %t/known.mlir --attn-describe-cpu | FileCheck %s --check-prefix=KNOWN
// RUN: attn-opt %t/none.mlir --attn-describe-cpu | FileCheck %s --check-prefix=NONE
// RUN: attn-opt %t/none.mlir --attn-describe-cpu="chip=neoverse-n1 triple=aarch64-unknown-linux-gnu" | FileCheck %s --check-prefix=NEON
// RUN: attn-opt %t/bad.mlir --attn-describe-cpu --split-input-file --verify-diagnostics

// HASWELL: "CPU" = #dlti.target_device_spec<"L1_cache_size_in_bytes" = 32768 : i64, "max_vector_op_width" = 256 : i64, "vector_registers" = 16 : i64>

// What is there stays, of this device and of others.
// KNOWN: "GPU" = #dlti.target_device_spec<"max_vector_op_width" = 64 : i32>
// KNOWN-SAME: "CPU" = #dlti.target_device_spec<"L1_cache_size_in_bytes" = 65536 : i32, "max_vector_op_width" = 512 : i64, "vector_registers" = 32 : i64>

// NONE: module {
// NONE-NOT: dlti

// NEON: "max_vector_op_width" = 128 : i64, "vector_registers" = 32 : i64
// NEON-SAME: llvm.target = #llvm.target<triple = "aarch64-unknown-linux-gnu", chip = "neoverse-n1">

//--- haswell.mlir
module attributes {llvm.target = #llvm.target<triple = "x86_64-unknown-linux-gnu", chip = "haswell">} {
}

//--- known.mlir
module attributes {
  llvm.target = #llvm.target<triple = "x86_64-unknown-linux-gnu", chip = "skylake-avx512">,
  dlti.target_system_spec = #dlti.target_system_spec<
    "CPU" = #dlti.target_device_spec<"L1_cache_size_in_bytes" = 65536 : i32>,
    "GPU" = #dlti.target_device_spec<"max_vector_op_width" = 64 : i32>>} {
}

//--- none.mlir
module {
}

//--- bad.mlir
// expected-error @below {{llvm.target: 'pentium9' is no CPU of x86_64-unknown-linux-gnu}}
module attributes {llvm.target = #llvm.target<triple = "x86_64-unknown-linux-gnu", chip = "pentium9">} {
}

// -----

// expected-error @below {{llvm.target: }}
module attributes {llvm.target = #llvm.target<triple = "toaster-unknown", chip = "">} {
}
