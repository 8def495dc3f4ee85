# ===- machine.py - The machine, and what else it did -----------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""What a result has to say of the machine, read from the system."""

import datetime
import os
import platform
import re
import resource
import subprocess
import time

# Above this share of the cores that others take, times are disturbed.
BUSY = 0.1


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def get_cores():
    return len(os.sched_getaffinity(0))


def get_available_memory():
    """Bytes that can still be had, of the machine or of the control group."""
    match = re.search(r"MemAvailable:\s+(\d+)", read("/proc/meminfo"))
    available = int(match.group(1)) * 1024 if match else float("inf")
    limit = read("/sys/fs/cgroup/memory.max").strip()
    used = read("/sys/fs/cgroup/memory.current").strip()
    if limit.isdigit() and used.isdigit():
        available = min(available, max(0, int(limit) - int(used)))
    return available


def get_commit(root):
    def git(*words):
        return subprocess.run(
            ["git", "-C", root, *words], capture_output=True, text=True
        )

    try:
        head = git("rev-parse", "--short=12", "HEAD")
        # What this program writes is no change of what it measures.
        changes = git(
            "status", "--porcelain", "-uno", "--", ":/", ":/!bench/results"
        )
    except OSError:
        return "unknown"
    if head.returncode:
        return "unknown"
    dirty = " with local changes" if changes.stdout.strip() else ""
    return head.stdout.strip() + dirty


def describe(root, build):
    """Rows (name, value)."""
    model = re.search(r"model name\s*:\s*(.+)", read("/proc/cpuinfo"))
    flags = re.search(r"flags\s*:\s*(.+)", read("/proc/cpuinfo"))
    flags = flags.group(1).split() if flags else []
    memory = re.search(r"MemTotal:\s+(\d+)", read("/proc/meminfo"))
    system = re.search(r'PRETTY_NAME="(.+)"', read("/etc/os-release"))
    names = [f for f in ("avx2", "fma", "avx512f") if f in flags]
    virtual = ", virtual machine" if "hypervisor" in flags else ""
    threads = os.environ.get("OMP_NUM_THREADS", str(get_cores()))
    return [
        (
            "CPU",
            (model.group(1).strip() if model else platform.machine())
            + (f" ({', '.join(names)}{virtual})" if names else virtual),
        ),
        ("Cores", f"{get_cores()}, {threads} threads used"),
        ("Memory", f"{int(memory.group(1)) / 2**20:.0f} GiB" if memory else "?"),
        ("System", system.group(1) if system else platform.platform()),
        ("Date", datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")),
        ("Commit", f"{get_commit(root)}, preset {build}"),
    ]


class OtherLoad:
    """The share of all cores that other processes took, over a while."""

    def __init__(self):
        self.start = self.sample()

    @staticmethod
    def sample():
        fields = read("/proc/stat").split("\n", 1)[0].split()[1:9]
        values = [int(x) for x in fields] or [0] * 8
        # user nice system idle iowait irq softirq steal
        busy = sum(values) - values[3] - values[4]
        own = 0
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
            usage = resource.getrusage(who)
            own += usage.ru_utime + usage.ru_stime
        return busy / os.sysconf("SC_CLK_TCK"), own, time.monotonic()

    def get(self):
        busy, own, now = (b - a for a, b in zip(self.start, self.sample()))
        return max(0.0, busy - own) / max(now * (os.cpu_count() or 1), 1e-9)


def wait_until_idle(seconds):
    """Until others take less than 5 % of the cores, at most so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        load = OtherLoad()
        time.sleep(2)
        if load.get() < 0.05:
            return


def run_quietest(run_once, retries):
    """The quietest result of `run_once`, by its `other_load`, of several while
    others disturb; None as soon as it returns None."""
    results = []
    while not results or (results[-1]["other_load"] > BUSY
                          and len(results) <= retries):
        result = run_once()
        if result is None:
            return None
        results.append(result)
    return min(results, key=lambda result: result["other_load"])
