"""Compiles and runs a graph through ctypes: foreign.py LIBRARY GRAPH"""

import ctypes as c
import sys


class Device(c.Structure):
    _fields_ = [("type", c.c_int), ("id", c.c_int)]


class DataType(c.Structure):
    _fields_ = [("code", c.c_uint8), ("bits", c.c_uint8), ("lanes", c.c_uint16)]


class Tensor(c.Structure):
    _fields_ = [
        ("data", c.c_void_p),
        ("device", Device),
        ("ndim", c.c_int),
        ("dtype", DataType),
        ("shape", c.POINTER(c.c_int64)),
        ("strides", c.POINTER(c.c_int64)),
        ("byte_offset", c.c_uint64),
    ]


class Value(c.Structure):
    _fields_ = [
        ("name", c.c_char_p),
        ("dtype", DataType),
        ("ndim", c.c_int32),
        ("shape", c.POINTER(c.c_int64)),
        ("state", c.c_int32),
    ]


SHAPE = (c.c_int64 * 4)(1, 8, 12, 64)
SIZE = 8 * 12 * 64


def tensor(array, bits):
    return Tensor(c.addressof(array), Device(1, 0), 4, DataType(2, bits, 1), SHAPE)


def main():
    attn = c.CDLL(sys.argv[1])  # RTLD_LOCAL
    attn.attn_last_error.restype = c.c_char_p

    def check(status):
        if status:
            sys.exit(attn.attn_last_error())

    context = c.c_void_p()
    check(attn.attn_context_create(1, None, c.byref(context)))

    def compile_for(target, options=None):
        function = c.c_void_p()
        return function, attn.attn_compile_file(
            context, sys.argv[2].encode(), target, options, c.byref(function)
        )

    inputs = [(c.c_float * SIZE)(*((i * k % 17 - 8) / 8 for i in range(SIZE))) for k in (3, 5, 7)]
    arguments = (Tensor * 3)(*(tensor(array, 32) for array in inputs))
    results = []
    for target, kind, bits in ((b"cpu", c.c_float, 32), (b"reference", c.c_double, 64)):
        function, status = compile_for(target)
        check(status)
        if target == b"cpu":
            value = Value()
            check(attn.attn_callable_argument(function, c.c_size_t(0), c.byref(value)))
            shape = tuple(value.shape[: value.ndim])
            print(value.name.decode(), f"float{value.dtype.bits}", shape)
        output = (kind * SIZE)()
        result = tensor(output, bits)
        check(attn.attn_run(function, arguments, c.c_size_t(3), c.byref(result), c.c_size_t(1), None))
        check(attn.attn_callable_destroy(function))
        results.append(list(output))
    error = sum((a - b) ** 2 for a, b in zip(*results)) ** 0.5
    norm = sum(b * b for b in results[1]) ** 0.5
    print("right" if norm > 0 and error < 1e-5 * norm else "WRONG")

    for target, options in ((b"cpu", (c.c_size_t * 1)(7)), (b"tpu", None)):
        _, status = compile_for(target, options)
        print(f"{status}:", attn.attn_last_error().decode())
    check(attn.attn_context_destroy(context))


if __name__ == "__main__":
    main()
