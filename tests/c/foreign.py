"""The C interface from another language: ctypes, which fills tandem_value by its documented layout. Usage: foreign.py LIBRARY"""

import ctypes
import sys


class As(ctypes.Union):
    _fields_ = [("pointer", ctypes.c_void_p), ("integer", ctypes.c_int64), ("parts", ctypes.c_double * 2)]


class Value(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("kind", ctypes.c_int32),
        ("reserved", ctypes.c_int32),
        ("count", ctypes.c_size_t),
        ("as_", As),
    ]


TENSOR, INT = 1, 4


def main():
    library = ctypes.CDLL(sys.argv[1])
    library.tandem_last_error.restype = ctypes.c_char_p
    assert ctypes.sizeof(Value) == 40

    def check(status):
        if status:
            raise RuntimeError(library.tandem_last_error().decode())

    check(library.tandem_check_abi(1))
    data = (ctypes.c_double * 4)(4, 3, 2, 1)
    shape = (ctypes.c_int64 * 2)(2, 2)
    freed = []
    deleter = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(lambda memory, context: freed.append(memory))
    x, y = ctypes.c_void_p(), ctypes.c_void_p()
    cpu, float64, two = b"cpu", b"float64", ctypes.c_size_t(2)
    check(library.tandem_wrap(data, float64, cpu, two, shape, None, deleter, None, ctypes.byref(x)))
    args = (Value * 2)(
        Value(b"x", TENSOR, 0, 0, As(pointer=x.value)),
        Value(b"dim", INT, 0, 0, As(integer=1)),
    )
    check(library.tandem_call_tensor(b"cumsum", args, two, ctypes.byref(y)))
    sums = (ctypes.c_double * 4)()
    check(library.tandem_copy_to_host(y, sums, ctypes.c_size_t(ctypes.sizeof(sums))))
    assert list(sums) == [4, 7, 2, 3], list(sums)
    try:
        check(library.tandem_call_tensor(b"cumsum", args, ctypes.c_size_t(1), ctypes.byref(y)))
    except RuntimeError as error:
        assert str(error) == "[cumsum] missing argument 'dim'", error
    else:
        raise AssertionError("a missing argument is no error")
    check(library.tandem_tensor_release(y))
    check(library.tandem_tensor_release(x))
    assert freed == [ctypes.addressof(data)], freed


if __name__ == "__main__":
    main()
