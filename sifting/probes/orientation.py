"""Which way the images of a run are turned, by the measure that is taken of masks."""

import numpy as np
import torch

from sifting import observables
from sifting.config import Config
from sifting.data import load

IMAGES = 20_000  # training images; of quarters of them, the angle of rotated photographs differs by a degree


def of_images(config: Config) -> float:
    """The direction that pixels which vary together prefer, in degrees counterclockwise from the rows.

    As observables.locality.orientation of masks, with the mean product of two pixels of one channel, over all
    pairs of a displacement and over images as the network sees them, in place of S / S_null. It is the
    direction that masks should have if they follow the images; turned images have some of the grid's, too.

    Shown on the page of the chapter on transforms, beside PB20.
    """
    data = load(config)
    count = min(IMAGES, len(data.train))
    images = data.train.batch(torch.arange(count))[0].view(count, *data.shape).double()
    images -= images.mean(0)
    *_, height, width = images.shape
    size = 2 * height - 1, 2 * width - 1
    power = sum(torch.fft.rfft2(some, s=size).abs().square().sum((0, 1)) for some in images.split(1000))
    products = np.fft.fftshift(torch.fft.irfft2(power, s=size).numpy())
    pairs = np.multiply.outer(*(side - np.abs(np.arange(1 - side, side)) for side in (height, width)))
    return observables.locality.direction(products / pairs)
