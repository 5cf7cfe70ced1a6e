"""What the chapters on the utility of weights need.

Chapter -> function(base, number of seeds) -> group -> configurations. Paper: An empirical study of a pruning
mechanism.
"""

from dataclasses import replace

from sifting.config import Config, seeds

LONGER = 3  # long training, in times of the usual; 25 in the paper
SIZES = (1.0, 0.5, 0.25)  # of networks, in shares of the weights
EVEN = 0.5  # entropy of predictions, as a share of the largest, at which networks are equally sure
SURE = "{}, equally sure"  # a group, and the same networks at that entropy
HALF = "50 %"
SHARES = {"25 %": 0.25, "75 %": 0.75}  # of the weights that are pruned at once, besides a half
NONE = 1e-12  # a share so small that no weight goes


def over_training(base: Config, count: int) -> dict[str, list[Config]]:
    """One network, trained for the usual time and for long.

    Raises ValueError for a base that does not look at networks on the way.
    """
    if base.snapshots < 1:
        raise ValueError(
            f"snapshots must be 1 or more, not {base.snapshots}: "
            "networks are followed from the start of their training"
        )
    usual = replace(base, levels=0)
    return {"usual": seeds(usual, count), "long": seeds(replace(usual, steps=LONGER * base.steps), count)}


def size(base: Config, count: int) -> dict[str, list[Config]]:
    """Networks with all and with a part of the weights, also equally sure; the whole one as usually trained.

    A part that is set is one more.
    """
    whole = over_training(replace(base, start_density=1.0), count)["usual"]
    parts = {f"{share:g}×": share for share in sorted({*SIZES, base.start_density}, reverse=True)}
    found = {
        name: whole if share == 1 else seeds(replace(base, levels=0, snapshots=0, start_density=share), count)
        for name, share in parts.items()
    }
    return found | equally_sure(found)


def equally_sure(groups: dict[str, list[Config]]) -> dict[str, list[Config]]:
    """The same networks, whose utility is measured where all have predictions of one entropy."""
    return {
        SURE.format(name): [replace(config, entropy=EVEN) for config in configs]
        for name, configs in groups.items()
    }


def pairs(base: Config, shares: dict[str, float]) -> dict[str, Config]:
    """Networks of which a share is pruned at once, and small ones; all are trained twice."""
    once = replace(base, levels=1, retrain_steps=0, snapshots=0, treatment="lr-rewind")
    found = {name: replace(once, prune_fraction=share) for name, share in shares.items()}
    small = replace(once, prune_fraction=NONE)
    return found | {
        f"{name}, small": replace(small, start_density=1 - share) for name, share in shares.items()
    }


def retraining(base: Config, count: int) -> dict[str, list[Config]]:
    """Half of the weights pruned, also equally sure; and as controls, new weights, and the whole network.

    New weights are behind the same masks; the whole network is trained twice.
    """
    found = pairs(base, {HALF: 0.5})
    controls = {
        "new weights": replace(found[HALF], treatment="reinit", probed="last"),
        "trained twice": replace(found[HALF], prune_fraction=NONE),
    }
    runs = {name: seeds(config, count) for name, config in (found | controls).items()}
    return runs | equally_sure({name: runs[name] for name in found})


def shares(base: Config, count: int) -> dict[str, list[Config]]:
    """Other shares of the weights pruned."""
    found = pairs(base, SHARES)
    small = {name: replace(config, probed="last") for name, config in found.items() if "small" in name}
    return {name: seeds(config, count) for name, config in (found | small).items()}


def by_confidence(groups: dict) -> tuple[dict, dict]:
    """Groups whose networks are as sure as they are, and those that are equally sure, by the same names."""
    sure = {name: groups[SURE.format(name)] for name in groups if SURE.format(name) in groups}
    return {name: groups[name] for name in groups if name not in map(SURE.format, sure)}, sure


def growth(base: Config, count: int) -> dict[str, list[Config]]:
    """What `over_training` has, and the usual training with networks that are equally sure at all times."""
    found = over_training(base, count)
    return found | equally_sure({"usual": found["usual"]})


GROUPS = {
    "utility": growth,
    "residual": growth,
    "size": size,
    "retraining": retraining,
    "shares": shares,
}
DEFAULT = dict.fromkeys(GROUPS, "utility")
FAMILY = dict.fromkeys(GROUPS, "resnet20") | {"utility": "vanilla"}
# chapter -> the fields that it is about, which one turns first
ABOUT = dict.fromkeys(
    GROUPS, ("train_images", "width", "steps", "lr", "weight_decay", "subsets", "probe_images")
)
ABOUT["shares"] = ABOUT["retraining"] = (*ABOUT["size"], "scope")
