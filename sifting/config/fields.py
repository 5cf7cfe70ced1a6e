"""Every default, once, and the identity of a result."""

import dataclasses
import hashlib
import json
import typing
from dataclasses import dataclass


def choose(what: str, name: str, choices) -> None:
    """Raise ValueError naming `what` and the choices unless `name` is one of them."""
    if name not in choices:
        raise ValueError(f"unknown {what} {name!r}; choose from {', '.join(sorted(map(str, choices)))}")


@dataclass(frozen=True)
class Config:
    """One run of training, pruning and rewinding, complete: equal configs give equal results, up to rounding.

    The defaults are those of Pellegrini & Biroli 2022; where their paper is silent, those of their
    released code. A new field's default must switch the new thing off, and no default ever
    changes: `key` hashes what differs from the defaults, and stored results are found by it.

    Raises ValueError, naming the field and what it takes, for values that no run can have.
    """

    # --- images
    dataset: str = "photos"  # a name in data.LOADERS
    image_size: int = 32  # pixels a side; only photos come in any size
    labels: str = "fine"  # what counts as a class: see data.labels
    classes: int = 0  # number of classes of semantic and random labels; 0: the scheme's own
    fraction: float = 1.0  # share of the training images used
    train_images: int = 1_000_000  # images to draw (photos); other datasets use all they have
    val_images: int = 10_000  # images for early stopping; the paper uses 10,000
    test_images: int = 10_000  # images for nothing but the final number
    # mean-image: (x - mean image) / 255; patch: (x - its mean) / (its sd + 0.03); fixed: (x - 128) / 16;
    # pixels: (x - mean) / sd, of all pixels of all training images
    normalize: str = "mean-image"
    # rotate: all images by 20 degrees; anew in every batch, training images: translate; crop-flip: move by
    # up to 4 pixels, zeros outside, and mirror
    transform: str = "none"
    clone: str = "none"  # replace the images by others with a part of their statistics: see data.clones
    gain: float = 0.0  # of the dataset fields: how far from Gaussian; 0: Gaussian
    data_seed: int = 0  # which images are drawn; shared by all seeds of an experiment

    # --- network
    model: str = "fcn"  # a name in models.BUILDERS
    widths: tuple[int, ...] = (1024, 1024, 1024)  # fcn only: units of each hidden layer
    width: float = 1.0  # convolutional networks only: times their channels and units
    batch_norm: str = "before"  # fcn only: before each linear layer (released code), after, or none
    # share of the weights that pruning may touch that are there at all, at random, scaled up to the same variance; 1: all
    start_density: float = 1.0

    # --- training of one level
    optimizer: str = "sgd"  # sgd or adam
    lr: float = 0.1
    momentum: float = 0.0  # sgd only
    weight_decay: float = 0.0
    batch_size: int = 1000
    steps: int = 100_000  # optimizer steps a level
    schedule: str = (
        "constant"  # of the learning rate: constant, or drops: a tenth at 50 % and 75 % of the steps
    )
    evaluations: int = 100  # accuracies measured a level, evenly spaced; the maximum is "early stopped"
    replacement: bool = True  # draw batches with replacement (released code) or by epochs
    reshuffle: bool = True  # other batches at every level; False: the same ones in the same order

    # --- pruning
    criterion: str = "magnitude"  # a name in criteria.CRITERIA or criteria.SCHEMES
    scope: str = "layer"  # rank weights within each layer, or over the whole network ("global")
    saliency_of: str = (
        "trained"  # the weights that a criterion looks at: trained, or rewound (before training)
    )
    rounds: int = 1  # prunings in a row that make a level, each with scores anew (SynFlow)
    iterative: bool = True  # False: one-shot; every level is cut from the trained dense network
    prune_fraction: float = 0.3  # share of the kept weights removed a level
    rounding: str = "down"  # of the number that is removed: down (released code), or nearest (torch)
    levels: int = 17  # most levels; a run ends earlier when too few units are alive
    min_alive: float = 0.2  # the run ends when a layer has a smaller share of units with an input
    prune_biases: bool = True  # biases share the pool of their layer (released code)
    prune_head: bool = False  # the output layer is pruned, too
    treatment: str = "rewind"  # what becomes of the weights that are left: a name in treatments.TREATMENTS
    rewind_step: int = 1000  # optimizer step that weights return to; 0: initialization
    retrain: str = "full"  # steps after rewinding: full (released code), or the rest (steps - rewind_step)
    retrain_steps: int = 0  # optimizer steps of every level but the dense one; 0: as many as it has
    layerwise: int = (
        0  # layers to prune one at a time from the input, each while accuracy beats dense; 0: all together
    )

    # --- what is measured on the way, by results that measure it
    snapshots: int = 0  # networks measured during the training of the dense one, evenly spaced from its start; 0: its end alone
    subsets: int = 0  # random sets of weights whose utility is measured
    probe_images: int = 0  # training images that utility and accuracy surfaces are measured on
    cells: int = 0  # of an accuracy plane, across and down; 0: lines alone
    probed: str = "every"  # levels at which all of that is done: every, or the last alone

    seed: int = 0  # initialization, batches and random masks derive from it

    def __post_init__(self):
        for field in dataclasses.fields(self):
            object.__setattr__(self, field.name, _coerce(field, getattr(self, field.name)))
        for name in (
            "labels",
            "normalize",
            "transform",
            "clone",
            "batch_norm",
            "optimizer",
            "schedule",
            "scope",
            "saliency_of",
            "rounding",
            "treatment",
            "retrain",
            "probed",
        ):
            choose(name, getattr(self, name), CHOICES[name])
        for name, low, high, what in _RANGES:
            value = getattr(self, name)
            if not low <= value <= high or value != value:
                raise ValueError(f"{name} must be {what}, not {value}")
        if not self.widths or min(self.widths) < 1:
            raise ValueError(f"widths must be one or more positive numbers of units, not {self.widths}")
        if self.layerwise > len(self.widths):
            raise ValueError(
                f"layerwise must be at most {len(self.widths)} hidden layers, not {self.layerwise}"
            )
        if self.clone != "none" and self.transform != "none":
            raise ValueError(f"clones are of images as they are: clone={self.clone} needs transform=none")
        for name in ("steps", "retrain_steps"):
            if self.rewind_step >= (getattr(self, name) or self.steps):
                raise ValueError(
                    f"rewind_step must be below {name} ({getattr(self, name)}), not {self.rewind_step}"
                )


FIELDS = tuple(field.name for field in dataclasses.fields(Config))

# what the training of the dense network does not depend on
LATER = (
    "criterion", "scope", "saliency_of", "rounds", "iterative", "prune_fraction", "rounding", "levels", "min_alive",
    "treatment", "retrain", "retrain_steps", "layerwise", "subsets", "probe_images", "cells", "probed",
)  # fmt: skip

CHOICES = {
    "labels": ("fine", "picture", "semantic", "half", "partial", "random", "scattered"),
    "normalize": ("mean-image", "patch", "fixed", "pixels"),
    "transform": ("none", "rotate", "translate", "crop-flip"),
    "clone": ("none", "joint", "channel", "phase", "pixels"),
    "batch_norm": ("before", "after", "none"),
    "optimizer": ("sgd", "adam"),
    "schedule": ("constant", "drops"),
    "scope": ("layer", "global"),
    "saliency_of": ("trained", "rewound"),
    "rounding": ("down", "nearest"),
    "treatment": ("rewind", "finetune", "lr-rewind", "reinit", "sigma-sign", "sign"),
    "retrain": ("full", "rest"),
    "probed": ("every", "last"),
}

KINDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a name",
}  # of fields, in words
_TINY, _HUGE = 1e-12, 1e12
_RANGES = [  # field, lowest, highest, what the message says
    ("image_size", 4, 512, "between 4 and 512 pixels"),
    ("classes", 0, _HUGE, "0 or more"),
    ("fraction", _TINY, 1, "above 0 and at most 1"),
    ("train_images", 2, _HUGE, "2 or more: batch norm needs two"),
    ("val_images", 1, _HUGE, "1 or more"),
    ("test_images", 1, _HUGE, "1 or more"),
    ("gain", 0, 100, "between 0 and 100"),
    ("data_seed", 0, 2**32 - 1, "0 or more"),
    ("width", 0.001, 16, "between 0.001 and 16"),
    ("lr", 0, 1e6, "between 0 and 1,000,000"),
    ("momentum", 0, 1 - _TINY, "at least 0 and below 1"),
    ("weight_decay", 0, 1e6, "between 0 and 1,000,000"),
    ("batch_size", 2, _HUGE, "2 or more: batch norm needs two images"),
    ("steps", 1, _HUGE, "1 or more"),
    ("evaluations", 1, _HUGE, "1 or more"),
    ("prune_fraction", _TINY, 1 - _TINY, "above 0 and below 1"),
    ("rounds", 1, 10_000, "between 1 and 10,000"),
    ("levels", 0, 254, "between 0 and 254: one byte a weight holds the level of its removal"),
    ("min_alive", 0, 1, "between 0 and 1"),
    ("rewind_step", 0, _HUGE, "0 or more"),
    ("layerwise", 0, 254, "between 0 and 254"),
    ("start_density", _TINY, 1, "above 0 and at most 1"),
    ("retrain_steps", 0, _HUGE, "0 or more"),
    ("snapshots", 0, 1_000, "between 0 and 1,000"),
    ("subsets", 0, 1_000_000, "between 0 and 1,000,000"),
    ("probe_images", 0, _HUGE, "0 or more"),
    ("cells", 0, 1_000, "between 0 and 1,000"),
    ("seed", 0, 2**32 - 1, "0 or more"),
]


def _coerce(field, value):
    """Give `value` the field's own type, or raise: 512 and "512,512" are widths, "yes" is no bool."""
    wanted, origin = field.type, typing.get_origin(field.type)
    try:
        if origin is tuple:
            parts = value.replace(",", " ").split() if isinstance(value, str) else value
            parts = [parts] if isinstance(parts, int) else list(parts)
            return tuple(_whole(part) for part in parts)
        if wanted is bool:
            if str(value).lower() not in ("true", "false", "1", "0"):
                raise ValueError
            return str(value).lower() in ("true", "1")
        if wanted is int:
            return _whole(value)
        return wanted(value)
    except (TypeError, ValueError):
        kind = "whole numbers, as 512,512" if origin is tuple else KINDS[wanted]
        raise ValueError(f"{field.name} takes {kind}, not {value!r}") from None


def _whole(value) -> int:
    if isinstance(value, bool) or not float(value).is_integer():
        raise ValueError
    return int(float(value))


def parse(text: str) -> dict:
    """Fields from a command line, as `"lr=0.05 widths=512,512"`; values are checked by Config."""
    fields = {}
    for word in text.split():
        name, equals, value = word.partition("=")
        if not equals:
            raise ValueError(f'cannot read {word!r}; write set="name=value name=value"')
        choose("parameter", name, FIELDS)
        if name in fields:
            raise ValueError(f"{name} is given twice")
        fields[name] = value
    return fields


def changed(config: Config) -> dict:
    """The fields of `config` that differ from the defaults."""
    return {
        f.name: getattr(config, f.name)
        for f in dataclasses.fields(config)
        if getattr(config, f.name) != f.default
    }


def apart_from(config: Config, names) -> Config:
    """`config` with the fields of those names at their defaults: two that agree in all others become equal."""
    defaults = {f.name: f.default for f in dataclasses.fields(config)}
    return dataclasses.replace(config, **{name: defaults[name] for name in names})


def key(config: Config) -> str:
    """Twelve hexadecimal digits that name the results of `config`."""
    text = json.dumps(changed(config), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def seeds(config: Config, count: int) -> list[Config]:
    """`count` copies of `config` that differ in their seed: config.seed, config.seed + 1, ..."""
    if count < 1:
        raise ValueError(f"seeds must be 1 or more, not {count}")
    return [dataclasses.replace(config, seed=config.seed + n) for n in range(count)]
