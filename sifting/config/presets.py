"""The presets of every family of networks, and the Config that a name and overrides make."""

import dataclasses
import types

from sifting.config.fields import FIELDS, Config
from sifting.config.identity import apart_from, unread
from sifting.config.setting import choose

# Small enough for two cores, and the papers' findings still come out. Momentum makes up for training
# a hundred times shorter; standardised patches, for photographs with other lighting than ImageNet's.
_LAPTOP = Config(
    image_size=16,
    train_images=400_000,
    val_images=5_000,
    test_images=5_000,
    normalize="patch",
    widths=(256, 256, 256),
    momentum=0.9,
    batch_size=200,
    steps=1200,
    evaluations=8,
    levels=13,
    rewind_step=120,
)
PRESETS = types.MappingProxyType(
    {
        # seconds: every code path, no result worth reading
        "smoke": dataclasses.replace(
            _LAPTOP,
            image_size=8,
            train_images=2_000,
            val_images=500,
            test_images=500,
            widths=(48, 32, 32),
            batch_size=100,
            steps=30,
            evaluations=3,
            levels=4,
            rewind_step=5,
            prune_fraction=0.5,
        ),
        # minutes on two cores: the default
        "laptop": _LAPTOP,
        # a night on two cores: finer images, twice as wide, ten times the training
        "desk": dataclasses.replace(
            _LAPTOP, image_size=32, widths=(512, 512, 512), steps=12_000, rewind_step=1_200
        ),
        # the authors' network and step counts on data that ship with the packages, one GPU
        "gpu": Config(normalize="patch"),
        # the authors' settings on the authors' data
        "paper": Config(dataset="imagenet32", evaluations=1000),
    }
)


# the same network on Fashion-MNIST; where every code path is tried, on digits that come with a package
_CLOTHES = {"dataset": "fashion-mnist", "normalize": "pixels"}
FASHION_PRESETS = types.MappingProxyType(
    {
        name: dataclasses.replace(preset, **_CLOTHES | ({"dataset": "digits"} if name == "smoke" else {}))
        for name, preset in PRESETS.items()
    }
)


# Paganini & Forde 2020 on the digits that ship with a package: 4 epochs of 4,000 images a level
# instead of 30 of 60,000. Momentum makes up for that: with the paper's plain steps, structured pruning
# fails levels earlier
_LENET = Config(
    dataset="digits",
    val_images=500,
    test_images=500,
    normalize="pixels",
    model="lenet",
    lr=0.02,
    momentum=0.9,
    batch_size=32,
    steps=500,
    evaluations=1,
    replacement=False,
    reshuffle=False,
    prune_fraction=0.2,
    rounding="nearest",
    levels=20,
    min_alive=0.0,
    prune_biases=False,
    prune_head=True,
    rewind_step=0,
)
LENET_PRESETS = types.MappingProxyType(
    {
        "smoke": dataclasses.replace(
            _LENET, fraction=0.1, val_images=100, test_images=100, steps=6, levels=4, prune_fraction=0.5
        ),
        "laptop": _LENET,
        "desk": dataclasses.replace(_LENET, steps=2_000),
        "gpu": dataclasses.replace(_LENET, steps=30 * 125),
        # 30 epochs of the 55,000 images that validation leaves
        "paper": dataclasses.replace(
            _LENET,
            dataset="mnist",
            val_images=5_000,
            test_images=10_000,
            lr=0.01,
            momentum=0.0,
            steps=30 * 1718,
        ),
    }
)

# An empirical study of a pruning mechanism 2021, on few photographs, so that a network of full width
# learns them by heart in the time that there is; classes are pictures
_RESNET20 = Config(
    image_size=16,
    labels="picture",
    train_images=600,
    val_images=500,
    test_images=2_000,
    normalize="patch",
    model="resnet20",
    momentum=0.9,
    weight_decay=1e-4,
    batch_size=64,
    steps=600,
    schedule="drops",
    evaluations=1,
    replacement=False,
    scope="global",
    prune_biases=False,
    treatment="lr-rewind",
    rewind_step=0,
    retrain_steps=200,
    levels=5,
    min_alive=0.0,
    snapshots=6,
    subsets=60,
    probe_images=200,
    cells=21,
)
# 200 epochs of 50,000 images, as in the paper
_FULL = {
    "image_size": 32,
    "train_images": 50_000,
    "val_images": 5_000,
    "test_images": 10_000,
    "batch_size": 128,
    "steps": 200 * 390,
    "retrain_steps": 0,
    "snapshots": 20,
    "subsets": 500,
    "probe_images": 2_000,
    "cells": 41,
}
_PAPER = _FULL | {
    "dataset": "cifar10",
    "labels": "fine",
    "train_images": 45_000,
    "normalize": "pixels",
    "steps": 200 * 351,
}
_SMOKE = {
    "image_size": 8,
    "train_images": 100,
    "val_images": 60,
    "test_images": 60,
    "width": 0.25,
    "batch_size": 20,
    "steps": 8,
    "retrain_steps": 4,
    "levels": 2,
    "snapshots": 2,
    "subsets": 4,
    "probe_images": 20,
    "cells": 3,
}
RESNET20_PRESETS = types.MappingProxyType(
    {
        "smoke": dataclasses.replace(_RESNET20, **_SMOKE),
        "laptop": _RESNET20,
        "desk": dataclasses.replace(_RESNET20, steps=6_000, retrain_steps=2_000),
        "gpu": dataclasses.replace(_RESNET20, **_FULL),
        # 45,000 images are left by those for validation
        "paper": dataclasses.replace(_RESNET20, **_PAPER, transform="crop-flip"),
    }
)
# the plain network has neither momentum nor decay; at the paper's rate of 0.1 it diverges in so few steps
_VANILLA = dataclasses.replace(
    _RESNET20,
    model="vanilla",
    train_images=1_000,
    lr=0.03,
    momentum=0.0,
    weight_decay=0.0,
    batch_size=32,
    steps=4_000,
    subsets=100,
)
VANILLA_PRESETS = types.MappingProxyType(
    {
        "smoke": dataclasses.replace(_VANILLA, **_SMOKE),
        "laptop": _VANILLA,
        "desk": dataclasses.replace(_VANILLA, steps=40_000, retrain_steps=2_000),
        "gpu": dataclasses.replace(_VANILLA, **_FULL, lr=0.1),
        "paper": dataclasses.replace(_VANILLA, **_PAPER, lr=0.1),
    }
)
FAMILIES = types.MappingProxyType(
    {
        "fcn": PRESETS,
        "fashion": FASHION_PRESETS,
        "lenet": LENET_PRESETS,
        "resnet20": RESNET20_PRESETS,
        "vanilla": VANILLA_PRESETS,
    }
)


def preset(name: str, overrides: dict | None = None, family: str = "fcn", **fields) -> Config:
    """The Config of a preset of a family of networks, with fields replaced.

    Raises ValueError for an unknown preset, family or field (naming the choices) or an impossible value.
    """
    choose("family", family, FAMILIES)
    choose("preset", name, FAMILIES[family])
    fields = {**(overrides or {}), **fields}
    for field in fields:
        choose("parameter", field, FIELDS)
    found = dataclasses.replace(FAMILIES[family][name], **fields)
    # a network of another kind does not read what the preset says of its own
    return apart_from(found, set(unread(found)) - set(fields)) if "model" in fields else found
