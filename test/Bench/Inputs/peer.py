"""A peer of attn-bench-mechanisms that serves nothing, fails, or returns q."""

import shutil
import sys

for line in sys.stdin:
    words = line.split()
    if words[0] == "prepare":
        output, query = words[7], words[8].split("=")[1]
    answer = sys.argv[1]
    if answer == "wrong":
        if words[0] == "result":
            shutil.copy(query, output)
        answer = "ready as it was" if words[0] == "prepare" else "done"
    print(answer, flush=True)
