"""Prints random operations of the dialect in generic form, nearly all invalid.

  random_operations.py SEED COUNT
"""

import random
import sys

BIG = 2**63 - 1
SHAPES = ["", "0x", "1x", "?x", "4x", "4x4x", "?x?x", "?x0x", "8x?x16x"]
SHAPES += ["2x8x?x16x", f"{2**62}x2x", f"{BIG}x", "1x" * 20]
ELEMENTS = ["f32", "f64", "bf16", "f16"] * 3
ELEMENTS += ["i32", "i1", "index", "f8E4M3FN", "complex<f32>", "vector<4xf32>"]
MAPS = ["elu1", "favor", "hedgehog", "taylor2", "cosformer<max_len = 5>", "exp"]
MAPS += ["identity", "relu", "squared_relu", "causal", "sigmoid", "l2_norm"]
MASKS = ["full", "causal", f"causal<offset = {-BIG}>", "strictly_causal", "packed"]
MASKS += [f"sliding_window<left = {BIG}, right = {BIG}>", "dense", "elu1"]
SUBSCRIPTS = ["", "nd,md->nm", "bhnd,bhmd->bhnm", "(gr)nd,gmd->(gr)nm", ",->", "->,"]
SUBSCRIPTS += ["n,n->", "(abc)d,ad->(abc)", "a(bc)d,cd->ab", "nd,md->nm->x", "((("]
SUBSCRIPTS += ["(ab)(cd)e,acf->(ab)(cd)"]
AXES = ["", "n", "d", "nd", "hnd", "bhnd", "nv", "hnv", "hdv", "(gr)nd", "h!", "nn"]
TRANSITIONS = ["no_decay", "scalar_decay", "diagonal_decay", "elementwise_decay"]
TRANSITIONS += ["dense_transition", "causal"]
# Groups of operands, those of them with one value, and groups of results, of
# operations that have several.
SEGMENTS = {"causal_score": (5, [0, 1], 0), "recurrence": (12, [1], 4)}
SEGMENTS["scan"] = (2, [], 0)
SEVERAL = list(SEGMENTS) + ["gate", "solve", "expand_steps", "take_steps", "divide"]
SEVERAL += ["feature_scale"]
FLOATS = ["0.0", "1.0", "0x7FF8000000000000", "0xFFF0000000000000", "-0.0", "-1.0"]
INTEGERS = [0, 1, -1, 2, 7, BIG, -BIG]
BODIES = ["", "^bb0(%e: f32):", "^bb0:\n'attn.yield'() : () -> ()"]
BODIES += [
    "^bb0(%e: f32):\n'attn.yield'(%e) : (f32) -> ()",
    "^bb0(%e: f32):\n'func.return'(%e) : (f32) -> ()",
    "^bb0(%e: f32):\n'cf.br'()[^bb1] : () -> ()\n^bb1:\n'attn.yield'() : () -> ()",
]
NO_ATTRIBUTES = ["3 : i32", "'x'", "unit", "affine_map<(i) -> (i)>"]

pick = random.choice


def maybe(probability):
    return random.random() < probability


def tensor():
    if maybe(0.05):
        return pick(["tensor<*xf32>", "memref<4xf32>", "f32"])
    return f"tensor<{pick(SHAPES)}{pick(ELEMENTS)}>"


def attribute(names):
    return pick(NO_ATTRIBUTES) if maybe(0.1) else "#attn." + pick(names)


def axes_list(count):
    return "[" + ", ".join(f"'{pick(AXES)}'" for _ in range(count)) + "]"


def segments(groups, single, count):
    """Sizes of groups of `count` values; mostly one for those in `single`."""
    sizes = [0] * groups
    order = list(single) if maybe(0.9) else []
    order += [random.randrange(groups) for _ in range(count)]
    for group in order[:count]:
        sizes[group] += 1
    return f"array<i32: {', '.join(map(str, sizes))}>"


def attributes(name, operands=0):
    """Each attribute of the operation, with the probability that it is there."""
    integer = f"{pick(INTEGERS)} : i64"
    number = pick(FLOATS) + (" : f64" if maybe(0.9) else " : f32")
    known = {
        "feature_map": [
            ("map", attribute(MAPS), 0.7),
            ("tokenDim", integer, 0.3),
            ("featureDim", f"{pick(INTEGERS)} : i64", 0.3),
            ("stabilize", f"{pick([0, 2, 7])} : i32", 0.3),
        ],
        "softmax": [("map", attribute(MAPS), 0.5)],
        "mask": [("mask", attribute(MASKS), 0.95), ("fill", number, 0.95)],
        "scale": [("factor", number, 0.9)],
        "normalize": [("eps", number, 0.7)],
        "append_ones": [("dim", integer, 0.7)],
        "divide_by_last": [("dim", integer, 0.7), ("eps", number, 0.7)],
        "divide": [("eps", number, 0.7), ("floor", number, 0.5)],
        "feature_scale": [("map", attribute(MAPS), 0.95), ("tokenDim", integer, 0.3)],
        "expand_steps": [("steps", integer, 0.95), ("tokenDim", integer, 0.5)],
        "take_steps": [("steps", integer, 0.95), ("tokenDim", integer, 0.5)],
        "causal_score": [
            ("einsum", f"'{pick(SUBSCRIPTS)}'", 0.6),
            ("decayAxes", f"'{pick(AXES)}'", 0.5),
            ("bonusAxes", f"'{pick(AXES)}'", 0.2),
            ("logGateAxes", f"'{pick(AXES)}'", 0.2),
            ("strict", "unit", 0.2),
        ],
        "gate": [
            ("einsum", f"'{pick(SUBSCRIPTS)}'", 0.5),
            ("lo", number, 0.3),
            ("hi", number, 0.3),
        ],
        "recurrence": [
            ("transition", attribute(TRANSITIONS), 0.95),
            ("read", f"{pick([0, 1, 2])} : i32", 0.95),
            ("eraseRead", f"{pick([0, 1, 2])} : i32", 0.3),
            ("operandAxes", axes_list(operands), 0.95),
            ("resultAxes", axes_list(1), 0.95),
            ("form", f"{pick([0, 3])} : i32", 0.95),
            ("chunk", integer, 0.2),
        ],
        "scan": [
            ("inputAxes", axes_list(operands), 0.95),
            ("stateAxes", f"'{pick(AXES)}'", 0.95),
            ("outputAxes", f"'{pick(AXES)}'", 0.95),
        ],
    }
    product = [("einsum", f"'{pick(SUBSCRIPTS)}'", 0.7)]
    found = known.get(name, product)
    return [f"{key} = {value}" for key, value, p in found if maybe(p)]


def operation():
    name = pick(["score", "apply", "contract", "feature_map", "scale", "mask"])
    if maybe(0.4):
        name = pick(["softmax", "normalize", "append_ones", "divide_by_last"])
    if maybe(0.4):
        name = pick(SEVERAL)
    types = [tensor() for _ in range(pick([0, 1, 1, 2, 2, 2, 3, 3, 4]))]
    if types and maybe(0.5):
        types = types[:1] * len(types)
    result = types[0] if types and maybe(0.4) else tensor()
    names = [f"%a{i}" for i in range(len(types))]
    arguments = ", ".join(map(": ".join, zip(names, types)))
    known = attributes(name, len(types))
    groups, single, results = SEGMENTS.get(name, (0, [], 0))
    if groups and types:
        sizes = segments(groups, single, len(types))
        known.append(f"operandSegmentSizes = {sizes}")
    if results:
        known.append("resultSegmentSizes = array<i32: 1, 0, 0, 0>")
    properties = ", ".join(known)
    has_region = name in ("feature_map", "scan")
    region = f" ({{\n{pick(BODIES)}\n}})" if has_region else ""
    text = f"func.func @f({arguments}) {{\n%0 = 'attn.{name}'({', '.join(names)})"
    text += f" <{{{properties}}}>" if properties else ""
    text += f"{region} : ({', '.join(types)}) -> {result}\nreturn\n}}\n"
    return text.replace("'", '"')


random.seed(int(sys.argv[1]))
print("// -----\n".join(operation() for _ in range(int(sys.argv[2]))))
