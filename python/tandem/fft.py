"""Discrete Fourier transforms of n dimensions, complex and real; frequencies and shifts of their bins."""

from tandem._tandem._fft import *
