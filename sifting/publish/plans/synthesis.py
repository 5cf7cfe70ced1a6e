"""What the chapters need that put the same tickets before all four papers.

GROUPS: chapter -> function(base, number of seeds) -> group -> configurations.
"""

from dataclasses import replace

from sifting.config import Config
from sifting.publish.plans import locality

TICKETS = ("IMP", "one-shot", "random")  # of fully connected networks
ANEW = {"one-shot": "one-shot, new weights", "random": "random, new weights"}
PROBES = {"subsets": 60, "probe_images": 2_000, "cells": 15}  # of what is measured of them
QUICK = {"subsets": 4, "probe_images": 60, "cells": 3}  # the same where nothing is to be read


def tickets(base: Config, count: int) -> dict[str, list[Config]]:
    """Tickets of the first part, by three ways to prune, with all that is measured of them.

    That is what their sets and units are worth, and the lines between their levels; of one, planes, too.
    """
    usual = PROBES if base.train_images > 10 * PROBES["probe_images"] else QUICK
    probes = {field: getattr(base, field) or value for field, value in usual.items()}
    cells = probes.pop("cells")
    runs = locality.pruners(base, count)
    found = {name: [replace(config, **probes) for config in runs[name]] for name in TICKETS}
    found["IMP"][0] = replace(found["IMP"][0], cells=cells)
    return found


def worth(base: Config, count: int) -> dict[str, list[Config]]:
    """The same tickets; and as controls, new weights behind the masks that are cut once."""
    found = tickets(base, count)
    controls = {name: [replace(run, treatment="reinit") for run in found[name]] for name in ANEW}
    return found | {ANEW[name]: runs for name, runs in controls.items()}


GROUPS = {"worth": worth, "synthesis": tickets}
DEFAULT = dict.fromkeys(GROUPS, "portrait")
KINDS = {"worth": dict.fromkeys(ANEW.values(), ("surface",))}
# chapter -> the fields that it is about, which one turns first
ABOUT = dict.fromkeys(
    GROUPS, ("fraction", "steps", "lr", "widths", "prune_fraction", "rewind_step", "subsets", "probe_images")
)
