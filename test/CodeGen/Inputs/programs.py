# ===- programs.py - Calls of compiled graphs in C ------------------------=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
"""What a program in C or C++ needs to call a graph that was compiled ahead of
time: descriptors `T<rank>` of its arrays, which a function `read_floats(path,
count)` of the program makes of files."""

import array
import math
import re

TOKENS = 77


def describe_call(graph):
    """The parts of a program: the types of descriptors, the parameters of the
    graph's function, its arguments read from argv, their names, and the rank of
    its result."""
    shapes = [graph.get_shape(name, TOKENS) for name in graph.arguments]
    signature = graph.text[: graph.text.index(" {\n")]
    result = len(re.search(r"-> tensor<(.*)xf32>$", signature)[1].split("x"))
    lines, names = [], []
    for i, shape in enumerate(shapes):
        strides = [math.prod(shape[d + 1 :]) for d in range(len(shape))]
        lines.append(f"  float *p{i} = read_floats(argv[{i + 1}], "
                     f"{math.prod(shape)});")
        lines.append(f"  T{len(shape)} a{i} = {{p{i}, p{i}, 0, "
                     f"{{{', '.join(map(str, shape))}}}, "
                     f"{{{', '.join(map(str, strides))}}}}};")
        names.append(f"&a{i}")
    ranks = sorted({len(shape) for shape in shapes} | {result})
    return {
        "types": "\n".join(
            f"typedef struct {{ float *allocated, *data; "
            f"int64_t offset, sizes[{r}], strides[{r}]; }} T{r};"
            for r in ranks),
        "parameters": ", ".join([f"T{result} *"]
                                + [f"T{len(shape)} *" for shape in shapes]),
        "arguments": "\n".join(lines),
        "names": ", ".join(names),
        "result": result,
    }


def write_floats(path, values):
    with open(path, "wb") as file:
        array.array("f", values).tofile(file)


def read_floats(path):
    values = array.array("f")
    with open(path, "rb") as file:
        values.frombytes(file.read())
    return values


def get_error(got, exact):
    """||got - exact|| / ||exact||"""
    difference = sum((x - y) ** 2 for x, y in zip(got, exact, strict=True))
    return math.sqrt(difference / sum(y * y for y in exact))
