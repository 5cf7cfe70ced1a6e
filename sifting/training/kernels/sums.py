"""Sums over images, in an order that depends on their number alone, for kernels that numba compiles."""

import numba

from sifting.training.kernels import simd
from sifting.training.kernels.simd import add, fma, from_lane, total

LANES = 16  # numbers that are treated at once
load, splat = simd.loader(LANES), simd.splatter(LANES)


@numba.njit
def dot(a, start, b, other, images):
    """Sum over images of a_n b_n, from where each begins in a flat array."""
    rest = images % LANES
    whole = images - rest
    if not whole:
        found = a[start] * b[other]
        for n in range(1, images):
            found += a[start + n] * b[other + n]
        return found
    sums = splat(a.dtype.type(0))
    for n in range(0, whole, LANES):
        sums = fma(load(a, start + n), load(b, other + n), sums)
    if rest:  # of the last ones those that are not counted yet
        n = images - LANES
        sums = fma(from_lane(load(a, start + n), LANES - rest), load(b, other + n), sums)
    return total(sums)


@numba.njit
def row_sum(a, start, images):
    """Sum of that many numbers of a flat array."""
    rest = images % LANES
    whole = images - rest
    if not whole:
        found = a[start]
        for n in range(1, images):
            found += a[start + n]
        return found
    sums = splat(a.dtype.type(0))
    for n in range(0, whole, LANES):
        sums = add(sums, load(a, start + n))
    if rest:
        sums = add(sums, from_lane(load(a, start + images - LANES), LANES - rest))
    return total(sums)


@numba.njit
def row_squares(a, start, images, mean):
    """Sum of the squares of that many numbers of a flat array, less their mean."""
    rest = images % LANES
    whole = images - rest
    if not whole:
        found = (a[start] - mean) ** 2
        for n in range(1, images):
            found += (a[start + n] - mean) ** 2
        return found
    sums, less = splat(a.dtype.type(0)), splat(-mean)
    for n in range(0, whole, LANES):
        apart = add(load(a, start + n), less)
        sums = fma(apart, apart, sums)
    if rest:
        apart = from_lane(add(load(a, start + images - LANES), less), LANES - rest)
        sums = fma(apart, apart, sums)
    return total(sums)
