"""What the chapters on Redman et al. 2024 need.

Chapter -> function(base, number of seeds) -> group -> configurations.
"""

from dataclasses import replace

from sifting.config import Config, seeds

LEVELS, STEPS = 10, 40_000
GAINS = (0.0, 0.5, 1.0, 2.0, 5.0)  # of the fields; 0: Gaussian


IMAGES = {"photographs": "none", "a Gaussian a picture": "joint", "one Gaussian": "one"}
LABELS = {"true labels": "none", "teacher": "same", "reordered teacher": "reordered"}


def network(base: Config) -> Config:
    """Their network and procedure on the images of `base`.

    Two hidden layers, ten levels, T - k steps after rewinding; where there are steps enough, their 40,000
    of 40 images. Classes of photos are pictures: one Gaussian a class is then fitted to many images, and a
    mixture of fifteen is what a clone can be.
    """
    if base.steps >= STEPS:
        base = replace(base, batch_size=40, steps=STEPS)
    if base.dataset == "photos":
        base = replace(base, labels="picture")
    return replace(base, widths=base.widths[:2], levels=min(LEVELS, base.levels), retrain="rest")


def statistics(base: Config, count: int) -> dict[str, list[Config]]:
    """The components of the images, and of their Gaussian clones."""
    return {"images": [network(base)], "Gaussian clone": [replace(network(base), clone="joint")]}


def clones(base: Config, count: int) -> dict[str, list[Config]]:
    """IMP on images and on clones of them.

    The clones are Gaussians a picture, Gaussians a fine class, and three controls; those that only stand
    beside the others have one run each.
    """
    mine = network(base)
    fine = replace(mine, labels="fine")
    groups = {
        "photographs": mine,
        "photographs, one-shot": replace(mine, iterative=False),
        "Gaussian clone": replace(mine, clone="joint"),
        "the authors' clone": replace(mine, clone="channel"),
        "random phases": replace(mine, clone="phase"),
        "pixels reordered": replace(mine, clone="pixels"),
        "fine classes": fine,
        "clone of fine classes": replace(fine, clone="joint"),
    }
    single = ("random phases", "pixels reordered")
    runs = {name: seeds(config, 1 if name in single else count) for name, config in groups.items()}
    return runs | {name: runs[group][:1] for name, group in LIKENESSES.items()}


def causes(base: Config, count: int) -> dict[str, list[Config]]:
    """IMP on images of three kinds, each with labels of three kinds.

    One Gaussian for all images has no classes of its own: its true labels are those of the photographs that
    its images stand in for, which nothing in them tells.
    """
    mine = network(base)
    return {
        f"{images}, {labels}": seeds(replace(mine, clone=clone, teacher=teacher), count)
        for images, clone in IMAGES.items()
        for labels, teacher in LABELS.items()
    }


def kurtosis(base: Config, count: int) -> dict[str, list[Config]]:
    """IMP, one-shot and random pruning at the same densities, and IMP on Gaussian clones."""
    mine = network(base)
    once = replace(mine, iterative=False)
    groups = {
        "IMP": mine,
        "one-shot": once,
        "random": replace(once, criterion="random"),
        "IMP, Gaussian clone": replace(mine, clone="joint"),
    }
    return {name: seeds(config, count) for name, config in groups.items()}


def cavity(base: Config, count: int) -> dict[str, list[Config]]:
    """IMP, on Gaussian clones, too, and rewound to step 0; and pruning by the cavity score."""
    mine = network(base)
    groups = {
        "IMP": mine,
        "Gaussian clone": replace(mine, clone="joint"),
        "rewound to 0": replace(mine, rewind_step=0),
        "by cavity score": replace(mine, criterion="cavity", saliency_of="rewound"),
        "by cavity score after training": replace(mine, criterion="cavity"),
    }
    return {name: seeds(config, count) for name, config in groups.items()}


def fields(base: Config, count: int) -> dict[str, list[Config]]:
    """IMP on random fields from Gaussian to two-valued, and on a Gaussian clone of each.

    A clone has the covariance of its fields, and no edges. A gain that is set stands in the row, too.
    """
    fields = replace(
        network(base),
        dataset="fields",
        labels="fine",
        normalize="fixed",
        train_images=min(base.train_images, 100_000),
    )
    gains = sorted({*GAINS, base.gain})
    runs = {f"g = {gain:g}": replace(fields, gain=gain) for gain in gains}
    runs |= {f"{name}, Gaussian clone": replace(run, clone="joint") for name, run in runs.items()}
    return {name: seeds(config, count) for name, config in runs.items()}


# what is shown of each clone beside its run: one seed, for clones are the same for all
LIKENESSES = {
    "a Gaussian a picture": "Gaussian clone",
    "a Gaussian a fine class": "clone of fine classes",
    "as the authors make it": "the authors' clone",
    "phases at random": "random phases",
}
GROUPS = {
    "statistics": statistics,
    "clones": clones,
    "kurtosis": kurtosis,
    "cavity": cavity,
    "dial": fields,
    "causes": causes,
}
KINDS = {
    "statistics": {"images": ("components",), "Gaussian clone": ("components",)},
    "clones": {name: ("likeness",) for name in LIKENESSES},
}
DEFAULT = dict.fromkeys(GROUPS, "representation")
# chapter -> the fields that it is about, which one turns first
ABOUT = {
    "statistics": ("dataset", "image_size", "train_images", "fraction"),
    "clones": ("steps", "lr", "widths", "fraction", "prune_fraction", "rewind_step", "batch_norm"),
    "kurtosis": ("steps", "lr", "widths", "fraction", "prune_fraction", "rewind_step", "batch_norm"),
    "cavity": ("steps", "lr", "widths", "fraction", "prune_fraction", "batch_norm"),
    "causes": ("steps", "lr", "widths", "fraction", "prune_fraction", "rewind_step", "batch_norm"),
    "dial": ("fraction", "steps", "lr", "widths", "prune_fraction", "rewind_step", "batch_norm"),
}
