"""Images as bytes on a device, gathered, cast and normalized a batch at a time."""

from dataclasses import dataclass

import torch
from torch import Tensor

SD_FLOOR = 0.03  # keeps flat patches flat, in units of the full range of a pixel


@dataclass
class Images:
    """Images that lie somewhere in `source`: rows of a pool, or overlapping windows of a canvas.

    source : (places, channels, height, width), uint8, possibly a strided view
    where  : (images,), int64, the place of each image
    """

    source: Tensor
    where: Tensor

    def __len__(self) -> int:
        return len(self.where)

    def __getitem__(self, index) -> Tensor:
        """A copy of the images at `index`, a tensor or a slice: (batch, channels, height, width), uint8."""
        # index_select, not source[...]: 3 to 10 times faster on strided bytes on a CPU
        return self.source.index_select(0, self.where[index])

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        return tuple(self.source.shape[1:])


@dataclass
class Split:
    """Images of one split and their classes.

    labels : (images,), int64
    mean   : (pixels,), the mean training image, in 0..255, that batches are centered by;
             None: each patch is normalized by itself
    """

    images: Images
    labels: Tensor
    mean: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, index) -> tuple[Tensor, Tensor]:
        """Normalized images, (batch, pixels), float32, and their labels, (batch,), both on the device."""
        x = self.images[index].flatten(1).float()
        return normalize_(x, self.mean), self.labels[index]


@dataclass
class Dataset:
    """Three disjoint splits of one source of images.

    shape   : channels, height, width of an image
    classes : number of classes of the labels
    """

    name: str
    shape: tuple[int, int, int]
    classes: int
    train: Split
    val: Split
    test: Split


def normalize_(x: Tensor, mean: Tensor | None = None) -> Tensor:
    """Normalize pixels in 0..255 in place.

        mean image:  (x - mean) / 255
        patch:       (x/255 - m) / (s + 0.03)      m, s: mean and sd of the image's own pixels, all channels

    x : (..., pixels), float32

    Source: mean image, Pellegrini & Biroli 2022; patch, ours, for pictures of very different contrast.
    """
    if mean is not None:
        return x.sub_(mean).div_(255)
    x.sub_(x.mean(-1, keepdim=True))
    # torch.std_mean is 15 times slower
    sd = torch.linalg.vector_norm(x, dim=-1, keepdim=True).div_(x.shape[-1] ** 0.5)
    return x.div_(sd.add_(255 * SD_FLOOR))


def mean_image(images: Images, chunk: int = 10_000) -> Tensor:
    """Mean over all images, (pixels,), float32 in 0..255; exact sums, for 10,000 bytes add up below 2**24."""
    total = torch.zeros(images.source[0].numel(), dtype=torch.float64, device=images.where.device)
    for start in range(0, len(images), chunk):
        total += images[start : start + chunk].flatten(1).float().sum(0)
    return (total / len(images)).float()
