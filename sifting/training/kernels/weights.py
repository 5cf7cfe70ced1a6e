"""Linear maps with kept weights alone, or whole, and their gradients.

Kept weights are listed row by row, those of row r from starts[r] to starts[r + 1], each with its column.
"""

import numba

from sifting.training.kernels import simd
from sifting.training.kernels.compiling import compiled
from sifting.training.kernels.simd import fma, from_lane, store, total
from sifting.training.kernels.sums import LANES, dot, load, splat

WIDE = 64  # images that are treated at once; fewer are treated by LANES, or one by one


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
            found[k] = dot(d, here, h, columns[k] * images, images)
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
            dot(flat, r * inputs, shift, 0, inputs) if len(shift) else weight.dtype.type(0)
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


@compiled
def taken(weight, order, found):
    """found_k = weight_{order_k}."""
    for k in range(len(order)):
        found[k] = weight[order[k]]
