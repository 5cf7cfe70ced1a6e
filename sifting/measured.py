"""Runs of tickets.find of which something more is measured at every level."""

from collections.abc import Callable, Iterator

from sifting import tickets
from sifting.config import Config
from sifting.packing import Arrays


def measured(probe: Callable) -> tuple[Callable, Callable]:
    """`tickets.find` and `tickets.find_together`, whose records hold, too, what a probe measures.

    probe : function(config, device) -> object whose measure(records), of the records of a run so far, returns
            the arrays that are added to the last of them; it is asked at the levels that are probed
    """

    def extended(mine, config, records, record) -> Arrays:
        wanted = config.probed == "every" or len(records) == config.levels
        return record | (mine.measure([*records, record]) if wanted else {})

    def find(
        config: Config, device: str = "cpu", finished=(), progress: bool = False, engine: str = "auto"
    ) -> Iterator[Arrays]:
        """`tickets.find`, with what is measured of every level added to its record."""
        mine, records = probe(config, device), list(finished)
        for record in tickets.find(config, device, finished, progress, engine):
            records.append(extended(mine, config, records, record))
            yield records[-1]

    def find_together(
        configs: list[Config], device: str = "cpu", finished=(), progress: bool = False, size: int = 0
    ) -> Iterator[list[Arrays | None]]:
        """`tickets.find_together`, with what is measured of every level added to the records."""
        probes = [probe(config, device) for config in configs]
        histories = [list(done) for done in finished or [()] * len(configs)]
        for found in tickets.find_together(configs, device, finished, progress, size):
            for mine, config, records, record in zip(probes, configs, histories, found, strict=True):
                if record is not None:
                    records.append(extended(mine, config, records, record))
            yield [records[-1] if record is not None else None for records, record in zip(histories, found)]

    return find, find_together
