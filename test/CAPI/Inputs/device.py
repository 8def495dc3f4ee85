"""Runs a graph on tensors of a device: device.py LIBRARY GRAPH"""

import ctypes as c
import sys

from foreign import SIZE, Device, Tensor, tensor


def main():
    attn = c.CDLL(sys.argv[1])
    attn.attn_last_error.restype = c.c_char_p
    context, function = c.c_void_p(), c.c_void_p()
    attn.attn_context_create(1, None, c.byref(context))
    if attn.attn_compile_file(context, sys.argv[2].encode(), b"nvvm", None, c.byref(function)):
        sys.exit(attn.attn_last_error().decode())

    def run(*devices):
        arrays = [(c.c_float * SIZE)() for _ in devices]
        tensors = [tensor(array, 32) for array in arrays]
        for tensor_, device in zip(tensors, devices):
            tensor_.device = Device(*device)
        arguments, result = (Tensor * 3)(*tensors[:3]), tensors[3]
        status = attn.attn_run(function, arguments, c.c_size_t(3), c.byref(result), c.c_size_t(1), None)
        print(f"{status}:", attn.attn_last_error().decode() if status else "done", flush=True)

    cpu, gpu, other, managed = (1, 0), (2, 0), (2, 1), (13, 0)
    run(gpu, cpu, gpu, gpu)
    run(gpu, gpu, gpu, other)
    run(gpu, managed, gpu, gpu)


if __name__ == "__main__":
    main()
