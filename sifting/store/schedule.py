"""Computes what is not stored, level by level, side by side, so that nothing finished is ever lost."""

import collections
import concurrent.futures
import math
import os
import time

import filelock
from tqdm.auto import tqdm

from sifting.config import Config, choose, dense_of
from sifting.results.history import History
from sifting.store import expected
from sifting.store.devices import resolve
from sifting.store.experiment import EXPERIMENTS, experiment_of
from sifting.store.files import check_writable, exists, load, path, root
from sifting.store.levels import advance_together, attend, count, stamp, tidy
from sifting.store.pools import Cluster, Here, Processes

LOSSES = 3  # workers that may be killed at one level of a run, before that is taken for the run's fault
BAR = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt} of {total_fmt} levels [{elapsed}{postfix}]"
SECONDS = 1.0  # between looks at a run that another process is at


def check(configs: list[Config], engine: str = "auto", here: bool = True) -> None:
    """Raise ValueError, naming the choices, for runs that there cannot be (tickets.check, check_images).

    here : this machine computes, so that the data must be here, too: else FileNotFoundError says what is not
    """
    if not configs:
        return
    from sifting.pruning import tickets  # needs torch

    for config in configs:
        tickets.check(config, engine)
    if here:
        tickets.check_images(configs)


def load_or_run(
    kind: str,
    configs: list[Config],
    device: str = "auto",
    fresh: bool = False,
    workers: int | None = None,
    cluster: str | None = None,
    engine: str = "auto",
) -> list[History]:
    """The results of `configs`, in their order: stored ones are read, missing ones computed and stored.

    device  : a name in config.DEVICES; only for what is computed
    fresh   : compute even what is stored, and replace it
    workers : processes side by side on the CPU, one thread each; default: one a core
    cluster : address of a Dask scheduler, as tcp://host:8786, whose workers compute instead
    engine  : what trains, see engines.resolve; auto: what is fastest. A run goes on with what it began with

    Every level is saved as it ends; a killed run goes on after its last finished level, to the same
    bits. The run that is furthest behind always goes first. What another process is at is waited for,
    and gone on with if that process dies. A damaged file is reported, not replaced, unless fresh. A
    fresh run that was killed goes on, too, when asked for again. Unknown names, and a folder that
    cannot be written, are found before anything is computed; an engine or a GPU that does not exist is
    refused even where everything is stored.

    Raises concurrent.futures.BrokenExecutor where worker after worker is killed at the same level.
    """
    choose("kind of result", kind, EXPERIMENTS)
    if workers is not None and workers < 1:
        raise ValueError(f"workers must be 1 or more, not {workers}")
    if device not in ("auto", "cpu"):
        resolve(device)
    if engine != "auto":
        from sifting.training import engines

        for config in configs:
            engines.resolve(engine, config)
    missing = [config for config in dict.fromkeys(configs) if fresh or not exists(kind, config)]
    if missing:
        check(missing, engine, here=not cluster)
        check_writable(root())
        replaces = {config: stamp(kind, config) if fresh else None for config in missing}
        # whether the workers of a cluster have GPUs cannot be seen from here
        where = device if device != "auto" else "cpu" if cluster else resolve(device)
        teams = [tuple(team) for team in experiment_of(kind).teams(missing, engine, where)]
        pool = _pool(device, workers or cores(), len(teams), cluster)
        _Sweep(kind, teams, replaces, device, engine, pool).run()
    for config in configs:
        tidy(kind, config)
    return [load(kind, config) for config in configs]


def _pool(device: str, workers: int, tasks: int, cluster: str | None) -> Here | Processes | Cluster:
    """Where to compute: on the cluster if there is one, else in up to `workers` processes, one for a GPU."""
    if cluster:
        return Cluster(cluster)
    workers = min(workers, tasks) if resolve(device) == "cpu" else 1
    return Here() if workers == 1 else Processes(workers)


def _apart(teams: list[tuple]) -> list[tuple]:
    """The same teams, those first whose dense network none before them has.

    It is trained once, and nobody waits for it.
    """
    begun = collections.Counter()

    def turn(team):
        dense = dense_of(team[0])
        begun[dense] += 1
        return begun[dense]

    return sorted(teams, key=turn)


class _Sweep:
    """Runs that are handed out to a pool, level by level and team by team, until all are stored.

    queue   : teams that wait for their next task
    running : future -> team
    held    : teams that another process is at
    """

    def __init__(
        self,
        kind: str,
        teams: list[tuple],
        replaces: dict[Config, str | None],
        device: str,
        engine: str,
        pool,
    ):
        self.kind, self.replaces, self.device, self.engine, self.pool = kind, replaces, device, engine, pool
        self.most = {config: experiment_of(kind).level_count(config) for config in replaces}
        self.done = {config: count(kind, config) for config in replaces}
        self.queue, self.running, self.held, self.losses = _apart(teams), {}, set(), collections.Counter()
        takes = {config: expected.seconds(kind, config) / most for config, most in self.most.items()}
        known = all(map(math.isfinite, takes.values()))
        self.takes = takes if known else dict.fromkeys(takes, 1.0)  # seconds of a level
        self.left = expected.Left(self._worth(self.most), min(pool.width, len(teams)), known)

    def _worth(self, levels: dict[Config, int]) -> float:
        """How long so many levels of each run take on one core, in seconds, if that is known."""
        return sum(self.takes[config] * number for config, number in levels.items())

    def run(self) -> None:
        """Compute everything."""
        total, done = sum(self.most.values()), sum(self.done.values())
        bar = tqdm(total=total, initial=done, desc=self.kind, bar_format=BAR, disable=quiet())
        with self.pool, bar:
            bar.set_postfix_str(self.pool.note or self._left())
            self.pool.ready()
            while self.queue or self.running:
                while self.queue and len(self.running) < self.pool.width:
                    self._hand_out()
                finished, _ = concurrent.futures.wait(
                    self.running, SECONDS, concurrent.futures.FIRST_COMPLETED
                )
                for future in finished:
                    self._collect(future, self.running.pop(future))
                if progress := sum(self.done.values()) - bar.n:
                    bar.update(progress)
                if (note := self._note()) != (getattr(bar, "postfix", None) or ""):  # none if quiet
                    seldom = getattr(bar, "mininterval", 0) > SECONDS  # as in a log
                    bar.set_postfix_str(note, refresh=not (seldom and note == self._left()))

    def _behind(self, team: tuple) -> int:
        """Teams with the smallest number go first: those with the fewest levels, then those that are held."""
        return min(self.done[config] for config in team) + (team in self.held) * max(self.most.values())

    def _hand_out(self) -> None:
        """Give the next level of the team that is furthest behind to the pool, or a wait for who is at it."""
        team = min(self.queue, key=self._behind)
        self.queue.remove(team)
        if team in self.held:
            task = attend, self.kind, team, SECONDS
        else:
            runs = {config: self.replaces[config] for config in team}
            task = (
                advance_together,
                self.kind,
                runs,
                self.device,
                self.pool.width == 1 and not quiet(),
                self.engine,
            )
        self.running[self.pool.submit(self._behind(team), *task)] = team

    def _collect(self, future, team: tuple) -> None:
        """Take note of what became of a task, and queue those of its runs that have not ended."""
        try:
            levels = future.result()
        except filelock.Timeout:
            self.held.add(team)
            levels = [count(self.kind, config) for config in team]
        except self.pool.lost as error:
            # before Dask says so, it has given the task to as many other workers as it allows
            self.losses[team] += 1 + getattr(error, "allowed_failures", 0)
            if self.losses[team] > LOSSES:
                names = ", ".join(path(self.kind, config).stem for config in team)
                raise concurrent.futures.BrokenExecutor(
                    f"{names}: {self.losses[team]} workers were killed at the same level, "
                    "perhaps for want of memory; finished levels are kept"
                ) from None
            levels = [self.done[config] for config in team]
        else:
            self.held.discard(team)
            self.losses[team] = 0
        for config, level in zip(team, levels):
            self.done[config] = self.most[config] if level is None else level
        self.left.finished(self._worth(self.done), time.monotonic())
        if left := tuple(config for config, level in zip(team, levels) if level is not None):
            self.queue.append(left)

    def _note(self) -> str:
        """What keeps the sweep from going on, where something does; else how long it will take."""
        others = self.held and self.held.issuperset([*self.queue, *self.running.values()])
        return "waits for another process" if others else self.pool.note or self._left()

    def _left(self) -> str:
        seconds = self.left.seconds(self._worth(self.done), time.monotonic())
        words = expected.duration(seconds) if self.done != self.most else ""
        return words and f"{words} left"


def quiet() -> bool:
    """Whether no progress is shown: $TQDM_DISABLE, which tqdm itself does not heed in notebooks."""
    return os.environ.get("TQDM_DISABLE", "0") not in ("", "0")


def cores() -> int:
    """How many processes can compute at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
