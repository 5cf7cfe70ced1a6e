"""Runs of tickets.find of which something more is measured at every level."""

from collections.abc import Callable, Iterator
from typing import Protocol

from sifting.config import Config
from sifting.pruning import tickets
from sifting.results.packing import MEASURED, Arrays, pack_probed
from sifting.store.experiment import Experiment


class Probe(Protocol):
    """What measures a run: it is made once, as probe(config, device), and asked at every level."""

    def measure(self, records: list[Arrays]) -> Arrays:
        """Arrays by their names, from the records of the run so far; the last is of the level in question."""


def is_probed(config: Config, level: int) -> bool:
    """Whether everything is measured at that level."""
    return config.probed == "every" or level == config.levels


def measured(
    probe: Callable[[Config, str], Probe], pack: Callable[[list[Arrays], Config], Arrays] = pack_probed
) -> Experiment:
    """Runs as tickets.find yields them, with probe/NAME in their records: what is measured."""

    def find(
        config: Config, device: str = "cpu", finished=(), progress: bool = False, engine: str = "auto"
    ) -> Iterator[Arrays]:
        mine, records = probe(config, device), list(finished)
        for record in tickets.find(config, device, finished, progress, engine):
            records.append(with_measured(mine, [*records, record]))
            yield records[-1]

    def find_together(
        configs: list[Config], device: str = "cpu", finished=(), progress: bool = False, size: int = 0
    ) -> Iterator[list[Arrays | None]]:
        probes = [probe(config, device) for config in configs]
        histories = [list(done) for done in finished or [()] * len(configs)]
        for found in tickets.find_together(configs, device, finished, progress, size):
            for mine, records, record in zip(probes, histories, found, strict=True):
                if record is not None:
                    records.append(with_measured(mine, [*records, record]))
            yield [records[-1] if record is not None else None for records, record in zip(histories, found)]

    return Experiment(find, pack, tickets.level_count, find_together, tickets.teams)


def with_measured(probe: Probe, records: list[Arrays]) -> Arrays:
    """The last of the records of a run, with probe/NAME: what is measured of it."""
    return records[-1] | {f"{MEASURED}{name}": values for name, values in probe.measure(records).items()}
