"""What the chapters on Pellegrini & Biroli 2022 need.

Chapter -> function(base, number of seeds) -> group -> configurations.
"""

import math
from dataclasses import replace

from sifting.config import Config, seeds


def coarse(base: Config) -> Config:
    """Half of the kept weights removed a level, to the same density: for chapters of many runs."""
    return replace(
        base,
        prune_fraction=0.5,
        levels=round(base.levels * math.log(1 - base.prune_fraction) / math.log(0.5)),
    )


def imp(base: Config, count: int) -> dict[str, list[Config]]:
    """The main runs, one a seed; the dense network of one run that trains longer stands beside PB1a."""
    return {"main": seeds(base, count), "longer": robustness(base, 1)["5 x steps"]}


def units(base: Config, count: int) -> dict[str, list[Config]]:
    """The main runs, and one run each on less data and on other tasks (PB10, PB11).

    The semantic labels of photos are five classes; so are the random ones, that chance is the same.
    """
    return {
        "main": imp(base, count)["main"],
        "less": [replace(base, fraction=0.3)],
        "least": [replace(base, fraction=0.02)],
        "semantic": [replace(base, labels="semantic")],
        "random classes": [replace(base, labels="random", classes=5)],
    }


def pruners(base: Config, count: int) -> dict[str, list[Config]]:
    """IMP, in layers or in one pool, and methods that cut once the same network: PB4, PB14.

    They cut the dense or the untrained network at every second of the densities of IMP. IMP and one-shot
    pruning also with a quarter and with twice the training, down to the fourth of those densities. Of one run
    of IMP the weights are kept, too.
    """
    once = replace(
        base,
        iterative=False,
        prune_fraction=1 - (1 - base.prune_fraction) ** 2,
        levels=max(3, base.levels // 2),
        min_alive=0,
    )
    before = replace(once, saliency_of="rewound", scope="global", prune_biases=False, rewind_step=0)
    rounds = -(-100 // once.levels)
    methods = {
        "IMP": base,
        "one pool": replace(base, scope="global"),
        "one-shot": once,
        "random": replace(once, criterion="random"),
        "SNIP": replace(before, criterion="snip"),
        "SynFlow": replace(before, criterion="synflow", iterative=True, rounds=rounds),
    }
    for name, times in {"short": 0.25, "long": 2}.items():
        for method, levels in {"IMP": min(8, base.levels), "one-shot": min(4, once.levels)}.items():
            steps = {field: round(times * getattr(base, field)) for field in ("steps", "rewind_step")}
            methods[f"{method}, {name}"] = replace(methods[method], levels=levels, **steps)
    return {name: seeds(config, count) for name, config in methods.items()} | {"example": [base]}


def data(base: Config, count: int) -> dict[str, list[Config]]:
    """IMP on smaller and smaller parts of the images; a part that is set is one more."""
    shares = sorted({1.0, 0.5, 0.3, 0.1, 0.05, 0.02, base.fraction}, reverse=True)
    return {f"{100 * share:g} %": seeds(replace(base, fraction=share), count) for share in shares}


FEW = ("semantic", "scattered")  # tasks of which few images are learned, too


def tasks(base: Config, count: int) -> dict[str, list[Config]]:
    """IMP on classes with more and less meaning, from groups of pictures to blocks of pixels.

    All but the first have as many classes, so that chance is the same. Of two tasks a fiftieth of the images
    is learned, too: so few that a network can learn them by heart. Classes that are set are one task more.
    """
    groups = {name: replace(base, labels=name) for name in ("fine", "semantic", "half", "partial")}
    of_places = {"random classes": "random", "scattered": "scattered"}  # the first is no method of pruning
    groups |= {name: replace(base, labels=labels, classes=5) for name, labels in of_places.items()}
    few = {f"{name}, few images": replace(groups[name], fraction=base.fraction / 50) for name in FEW}
    return {name: seeds(config, count) for name, config in ({base.labels: base} | groups | few).items()}


def transforms(base: Config, count: int) -> dict[str, list[Config]]:
    """IMP on images that are turned, moved or twice as fine: PB20, PB21, PB22.

    Of one run on moved images the weights are kept, too.
    """
    moved = seeds(replace(base, transform="translate"), count)
    finer = replace(base, image_size=2 * base.image_size, levels=min(10, base.levels))
    if base.dataset.startswith("imagenet"):
        finer = replace(base, dataset="imagenet64")
    return {
        "as they are": seeds(base, count),
        "rotated": seeds(replace(base, transform="rotate"), count),
        "translated, with weights": moved[:1],
        "translated": moved[1:],
        "twice as fine": seeds(finer, count),
    }


# what is varied -> names of the groups of `robustness`, the one with several seeds first
VARIED = {
    "minimizer": ("as it is", "5 x lr", "lr / 2", "lr / 5", "Adam"),
    "architecture": ("as it is", "width / 4", "width / 2", "2 x width", "one layer more", "two layers more"),
    "parameters": (
        "as it is", "a fifth a level", "rewind to k / 2", "rewind to k / 10", "rewind to 0",
        "5 x steps", "steps / 10", "steps / 20", "one pool",
    ),
    "facts": (
        "as it is", "batch norm after", "no batch norm", "biases stay", "T - k steps", "batches by epochs",
    ),
}  # fmt: skip
SHORT = ("steps / 10", "steps / 20")  # the paper's exceptions


def robustness(base: Config, count: int) -> dict[str, list[Config]]:
    """Many variants of one run each: PB6, PB7, PB8, and what the paper leaves out.

    Two coarse levels short of the lowest density.
    """
    usual = coarse(base)
    usual = replace(usual, levels=max(2, usual.levels - 2))

    def wide(times):
        return tuple(max(1, round(times * width)) for width in base.widths)

    def trained(times):
        steps = max(2, round(times * base.steps))
        return replace(usual, steps=steps, rewind_step=min(base.rewind_step, steps // 5))

    def rewound(share):
        return replace(usual, rewind_step=round(share * base.rewind_step))

    changed = {
        "5 x lr": replace(usual, lr=5 * base.lr),
        "lr / 2": replace(usual, lr=base.lr / 2),
        "lr / 5": replace(usual, lr=base.lr / 5),
        "Adam": replace(usual, optimizer="adam", lr=0.01),
        "width / 4": replace(usual, widths=wide(1 / 4)),
        "width / 2": replace(usual, widths=wide(1 / 2)),
        "2 x width": replace(usual, widths=wide(2)),
        "one layer more": replace(usual, widths=base.widths + base.widths[-1:]),
        "two layers more": replace(usual, widths=base.widths + 2 * base.widths[-1:]),
        "a fifth a level": replace(
            usual, prune_fraction=0.2, levels=round(usual.levels * math.log(0.5) / math.log(0.8))
        ),
        "rewind to k / 2": rewound(1 / 2),
        "rewind to k / 10": rewound(1 / 10),
        "rewind to 0": rewound(0),
        "5 x steps": trained(5),
        "steps / 10": trained(1 / 10),
        "steps / 20": trained(1 / 20),
        "one pool": replace(usual, scope="global"),
        "batch norm after": replace(usual, batch_norm="after"),
        "no batch norm": replace(usual, batch_norm="none"),
        "biases stay": replace(usual, prune_biases=False),
        "T - k steps": replace(usual, retrain="rest"),
        "batches by epochs": replace(usual, replacement=False),
    }
    return {"as it is": seeds(usual, count)} | {name: [config] for name, config in changed.items()}


def hierarchy(base: Config, count: int) -> dict[str, list[Config]]:
    """The main runs, and a deeper network pruned one layer at a time, three in all: PB15, PB16.

    Where there are steps enough to train it, eight layers and pruning as gradual as in the paper; else five
    layers, and half of the kept weights a level.
    """
    depth, fraction = (8, base.prune_fraction) if base.steps >= 10_000 else (5, max(0.5, base.prune_fraction))
    one_by_one = replace(
        base,
        widths=(*base.widths, *[base.widths[-1]] * depth)[:depth],
        layerwise=3,
        prune_fraction=fraction,
        levels=min(254, 3 * base.levels),
        min_alive=0,
    )
    return {"main": seeds(base, count), "example": [base], "layerwise": seeds(one_by_one, count)}


def fashion(base: Config, count: int) -> dict[str, list[Config]]:
    """IMP on images of one kind in ten classes, and what may make its masks more local or less.

    Two classes are the even and the odd ones of the ten; the long training is four times as long.
    """
    groups = {
        "IMP": base,
        "one-shot": replace(base, iterative=False),
        "random": replace(base, iterative=False, criterion="random"),
        "4 x steps": replace(base, steps=4 * base.steps, rewind_step=4 * base.rewind_step),
        "a tenth of the images": replace(base, fraction=base.fraction / 10),
        "two classes": replace(base, labels="random", classes=2),
        "Gaussian clone": replace(base, clone="joint"),
        "pixels reordered": replace(base, clone="pixels"),
    }
    return {name: seeds(config, count) for name, config in groups.items()}


GROUPS = {
    "imp": imp,
    "units": units,
    "pruners": pruners,
    "data": data,
    "tasks": tasks,
    "hierarchy": hierarchy,
    "transforms": transforms,
    "robustness": robustness,
    "fashion": fashion,
}
FAMILY = {"fashion": "fashion"}
# chapter -> group -> kinds of results that are needed of it; default: masks
KINDS = {
    "imp": {"main": ("shown",)},
    "units": {"main": ("shown", "anatomy")},
    "pruners": {"example": ("shown",)},
    "transforms": {"as they are": ("shown",), "translated, with weights": ("shown",)},
    "hierarchy": {"main": ("shown",), "example": ("stimuli",), "layerwise": ("network",)},
}
# chapter -> the fields that it is about, which one turns first
ABOUT = {
    "imp": ("steps", "lr", "widths", "prune_fraction", "rewind_step", "scope", "iterative", "batch_norm"),
    "units": ("fraction", "steps", "lr", "widths", "prune_fraction", "rewind_step", "scope", "iterative"),
    "pruners": ("fraction", "steps", "lr", "widths", "prune_fraction", "rewind_step", "batch_norm"),
    "data": ("labels", "steps", "lr", "weight_decay", "widths", "prune_fraction", "rewind_step"),
    "tasks": ("fraction", "transform", "clone", "steps", "lr", "widths", "prune_fraction"),
    "hierarchy": ("labels", "fraction", "steps", "lr", "widths", "prune_fraction", "rewind_step"),
    "transforms": ("labels", "fraction", "steps", "lr", "widths", "prune_fraction", "rewind_step"),
    "fashion": ("steps", "lr", "widths", "prune_fraction", "rewind_step", "batch_norm"),
    "robustness": ("labels", "fraction", "steps", "batch_norm", "prune_biases", "momentum", "weight_decay"),
}
