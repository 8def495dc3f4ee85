"""Runs the `mlir` examples of the descriptions in .td files.

  run_ods_examples.py --opt=ATTN_OPT FILE.td...

An example that is no function of its own is wrapped in one whose arguments are
the operands that the example leaves open. Their types stand in the example: in
`(%w : type)`, or in the list after the last colon of an operation, which has a
type for each of the other operands in order, or one for all of them. A list in
parentheses, `(types) -> type`, has a type for every operand.
"""

import argparse
import re
import subprocess
import sys
import textwrap

VALUE = re.compile(r"%[A-Za-z0-9_]+")


def read_examples(path):
    """Yields (line number, text) of each block fenced as `mlir`."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    start = None
    for number, line in enumerate(lines, 1):
        if line.strip() == "```mlir":
            start = number
        elif line.strip() == "```" and start is not None:
            yield start, textwrap.dedent("\n".join(lines[start : number - 1]))
            start = None


def split_types(text):
    """The types of a list, at commas outside of brackets."""
    types, depth = [""], 0
    for i, char in enumerate(text):
        if char == "," and depth == 0:
            types.append("")
            continue
        arrow = char == ">" and text[i - 1] == "-"
        depth += (char in "<([") - (char in ">)]" and not arrow)
        types[-1] += char
    return [t.strip() for t in types if t.strip()]


def without_regions(text):
    """Statements, one a line, without the contents of their regions."""
    result, depth = [], 0
    for char in re.sub(r"//[^\n]*", "", text):
        depth -= char == "}"
        if depth == 0:
            result.append(char)
        depth += char == "{"
    return "".join(result).split("\n")


def open_operands(text):
    """Names and types of the operands that the example does not define."""
    defined, operands = set(), {}
    for statement in filter(str.strip, without_regions(text)):
        results, equals, operation = statement.partition(" = ")
        if not equals or not VALUE.match(results.strip()):
            results, operation = "", statement
        # `(%w : type)` has its own types.
        for names, types in re.findall(r"\((%[^:()]*?) : ([^()]*)\)", operation):
            for name, type in zip(VALUE.findall(names), split_types(types)):
                operands.setdefault(name, type)
        operation, _, types = operation.rpartition(" : ")
        if types.startswith("("):
            types = split_types(types[1 : types.index(")")])
        else:
            operation = re.sub(r"\(%[^()]*\)", "", operation)
            types = split_types(types.partition("->")[0])
        names = VALUE.findall(operation)
        if len(types) == 1:
            types *= len(names)
        if len(names) != len(types):
            raise ValueError(f"{len(names)} operands, {len(types)} types: {statement}")
        for name, type in zip(names, types):
            if name not in defined:
                operands.setdefault(name, type)
        defined.update(VALUE.findall(results))
    return {name: type for name, type in operands.items() if name not in defined}


def make_module(text):
    if re.search(r"^\s*(func\.func|module)\b", text, re.M):
        return text
    arguments = ", ".join(f"{n}: {t}" for n, t in open_operands(text).items())
    return f"func.func @example({arguments}) {{\n{text}\nreturn\n}}\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--opt", required=True)
    parser.add_argument("files", nargs="+")
    args = parser.parse_args()
    failed = False
    for path in args.files:
        examples = list(read_examples(path))
        for number, text in examples:
            place = f"{path}:{number}"
            try:
                module = make_module(text)
            except ValueError as error:
                print(f"{place}: error: {error}")
                failed = True
                continue
            result = subprocess.run(
                [args.opt, "-"], input=module, text=True, capture_output=True
            )
            if result.returncode:
                print(f"{place}: error: the example does not hold\n{module}")
                print(result.stderr)
                failed = True
        print(f"{path}: {len(examples)} examples")
        failed |= not examples
    sys.exit(failed)


main()
