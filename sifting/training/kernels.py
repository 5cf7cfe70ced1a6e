"""Loops over kept weights alone, compiled by numba: what training.kept computes with.

Activations lie as (units, images), all arrays in one piece. Kept weights are listed row by row, those of row
r from starts[r] to starts[r + 1], each with its column. Every sum is in an order that depends on the
shapes alone: no loop is parallel, and none leaves the order to the compiler.

What is compiled is kept in sifting.cache for the next process. Importing this module raises OSError where
nothing can be kept there: compiling takes seconds.
"""

import hashlib
import pathlib
import tempfile

import numba
import numpy as np
from numba.core import config as settings

from sifting import cache
from sifting.training import simd
from sifting.training.simd import add, fma, from_lane, store, total

WIDE, LANES = 64, 16  # images that are treated at once; fewer are treated one by one
load, splat = simd.loader(LANES), simd.splatter(LANES)


def folder() -> pathlib.Path:
    """Where compiled code is kept: another folder for other sources and another numba."""
    sources = b"".join(pathlib.Path(file).read_bytes() for file in (__file__, simd.__file__))
    digest = hashlib.sha256(sources + numba.__version__.encode()).hexdigest()[:12]
    return cache.folder() / "kernels" / digest


def compiled(function):
    """The function, compiled when it is first called, and kept in `folder`."""
    before, settings.CACHE_DIR = settings.CACHE_DIR, str(_kept_in)
    try:
        return numba.njit(function, cache=True, error_model="numpy")
    finally:
        settings.CACHE_DIR = before


_kept_in = folder()
_kept_in.mkdir(parents=True, exist_ok=True)
tempfile.TemporaryFile(dir=_kept_in).close()  # where nothing can be written, numba would say so later


def _block(lanes: int):
    """`product` for so many images, from number n on."""
    load, splat = simd.loader(lanes), simd.splatter(lanes)

    @numba.njit
    def block(starts, columns, weight, offset, h, z, images, n):
        for row in range(len(starts) - 1):
            found = splat(offset[row])
            for k in range(starts[row], starts[row + 1]):
                found = fma(splat(weight[k]), load(h, columns[k] * images + n), found)
            store(z, row * images + n, found)

    return block


_wide, _narrow, _single = _block(WIDE), _block(LANES), _block(1)


@compiled
def product(starts, columns, weight, offset, h, z):
    """z_rn = offset_r + sum of weight_k h_{column of k, n} over the kept k of row r.

    h : (columns, images); z : (rows, images), is filled
    """
    images = h.shape[1]
    h, z, n = h.reshape(-1), z.reshape(-1), 0
    while n + WIDE <= images:
        _wide(starts, columns, weight, offset, h, z, images, n)
        n += WIDE
    while n + LANES <= images:
        _narrow(starts, columns, weight, offset, h, z, images, n)
        n += LANES
    if n < images and images >= LANES:  # the last ones once more, to the same bits
        _narrow(starts, columns, weight, offset, h, z, images, images - LANES)
        n = images
    for single in range(n, images):
        _single(starts, columns, weight, offset, h, z, images, single)


@numba.njit
def _dot(a, start, b, other, images):
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


@compiled
def products(starts, columns, d, h, found):
    """found_k = sum over images of d_rn h_cn, for the kept weight k in row r and column c.

    d : (rows, images); h : (columns, images)
    """
    images = h.shape[1]
    d, h = d.reshape(-1), h.reshape(-1)
    rest = images % LANES
    whole, last = images - rest, images - LANES
    for row in range(len(starts) - 1):
        k, stop, here = starts[row], starts[row + 1], row * images
        if whole:
            while k + 4 <= stop:  # d is read once for four of them
                one, two = columns[k] * images, columns[k + 1] * images
                three, four = columns[k + 2] * images, columns[k + 3] * images
                a = splat(found.dtype.type(0))
                b = c = e = a
                for n in range(0, whole, LANES):
                    slope = load(d, here + n)
                    a, b = fma(slope, load(h, one + n), a), fma(slope, load(h, two + n), b)
                    c, e = fma(slope, load(h, three + n), c), fma(slope, load(h, four + n), e)
                if rest:
                    slope = from_lane(load(d, here + last), LANES - rest)
                    a, b = fma(slope, load(h, one + last), a), fma(slope, load(h, two + last), b)
                    c, e = fma(slope, load(h, three + last), c), fma(slope, load(h, four + last), e)
                found[k], found[k + 1], found[k + 2], found[k + 3] = total(a), total(b), total(c), total(e)
                k += 4
        while k < stop:
            found[k] = _dot(d, here, h, columns[k] * images, images)
            k += 1


@compiled
def fold(rows, columns, weight, scale, shift, bias, scaled, offset):
    """scaled_k = weight_k scale_c and offset_r = bias_r + sum of weight_k shift_c, for k in row r, column c.

    scaled : of the first kept weights, as many as it has; scale or shift of no length: 1 or 0
    """
    offset[:] = bias
    for k in range(len(scaled)):
        scaled[k] = weight[k] * scale[columns[k]] if len(scale) else weight[k]
    if len(shift):
        for k in range(len(rows)):
            offset[rows[k]] += weight[k] * shift[columns[k]]


@compiled
def unfold(rows, columns, weight, scale, shift, db, grad, active, dscale, dshift):
    """Gradients by `fold` of the weights, of scale and of shift.

    grad : holds S_k = dL/dscaled_k of the first `active` kept weights, and is filled; others have none
    """
    dscale[:], dshift[:] = 0, 0
    for k in range(len(rows)):
        c, slope = columns[k], grad.dtype.type(0)
        if k < active:
            slope = grad[k]
            if len(scale):
                dscale[c] += weight[k] * slope
                slope *= scale[c]
        if len(shift):
            dshift[c] += weight[k] * db[rows[k]]
            slope += shift[c] * db[rows[k]]
        grad[k] = slope


@compiled
def fold_dense(weight, scale, shift, bias, scaled, offset):
    """`fold` of a whole matrix. scaled : of its first rows and columns."""
    rows, columns = scaled.shape
    for r in range(rows):
        for c in range(columns):
            scaled[r, c] = weight[r, c] * scale[c] if len(scale) else weight[r, c]
    flat, inputs = weight.reshape(-1), weight.shape[1]
    for r in range(len(offset)):
        offset[r] = bias[r] + (
            _dot(flat, r * inputs, shift, 0, inputs) if len(shift) else weight.dtype.type(0)
        )


@compiled
def unfold_dense(weight, scale, shift, db, slopes, kept, grad, dscale, dshift):
    """`unfold` of a whole matrix.

    slopes : dL/dscaled of the first rows and columns
    kept   : mask; of no rows: all are kept
    """
    rows, columns = slopes.shape
    dscale[:], dshift[:] = 0, 0
    for r in range(len(weight)):
        if len(shift):
            for c in range(weight.shape[1]):
                dshift[c] += weight[r, c] * db[r]
                grad[r, c] = shift[c] * db[r]
        else:
            grad[r] = 0
        if r < rows:
            if len(scale):
                for c in range(columns):
                    dscale[c] += weight[r, c] * slopes[r, c]
                    grad[r, c] += slopes[r, c] * scale[c]
            else:
                for c in range(columns):
                    grad[r, c] += slopes[r, c]
        if len(kept):
            for c in range(weight.shape[1]):
                grad[r, c] *= kept[r, c]


@numba.njit
def _sum(a, start, images):
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
def _squares(a, start, images, mean):
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


@compiled
def observe(h, constant, momentum, eps, gamma, beta, means, variances, offset, rstd, scale, shift):
    """Scale and shift of a batch norm by the statistics of a batch, which the running ones follow.

    h                : (computed, images); the units after these have the value `constant` for every image
    means, variances : running statistics
    """
    computed, images = h.shape
    flat, small = h.reshape(-1), h.dtype.type
    keep, follow, whole = small(1 - momentum), small(momentum), small(momentum * images / (images - 1))
    for unit in range(len(gamma)):
        if unit < computed:
            mean = _sum(flat, unit * images, images) / small(images)
            variance = _squares(flat, unit * images, images, mean) / small(images)
            offset[unit] = -mean
        else:
            mean, variance = constant[unit - computed], small(0)
            offset[unit] = 0
        means[unit] = means[unit] * keep + mean * follow
        variances[unit] = variances[unit] * keep + variance * whole
        rstd[unit] = small(1) / np.sqrt(variance + small(eps))
        scale[unit] = gamma[unit] * rstd[unit]
        shift[unit] = beta[unit] + scale[unit] * offset[unit]


@compiled
def through_norm(h, d, offset, rstd, scale, dscale, dshift, dgamma, dbeta):
    """The gradients of a batch norm in training: of gamma, of beta and, in place of d, of what it takes in.

    h, d : (active, images); d is dL/d(scale h + shift), or of no units
    """
    small = h.dtype.type
    for unit in range(len(dgamma)):
        dgamma[unit] = (dscale[unit] + offset[unit] * dshift[unit]) * rstd[unit]
        dbeta[unit] = dshift[unit]
    active, images = d.shape
    for unit in range(active):
        gain = scale[unit]
        slope = gain * rstd[unit] * dgamma[unit] / small(-images)
        level = slope * offset[unit] - gain * dshift[unit] / small(images)
        for n in range(images):
            d[unit, n] = gain * d[unit, n] + (slope * h[unit, n] + level)


@compiled
def turned(x, order, h):
    """h_in = x_{n, order_i}: images as columns. x : (images, inputs)."""
    images, count = len(x), len(order)
    for first in range(0, count, LANES):  # a few rows at a time stay at hand
        for n in range(images):
            for i in range(first, min(first + LANES, count)):
                h[i, n] = x[n, order[i]]


@compiled
def gather(pool, starts, places, mean, scale, h):
    """h_in = (b - mean_i) / scale, of the byte b at starts_n + places_i of `pool`: images as columns."""
    images, count, scale = len(starts), len(places), h.dtype.type(scale)
    for first in range(0, count, LANES):
        last = min(first + LANES, count)
        for n in range(images):
            for i in range(first, last):
                h[i, n] = pool[starts[n] + places[i]]
        for i in range(first, last):
            for n in range(images):
                h[i, n] = (h[i, n] - mean[i]) / scale


@compiled
def peak(z, most, which):
    """Largest number of each column and its first row; the columns of z are lowered by it."""
    classes, images = z.shape
    most[:], which[:] = z[0], 0
    for c in range(1, classes):
        for n in range(images):
            if z[c, n] > most[n]:
                most[n], which[n] = z[c, n], c
    for c in range(classes):
        for n in range(images):
            z[c, n] -= most[n]


@compiled
def slopes(e, labels, sums):
    """d = (e / sums - 1 of the label) / images in place of e = exp(z), and sums over classes: (images,)."""
    classes, images = e.shape
    sums[:] = 0
    for c in range(classes):
        for n in range(images):
            sums[n] += e[c, n]
    for c in range(classes):
        for n in range(images):
            e[c, n] /= sums[n] * images
    for n in range(images):
        e[labels[n], n] -= e.dtype.type(1) / images


@compiled
def taken(weight, order, found):
    """found_k = weight_{order_k}."""
    for k in range(len(order)):
        found[k] = weight[order[k]]


@compiled
def descend(value, grad, velocity, rate, momentum, decay):
    """A step of stochastic gradient descent: velocity = momentum velocity + grad + decay value."""
    small = value.dtype.type
    rate, momentum, decay = small(rate), small(momentum), small(decay)
    for k in range(len(value)):
        slope = grad[k] + decay * value[k]
        if len(velocity):
            velocity[k] = slope = momentum * velocity[k] + slope
        value[k] -= rate * slope
