"""Images as bytes on a device, gathered, cast and normalized a batch at a time."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from sifting.config import Config

SD_FLOOR = 0.03  # keeps flat patches flat, in units of the full range of a pixel
PADDING = 4  # of images before they are cropped, pixels


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
class Rotated(Images):
    """Images turned counterclockwise about their middle by `angle` degrees.

    `size` pixels a side are left of them. Bilinear; a pixel that lies outside the image as it was is 0.
    """

    angle: float = 0.0
    size: int = 0

    def __getitem__(self, index) -> Tensor:
        x = super().__getitem__(index).float()
        grid = self._grid(x.shape[2], x.shape[3]).to(x.device)
        turned = F.grid_sample(x, grid.expand(len(x), -1, -1, -1), mode="bilinear", align_corners=False)
        return turned.round_().to(torch.uint8)

    def _grid(self, height: int, width: int) -> Tensor:
        """(1, size, size, 2): where each pixel comes from, x and y, -1 and 1 at the edges of the image."""
        turn = math.radians(self.angle)
        place = torch.arange(self.size) - (self.size - 1) / 2
        y, x = torch.meshgrid(place, place, indexing="ij")
        x, y = x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)
        return torch.stack([2 * x / width, 2 * y / height], -1)[None]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        return self.source.shape[1], self.size, self.size


@dataclass
class Translated(Images):
    """Every image at every place: shifted down and to the right, wrapped at the edges.

    There are height * width times as many; image n at all its places is n, n + images, n + 2 images, ...
    Indices are tensors.
    """

    def __len__(self) -> int:
        return len(self.where) * self.source.shape[2] * self.source.shape[3]

    def __getitem__(self, index) -> Tensor:
        index = (
            torch.arange(len(self), device=self.where.device)[index] if isinstance(index, slice) else index
        )
        _, height, width = self.shape
        shift = index // len(self.where)
        x = super().__getitem__(index % len(self.where))
        rows = (torch.arange(height, device=x.device) - (shift // width)[:, None]) % height
        columns = (torch.arange(width, device=x.device) - (shift % width)[:, None]) % width
        x = x.gather(2, rows[:, None, :, None].expand(x.shape))
        return x.gather(3, columns[:, None, None, :].expand(x.shape))


@dataclass
class Cropped(Images):
    """Every image moved by up to PADDING pixels each way, zeros outside, as it is and mirrored.

    There are 2 * (2 * PADDING + 1)**2 times as many; image n in all its forms is n, n + images,
    n + 2 images, ...
    Indices are tensors. Source: the released code of Paganini & Forde 2020.
    """

    def __len__(self) -> int:
        return len(self.where) * 2 * (2 * PADDING + 1) ** 2

    def __getitem__(self, index) -> Tensor:
        index = (
            torch.arange(len(self), device=self.where.device)[index] if isinstance(index, slice) else index
        )
        _, height, width = self.shape
        form, mirrored = index // len(self.where) // 2, index // len(self.where) % 2 == 1
        x = F.pad(super().__getitem__(index % len(self.where)), (PADDING,) * 4)
        rows = torch.arange(height, device=x.device) + (form // (2 * PADDING + 1))[:, None]
        columns = torch.arange(width, device=x.device) + (form % (2 * PADDING + 1))[:, None]
        columns = torch.where(mirrored[:, None], columns.flip(1), columns)
        x = x.gather(2, rows[:, None, :, None].expand(-1, x.shape[1], -1, x.shape[3]))
        return x.gather(3, columns[:, None, None, :].expand(-1, x.shape[1], height, -1))


@dataclass
class Split:
    """Images of one split and their classes.

    labels : (images,), int64; of translated images, those of one place
    mean   : (pixels,), the mean training image, in 0..255, that batches are centered by;
             None: each patch is normalized by itself
    scale  : what batches are divided by once they are centered
    """

    images: Images
    labels: Tensor
    mean: Tensor | None = None
    scale: float = 255

    def __len__(self) -> int:
        return len(self.images)

    def batch(self, index) -> tuple[Tensor, Tensor]:
        """Normalized images, (batch, pixels), float32, and their labels, (batch,), both on the device."""
        x = self.images[index].flatten(1).float()
        place = index if isinstance(index, slice) else index % len(self.labels)
        return normalize_(x, self.mean, self.scale), self.labels[place]


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


@dataclass(frozen=True)
class Source:
    """A dataset: where its images come from, and what counts as a class of them.

    load    : function(config, device), split -> images and their own classes, int64
    names   : of its own classes, in the order of their numbers; or function(config) that returns them
    groups  : function(config), the semantic group of each of its own classes, if these have groups
    schemes : labels that no other dataset has -> function(config), the class of each of its own classes
    larger  : images can be cut larger than config.image_size, so that turned ones have no empty corners
    look    : function(config), which raises FileNotFoundError where files are missing, and reads none

    config is reduced to the fields of images, see config.images_of.
    """

    load: Callable[[Config, str], dict[str, tuple[Images, Tensor]]]
    names: Sequence[str] | Callable[[Config], Sequence[str]]
    groups: Callable[[Config], list[str]] | None = None
    schemes: Mapping[str, Callable[[Config], Sequence[str]]] = field(default_factory=dict)
    larger: bool = False
    look: Callable[[Config], None] = lambda config: None

    def own(self, config: Config) -> Sequence[str]:
        """Names of its own classes."""
        return self.names(config) if callable(self.names) else self.names


def normalize_(x: Tensor, mean: Tensor | None = None, scale: float = 255) -> Tensor:
    """Normalize pixels in 0..255 in place.

        mean image:  (x - mean) / scale
        patch:       (x/255 - m) / (s + 0.03)      m, s: mean and sd of the image's own pixels, all channels

    x : (..., pixels), float32

    Source: mean image, Pellegrini & Biroli 2022; patch, ours, for pictures of very different contrast.
    """
    if mean is not None:
        return x.sub_(mean).div_(scale)
    x.sub_(x.mean(-1, keepdim=True))
    # torch.std_mean is 15 times slower
    sd = torch.linalg.vector_norm(x, dim=-1, keepdim=True).div_(x.shape[-1] ** 0.5)
    return x.div_(sd.add_(255 * SD_FLOOR))


def moments(images: Images, chunk: int = 10_000) -> tuple[float, float]:
    """Mean and standard deviation over all pixels of all images, in 0..255; by exact sums."""
    sums = torch.zeros(2, dtype=torch.int64, device=images.where.device)
    for start in range(0, len(images), chunk):
        x = images[start : start + chunk].long()
        sums += torch.stack([x.sum(), (x**2).sum()])
    mean, square = (total / (len(images) * math.prod(images.shape)) for total in sums.tolist())
    return mean, math.sqrt(square - mean**2)


def mean_image(images: Images, chunk: int = 10_000) -> Tensor:
    """Mean over all images, (pixels,), float32 in 0..255; exact sums, for 10,000 bytes add up below 2**24."""
    total = torch.zeros(images.source[0].numel(), dtype=torch.int64, device=images.where.device)
    for start in range(0, len(images), chunk):
        total += images[start : start + chunk].flatten(1).float().sum(0).long()
    # on the CPU: not every device has double precision
    return (total.cpu().double() / len(images)).float().to(total.device)
