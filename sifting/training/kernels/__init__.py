"""Loops that numba compiles, for the engine kept: kernels.NAME is what a step calls.

Activations lie as (units, images), all arrays in one piece. Every sum is in an order that depends on the
shapes alone: no loop is parallel, and none leaves the order to the compiler. Importing this package
raises ImportError without numba, and OSError where sifting.cache can keep nothing.
"""

from sifting.training.kernels.images import descend, gather, observe, peak, slopes, through_norm, turned
from sifting.training.kernels.weights import fold, fold_dense, product, products, taken, unfold, unfold_dense
