"""How like their originals the clones of images are: what they share, and what they do not."""

import dataclasses

import numpy as np
import torch
from torch import Tensor

from sifting import observables
from sifting.config import Config
from sifting.data import Dataset, load
from sifting.data.clones import ranks
from sifting.results.packing import Arrays
from sifting.store.experiment import Experiment

IMAGES = 10_000  # of each class, at most
PROJECTIONS = 100  # random directions
SHOWN = 2  # images of each class that are kept


def compute(config: Config, device: str = "cpu", engine: str = "auto") -> Arrays:
    """Compare the training images of `config`, clones, with those that they were made of; on the CPU.

    returns, where WHOSE is original or clone:

    shown/WHOSE          : float16 (classes, SHOWN, channels, height, width), normalized images
    pixels/WHOSE         : (classes,) mean over the pixels of the kurtosis of each
    projections/WHOSE    : (classes,) mean of the kurtosis over random directions
    mean                 : (classes,) norm of the difference between the mean images, over the root of the
                           total variance
    covariance           : (classes,) norm of the difference between the covariances, over that of the
                           original's
    sampling             : (classes,) what chance makes of that: half of it between two halves of the
                           originals
    spectrum             : (classes,) sum of the differences between the mean powers at all frequencies, over
                           the total power
    images, rank         : (classes,) of the Gaussians of clone joint and channel; rank 0 for others
    """
    clone, original = load(config), load(dataclasses.replace(config, clone="none"))
    rows = [_compared(original, clone, number, config.seed) for number in range(clone.classes)]
    record = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    gaussian = config.clone in ("joint", "channel")
    found = ranks(original, config.clone) if gaussian else [(0, 0)] * clone.classes
    images, rank = np.array(found).T
    return record | {"images": images, "rank": rank, "shape": np.array(clone.shape)}


def _compared(original: Dataset, clone: Dataset, number: int, seed: int) -> dict:
    draw, found = torch.Generator().manual_seed(seed), {}
    directions = torch.randn(int(np.prod(clone.shape)), PROJECTIONS, generator=draw)
    moments = []
    for whose, data in (("original", original), ("clone", clone)):
        index = (data.train.labels == number).nonzero().squeeze(1)[:IMAGES]
        x = data.train.batch(index)[0]
        found |= {
            f"shown/{whose}": x[:SHOWN].view(-1, *data.shape).half().numpy(),
            f"pixels/{whose}": np.nanmean(observables.gaussianity.kurtosis(x).numpy()),
            f"projections/{whose}": observables.gaussianity.kurtosis(x @ directions).mean().numpy(),
        }
        moments.append((x.mean(0), torch.cov(x.T), _spectrum(x.view(-1, *data.shape))))
        if whose == "original":
            halves = torch.cov(x[::2].T) - torch.cov(x[1::2].T)
    (mean, covariance, power), (other_mean, other_covariance, other_power) = moments
    return found | {
        "mean": _norm(other_mean - mean) / covariance.trace().sqrt().numpy(),
        "covariance": _norm(other_covariance - covariance) / _norm(covariance),
        "sampling": _norm(halves) / 2 / _norm(covariance),
        "spectrum": ((other_power - power).abs().sum() / power.sum()).numpy(),
    }


def _norm(x: Tensor) -> np.ndarray:
    return torch.linalg.vector_norm(x).numpy()


def _spectrum(x: Tensor) -> Tensor:
    """Mean power at every frequency, summed over channels; (height, width // 2 + 1)."""
    return torch.fft.rfft2(x).abs().square().mean(0).sum(0)


LIKENESS = Experiment.once(compute)
