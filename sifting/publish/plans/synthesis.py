"""What the chapters need that put the same tickets before all four papers.

GROUPS: chapter -> function(base, number of seeds) -> group -> configurations.
"""

import math
from dataclasses import replace

from sifting.config import Config, seeds
from sifting.publish.plans import locality

TICKETS = ("IMP", "one-shot", "random")  # of fully connected networks
ANEW = {"one-shot": "one-shot, new weights", "random": "random, new weights"}
DENSITY = 0.06  # of the tickets of which something is exchanged
MASKS = {
    "its own mask": "none",
    "moved": "moved",
    "reordered": "reordered",
    "rewired": "rewired",
    "in-degrees kept": "in-degrees",
    "redrawn": "random",
    "found on clones": "clones",
}
STEPS = tuple(MASKS)[:-1]  # each keeps less of the structure of a ticket's own mask
FOUND = ("its own mask", "found on clones", "redrawn")  # on photographs, on clones, at random
WEIGHTS = {"rewound": "rewind", "new": "reinit"}
PROBES = {"subsets": 60, "probe_images": 2_000, "cells": 15}  # of what is measured of them
QUICK = {"subsets": 4, "probe_images": 60, "cells": 3}  # the same where nothing is to be read


def tickets(base: Config, count: int) -> dict[str, list[Config]]:
    """Tickets of the first part, by three ways to prune, with all that is measured of them.

    That is what their sets and units are worth, and the lines between their levels; of one, planes, too.
    """
    usual = PROBES if base.train_images > 10 * PROBES["probe_images"] else QUICK
    probes = {field: getattr(base, field) or value for field, value in usual.items()}
    cells = probes.pop("cells")
    runs = locality.pruners(locality.coarse(base), count)
    found = {name: [replace(config, **probes) for config in runs[name]] for name in TICKETS}
    found["IMP"][0] = replace(found["IMP"][0], cells=cells)
    return found


def worth(base: Config, count: int) -> dict[str, list[Config]]:
    """The same tickets; and as controls, new weights behind the masks that are cut once."""
    found = tickets(base, count)
    controls = {name: [replace(run, treatment="reinit") for run in found[name]] for name in ANEW}
    return found | {ANEW[name]: runs for name, runs in controls.items()}


def interventions(base: Config, count: int) -> dict[str, list[Config]]:
    """IMP's tickets near DENSITY with another first mask, with their weights and with new ones."""
    ticket = tickets(base, count)["IMP"][0]
    levels = max(2, min(ticket.levels, round(math.log(DENSITY) / math.log(1 - ticket.prune_fraction))))
    ticket = replace(ticket, levels=levels, cells=base.cells)
    return {
        f"{mask}, {weights}": seeds(replace(ticket, exchange=exchange, treatment=treatment), count)
        for weights, treatment in WEIGHTS.items()
        for mask, exchange in MASKS.items()
    }


GROUPS = {"worth": worth, "synthesis": tickets, "interventions": interventions}
DEFAULT = dict.fromkeys(GROUPS, "portrait") | {"interventions": "exchange"}
KINDS = {"worth": dict.fromkeys(ANEW.values(), ("surface",))}
# chapter -> the fields that it is about, which one turns first
ABOUT = dict.fromkeys(
    GROUPS, ("fraction", "steps", "lr", "widths", "prune_fraction", "rewind_step", "subsets", "probe_images")
)
