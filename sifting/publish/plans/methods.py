"""What the chapters on Paganini & Forde 2020 need; see GROUPS."""

from dataclasses import replace

from sifting.config import Config, seeds
from sifting.publish.plans import locality

# what is pruned, by the papers' names -> criterion or scheme
METHODS = {
    "L1 unstructured": "magnitude",
    "hybrid": "hybrid",
    "fc-only": "fc-only",
    "random unstructured": "random",
    "L1 structured": "l1-inputs",
    "L2 structured": "l2-inputs",
    "L−∞ structured": "l-inf-inputs",
    "random structured": "random-inputs",
}
# how the pages show them
APART = {
    "weight by weight": ("L1 unstructured", "hybrid", "fc-only", "random unstructured"),
    "input by input": ("L1 structured", "L2 structured", "L−∞ structured", "random structured"),
}
TREATED = ("L1 unstructured", "hybrid", "L1 structured", "L2 structured")  # methods with every treatment
DRAWN = ("L1 structured", "hybrid", "L1 unstructured")  # methods whose weights are drawn one by one
TRIO = ("hybrid", "fc-only", "L1 unstructured")  # methods whose mean the paper shows, in Table 2
TREATMENTS = {"fine-tuned": "finetune", "σ · sign": "sigma-sign", "sign": "sign"}  # beside rewound


def rewound(base: Config, count: int) -> dict[str, list[Config]]:
    """All methods, with rewinding."""
    return {name: seeds(replace(base, criterion=criterion), count) for name, criterion in METHODS.items()}


def treated(base: Config, count: int) -> dict[str, list[Config]]:
    """Some methods with the other treatments of the weights that are left, "METHOD, TREATMENT"."""
    return {
        f"{name}, {words}": seeds(replace(base, criterion=METHODS[name], treatment=treatment), count)
        for name in TREATED
        for words, treatment in TREATMENTS.items()
    }


def methods(base: Config, count: int) -> dict[str, list[Config]]:
    """All methods and treatments, and two methods on images that are moved and mirrored.

    So the released code has them.
    """
    runs = rewound(base, count)
    moved = {
        f"{name}, moved images": [replace(config, transform="crop-flip") for config in runs[name]]
        for name in ("L1 unstructured", "L1 structured")
    }
    return runs | treated(base, count) | moved


def similarity(base: Config, count: int) -> dict[str, list[Config]]:
    """All methods and treatments, and one method after one epoch of training a level."""
    epochs = 4 if base.steps < 1000 else 30
    short = replace(base, steps=max(1, base.steps // epochs))
    return rewound(base, count) | treated(base, count) | {"L1 unstructured, one epoch": seeds(short, count)}


def larger(base: Config) -> dict[str, Config]:
    """AlexNet on the digits and VGG-11 on photographs, classes being pictures.

    Where there is no time for more they are an eighth as wide, with every two levels in one, but twice the
    steps at half the learning rate. Where the data of `base` have been downloaded, VGG-11 sees CIFAR-10, as
    in the paper.
    """
    large = base
    if base.steps < 30 * 125:  # of the authors, on as many images
        large = replace(
            base,
            width=1 / 8,
            prune_fraction=1 - (1 - base.prune_fraction) ** 2,
            levels=base.levels // 2,
            lr=base.lr / 2,
            steps=2 * base.steps,
        )
    seen = {"dataset": "cifar10"}
    if base.dataset == "digits":
        seen = {"dataset": "photos", "image_size": 32, "labels": "picture", "train_images": 20_000}
    return {"AlexNet": replace(large, model="alexnet"), "VGG-11": replace(large, model="vgg11", **seen)}


def structure(base: Config, count: int) -> dict[str, list[Config]]:
    """Methods and treatments whose masks are looked at, and one run each of larger networks.

    Beside them, two with a first layer that is not pruned.
    """
    names = [
        *METHODS,
        *(f"{name}, fine-tuned" for name in TREATED),
        *(f"{name}, σ · sign" for name in TREATED[:1]),
    ]
    runs = rewound(base, count) | treated(base, count)
    whole = {
        f"{name}, first layer whole": [replace(config, criterion="all-but-first") for config in runs[name]]
        for name in ("L1 unstructured", "L1 unstructured, fine-tuned")
    }
    found = {name: runs[name] for name in names} | whole
    return found | {name: [config] for name, config in larger(base).items()}


def stability(base: Config, count: int) -> dict[str, list[Config]]:
    """All methods; and one run each of larger networks with three methods."""
    large = {
        f"{network}, {name}": [replace(config, criterion=METHODS[name])]
        for network, config in larger(base).items()
        for name in DRAWN
    }
    return rewound(base, count) | large


def notions(base: Config, count: int) -> dict[str, list[Config]]:
    """The networks of the chapter on other ways to prune, and one run of IMP with its weights."""
    runs = locality.pruners(base, count)
    names = ("IMP", "one pool", "one-shot", "SNIP", "SynFlow", "random", "example")
    return {name: runs[name] for name in names}


# chapter -> function(base, number of seeds) -> group -> configurations
GROUPS = {
    "methods": methods,
    "similarity": similarity,
    "structure": structure,
    "stability": stability,
    "ensembles": rewound,
    "notions": notions,
}
KINDS = {"notions": {"example": ("ticket",)}}
LENET = tuple(name for name in GROUPS if name != "notions")  # chapters about LeNet; the other is about FCNs
DEFAULT = dict.fromkeys(LENET, "evolution")
FAMILY = dict.fromkeys(LENET, "lenet")
# chapter -> the fields that it is about, which one turns first
ABOUT = dict.fromkeys(
    LENET, ("dataset", "fraction", "steps", "lr", "momentum", "prune_fraction", "rewind_step", "rounding")
)
ABOUT["notions"] = ("fraction", "steps", "lr", "widths", "prune_fraction", "rewind_step", "retrain")

# Table 1 of the paper: its networks, fractions pruned, and thousands of parameters left
SIZES = {  # arguments of training.models.count: model, shape of the images, classes
    "LeNet": ("lenet", (1, 28, 28), 10),
    "AlexNet": ("alexnet", (3, 224, 224), 1000),
    "VGG-11": ("vgg11", (3, 224, 224), 1000),
}
FRACTIONS = (0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99)
LEFT = {
    "LeNet": (60, 48, 36, 30, 24, 18, 12, 6, 3, 2, 1, 0.6),
    "AlexNet": (61100, 48880, 36660, 30550, 24440, 18330, 12220, 6110, 3055, 1833, 1222, 611),
    "VGG-11": (132863, 106290, 79718, 66431, 53145, 39859, 26572, 13286, 6643, 3985, 2657, 1328),
}
