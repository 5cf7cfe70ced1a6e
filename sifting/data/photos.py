"""Patches of the photographs that ship with scikit-image and scikit-learn, without end and without download.

A picture is divided into 4 x 4 cells, and a cell is a class: what is seen, and roughly where. Across
each axis a picture is striped, in twelfths, T . V V . T T . V V . T; where two V stripes cross lie the
validation patches, where two T stripes cross the test patches. A training patch touches neither, not
even by one original pixel, so every cell has its own held-out corners and nothing leaks from them.
"""

import functools
import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from sifting.config import Config
from sifting.data.images import Images, Source

# scikit-image's names, and scikit-learn's china and flower; a row is a class of the semantic labels
SEMANTIC = {
    "space": ("hubble_deep_field", "moon", "rocket"),
    "ground": ("brick", "grass", "gravel"),
    "animal": ("chelsea", "immunohistochemistry", "retina"),
    "scene": ("astronaut", "camera", "china"),
    "still life": ("coffee", "coins", "flower"),
}
PICTURES = tuple(picture for group in SEMANTIC.values() for picture in group)
CELLS = 4  # cells across each axis of a picture
BLOCKS = 32  # blocks across each axis, for labels that mean nothing
STRIPES = "T.VV.TT.VV.T"
SCALES = (1, 2, 3)  # a pixel of a patch is the mean of 1 x 1, 2 x 2 or 3 x 3 original ones
LEAST = 16  # fewest positions that each class must have in each split for a scale to be used
LARGEST = 128  # pixels a side; the canvas has 250 MB there
SPLITS = ("train", "val", "test")
# group, picture and cell of every class
CLASSES = [
    (group, picture, f"{row},{column}")
    for group, some in SEMANTIC.items()
    for picture in some
    for row in range(CELLS)
    for column in range(CELLS)
]


@dataclass
class Tile:
    """One picture at one scale on the canvas: its rows from `top` on.

    picture       : index in PICTURES
    scale         : original pixels a canvas pixel; below 1 where the picture is magnified
    height, width : of the original picture
    """

    picture: int
    scale: float
    top: int
    height: int
    width: int


@dataclass
class Atlas:
    """Every picture at every scale that serves one image size, and where patches may be cut.

    windows   : (origins, 3, size, size), uint8, a strided view of the canvas (rows, 3, columns): the
                patch at every origin
    tiles     : in order of their top row
    positions : split -> class -> one array of origins, int32, for every scale
    """

    windows: Tensor
    tiles: list[Tile]
    positions: dict[str, list[list[np.ndarray]]]


def load(config: Config, device: str = "cpu") -> dict[str, tuple[Images, Tensor]]:
    """Patches of config.image_size pixels, three channels, and their classes: 16 cells of every picture.

    Each split has the number of images that `config` asks for, the same from every class, and the same
    from every scale of a picture. Positions are drawn without replacement until all are used, and then
    again. Training images come in random order: those of a smaller config.fraction are among those of a
    larger one.
    """
    found = atlas(config.image_size, str(device))
    counts = (config.train_images, config.val_images, config.test_images)
    pictures, result = tuple(chosen(config)), {}
    for split, count in zip(SPLITS, counts, strict=True):
        where, labels = _draw(config.image_size, str(device), split, count, config.data_seed, pictures)
        if config.labels == "scattered":
            labels = _scattered(config, where)
        result[split] = Images(found.windows, where.clone().to(device)), labels.clone().to(device)
    return result


def chosen(config: Config) -> list[int]:
    """The pictures that images are cut from, as indices in PICTURES, ascending: all, or config.pictures.

    They are dealt out at random, in sets: data_seed 0 has the first, 1 the second, without a picture in
    common. Where too few are left for another set, they are dealt out anew.
    """
    if not config.pictures:
        return [*range(len(PICTURES))]
    deal, place = divmod(config.data_seed, len(PICTURES) // config.pictures)
    order = np.random.default_rng(deal).permutation(len(PICTURES))
    return sorted(order[place * config.pictures :][: config.pictures].tolist())


def by_pictures(runs: Iterable) -> dict[str, list]:
    """Runs by the photographs that their configurations choose, as "moon, retina, coins"."""
    found = {}
    for run in runs:
        found.setdefault(", ".join(PICTURES[number] for number in chosen(run.config)), []).append(run)
    return {name.replace("_", " "): some for name, some in found.items()}


def classes(config: Config) -> list[tuple[str, str, str]]:
    """Group, picture and cell of every class of the pictures that are `chosen`."""
    return [one for one in CLASSES if PICTURES.index(one[1]) in chosen(config)]


def names(config: Config) -> list[str]:
    """The name of every class, as chelsea 0,1."""
    return [f"{picture} {cell}" for _, picture, cell in classes(config)]


def _scattered(config: Config, where: Tensor) -> Tensor:
    """A class for each patch, drawn at random for the block of its picture that its middle lies in: nothing
    that is learned of one block helps with another, and held-out patches lie in blocks of their own."""
    classes = np.random.default_rng(config.data_seed).integers(
        len(chosen(config)) * CELLS**2, size=(len(PICTURES), BLOCKS, BLOCKS)
    )
    cut, sizes = provenance(config, where), np.array([read(name).shape[1:] for name in PICTURES])
    height, width = sizes[cut["picture"]].T
    row = (cut["y"] + cut["bottom"]) * BLOCKS // (2 * height)
    column = (cut["x"] + cut["right"]) * BLOCKS // (2 * width)
    return torch.from_numpy(classes[cut["picture"], row, column])


@functools.lru_cache(maxsize=12)  # a run asks for its images at every level
def _draw(size: int, device: str, split: str, count: int, seed: int, some: tuple) -> tuple[Tensor, Tensor]:
    """`count` origins of some pictures and their classes, spread evenly over classes and scales, shuffled."""
    found = atlas(size, device).positions[split]
    groups = [found[CELLS**2 * picture + cell] for picture in some for cell in range(CELLS**2)]
    rng = np.random.default_rng([seed, SPLITS.index(split)])
    labels = np.sort(np.arange(count) % len(groups))
    where = np.empty(count, np.int64)
    for label, group in enumerate(groups):
        mine = np.flatnonzero(labels == label)
        for scale, origins in enumerate(group):
            share = mine[scale :: len(group)]
            where[share] = np.resize(rng.permutation(origins), len(share))
    order = rng.permutation(count)
    return torch.from_numpy(where[order]), torch.from_numpy(labels[order])


@functools.lru_cache(maxsize=3)  # as they are, rotated (larger, then cut) and twice as fine
def atlas(size: int, device: str = "cpu") -> Atlas:
    """All pictures on one canvas, at the scales at which patches of `size` pixels fit into held-out corners.

    A scale serves a picture when each of its cells has 16 positions in every split. Where none does, the
    picture is magnified by the mildest whole factor that does (bilinear).

    Raises ValueError for patches of more than 128 pixels: the magnified pictures would fill the memory.
    """
    if size > LARGEST:
        raise ValueError(f"photos have at most image_size={LARGEST}, not {size}")
    tiles, pieces = [], []
    for number, name in enumerate(PICTURES):
        picture = read(name)
        height, width = picture.shape[1:]
        for scale in _scales(height, width, size):
            tiles.append(Tile(number, scale, sum(piece.shape[1] for piece in pieces), height, width))
            pieces.append(rescale(picture, scale))
    columns = max(piece.shape[2] for piece in pieces)
    # rows, channels, columns: the three channels of a row lie together, for the memory's sake
    canvas = torch.zeros(sum(piece.shape[1] for piece in pieces), 3, columns, dtype=torch.uint8)
    positions = {split: [[] for _ in range(len(PICTURES) * CELLS**2)] for split in SPLITS}
    for tile, piece in zip(tiles, pieces, strict=True):
        canvas[tile.top : tile.top + piece.shape[1], :, : piece.shape[2]] = piece.permute(1, 0, 2)
        for split, cell, y, x, allowed in _cells(tile.height, tile.width, tile.scale, size):
            ys, xs = np.nonzero(allowed)
            origins = ((tile.top + y + ys) * 3 * columns + x + xs).astype(np.int32)
            positions[split][CELLS**2 * tile.picture + cell].append(origins)
    count = canvas.numel() - (3 * (size - 1) + 2) * columns - size + 1
    windows = canvas.to(device).as_strided((count, 3, size, size), (1, columns, 3 * columns, 1))
    return Atlas(windows, tiles, positions)


def _scales(height: int, width: int, size: int) -> list[float]:
    """The scales at which every cell of a picture has enough positions in every split."""

    def serves(scale):
        return min(allowed.sum() for *_, allowed in _cells(height, width, scale, size)) >= LEAST

    fitting = [scale for scale in SCALES if serves(scale)]
    return fitting or [next(1 / factor for factor in itertools.count(2) if serves(1 / factor))]


def _cells(height: int, width: int, scale: float, size: int):
    """Where patches may be cut from a rescaled picture: for each split and cell yield both, the first origin
    y, x of the cell, and a bool map of the origins from there on."""
    rows, columns = _axis(height, scale, size), _axis(width, scale, size)
    near = [np.outer(rows[f"near {split}"], columns[f"near {split}"]) for split in ("val", "test")]
    maps = {split: np.outer(rows[f"in {split}"], columns[f"in {split}"]) for split in ("val", "test")}
    maps["train"] = ~(near[0] | near[1])
    edges = [np.searchsorted(axis["cell"], range(CELLS + 1)) for axis in (rows, columns)]
    for split in SPLITS:
        for cell, (row, column) in enumerate(np.ndindex(CELLS, CELLS)):
            (top, bottom), (left, right) = edges[0][row : row + 2], edges[1][column : column + 2]
            yield split, cell, top, left, maps[split][top:bottom, left:right]


def _axis(length: int, scale: float, size: int) -> dict[str, np.ndarray]:
    """For every origin along one axis of a rescaled picture: its cell, and whether the patch there lies
    within the validation or test stripes ("in val") or touches them ("near val")."""
    rescaled = length // int(scale) if scale >= 1 else length * round(1 / scale)
    first, last = footprint(np.arange(max(rescaled - size + 1, 0)), scale, size, length)
    stripe = np.array(list(STRIPES))[np.arange(length) * len(STRIPES) // length]
    result = {"cell": (first + last) * CELLS // (2 * length)}
    for split, letter in (("val", "V"), ("test", "T")):
        count = np.concatenate([[0], np.cumsum(stripe == letter)])
        inside = count[last] - count[first]
        result |= {f"in {split}": inside == last - first, f"near {split}": inside > 0}
    return result


def footprint(origin: np.ndarray, scale: float, size: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """The original pixels that a patch depends on, along one axis: the first, and the one after the last.

    origin : position of the patch in the rescaled picture
    length : of the original picture, pixels
    """
    if scale >= 1:
        return origin * int(scale), (origin + size) * int(scale)
    factor = round(1 / scale)  # bilinear: one more original pixel on both sides
    return np.maximum(origin // factor - 1, 0), np.minimum((origin + size - 1) // factor + 2, length)


def provenance(config: Config, where: Tensor) -> dict[str, np.ndarray]:
    """What patches were cut from: picture (index in PICTURES), scale, y, x, and bottom, right (exclusive) of
    the original pixels that they depend on.

    where : origins, as Images.where
    """
    found = atlas(config.image_size)
    tiles, size = found.tiles, config.image_size
    row, column = np.divmod(where.cpu().numpy(), 3 * found.windows.stride(1))
    number = np.searchsorted([tile.top for tile in tiles], row, side="right") - 1
    result = {name: np.zeros(len(row)) for name in ("picture", "scale", "y", "bottom", "x", "right")}
    for index, tile in enumerate(tiles):
        mine = number == index
        down = footprint(row[mine] - tile.top, tile.scale, size, tile.height)
        across = footprint(column[mine], tile.scale, size, tile.width)
        for name, value in zip(result, (tile.picture, tile.scale, *down, *across), strict=True):
            result[name][mine] = value
    return {name: values if name == "scale" else values.astype(np.int64) for name, values in result.items()}


def read(name: str) -> Tensor:
    """A picture, (3, height, width), uint8; gray ones have three equal channels."""
    import skimage.data  # half a second that only photos pay
    import sklearn.datasets

    if name in ("china", "flower"):
        picture = sklearn.datasets.load_sample_image(f"{name}.jpg")
    else:
        picture = getattr(skimage.data, name)()
    picture = torch.tensor(picture)
    return picture.expand(3, -1, -1) if picture.ndim == 2 else picture.permute(2, 0, 1)


def rescale(picture: Tensor, scale: float) -> Tensor:
    """`picture` at 1/scale of its size: means of scale x scale pixels, or bilinear magnification.

    picture : (3, height, width), uint8; rows and columns beyond a multiple of the scale are cut off
    """
    image = picture[None].float()
    if scale >= 1:
        image = F.avg_pool2d(image, int(scale))
    else:
        image = F.interpolate(image, scale_factor=round(1 / scale), mode="bilinear", align_corners=False)
    return image[0].round_().to(torch.uint8)


SOURCES = {
    "photos": Source(
        load,
        names,
        groups=lambda config: [group for group, _, _ in classes(config)],
        schemes={
            "picture": lambda config: [picture for _, picture, _ in classes(config)],
            "scattered": names,
        },
        larger=True,
    )
}
