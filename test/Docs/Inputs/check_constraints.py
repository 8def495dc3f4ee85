"""The numbered constraints are the same in every place that states them.

  check_constraints.py ROOT

Compares docs/Spec.md, the "Constraint" lines of the dialect's descriptions, the
diagnostics in the sources and the cases in test/Dialect/Invalid.
"""

import pathlib
import re
import sys

NUMBER = r"[A-Z][1-9][0-9]*"


def numbers(paths, pattern):
    """What the pattern's group finds in the files."""
    found = set()
    for path in paths:
        found.update(re.findall(pattern, path.read_text(encoding="utf-8"), re.M))
    return found


def described(paths):
    """The numbers of lines such as `Constraints: P1 to P7 and E1 of docs/Spec.md`."""
    found = set()
    for path in paths:
        text = path.read_text(encoding="utf-8")
        for line in re.findall(r"Constraints?:? (.*?) of docs/Spec\.md", text):
            for letter, first, _, last in re.findall(
                r"([A-Z])([0-9]+)(?: to ([A-Z])([0-9]+))?", line
            ):
                for number in range(int(first), int(last or first) + 1):
                    found.add(f"{letter}{number}")
    return found


root = pathlib.Path(sys.argv[1])
dialect = root / "dialect"
sources = sorted(dialect.rglob("*.cpp"))
places = {
    "docs/Spec.md": numbers([root / "docs/Spec.md"], rf"^\| ({NUMBER}) \|"),
    "the descriptions in dialect/*.td": described(sorted(dialect.glob("*.td"))),
    # Some diagnostics are handed their number as a string of its own.
    "the diagnostics in dialect/": numbers(sources, rf"\[({NUMBER})\]")
    | numbers(sources, rf'"({NUMBER})"'),
    "test/Dialect/Invalid": numbers(
        sorted((root / "test/Dialect/Invalid").glob("*.mlir")),
        rf"expected-error @below \{{\{{\[({NUMBER})\]",
    ),
}
everything = set().union(*places.values())
failed = False
for place, found in places.items():
    print(f"{place}: {len(found)} constraints")
    for number in sorted(everything - found):
        failed = True
        print(f"error: {number} is missing in {place}")
sys.exit(failed or not everything)
