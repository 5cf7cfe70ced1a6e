"""How long a run will take on this machine: as long as stored ones did that are like it."""

import contextlib
import functools
import json
import math
import pathlib
import time
from typing import NamedTuple

import numpy as np

from sifting.config import Config, changed
from sifting.config.place import of_the_book, root
from sifting.results.history import DamagedResult, History

LEVEL = 0.5  # seconds of a level, and of a start, beside what grows with the work
BACKWARD = 2  # times that a gradient costs what the network itself does
LIKENESS = 0.1  # a field of another value makes a run as unlike as this difference of ln(work)
TRUST = 0.02  # of the time that a run is expected to take, until which the expectation counts more
UNITS = {"h": 3600, "min": 60, "s": 1}  # of a duration, in seconds
SINGLE = 1.5  # of a unit: shorter times are told in the next smaller one
SIDE, REPEATS = 512, 9  # of the matrix products that compare machines


def seconds(kind: str, config: Config) -> float:
    """How long a run of that kind will take on one core, in seconds; nan where none like it is stored.

    That is the time of the run that is most alike, times how much more there is to do.
    """
    found, changes = measured(kind, config.model), set(changed(config).items())
    if not found:
        return math.nan

    def unlike(run):
        return abs(math.log(work(config) / run.work)) + LIKENESS * len(changes ^ run.changes)

    like = min(found, key=unlike)
    more = work(config) / like.work
    return like.seconds * more + LEVEL * (config.levels + config.snapshots + 2) * max(0.0, 1 - more)


def duration(seconds: float) -> str:
    """A time in few words, as "about 3 min"; empty for nan."""
    if math.isnan(seconds):
        return ""
    unit, size = next((item for item in UNITS.items() if seconds >= SINGLE * item[1]), ("s", 1))
    return f"about {max(1, round(seconds / size)):g} {unit}"


def work(config: Config) -> float:
    """What there is to do in a run, in arbitrary units that are the same for networks of one kind.

    Images that are seen in training and in measuring, times the size of the network.
    """
    later = config.retrain_steps or config.steps - config.rewind_step * (config.retrain == "rest")
    trained = config.batch_size * (config.steps + config.levels * max(1, later))
    networks = config.snapshots + (config.levels if config.probed == "every" else 1) + 1
    probed = config.probe_images * (networks * config.subsets + config.cells**2)
    return ((1 + BACKWARD) * trained + probed) * _size(config)


def _size(config: Config) -> float:
    """Weights of a fully connected network; for others, what grows as their multiplications do."""
    if config.model != "fcn":
        return config.width**2 * config.image_size**2
    units = (3 * config.image_size**2, *config.widths)
    return sum(before * after for before, after in zip(units, units[1:]))


class Measured(NamedTuple):
    """A stored run: its work, what differs from the defaults, and its time on one core of this machine."""

    work: float
    changes: set
    seconds: float


def measured(kind: str, model: str) -> list[Measured]:
    """The stored runs of that kind and model.

    Those of trials were made on this machine, others on that of the book.
    """
    here, book = root(), of_the_book()
    own = _measured(kind, model, here, 1.0) if here != book else []
    return own + _measured(kind, model, book, pace(book))


@functools.cache
def _measured(kind: str, model: str, folder: pathlib.Path, slower: float) -> list[Measured]:
    found = []
    for file in folder.glob(f"{kind}-*.npz"):
        with contextlib.suppress(DamagedResult, OSError):
            run = History(file)
            if run.config.model == model and (taken := run.seconds):
                found.append(Measured(work(run.config), set(changed(run.config).items()), slower * taken))
    return found


class Left:
    """How long there is left of tasks that are done side by side: as expected, corrected by how it goes.

    total : expected seconds of all of them, one after another
    width : how many are done at once
    known : whether `total` is of seconds, and not of some other measure of work

    The first task of each worker is left out of account: it reads images, and others do not.
    """

    def __init__(self, total: float, width: int, known: bool = True):
        self.total, self.width, self.firsts = total, width, width
        self.trust = TRUST * total / width * known
        self.begun = 0.0, 0.0  # work that was done, and the time, when all workers had done something

    def finished(self, done: float, now: float) -> None:
        """A task is finished, and so much is done at the time `now`, in seconds."""
        self.firsts -= 1
        if self.firsts == 0:
            self.begun = done, now

    def seconds(self, done: float, now: float) -> float:
        """How long it will take still, in seconds; nan where that cannot be known yet."""
        before, since = self.begun
        took, expected = (now - since, (done - before) / self.width) if self.firsts <= 0 else (0.0, 0.0)
        if not expected + self.trust:
            return math.nan
        return (self.total - done) / self.width * (took + self.trust) / (expected + self.trust)


@functools.cache
def pace(folder: pathlib.Path) -> float:
    """How many times slower this machine is than that of the results in a folder, see `make bench`.

    1 where it was not measured.
    """
    try:
        stored = json.loads((folder / "bench.json").read_text(encoding="utf-8"))["machine"]["product"]
    except (OSError, ValueError, KeyError):
        return 1.0
    return 1000 * product() / stored


def product() -> float:
    """Seconds of a matrix product on one thread, the quickest of some."""
    from threadpoolctl import threadpool_limits

    draw = np.random.default_rng(0)
    one, other = (draw.standard_normal((SIDE, SIDE), dtype=np.float32) for _ in range(2))
    times = []
    with threadpool_limits(1):
        for _ in range(REPEATS):
            started = time.perf_counter()
            one @ other
            times.append(time.perf_counter() - started)
    return min(times)
