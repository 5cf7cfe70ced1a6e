"""Tables of what networks have learned: accuracy, and loss on the images of a probe."""

import numpy as np

from sifting.results.history import History
from sifting.tables.conditions import Groups
from sifting.tables.runs import around


def trained(groups: Groups, level: int = 0) -> list[list[str]]:
    """Rows of words: of every condition the share of the weights that there is, accuracy on training and test images, and training loss on the probe; means over runs."""
    rows = []
    for name, runs in groups.items():
        at = min(level, min(run.levels for run in runs))
        whole = np.mean([run[f"whole/{at}"][-1] for run in runs], 0)
        test = np.mean([run.accuracy("test", "last")[at] for run in runs])
        share = np.mean([run.density(at) for run in runs])
        rows.append(
            [
                name,
                f"{100 * share:.1f} %",
                f"{100 * whole[0]:.1f} %",
                f"{100 * test:.1f} %",
                f"{whole[1]:.3f}",
            ]
        )
    return rows


def losses(runs: list[History], level: int = -1) -> np.ndarray:
    """(runs,): mean cross-entropy on the images of the probe after the training of a level; the last by default."""
    return np.array([run[f"whole/{range(run.levels + 1)[level]}"][-1, 1] for run in runs], float)


# the columns of `beside_small`, after the name of the condition
BESIDE_HEAD = (
    "pruned and retrained",
    "small",
    "training loss, pruned and retrained",
    "training loss, small",
)


def beside_small(groups: Groups, pairs: dict[str, str]) -> list[list[str]]:
    """Rows of words: test accuracy and training loss of networks that were pruned, beside those of small ones: EST2.

    pairs : condition -> that of the small networks
    """
    return [
        [
            name,
            *(around(tested(groups[one]), unit=" %") for one in (name, small)),
            *(around(losses(groups[one]), digits=3) for one in (name, small)),
        ]
        for name, small in pairs.items()
    ]


def tested(runs: list[History], level: int = -1) -> np.ndarray:
    """(runs,): accuracy on the test images after the training of a level, in points; the last by default."""
    return 100 * np.array([run.accuracy("test", "last")[level] for run in runs])
