"""What the chapters on Paganini & Forde 2020 need: chapter -> function(base, number of seeds) -> group -> configurations."""

from dataclasses import replace

from sifting.config import Config, seeds

# what is pruned, by the papers' names -> criterion or scheme
METHODS = {
    "L1 unstructured": "magnitude",
    "hybrid": "hybrid",
    "fc-only": "fc-only",
    "L1 structured": "l1-inputs",
    "L2 structured": "l2-inputs",
    "L−∞ structured": "l-inf-inputs",
    "random structured": "random-inputs",
    "random unstructured": "random",
}
TREATED = ("L1 unstructured", "hybrid", "L1 structured", "L2 structured")  # methods with every treatment
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
    """All methods and treatments, and two methods on images that are moved and mirrored, as in the released code."""
    runs = rewound(base, count)
    moved = {
        f"{name}, moved images": [replace(config, transform="crop-flip") for config in runs[name]]
        for name in ("L1 unstructured", "L1 structured")
    }
    return runs | treated(base, count) | moved


def similarity(base: Config, count: int) -> dict[str, list[Config]]:
    """All methods and treatments, and one method after a quarter of the training, of one epoch."""
    short = replace(base, steps=max(1, base.steps // 4))
    return rewound(base, count) | treated(base, count) | {"L1 unstructured, one epoch": seeds(short, count)}


GROUPS = {"methods": methods, "similarity": similarity, "ensembles": rewound}
KINDS = {}
