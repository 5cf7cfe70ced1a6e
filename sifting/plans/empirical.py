"""What the chapters on An empirical study of a pruning mechanism need: chapter -> function(base, number of seeds) -> group -> configurations."""

from dataclasses import replace

from sifting.config import Config, seeds

LONGER = 3  # long training, in times of the usual; 25 in the paper
SIZES = {"1×": 1.0, "0.5×": 0.5, "0.25×": 0.25}
NONE = 1e-12  # a share so small that no weight goes
# how networks are pruned and trained again -> criterion, share that goes each time, treatment
WAYS = {
    "weights, fine-tuned": ("magnitude", 0.3, "finetune"),
    "weights, rate rewound": ("magnitude", 0.3, "lr-rewind"),
    "channels, fine-tuned": ("slimming", 0.2, "finetune"),
    "channels, rate rewound": ("slimming", 0.2, "lr-rewind"),
}
# share of the weights of networks as small as those that come out of the last cycle. Which weights go with the channels
# depends on the run: this is about what channel pruning leaves at the laptop preset
SMALL = {"small as by weights": 0.7**5, "small as by channels": 0.28}


def over_training(base: Config, count: int) -> dict[str, list[Config]]:
    """One network, trained for the usual time and for long."""
    usual = replace(base, levels=0)
    return {"usual": seeds(usual, count), "long": seeds(replace(usual, steps=LONGER * base.steps), count)}


def size(base: Config, count: int) -> dict[str, list[Config]]:
    """The whole network, that of the usual training, and networks with a part of the weights, at the end of theirs."""
    found = {"1×": over_training(base, count)["usual"]}
    for name, share in SIZES.items():
        if name not in found:
            found[name] = seeds(replace(base, levels=0, snapshots=0, start_density=share), count)
    return found


def ways(base: Config) -> dict[str, Config]:
    """The four ways to prune in cycles and train again."""
    return {
        name: replace(base, snapshots=0, criterion=criterion, prune_fraction=share, treatment=treatment)
        for name, (criterion, share, treatment) in WAYS.items()
    }


def surface(base: Config, count: int) -> dict[str, list[Config]]:
    """The four ways, one run each."""
    return {name: [config] for name, config in ways(base).items()}


def control(base: Config) -> Config:
    """A network, and one that is trained from another initialization on the same images."""
    return replace(
        base, levels=1, snapshots=0, cells=0, retrain_steps=0, prune_fraction=NONE, treatment="reinit"
    )


def basins(base: Config, count: int) -> dict[str, list[Config]]:
    """The four ways, the first run of each with planes; the control; and small networks, trained as long as a way takes."""
    found = {
        name: [config, *seeds(replace(config, cells=0), count)[1:]] for name, config in ways(base).items()
    }
    found["trained anew"] = seeds(control(base), count)
    steps = base.steps + base.levels * (base.retrain_steps or base.steps)
    for name, share in SMALL.items():
        small = replace(base, levels=0, snapshots=0, start_density=share, steps=steps)
        found[name] = seeds(small, count)
    return found


GROUPS = {
    "utility": over_training,
    "residual": over_training,
    "size": size,
    "surface": surface,
    "basins": basins,
}
DEFAULT = dict.fromkeys(("utility", "residual", "size"), "utility") | dict.fromkeys(
    ("surface", "basins"), "surface"
)
KINDS = {"basins": dict.fromkeys(SMALL, ("masks",))}
FAMILY = dict.fromkeys(GROUPS, "resnet20") | {"utility": "vanilla"}
