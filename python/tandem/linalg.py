"""Linear algebra: products, factorisations, solutions, norms of matrices and batches of them."""

from tandem._tandem._linalg import *
from tandem.errors import LinAlgError
