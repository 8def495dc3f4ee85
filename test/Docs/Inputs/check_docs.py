"""Runs the examples of a markdown file.

  check_docs.py FILE.md --source=ROOT --tools=BIN --work=DIR

A block fenced as `mlir` is parsed and verified by attn-opt. One fenced as
`mlir --some-pass` is what attn-opt makes of the block before with these options,
but for the names of values. One fenced as
`sh run` is run by bash in DIR, where `examples` is the tree's and
`build/release/bin` the tools under test. A block `text output` after it lists
lines that its output must have in this order; `...` stands for anything.
"""

import argparse
import os
import re
import subprocess
import sys


def read_blocks(path):
    """Yields (line number, info string, text) of each fenced block."""
    info, start, lines = None, 0, []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.startswith("```"):
                lines.append(line)
            elif info is None:
                info, start, lines = line[3:].strip(), number, []
            else:
                yield start, info, "".join(lines)
                info = None
    if info is not None:
        sys.exit(f"{path}:{start}: a block without an end")


def matches(pattern, line):
    parts = [re.escape(part.strip()) for part in pattern.split("...")]
    return re.search(r".*?".join(re.sub(r"(\\ )+", r"\\s+", p) for p in parts), line)


def missing_line(expected, output):
    """The first line of `expected` that `output` lacks, in order, or None."""
    rest = iter(output.splitlines())
    for pattern in filter(str.strip, expected.splitlines()):
        if not any(matches(pattern, line) for line in rest):
            return pattern
    return None


def run(command, cwd, data=None):
    return subprocess.run(
        command,
        input=data,
        cwd=cwd,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def prepare(work, source, tools):
    os.makedirs(os.path.join(work, "build", "release"), exist_ok=True)
    for link, target in (
        ("examples", os.path.join(source, "examples")),
        (os.path.join("build", "release", "bin"), tools),
    ):
        link = os.path.join(work, link)
        if not os.path.islink(link):
            os.symlink(target, link)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    for name in ("source", "tools", "work"):
        parser.add_argument("--" + name, required=True, type=os.path.abspath)
    args = parser.parse_args()
    prepare(args.work, args.source, args.tools)
    attn_opt = os.path.join(args.tools, "attn-opt")

    count = failures = 0
    graph = output = ""
    for line, info, text in read_blocks(args.file):
        problem = None
        if info == "text output":
            lacking = missing_line(text, output)
            if lacking is not None:
                problem = f"no line '{lacking}' in:\n{output}"
        elif info.split()[:1] == ["mlir"]:
            done = run([attn_opt, "-"], args.work, text)
            output = done.stdout
            if done.returncode != 0:
                problem = f"exit status {done.returncode}:\n{output}"
            elif info != "mlir":
                rewritten = run([attn_opt, *info.split()[1:], "-"], args.work, graph)
                if rewritten.stdout != output:
                    problem = f"the passes make of it:\n{rewritten.stdout}"
            graph = text
        elif info == "sh run":
            done = run(["bash", "-euo", "pipefail", "-c", text], args.work)
            output = done.stdout
            if done.returncode != 0:
                problem = f"exit status {done.returncode}:\n{output}"
        else:
            continue
        count += 1
        if problem is not None:
            failures += 1
            print(f"{args.file}:{line}: {problem}")
    print(f"{count} examples, {failures} failed")
    sys.exit(1 if failures or not count else 0)


if __name__ == "__main__":
    main()
