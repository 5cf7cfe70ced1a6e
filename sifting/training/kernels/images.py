"""One pass each for what is done to images, units and weights between the linear maps."""

import numpy as np

from sifting.training.kernels.compiling import compiled
from sifting.training.kernels.sums import LANES, row_squares, row_sum


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
            mean = row_sum(flat, unit * images, images) / small(images)
            variance = row_squares(flat, unit * images, images, mean) / small(images)
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
    images, scale, h = len(starts), h.dtype.type(scale), h.reshape(-1)
    for i in range(len(places)):
        place, average, row = places[i], mean[i], i * images
        for n in range(images):
            h[row + n] = pool[np.uint64(starts[n] + place)]  # unsigned: no number counts from the end
        for n in range(row, row + images):
            h[n] = (h[n] - average) / scale


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
def descend(value, grad, velocity, rate, momentum, decay):
    """A step of stochastic gradient descent: velocity = momentum velocity + grad + decay value."""
    small = value.dtype.type
    rate, momentum, decay = small(rate), small(momentum), small(decay)
    for k in range(len(value)):
        slope = grad[k] + decay * value[k]
        if len(velocity):
            velocity[k] = slope = momentum * velocity[k] + slope
        value[k] -= rate * slope
