"""What the chapters on the loss surface need (An empirical study of a pruning mechanism).

GROUPS: chapter -> function(base, number of seeds) -> group -> configurations.
"""

from dataclasses import replace

from sifting.config import Config, seeds
from sifting.publish.plans.utility import NONE

# how networks are pruned and trained again -> criterion, share that goes each time, treatment
WAYS = {
    "weights, fine-tuned": ("magnitude", 0.3, "finetune"),
    "weights, rate rewound": ("magnitude", 0.3, "lr-rewind"),
    "channels, fine-tuned": ("slimming", 0.2, "finetune"),
    "channels, rate rewound": ("slimming", 0.2, "lr-rewind"),
}
# share of the weights of convolutions that small networks have. What pruning weights leaves after the last
# cycle; after that of channels about as many can matter, 16 to 19 % at the laptop preset. For comparison, as
# many as the filters have that are left, with kernels that read a channel which is gone
SMALL = {"small": 0.7**5, "larger": 0.28}
RATES = {"small, a third of the rate": 1 / 3, "small, three times the rate": 3.0}  # of learning
# how long a network is trained again that is not pruned -> in times of as long as all cycles; None: one cycle
UNPRUNED = {
    "unpruned, as long as a cycle": None,
    "unpruned, as long as all cycles": 1,
    "unpruned, three times as long": 3,
}
CHANNELS = (0.2, 0.4, 0.6, 0.8)  # shares of the channels that go at once
AS_MANY = 0.6  # of these: leaves about as many weights that can matter as there are without 80 % of them
LENGTHS = (1, 3)  # of the training after that, in times of the usual


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
    """The four ways, without planes; the controls; and small networks.

    These are trained as long as where weights are pruned and the rate is rewound, and by the same rates, or
    by smaller or larger ones. The controls are a network trained anew, and the pretrained one trained again
    by all rates, but not pruned.
    """
    found = {name: replace(config, cells=0) for name, config in ways(base).items()}
    rewound = found["weights, rate rewound"]
    found["trained anew"] = control(base)
    found |= {
        name: replace(
            control(base),
            treatment="lr-rewind",
            retrain_steps=_usual(base) * (times * rewound.levels if times else 1),
        )
        for name, times in UNPRUNED.items()
    }
    found |= {
        name: replace(rewound, prune_fraction=NONE, start_density=share) for name, share in SMALL.items()
    }
    found |= {name: replace(found["small"], lr=times * base.lr) for name, times in RATES.items()}
    return {name: seeds(config, count) for name, config in found.items()}


def dial() -> dict[tuple[float, int], str]:
    """Share of the channels, and length of the training -> name of the group of `leaving`."""
    return {
        (share, length): f"{share:.0%} of the channels, {length} ×"
        for share in CHANNELS
        for length in LENGTHS
    }


def lengths(base: Config) -> dict[int, str]:
    """Length of the training after pruning, in times of the usual -> the same in words."""
    part = _usual(base) / base.steps
    return {length: f"retrained for {100 * length * part:.0f} % of the pretraining" for length in LENGTHS}


def _usual(base: Config) -> int:
    return base.retrain_steps or base.steps


def leaving(base: Config, count: int) -> dict[str, list[Config]]:
    """Channels pruned at once, more and more, and trained longer; weights; and the control."""
    once = replace(base, levels=1, snapshots=0, cells=0, treatment="lr-rewind", criterion="slimming")
    usual = _usual(base)
    found = {
        name: replace(once, prune_fraction=share, retrain_steps=length * usual)
        for (share, length), name in dial().items()
    }
    longest = {"criterion": "magnitude", "prune_fraction": CHANNELS[-1], "retrain_steps": LENGTHS[-1] * usual}
    found["weights"] = replace(once, **longest)
    found["trained anew"] = control(base)
    return {name: seeds(config, count) for name, config in found.items()}


GROUPS = {"surface": surface, "basins": basins, "leaving": leaving}
DEFAULT = dict.fromkeys(GROUPS, "surface")
KINDS = {"basins": dict.fromkeys([*SMALL, *RATES], ("masks",))}
FAMILY = dict.fromkeys(GROUPS, "resnet20")
# chapter -> the fields that it is about, which one turns first
ABOUT = dict.fromkeys(
    GROUPS, ("width", "steps", "retrain_steps", "lr", "weight_decay", "scope", "probe_images")
)
ABOUT["surface"] = (*ABOUT["surface"], "cells")
