# ===- forms_text.py - Variants of a graph, made from its text -------------=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
"""One of examples/mechanisms: its arguments, and the same from 16 bits or with
packed sequences."""

import os
import re

# Inputs that models keep in 16 bits.
NARROW = ("q", "k", "v", "r", "x", "B", "C", "z")


class Graph:
    def __init__(self, path):
        self.name = os.path.splitext(os.path.basename(path))[0]
        with open(path, encoding="utf-8") as file:
            lines = [line for line in file if not line.startswith("//")]
        self.text = "".join(lines)
        signature = self.text[: self.text.index(" {\n")]
        arguments, result = signature.split(") -> ")
        self.arguments = dict(re.findall(r"%(\w+): (tensor<[^>]+>)", arguments))
        self.result_token_dim = self.find_token(result)

    @staticmethod
    def find_token(type_text):
        """The dynamic dimension, the tokens."""
        sizes = type_text[len("tensor<") :].split("x")
        return sizes.index("?") if "?" in sizes else None

    def get_token_dim(self, name):
        return self.find_token(self.arguments[name])

    def get_steps_of_scores(self):
        match = re.search(r"attn.expand_steps .* steps (\d+)", self.text)
        return int(match[1]) if match else 1

    def get_steps(self, name):
        """The steps of an argument for each token of the result."""
        return 1 if name == "q" else self.get_steps_of_scores()

    def get_shape(self, name, tokens):
        sizes = self.arguments[name][len("tensor<") : -1].split("x")[:-1]
        return tuple(tokens * self.get_steps(name) if size == "?" else int(size)
                     for size in sizes)

    def get_narrow_text(self):
        """Inputs in bf16; all results stay f32."""
        names = [name for name in self.arguments if name in NARROW]

        def narrow(type_text):
            return type_text.replace("xf32>", "xbf16>")

        out = []
        for line in self.text.splitlines():
            # The operands before `:` and their types behind it.
            match = re.match(r"(  %\w+ = attn\.\w+ )((?:%\w+(?:, )?)+)(.* : )"
                             r"([^:]*) -> (\S+)$", line)
            if match:
                operands = re.findall(r"%(\w+)", match[2])
                types = match[4].split(", ")
                types = [narrow(t) if operand in names else t
                         for operand, t in zip(operands, types)]
                line = (match[1] + match[2] + match[3] + ", ".join(types) + " -> "
                        + match[5])
            # Those that are named with their type: arguments, gates.
            for name in names:
                line = re.sub(rf'(%{name}: |\(%{name}(?: "\w+")? : )(tensor<[^>]+>)',
                              lambda m: m[1] + narrow(m[2]), line)
            out.append(line)
        return "\n".join(out) + "\n"

    def get_packed_text(self):
        """All scores cut at %cu."""
        text = self.text.replace(") -> ", ", %cu: tensor<?xi32>) -> ", 1)
        fill = "-inf" if "attn.softmax" in text else "0.0"
        out = []
        for line in text.splitlines():
            match = re.match(r"  %(\w+) = attn\.(causal_score|mask) .*(tensor<\S+>)$",
                             line)
            if match:
                name = match[1]
                line = line.replace(f"%{name} =", f"%{name}_whole =", 1)
                line += (f"\n  %{name} = attn.mask %{name}_whole, #attn.packed"
                         f"(%cu : tensor<?xi32>) else {fill} : {match[3]}")
            out.append(line)
        return "\n".join(out) + "\n"
