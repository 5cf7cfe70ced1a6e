"""What is computed of a run, and how: the form that every kind of result has."""

import dataclasses
import pkgutil
from collections.abc import Callable, Iterator

from sifting.config import Config, choose
from sifting.results.packing import Arrays

# kind of result -> module:NAME of its Experiment, which is imported when something is computed: what only reads
# stored results needs no torch
EXPERIMENTS = {
    "ticket": "sifting.probes.tickets:TICKET",  # masks, accuracies and weights of every level: some 5 MB
    "masks": "sifting.probes.tickets:MASKS",  # the same run without the weights: a tenth of that
    "network": "sifting.probes.tickets:NETWORK",  # the same with the weights of the last network alone
    "anatomy": "sifting.probes.units:ANATOMY",  # what units of the first layer do
    "representation": "sifting.probes.gaussianity:REPRESENTATION",  # as masks, and how far from Gaussian it is
    "evolution": "sifting.probes.evolution:EVOLUTION",  # as masks, with predictions and changes of the weights
    "utility": "sifting.probes.utility:UTILITY",  # as masks, and what random sets of weights are worth
    "surface": "sifting.probes.surface:SURFACE",  # as masks, and the accuracy between networks
    "portrait": "sifting.probes.portrait:PORTRAIT",  # as masks, by the measures of all four papers
    "components": "sifting.probes.components:COMPONENTS",  # independent and principal components of the images
    "likeness": "sifting.probes.clones:LIKENESS",  # of clones to what they are clones of
    "stimuli": "sifting.probes.stimuli:STIMULI",  # the images that drive deeper units
}


@dataclasses.dataclass(frozen=True)
class Experiment:
    """How one kind of result comes about: level by level, so that a run that is killed goes on after the last.

    find          : function(config, device, finished, progress, engine) -> iterator over records, dicts of arrays,
                    one a level. `finished` are the records that there are already; what follows has the same
                    bits as if the run had never stopped. `engine` trains; it is for a run that begins
    pack          : function(records, config) -> the arrays that are kept of all records, once there are no more
    level_count   : function(config) -> most records that `find` yields, those in `finished` included
    find_together : function(configs, device, finished, progress, size) -> iterator over lists, for each of several
                    runs its next record, or None where it has ended or waits for others; `finished` has a list a
                    run, and the records depend on `size`, of how many runs began together. None: no such function
    teams         : function(configs, engine, device) -> `configs` in groups, each best found together
    """

    find: Callable[..., Iterator[Arrays]]
    pack: Callable[[list[Arrays], Config], Arrays]
    level_count: Callable[[Config], int]
    find_together: Callable[..., Iterator[list[Arrays | None]]] | None = None
    teams: Callable[..., list[list[Config]]] = lambda configs, engine, device: [[one] for one in configs]

    @classmethod
    def once(cls, compute: Callable[[Config, str, str], Arrays]) -> "Experiment":
        """An experiment with one record, function(config, device, engine), which is kept as it is."""

        def find(config, device="cpu", finished=(), progress=False, engine="auto"):
            if not finished:
                yield compute(config, device, engine)

        return cls(find, lambda records, config: records[0], lambda config: 1)


def experiment_of(kind: str) -> Experiment:
    """How results of that kind come about. Raises ValueError for an unknown kind, naming the choices."""
    choose("kind of result", kind, EXPERIMENTS)
    return pkgutil.resolve_name(EXPERIMENTS[kind])
