# The suite: lit tests of the tree, and the gtest units in Unit/.
#
#   ATTN_VERIFY_ROUNDTRIP=1   runs every attn-opt with --verify-roundtrip

import glob
import os
import re
import shutil
import subprocess

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

# Under sanitizers, C programs need the same flags, and programs that are not ours
# but load our libraries the runtime from the start; leaks are theirs. What is
# measured in bytes of the process (`sanitizer`) is another thing there.
sanitizers = re.search(r"-fsanitize=\S*", config.attn_c_flags)

# The target halide, and a device for its OpenCL. What is sanitized is not opened
# with RTLD_DEEPBIND.
halide = os.path.join(config.attn_build_dir, "lib", "libattn-halide.so")
if os.path.exists(halide) and not sanitizers:
    config.available_features.add("halide")
if glob.glob("/etc/OpenCL/vendors/*.icd"):
    config.available_features.add("opencl")

foreign = ""
if sanitizers:
    config.available_features.add("sanitizer")
    # LLVM's own libraries say nothing of what they take of containers and slabs.
    # Tests ask for more memory than there is. A report is a crash, so that no
    # `not` takes it for an error.
    checks = {
        "ASAN_OPTIONS": "detect_container_overflow=0:allow_user_poisoning=0:"
        "allocator_may_return_null=1:abort_on_error=1",
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:abort_on_error=1",
    }
    for name, options in checks.items():
        config.environment[name] = ":".join(
            filter(None, [options, os.environ.get(name)])
        )
    runtime = subprocess.run(
        [config.host_cc, "-print-file-name=libasan.so"],
        stdout=subprocess.PIPE, text=True, check=True,
    ).stdout.strip()
    foreign = (
        f"env LD_PRELOAD={runtime} "
        f"ASAN_OPTIONS={config.environment['ASAN_OPTIONS']}:detect_leaks=0"
    )
config.substitutions += [
    # Before the name of a program that is not ours, but loads what is.
    ("%foreign", foreign),
    ("%c_flags", sanitizers.group() if sanitizers else ""),
]
