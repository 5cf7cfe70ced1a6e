"""ImageNet at 32 x 32 and 64 x 64 pixels, as it is downloaded: converted once, and read from the disk."""

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
from sifting.data.archives import Pool, batch, folder, need, part
from sifting.data.images import Images, Source

CLASSES = tuple(f"class {number}" for number in range(1, 1001))
URL = "https://image-net.org/download-images (Download downsampled image data; free account)"


def imagenet(config: Config, device: str = "cpu") -> dict[str, tuple[Images, Tensor]]:
    """Downsampled ImageNet; validation and test images are parts of the archive's 50,000 validation images.

    Labels are those of the archive less 1, in its own order (map_clsloc.txt).
    Source: Chrabaszcz et al. 2017; all of it as in Pellegrini & Biroli 2022.
    """
    train, held_out = (_imagenet(folder(), config.dataset, name, str(device)) for name in ("train", "val"))
    return {
        "train": part(train, config, 0, len(train[1])),
        "val": part(held_out, config, 0, config.val_images),
        "test": part(held_out, config, config.val_images, config.val_images + config.test_images),
    }


def imagenet_groups(config: Config) -> list[str]:
    """The macro-class of each ImageNet class, from two files beside the archive of config.dataset.

    map_clsloc.txt : "n02119789 1 kit_fox", the archive's own list of classes
    semantic.txt   : "n02119789 canine", yours; a word for every class

    Raises FileNotFoundError where one is missing, ValueError where semantic.txt leaves a class out.
    """
    home = folder() / config.dataset
    files = [home / "map_clsloc.txt", home / "semantic.txt"]
    need(
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
    if len(wnids) != len(CLASSES):
        raise ValueError(f"{files[0]} lists {len(wnids)} classes, not {len(CLASSES)}")
    return [group[wnid] for wnid in wnids]


def _archive(home: Path, dataset: str, name: str) -> list[Path]:
    """The batches of one half of the archive; none are needed where converted ones lie in their place.

    Raises FileNotFoundError where any is missing.
    """
    if all(path.exists() for path in _plain(home / dataset, f"{name}-")):
        return []
    size = dataset.removeprefix("imagenet")
    parts = {"train": [f"train_data_batch_{number}" for number in range(1, 11)], "val": ["val_data"]}
    files = [home / dataset / part for part in parts[name]]
    need(files, f"get the {size}x{size} archives at {URL} and unpack them there")
    return files


def _look(config: Config) -> None:
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
                pixels, numbers = batch(path, size, 1, len(CLASSES))
                file.write(pixels)
                found.append(numbers)
        np.save(started[1], np.concatenate(found))
        os.replace(started[0], images)
        os.replace(started[1], labels)
    finally:
        for path in started:
            path.unlink(missing_ok=True)


SOURCES = {
    "imagenet32": Source(imagenet, CLASSES, groups=imagenet_groups, look=_look),
    "imagenet64": Source(imagenet, CLASSES, groups=imagenet_groups, look=_look),
}
