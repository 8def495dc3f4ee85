#!/usr/bin/env python3
# ===- recurrence_forms.py - attn.recurrence in every form -----------------=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
"""recurrence_forms.py ATTN_RUN FOLDER [ROW...]

The operation with each transition, read and erasure, as single steps and in
chunks, against the f64 evaluation of single steps; with everyday decays and
with log decays from -1e4 to 0.
"""

import math
import os
import random
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from forms import draw, normalize_rows  # noqa: E402
from npy import write_npy  # noqa: E402

HEAD, ROW, TOKEN = "tensor<1x4x?xf32>", "tensor<1x4x?x32xf32>", "tensor<1x?x{}xf32>"
CONSTANT, CHANNELS = "tensor<4xf32>", "tensor<4x32xf32>"
ELEMENTS = "tensor<1x?x32x16xf32>"
READ, PREVIOUS = '(%q "bhnd" current)', '(%q "bhnd" previous)'
WRITE, ERASE = 'write(%k "bhnd", %v "bhnv")', 'erase(%p "bhnd", %k "bhnd", %v "bhnv" {})'
SCALAR, DIAGONAL = '#attn.scalar_decay by(%g "bhn")', '#attn.diagonal_decay by(%g "bhnd")'

# The operation's clauses and the type of g.
ROWS = {
    "none": (f"#attn.no_decay read{READ} {WRITE}", None),
    "none_previous": (f"#attn.no_decay read{PREVIOUS} {WRITE}", None),
    "constant": (f'#attn.scalar_decay by(%g "h") read{READ} {WRITE}', CONSTANT),
    "scalar": (f"{SCALAR} read{READ} {WRITE}", HEAD),
    "scalar_gated": (f'{SCALAR} read{READ} {WRITE} log_gate(%i "bhn")', HEAD),
    "diagonal": (f"{DIAGONAL} read{READ} {WRITE}", ROW),
    "bonus": (f'{DIAGONAL} read{PREVIOUS} {WRITE} bonus(%u "hd")', ROW),
    "constant_bonus": (f'#attn.diagonal_decay by(%g "hd") read{PREVIOUS} {WRITE} '
                       'bonus(%u "hd")', CHANNELS),
    "erase": (f"#attn.no_decay read{READ} {ERASE.format('decayed')}", None),
    "erase_scalar": (f"{SCALAR} read{READ} {ERASE.format('decayed')}", HEAD),
    "erase_diagonal": (f"{DIAGONAL} read{READ} {ERASE.format('decayed')}", ROW),
    "erase_previous": (f"{SCALAR} read{READ} {ERASE.format('previous')}", HEAD),
    "predict": (f"{DIAGONAL} read{PREVIOUS} {ERASE.format('previous')}", ROW),
    "low_rank": (f'{DIAGONAL} read{READ} write(%w "bhnd", %v "bhnv") '
                 'erase(%p "bhnd", %k "bhnd", %z "bhnv" previous)', ROW),
    "elements": ('#attn.elementwise_decay by(%g "bnvd") read(%C "bnd" current) '
                 'write(%B "bnd", %x "bnv")', ELEMENTS),
}
TYPES = {"i": HEAD, "u": CHANNELS, "C": TOKEN.format(16), "B": TOKEN.format(16),
         "x": TOKEN.format(32)}
FORMS = ("recurrent", "quadratic", "chunkwise 16", "chunkwise 64", "chunkwise 100")
SIZES = (77, 128, 200)


def get_text(row, form, tokens):
    clauses, decay = ROWS[row]
    names = re.findall(r"%(\w+)", clauses)
    types = [decay if name == "g" else TYPES.get(name, ROW) for name in names]
    axes, result = ('"bnv"', TOKEN.format(32)) if row == "elements" else ('"bhnv"', ROW)
    output = result
    if row == "scalar_gated":
        axes, output = axes + ', log_scale "bhn"', f"({ROW}, {HEAD})"
    signature = ", ".join(f"%{name}: {type}" for name, type in zip(names, types))
    count = 2 if row == "scalar_gated" else 1
    text = (f"func.func @main({signature}) -> {output} {{\n"
            f"  %o:{count} = attn.recurrence {clauses} as {form} -> {axes} : "
            f"({', '.join(types)}) -> {output}\n"
            f"  return {', '.join(f'%o#{i}' for i in range(count))} : "
            f"{output.strip('()')}\n}}\n")
    # One chunk has a static number of tokens.
    if form == "quadratic":
        text = text.replace("?", str(tokens))
    return text, dict(zip(names, types)), count


def make_inputs(types, tokens, harsh, prefix):
    generator = random.Random(f"{prefix} {harsh}")
    arrays = {}
    for name, type_text in types.items():
        shape = tuple(tokens if size == "?" else int(size)
                      for size in type_text[len("tensor<") : -1].split("x")[:-1])
        kind = "decay" if name == "g" else "normal"
        values = [draw(kind, generator, harsh) for _ in range(math.prod(shape))]
        if name == "k":
            normalize_rows(values, shape[-1])
        if name == "z":
            values = [0.0] * len(values)
        arrays[name] = (shape, values)
    if "p" in arrays:  # beta k
        shape, keys = arrays["k"]
        factors = [draw("factor", generator, harsh) for _ in keys[:: shape[-1]]]
        arrays["p"] = (shape, [factors[i // shape[-1]] * x
                               for i, x in enumerate(keys)])
    paths = []
    for name, (shape, values) in arrays.items():
        paths.append(f"{prefix}.{name}.npy")
        write_npy(paths[-1], "f4", shape, values)
    return paths


def check(attn_run, folder, row, tokens, harsh):
    """The number of forms that fail."""
    prefix = os.path.join(folder, row)
    failed, steps = 0, 0.0

    def run(text, *options):
        with open(prefix + ".mlir", "w", encoding="utf-8") as file:
            file.write(text)
        return subprocess.run([attn_run, prefix + ".mlir",
                               "--inputs=" + ",".join(paths), *options],
                              capture_output=True, text=True, check=False)

    for form in FORMS:
        if row == "elements" and form != "recurrent":
            continue
        text, types, count = get_text(row, form, tokens)
        exact = ",".join(f"{prefix}.exact{i}.npy" for i in range(count))
        if form == "recurrent":
            paths = make_inputs(types, tokens, harsh, prefix)
            run(text, "--target=reference", "--outputs=" + exact)
        done = run(text, "--check=" + exact)
        errors = [float(x) for x in re.findall(r"rel_err=(\S+)", done.stdout)]
        error = max(errors, default=math.inf)
        if form == "recurrent":
            steps = error
        if done.returncode != 0 or not error <= max(2 * steps, 2e-7):
            failed += 1
            print(f"{row} as {form} N={tokens}{' harsh' if harsh else ''}: "
                  f"{error:.1e}, single steps {steps:.1e} {done.stderr[:500]}")
    return failed


def main():
    attn_run, folder, *rows = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    failed = sum(check(attn_run, folder, row, tokens, harsh)
                 for row in rows or ROWS
                 for tokens in SIZES for harsh in (False, True))
    print(f"{len(rows or ROWS)} rows, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
