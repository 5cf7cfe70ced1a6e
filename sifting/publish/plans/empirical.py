"""What the chapters on An empirical study of a pruning mechanism need: chapter -> function(base, number of seeds) -> group -> configurations."""

from dataclasses import replace

from sifting.config import Config, seeds
from sifting.publish.plans import pellegrini

LONGER = 3  # long training, in times of the usual; 25 in the paper
SIZES = {"1×": 1.0, "0.5×": 0.5, "0.25×": 0.25}
HALF = "50 %"
SHARES = {"25 %": 0.25, "75 %": 0.75}  # of the weights that are pruned at once, besides a half
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
CHANNELS = (0.2, 0.4, 0.6, 0.8)  # shares of the channels that go at once
TICKETS = ("IMP", "one-shot", "random")  # of fully connected networks
ANEW = {"one-shot": "one-shot, new weights", "random": "random, new weights"}
PROBES = {"subsets": 60, "probe_images": 2_000, "cells": 15}  # of what is measured of them
QUICK = {"subsets": 4, "probe_images": 60, "cells": 3}  # the same where nothing is to be read
LENGTHS = (1, 3)  # of the training after that, in times of the usual


def over_training(base: Config, count: int) -> dict[str, list[Config]]:
    """One network, trained for the usual time and for long. Raises ValueError for a base that does not look at networks on the way."""
    if base.snapshots < 1:
        raise ValueError(
            f"snapshots must be 1 or more, not {base.snapshots}: networks are followed from the start of their training"
        )
    usual = replace(base, levels=0)
    return {"usual": seeds(usual, count), "long": seeds(replace(usual, steps=LONGER * base.steps), count)}


def size(base: Config, count: int) -> dict[str, list[Config]]:
    """The whole network, that of the usual training, and networks with a part of the weights, at the end of theirs."""
    found = {"1×": over_training(base, count)["usual"]}
    for name, share in SIZES.items():
        if name not in found:
            found[name] = seeds(replace(base, levels=0, snapshots=0, start_density=share), count)
    return found


def pairs(base: Config, shares: dict[str, float]) -> dict[str, Config]:
    """Networks of which a share is pruned at once and the rest trained again, and small ones that are trained twice."""
    once = replace(base, levels=1, retrain_steps=0, snapshots=0, treatment="lr-rewind")
    found = {name: replace(once, prune_fraction=share) for name, share in shares.items()}
    small = replace(once, prune_fraction=NONE)
    return found | {
        f"{name}, small": replace(small, start_density=1 - share) for name, share in shares.items()
    }


def retraining(base: Config, count: int) -> dict[str, list[Config]]:
    """Half of the weights pruned; and as controls, new weights behind the same masks, and the whole network trained twice."""
    found = pairs(base, {HALF: 0.5})
    found["new weights"] = replace(found[HALF], treatment="reinit", probed="last")
    found["trained twice"] = replace(found[HALF], prune_fraction=NONE)
    return {name: seeds(config, count) for name, config in found.items()}


def shares(base: Config, count: int) -> dict[str, list[Config]]:
    """Other shares of the weights pruned."""
    found = pairs(base, SHARES)
    small = {name: replace(config, probed="last") for name, config in found.items() if "small" in name}
    return {name: seeds(config, count) for name, config in (found | small).items()}


def ways(base: Config) -> dict[str, Config]:
    """The four ways to prune in cycles and train again."""
    return {
        name: replace(
            base, snapshots=0, probed="last", criterion=criterion, prune_fraction=share, treatment=treatment
        )
        for name, (criterion, share, treatment) in WAYS.items()
    }


def surface(base: Config, count: int) -> dict[str, list[Config]]:
    """The four ways, one run each. Raises ValueError for a base without planes."""
    if base.cells < 2:
        raise ValueError("surface needs cells=2 or more, which its planes are made of")
    return {name: [config] for name, config in ways(base).items()}


def control(base: Config) -> Config:
    """A network, and one that is trained from another initialization on the same images."""
    return replace(
        base, levels=1, snapshots=0, cells=0, retrain_steps=0, prune_fraction=NONE, treatment="reinit"
    )


def basins(base: Config, count: int) -> dict[str, list[Config]]:
    """The four ways, without planes; the control; and small networks, trained as long and by the same rates as where the rate is rewound."""
    found = {name: replace(config, cells=0) for name, config in ways(base).items()}
    rewound = found["weights, rate rewound"]
    found["trained anew"] = control(base)
    found |= {
        name: replace(rewound, prune_fraction=NONE, start_density=share) for name, share in SMALL.items()
    }
    return {name: seeds(config, count) for name, config in found.items()}


def dial(base: Config) -> dict[tuple[float, int], str]:
    """Share of the channels, and length of the training -> name of the group of `leaving`."""
    return {
        (share, length): f"{share:.0%} of the channels, {length} ×"
        for share in CHANNELS
        for length in LENGTHS
    }


def leaving(base: Config, count: int) -> dict[str, list[Config]]:
    """Channels that are pruned at once and networks trained again, both for longer and longer; weights; and the control."""
    once = replace(base, levels=1, snapshots=0, cells=0, treatment="lr-rewind", criterion="slimming")
    usual = base.retrain_steps or base.steps
    found = {
        name: replace(once, prune_fraction=share, retrain_steps=length * usual)
        for (share, length), name in dial(base).items()
    }
    longest = {"criterion": "magnitude", "prune_fraction": CHANNELS[-1], "retrain_steps": LENGTHS[-1] * usual}
    found["weights"] = replace(once, **longest)
    found["trained anew"] = control(base)
    return {name: seeds(config, count) for name, config in found.items()}


def tickets(base: Config, count: int) -> dict[str, list[Config]]:
    """Tickets of the first part, by three ways to prune, with what their sets and units are worth, and the lines between their levels; of one with planes."""
    usual = PROBES if base.train_images > 10 * PROBES["probe_images"] else QUICK
    probes = {field: getattr(base, field) or value for field, value in usual.items()}
    cells = probes.pop("cells")
    runs = pellegrini.pruners(base, count)
    found = {name: [replace(config, **probes) for config in runs[name]] for name in TICKETS}
    found["IMP"][0] = replace(found["IMP"][0], cells=cells)
    return found


def worth(base: Config, count: int) -> dict[str, list[Config]]:
    """The same tickets; and as controls, new weights behind the masks that are cut once."""
    found = tickets(base, count)
    controls = {name: [replace(run, treatment="reinit") for run in found[name]] for name in ANEW}
    return found | {ANEW[name]: runs for name, runs in controls.items()}


GROUPS = {
    "utility": over_training,
    "residual": over_training,
    "size": size,
    "retraining": retraining,
    "shares": shares,
    "surface": surface,
    "basins": basins,
    "leaving": leaving,
    "worth": worth,
    "synthesis": tickets,
}
UTILITY, SURFACE = ("utility", "residual", "size", "retraining", "shares"), ("surface", "basins", "leaving")
DEFAULT = (
    dict.fromkeys(UTILITY, "utility")
    | dict.fromkeys(SURFACE, "surface")
    | dict.fromkeys(("worth", "synthesis"), "portrait")
)
KINDS = {"basins": dict.fromkeys(SMALL, ("masks",)), "worth": dict.fromkeys(ANEW.values(), ("surface",))}
FAMILY = dict.fromkeys((*UTILITY, *SURFACE), "resnet20") | {"utility": "vanilla"}
