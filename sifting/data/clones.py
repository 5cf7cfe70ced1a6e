"""Clones: images that share some of the statistics of others, class by class, and nothing beyond them.

    joint   : a Gaussian of the mean and the covariance of all pixels of all channels, of every class
    one     : the same of all images, whatever their class, fitted to the first 100,000
    channel : as the authors make it: for every class and channel a Gaussian of its own, fitted to 100 images,
              so that channels are independent and 99 directions at most are left of a channel
    phase   : every image with the phases of its Fourier transform at random, the same in all channels
    pixels  : every image with its pixels in another order, the same in all images and channels

Source: Redman et al. 2024, appendix B.1, cloning after Refinetti et al. 2023; joint, phase and pixels
are ours.
"""

import dataclasses
import functools

import numpy as np
import torch
from torch import Tensor

from sifting import cache
from sifting.data.images import Dataset, Images, Split

CHANNEL_IMAGES = 100  # of a class, that the authors fit to
ONE = "one"  # the kind that heeds no classes
ONE_IMAGES = 100_000  # that it is fitted to
LEAST = 2  # images that a Gaussian is fitted to
MIDDLE = 128  # the byte of a normalized pixel of 0
# bytes a unit of normalized images: 8 sd to either side
STEPS = {"patch": 16, "fixed": 16, "pixels": 16, "mean-image": 64}
CHUNK = 10_000  # images at a time


def clone(data: Dataset, kind: str, normalize: str, name: str, seed: int) -> Dataset:
    """A data set with the same labels and clones of the images, of those of training and of the others.

    data : as it would be trained on: what is cloned are the normalized images
    name : of the file that keeps the clones for the next process, see cache.array
    seed : of what is drawn

    Gaussians are fitted to the training images of each class of the labels; held-out clones are drawn from
    the same Gaussians. Pixels are kept as bytes, in steps of 1/16 standard deviation, which adds a variance
    of 0.0003.
    """
    splits = {split: getattr(data, split) for split in ("train", "val", "test")}
    scale = STEPS[normalize]
    compute = functools.partial(_drawn, splits, data.shape, kind, scale, seed)
    pixels = torch.from_numpy(cache.array(name, compute)).view(-1, *data.shape)
    device = data.train.labels.device
    middle = torch.full((pixels[0].numel(),), float(MIDDLE), device=device)
    starts = np.cumsum([0, *map(len, splits.values())])
    cloned = {
        split: Split(
            Images(part.to(device), torch.arange(len(part), device=device)), old.labels, middle, scale
        )
        for (split, old), part in zip(splits.items(), pixels.split(np.diff(starts).tolist()), strict=True)
    }
    return dataclasses.replace(data, **cloned)


def _drawn(splits: dict[str, Split], shape, kind: str, scale: float, seed: int) -> np.ndarray:
    """uint8 (images of all splits, pixels)."""
    draw = torch.Generator().manual_seed(seed)
    counts = list(map(len, splits.values()))
    pixels = torch.empty(sum(counts), torch.Size(shape).numel(), dtype=torch.uint8)
    found = pixels.split(counts)  # views
    if kind in FITTED:
        labels = {split: old.labels.cpu() for split, old in splits.items()}
        if kind == ONE:
            labels = {split: torch.zeros_like(old) for split, old in labels.items()}
        for number in labels["train"].unique():
            x = _images(splits["train"], (labels["train"] == number).nonzero().squeeze(1))
            fitted = FITTED[kind](x, shape[0])
            for out, y in zip(found, labels.values(), strict=True):
                mine = y == number
                out[mine] = _bytes(fitted.sample(int(mine.sum()), draw), scale)
    else:
        change = CHANGED[kind](shape, draw)
        for out, old in zip(found, splits.values(), strict=True):
            for n in torch.arange(len(old)).split(CHUNK):
                out[n] = _bytes(change(_images(old, n).view(-1, *shape)).flatten(1), scale)
    return pixels.numpy()


def _images(split: Split, index: Tensor) -> Tensor:
    """Normalized images on the CPU, (images, pixels)."""
    return split.batch(index.to(split.labels.device))[0].cpu()


def _bytes(x: Tensor, scale: float) -> Tensor:
    return x.mul(scale).add_(MIDDLE).round_().clamp_(0, 255).to(torch.uint8)


class Gaussian:
    """The Gaussian with the mean and the covariance of images, without its covariance matrix.

        x = m + z R / sqrt(n - 1),    X - m = Q R

    The factor R has no more rows than there are images: its samples lie in the span of the centered images,
    as those of m + sum_k z_k (x_k - m) / sqrt(n - 1) do, which have the same distribution.

    x : (images, pixels), two images or more
    """

    def __init__(self, x: Tensor):
        if len(x) < LEAST:
            raise ValueError(f"a Gaussian is fitted to {LEAST} images or more, not to {len(x)}")
        self.mean = x.mean(0)
        self.factor = torch.linalg.qr(x - self.mean, mode="r").R / (len(x) - 1) ** 0.5

    @functools.cached_property
    def rank(self) -> int:
        """Directions in which samples differ."""
        return int(torch.linalg.matrix_rank(self.factor, rtol=1e-5))

    def sample(self, count: int, draw: torch.Generator) -> Tensor:
        """`count` images, (images, pixels)."""
        z = torch.randn(count, len(self.factor), generator=draw, dtype=self.factor.dtype)
        return self.mean + z @ self.factor


class Channels:
    """The authors' clone: one Gaussian a channel, fitted to the first 100 images."""

    def __init__(self, x: Tensor, channels: int):
        self.parts = [Gaussian(part) for part in x[:CHANNEL_IMAGES].chunk(channels, 1)]

    @property
    def rank(self) -> int:
        """Directions in which samples differ, over all channels."""
        return sum(part.rank for part in self.parts)

    def sample(self, count: int, draw: torch.Generator) -> Tensor:
        """`count` images, (images, pixels)."""
        return torch.cat([part.sample(count, draw) for part in self.parts], 1)


def phase_randomized(x: Tensor, draw: torch.Generator) -> Tensor:
    """Images of the same Fourier amplitudes, (images, channels, height, width).

    The phases are shifted by those of white noise, one for all channels of an image: relations between
    channels stay, and so does the mean of each, but nothing is where it was.
    """
    noise = torch.fft.rfft2(torch.randn(len(x), 1, *x.shape[2:], generator=draw, dtype=x.dtype))
    turn = noise / noise.abs()
    turn[..., 0, 0] = 1
    return torch.fft.irfft2(torch.fft.rfft2(x) * turn, s=x.shape[2:])


class Permuted:
    """Images with their pixels in another order, drawn once."""

    def __init__(self, shape: tuple[int, int, int], draw: torch.Generator):
        self.order = torch.randperm(shape[1] * shape[2], generator=draw)

    def __call__(self, x: Tensor) -> Tensor:
        """(images, channels, height, width)."""
        return x.flatten(2)[:, :, self.order].view_as(x)


def ranks(data: Dataset, kind: str) -> list[tuple[int, int]]:
    """For every class its number of training images, and the rank of the Gaussian fitted to them."""
    found = []
    for number in range(data.classes):
        x = _images(data.train, (data.train.labels.cpu() == number).nonzero().squeeze(1))
        fitted = FITTED[kind](x, data.shape[0])
        found.append((len(x), fitted.rank))
    return found


# kind of clones -> function(images of a class, channels), what they are samples of
FITTED = {
    "joint": lambda x, channels: Gaussian(x),
    ONE: lambda x, channels: Gaussian(x[:ONE_IMAGES]),
    "channel": Channels,
}
# kind of clones -> function(shape, draw), a function of images that makes them
CHANGED = {"phase": lambda shape, draw: functools.partial(phase_randomized, draw=draw), "pixels": Permuted}
