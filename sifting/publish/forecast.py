"""What a chapter lacks, and about how long that takes on this machine: told before anything is computed."""

import dataclasses
import os
import pathlib

from sifting import store
from sifting.config import Config
from sifting.publish import plans
from sifting.store import expected, levels, schedule
from sifting.store.experiment import experiment_of


@dataclasses.dataclass(frozen=True)
class Forecast:
    """What there is to compute.

    lacking : number of results; stored: of those that need not be computed
    levels  : number of levels to compute, at most
    seconds : until all of them are there, without the start of workers; nan where nothing like it is stored
    where   : in words, who computes
    folder  : where results will lie
    """

    lacking: int
    stored: int
    levels: int
    seconds: float
    where: str
    folder: pathlib.Path

    @property
    def time(self) -> str:
        """How long that takes, in words."""
        return expected.duration(self.seconds) or "an unknown time"

    def __str__(self) -> str:
        if not self.lacking:
            return f"nothing to compute, all {self.stored} results are stored"
        what = f"{self.lacking} result{'s' * (self.lacking > 1)} to compute, {self.levels} levels"
        there = f", {self.stored} more are stored" * bool(self.stored)
        return f"{what}{there}; {self.time} on {self.where}; kept in {self.folder}"


def forecast(
    chapter: str, base: Config, seeds: int, fresh: bool = False, cluster: str | None = None
) -> Forecast:
    """What a chapter lacks at `base`, with that many seeds.

    fresh : what is stored is to be computed, too; cluster: address of a Dask scheduler whose workers compute
    """
    wanted = list(dict.fromkeys(plans.planned(chapter, base, seeds)))
    lacking = [result for result in wanted if fresh or not store.exists(*result)]
    left, seconds = 0, {}
    for kind, config in lacking:
        most = experiment_of(kind).level_count(config)
        todo = most if fresh else most - min(most - 1, levels.count(kind, config))
        left += todo
        seconds[kind, config] = expected.seconds(kind, config) * todo / most
    width = schedule.cores()
    one_after_another = 0.0  # kinds of results are
    for kind in store.EXPERIMENTS:
        times = [taken for (other, _), taken in seconds.items() if other == kind]
        one_after_another += max(sum(times) / width, max(times, default=0.0))
    cores = "the cluster, were it as fast as this machine" if cluster else f"{width} core{'s' * (width > 1)}"
    folder = pathlib.Path(os.path.relpath(store.root()))
    return Forecast(len(lacking), len(wanted) - len(lacking), left, one_after_another, cores, folder)
