"""What is computed of a run, and how: the form that every kind of result has."""

import dataclasses
import pkgutil
from collections.abc import Callable, Iterator

from sifting.config import Config, choose
from sifting.results.packing import Arrays

# kind of result -> module:NAME of its Experiment. It is imported when something is computed: what only reads
# stored results needs no torch
EXPERIMENTS = {
    "ticket": "sifting.probes.tickets:TICKET",  # masks, accuracies and weights of every level: some 5 MB
    "shown": "sifting.probes.tickets:SHOWN",  # the same with the weights that are looked at: a third of that
    "masks": "sifting.probes.tickets:MASKS",  # the same without any weights: a tenth
    "network": "sifting.probes.tickets:NETWORK",  # the same with the weights of the last network alone
    "anatomy": "sifting.probes.units:ANATOMY",  # what units of the first layer do
    "representation": "sifting.probes.gaussianity:REPRESENTATION",  # masks, and how Gaussian each level is
    "evolution": "sifting.probes.evolution:EVOLUTION",  # masks, predictions, and changes of the weights
    "utility": "sifting.probes.utility:UTILITY",  # masks, and what random sets of weights are worth
    "surface": "sifting.probes.surface:SURFACE",  # masks, and the accuracy between networks
    "portrait": "sifting.probes.portrait:PORTRAIT",  # masks, and the measures of all four papers
    "exchange": "sifting.probes.exchange:EXCHANGE",  # a ticket with another mask, and the same measures
    "components": "sifting.probes.components:COMPONENTS",  # independent and principal ones of the images
    "likeness": "sifting.probes.clones:LIKENESS",  # of clones to what they are clones of
    "stimuli": "sifting.probes.stimuli:STIMULI",  # the images that drive deeper units
}


@dataclasses.dataclass(frozen=True)
class Experiment:
    """How one kind of result comes about: record by record, so that what is killed can go on.

    find          : function(config, device, finished, progress, engine) -> iterator over records, one a
                    level, each a dict of arrays. `finished` are the records that there are already: those
                    that follow have the same bits as if the run had never stopped. `engine` says what trains
                    a run that begins, see engines.settle; one that goes on keeps its own
    pack          : function(records, config) -> the arrays to keep, once there are all records
    level_count   : function(config) -> the most records that a run has
    find_together : function(configs, device, finished, progress, size) -> iterator over lists, which have for
                    each run its next record, or None where it has ended or waits for the others. `finished`
                    has a list for each; `size` is of how many runs the team is that begins. None: runs go
                    alone
    teams         : function(configs, engine, device) -> `configs` in groups that are best found together
    """

    find: Callable[..., Iterator[Arrays]]
    pack: Callable[[list[Arrays], Config], Arrays]
    level_count: Callable[[Config], int]
    find_together: Callable[..., Iterator[list[Arrays | None]]] | None = None
    teams: Callable[..., list[list[Config]]] = lambda configs, engine, device: [[one] for one in configs]

    @classmethod
    def once(cls, compute: Callable[[Config, str, str], Arrays]) -> "Experiment":
        """An experiment with one record, compute(config, device, engine), which is kept as it is."""

        def find(config, device="cpu", finished=(), progress=False, engine="auto"):
            if not finished:
                yield compute(config, device, engine)

        return cls(find, lambda records, config: records[0], lambda config: 1)


def experiment_of(kind: str) -> Experiment:
    """How results of that kind come about. Raises ValueError, naming the choices."""
    choose("kind of result", kind, EXPERIMENTS)
    return pkgutil.resolve_name(EXPERIMENTS[kind])
