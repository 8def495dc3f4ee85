# The suite: lit tests of the tree, and the gtest units in Unit/.
#
#   ATTN_VERIFY_ROUNDTRIP=1   runs every attn-opt with --verify-roundtrip

import glob
import os
import shutil

import lit.formats
from lit.llvm import llvm_config
from lit.llvm.subst import ToolSubst

config.name = "attn"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.attn_build_dir, "test")

# FileCheck, not, split-file, mlir-opt lie beside each other in LLVM's package.
llvm_config.with_environment("PATH", config.llvm_tools_dir, append_path=True)
llvm_config.with_environment("PATH", config.attn_tools_dir, append_path=True)
llvm_config.with_system_environment(
    ["ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "OMP_NUM_THREADS"]
)

roundtrip = os.environ.get("ATTN_VERIFY_ROUNDTRIP", "0") not in ("", "0")
llvm_config.add_tool_substitutions(
    [
        ToolSubst(
            "attn-opt", extra_args=["--verify-roundtrip"] if roundtrip else []
        ),
        ToolSubst("attn-run", unresolved="ignore"),
        ToolSubst("attn-compile", unresolved="ignore"),
        "attn-reduce",
        "attn-lsp-server",
        "mlir-opt",
        "mlir-tblgen",
    ],
    [config.attn_tools_dir, config.llvm_tools_dir],
)
config.substitutions += [
    ("%attn_plugin", config.attn_plugin),
    ("%attn_source", config.attn_source_dir),
    ("%attn_build", config.attn_build_dir),
    ("%attn_tools", config.attn_tools_dir),
    ("%mlir_include", config.mlir_include_dir),
    ("%python", config.python_executable),
    ("%llvm_tools", config.llvm_tools_dir),
    ("%host_cc", config.host_cc),
    # Empty where there is no CUDA toolkit.
    ("%ptxas", shutil.which("ptxas") or ""),
]

# What code for other CPUs can run on.
try:
    with open("/proc/cpuinfo") as cpuinfo:
        flags = set(cpuinfo.read().split())
except OSError:
    flags = set()
if {"avx2", "fma"} <= flags:
    config.available_features.add("cpu-avx2")
if "avx512bw" in flags:
    config.available_features.add("cpu-avx512")
if shutil.which("qemu-aarch64") and shutil.which("aarch64-linux-gnu-gcc"):
    config.available_features.add("neon-emulator")

# The target halide, and a device for its OpenCL. What is sanitized is not opened
# with RTLD_DEEPBIND.
halide = os.path.join(config.attn_build_dir, "lib", "libattn-halide.so")
if os.path.exists(halide) and not config.attn_sanitized:
    config.available_features.add("halide")
if glob.glob("/etc/OpenCL/vendors/*.icd"):
    config.available_features.add("opencl")

# A sanitized plugin cannot be loaded by a program that is not sanitized.
if config.attn_sanitized:
    config.available_features.add("sanitizer")
