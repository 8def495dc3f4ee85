"""count_lines.py LIMIT FILE...: each graph has at most LIMIT lines that are no
comments, and cites what it comes from."""

import sys

limit, *paths = sys.argv[1:]
failed = False
for path in paths:
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    code = [line for line in lines if not line.startswith("//")]
    cited = any("(arXiv:" in line or "of our own" in line for line in lines)
    if len(code) > int(limit) or not cited:
        failed = True
        print(f"{path}: {len(code)} lines, {'' if cited else 'not '}cited")
print(f"{len(paths)} graphs")
sys.exit(failed)
