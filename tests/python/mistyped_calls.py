# Calls that mypy has to refuse, each with the code of its error (test_stubs.py). Never run.
import tandem

x = tandem.zeros(2, 3)
tandem.zeros("2")  # [arg-type]
tandem.add(x, "2")  # [arg-type]
x.sum(dim=1.5)  # [call-overload]
x.max(dim=1.5)  # [call-overload]
tandem.cat([x], dimension=0)  # [call-arg]
tandem.div(x, 2, rounding_mode="up")  # [arg-type]
tandem.fft.fft(x, norm="best")  # [arg-type]
x.no_such_method()  # [attr-defined]
tandem.no_such_function(x)  # [attr-defined]
x.ndim = 3  # [misc]
x + "2"  # [operator]
y: int = x.sum()  # [assignment]
tandem.linalg.svd(x).V  # [attr-defined]
tandem.zeros(2, dtype="float32")  # [call-overload]
tandem.set_float32_matmul_precision("low")  # [arg-type]
