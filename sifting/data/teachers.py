"""Labels that a network gives to images: what is to be learned, apart from what the images are.

A teacher is a multilayer perceptron that scikit-learn trains on the images as they are. It then labels any
images of the same size, clones of them too, so that one function of the pixels is learned from images of
different statistics; and, where it sees the pixels in another order, a function without local features.

Source: ours, after the teachers and students of Goldt et al. 2020.
"""

import dataclasses
import functools
import warnings

import numpy as np
import torch
from torch import Tensor

from sifting import cache
from sifting.data.clones import CHUNK, Permuted
from sifting.data.images import Dataset, Split

WIDTHS, BATCH = (256, 256), 200  # of a teacher; Adam's rate is scikit-learn's
STEPS, EPOCHS = 3000, 10  # at most, whichever is less
BALANCED = 20_000  # training images that thresholds are set on
ROUNDS, RATE = 300, 0.1  # of setting them
SAME = "same"  # pixels in their own order


def taught(data: Dataset, images: Dataset, teacher: str, name: str, seed: int) -> Dataset:
    """`images` with the labels of a teacher, who learned those of `data`.

    teacher : same, or reordered: the teacher sees the pixels of `images` in another order, the same in all
              images and channels
    name    : of the file that keeps the labels for the next process, see cache.array
    seed    : of the teacher, and of the order

    The classes are as many; a threshold for each, added to the logarithm of its probability, makes all of
    them equally frequent among the training images, so that chance is the same everywhere.
    """
    splits = {split: getattr(images, split) for split in ("train", "val", "test")}
    device = images.train.labels.device
    found = torch.from_numpy(cache.array(name, functools.partial(_labels, data, splits, teacher, seed)))
    parts = found.to(device, torch.int64).split([len(split.labels) for split in splits.values()])
    labeled = {
        name: dataclasses.replace(split, labels=part)
        for (name, split), part in zip(splits.items(), parts, strict=True)
    }
    return dataclasses.replace(images, **labeled)


def _labels(data: Dataset, splits: dict[str, Split], teacher: str, seed: int) -> np.ndarray:
    """uint16 (images of all splits,)."""
    draw = torch.Generator().manual_seed(seed)
    order = Permuted(data.shape, draw) if teacher != SAME else None
    known = _trained(data, draw, seed)
    says = {name: _says(known, split, data.shape, order) for name, split in splits.items()}
    threshold = balanced(says["train"][:BALANCED])
    return np.concatenate([(rows + threshold).argmax(1) for rows in says.values()]).astype(np.uint16)


def _trained(data: Dataset, draw: torch.Generator, seed: int):
    """The teacher, a fitted MLPClassifier."""
    from sklearn.neural_network import MLPClassifier  # a second that only teachers pay

    teacher, classes = MLPClassifier(WIDTHS, random_state=seed), np.arange(data.classes)
    device = data.train.labels.device
    for _ in range(min(STEPS, EPOCHS * len(data.train.labels) // BATCH)):
        index = torch.randint(len(data.train.labels), (BATCH,), generator=draw).to(device)
        x, y = data.train.batch(index)
        teacher.partial_fit(x.cpu().numpy(), y.cpu().numpy(), classes=classes)
    return teacher


def _says(teacher, split: Split, shape: tuple[int, int, int], order: Permuted | None) -> np.ndarray:
    """Logarithms of the probabilities of the classes, float32 (images, classes)."""
    found = []
    for index in torch.arange(len(split.labels), device=split.labels.device).split(CHUNK):
        x: Tensor = split.batch(index)[0].cpu()
        if order:
            x = order(x.view(-1, *shape)).flatten(1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # the logarithm of 0
            found.append(teacher.predict_log_proba(x.numpy()).clip(min=-100).astype(np.float32))
    return np.concatenate(found)


def balanced(says: np.ndarray) -> np.ndarray:
    """What to add to each class's column so that all classes are the largest equally often, (classes,).

    says : (images, classes), logarithms of probabilities
    """
    threshold = np.zeros(says.shape[1], np.float32)
    for _ in range(ROUNDS):
        share = np.bincount((says + threshold).argmax(1), minlength=len(threshold)) / len(says)
        threshold -= RATE * np.log(len(share) * share + 1 / len(says)).astype(np.float32)
    return threshold
