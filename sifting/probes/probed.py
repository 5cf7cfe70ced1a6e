"""Runs of tickets.find of which something more is measured at every level."""

from collections.abc import Callable, Iterator

from sifting.config import Config
from sifting.pruning import tickets
from sifting.results.packing import Arrays


def is_probed(config: Config, level: int) -> bool:
    """Whether everything is measured at that level."""
    return config.probed == "every" or level == config.levels


def measured(probe: Callable) -> tuple[Callable, Callable]:
    """`tickets.find` and `tickets.find_together`, whose records hold, too, what a probe measures.

    probe : function(config, device) -> object whose measure(records), of the records of a run so far, returns
            the arrays that are added to the last of them
    """

    def find(
        config: Config, device: str = "cpu", finished=(), progress: bool = False, engine: str = "auto"
    ) -> Iterator[Arrays]:
        """`tickets.find`, with what is measured of every level added to its record."""
        mine, records = probe(config, device), list(finished)
        for record in tickets.find(config, device, finished, progress, engine):
            records.append(record | mine.measure([*records, record]))
            yield records[-1]

    def find_together(
        configs: list[Config], device: str = "cpu", finished=(), progress: bool = False, size: int = 0
    ) -> Iterator[list[Arrays | None]]:
        """`tickets.find_together`, with what is measured of every level added to the records."""
        probes = [probe(config, device) for config in configs]
        histories = [list(done) for done in finished or [()] * len(configs)]
        for found in tickets.find_together(configs, device, finished, progress, size):
            for mine, records, record in zip(probes, histories, found, strict=True):
                if record is not None:
                    records.append(record | mine.measure([*records, record]))
            yield [records[-1] if record is not None else None for records, record in zip(histories, found)]

    return find, find_together
