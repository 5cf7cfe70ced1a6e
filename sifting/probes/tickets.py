"""A run of which nothing more is measured, and four ways to keep it."""

import dataclasses

from sifting.pruning.tickets import find, find_together, level_count, teams
from sifting.results.packing import pack, pack_masks, pack_network, pack_shown
from sifting.store.experiment import Experiment

TICKET = Experiment(find, pack, level_count, find_together, teams)
SHOWN = dataclasses.replace(TICKET, pack=pack_shown)
MASKS = dataclasses.replace(TICKET, pack=pack_masks)
NETWORK = dataclasses.replace(TICKET, pack=pack_network)
