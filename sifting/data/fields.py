"""Random fields whose distance from Gaussian is a dial."""

import functools

import numpy as np
import scipy
import torch
from torch import Tensor

from sifting import cache
from sifting.config import Config, key, without
from sifting.data.clones import MIDDLE, STEPS
from sifting.data.images import Images, Source

SHORT, LONG = 1.0, 3.0  # pixels: correlation lengths across and along the grain, for images of 16 pixels
ANGLES = (0, 45, 90, 135)  # degrees, of the grain
NAMES = tuple(f"grain at {angle} degrees" for angle in ANGLES) + ("fine", "coarse")
DRAWN = ("image_size", "gain", "data_seed")  # what the drawing of one split sees, and is named by


def load(config: Config, device: str = "cpu") -> dict[str, tuple[Images, Tensor]]:
    """Fields on a torus of config.image_size pixels: one channel, six classes in equal numbers, variance 1.

        x = erf(g z) / Z(g),    z: Gaussian, stationary, of variance 1, with the covariance of its class

    config.gain is g: at 0, x = z; the larger, the more x has two values and edges between them. The same
    config.data_seed draws the same z for every gain. Bytes are 128 + 16 x; normalize=fixed reads them so.

    Source: Ingrosso & Goldt 2022, who turn the gain of such fields to see receptive fields form.
    """
    counts = {"train": config.train_images, "val": config.val_images, "test": config.test_images}
    seen, found = without(config, lambda setting: setting.name not in DRAWN), {}
    for split, count in counts.items():
        name = f"fields-{split}-{count}-{key(seen)}"
        pixels = torch.from_numpy(cache.array(name, functools.partial(_bytes, seen, count, split)))
        where, labels = torch.arange(count, device=device), _labels(count, config.data_seed, split)
        found[split] = Images(pixels.unsqueeze(1).to(device), where), torch.from_numpy(labels).to(device)
    return found


def _bytes(seen: Config, count: int, split: str) -> np.ndarray:
    """uint8 (images, size, size)."""
    x = saturated(gaussian(seen.image_size, count, seen.data_seed, split)[0], seen.gain)
    return np.clip(np.round(STEPS["fixed"] * x + MIDDLE), 0, 255).astype(np.uint8)


def _labels(count: int, seed: int, split: str) -> np.ndarray:
    """int64 (images,), in equal numbers."""
    draw = np.random.default_rng([seed, *split.encode()])
    return draw.permutation(np.arange(count) % len(NAMES))


def saturated(z: np.ndarray, gain: float) -> np.ndarray:
    """erf(gain z) / Z, of variance 1 where z is Gaussian of variance 1; z itself at gain 0."""
    if gain == 0:
        return z
    variance = 2 / np.pi * np.arcsin(2 * gain**2 / (1 + 2 * gain**2))
    return (scipy.special.erf(gain * z) / np.sqrt(variance)).astype(np.float32)


def gaussian(size: int, count: int, seed: int, split: str) -> tuple[np.ndarray, np.ndarray]:
    """z, float32 (images, size, size), and classes, int64 (images,)."""
    draw = np.random.default_rng([seed, *split.encode()])
    labels = draw.permutation(np.arange(count) % len(NAMES))
    noise = np.fft.rfft2(draw.standard_normal((count, size, size), np.float32)).astype(np.complex64)
    noise *= np.stack([filters(size)[n] for n in range(len(NAMES))]).astype(np.float32)[labels]
    return np.fft.irfft2(noise, s=(size, size)).astype(np.float32), labels


@functools.cache
def filters(size: int) -> np.ndarray:
    """What white noise of variance 1 is multiplied by in Fourier space, and keeps its variance.

    The covariance at displacement d is proportional to exp(-d C^-1 d / 2), C with the square lengths of the
    class.

    returns : (classes, size, size // 2 + 1)
    """
    ky, kx = np.meshgrid(np.fft.fftfreq(size), np.fft.rfftfreq(size), indexing="ij")
    short, long = SHORT * size / 16, LONG * size / 16
    shapes = [(long, short, angle) for angle in ANGLES] + [(short, short, 0), (long / 1.5, long / 1.5, 0)]
    found = []
    for along, across, angle in shapes:
        turn = np.radians(angle)
        u, v = kx * np.cos(turn) - ky * np.sin(turn), kx * np.sin(turn) + ky * np.cos(turn)
        power = np.exp(-2 * np.pi**2 * (along**2 * u**2 + across**2 * v**2))
        full = np.abs(np.fft.irfft2(power, s=(size, size)))[0, 0]  # variance of noise of that power
        found.append(np.sqrt(power / full))
    return np.stack(found)


SOURCES = {"fields": Source(load, NAMES)}
