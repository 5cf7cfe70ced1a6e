"""A run that is not finished: its levels on disk, and the next one computed by one process at a time."""

import contextlib
import os
import pathlib
import time

from sifting.config import Config, key
from sifting.results.history import DamagedResult, History
from sifting.store.devices import computed, resolve
from sifting.store.experiment import experiment_of
from sifting.store.files import exists, lock, path, root, save
from sifting.store.provenance import TIMES, provenance


def advance(
    kind: str,
    config: Config,
    device: str,
    replaces: str | None = None,
    progress: bool = False,
    engine: str = "auto",
) -> int | None:
    """`advance_together` of one run: how many levels are finished now; None once nothing is left to do."""
    return advance_together(kind, {config: replaces}, device, progress, engine)[0]


def advance_together(
    kind: str, runs: dict[Config, str | None], device: str, progress: bool = False, engine: str = "auto"
) -> list[int | None]:
    """Compute and save the next level of runs; after the last one, pack a run into its result.

    runs    : each with the stamp of the stored result that it replaces, or None; one that is newer is left
              as it is. Of several, which the experiment must be able to find together, those furthest behind
              go on, if they began together; one that began otherwise goes on alone
    device  : a name in config.DEVICES
    engine  : what trains a run that begins by itself, see engines.settle
    returns : for each how many levels are finished now; None once there is nothing left to do

    Raises filelock.Timeout where another process is at one of them.
    """
    device, made = resolve(device), experiment_of(kind)
    with _locked(kind, runs):
        begun = {config: _begin(kind, config, replaces) for config, replaces in runs.items()}
        least = min((len(finished) for finished in begun.values() if finished is not None), default=0)
        due = [
            config for config, finished in begun.items() if finished is not None and len(finished) == least
        ]
        if least and len(due) > 1:
            engines = [_engine(begun[config]) for config in due]
            alike = [config for config, other in zip(due, engines) if other == engines[0]]
            due = made.teams(alike, engines[0], device)[0]
        records = [[record for record, _ in begun[config]] for config in due]
        with _one_thread():
            began = time.perf_counter(), time.process_time()

            def advanced(device):
                if len(due) > 1:
                    found = made.find_together(due, device, records, progress, len(runs))
                    return next(found, [None] * len(due))
                return [next(made.find(one, device, records[0], progress, engine), None) for one in due]

            # by what it needs of a device: the probes of a kind of result, and the criterion
            needs = f"{kind} by {next(iter(runs)).criterion}"
            found, device = computed(needs, device, advanced)
            ended = time.perf_counter(), time.process_time()
            seconds = [(end - begin) / max(1, len(due)) for begin, end in zip(began, ended)]
        for config, record in zip(due, found):
            if record is not None:
                target = _folder(kind, config) / f"level-{least:03d}.npz"
                save(kind, config, record, provenance(config, device, *seconds), target)
        for config, before, record in zip(due, records, found):
            if record is None:
                save(kind, config, made.pack(before, config), _summary([how for _, how in begun[config]]))
                _discard(_folder(kind, config))
        whole = {config for config, record in zip(due, found) if record is None}
        return [
            None if finished is None or config in whole else len(finished) + (config in due)
            for config, finished in begun.items()
        ]


def _engine(finished: list[tuple[dict, dict]]) -> str:
    """What the run of these levels began with."""
    return str(finished[0][0].get("engine", "reference"))


def attend(kind: str, configs: list[Config], seconds: float) -> list[int]:
    """Wait until no other process is at these runs; returns how many levels of each are finished then.

    Raises filelock.Timeout after `seconds`.
    """
    with _locked(kind, configs, seconds):
        return [count(kind, config) for config in configs]


@contextlib.contextmanager
def _locked(kind: str, configs, seconds: float = 0):
    """No other process is at these runs. Sorted: two that want the same do not wait for each other."""
    with contextlib.ExitStack() as held:
        for name in sorted(path(kind, config).stem for config in configs):
            held.enter_context(lock(name, seconds))
        yield


def count(kind: str, config: Config) -> int:
    """How many levels of an unfinished run are there, unread."""
    return len(list(_folder(kind, config).glob("level-*.npz")))


def stamp(kind: str, config: Config) -> str:
    """When a stored result was written: this tells it from one that replaces it. Empty: there is none."""
    try:
        with open(
            path(kind, config), "rb"
        ) as file:  # opened, or a network file system may answer from memory
            return str(os.fstat(file.fileno()).st_mtime_ns)
    except FileNotFoundError:
        return ""


def tidy(kind: str, config: Config) -> None:
    """Remove the levels of a run whose result is stored: a process was killed before it could."""
    if exists(kind, config) and _folder(kind, config).exists():
        with contextlib.suppress(OSError), lock(path(kind, config).stem):  # held, or read-only: leave them
            _begin(kind, config, None)


def _folder(kind: str, config: Config) -> pathlib.Path:
    """Where the finished levels of an unfinished run lie."""
    return root() / ".running" / path(kind, config).stem


def _begin(kind: str, config: Config, replaces: str | None) -> list[tuple[dict, dict]] | None:
    """The levels to go on from, or None where the result is stored, and is not the one to replace.

    A fresh run starts over, unless the levels are those of a fresh run that was to replace the same
    file, and whole: what it was to replace stands in the file `fresh` among its levels.
    """
    folder, stored = _folder(kind, config), stamp(kind, config)
    for part in [*folder.glob(".*"), *root().glob(f".{path(kind, config).name}.*")]:
        part.unlink(missing_ok=True)  # half-written by a process that was killed: nobody else writes now
    begun = (folder / "fresh").read_text(encoding="utf-8") if (folder / "fresh").exists() else None
    if stored and replaces != stored:
        if begun != stored:
            _discard(folder)
        return None
    if replaces is not None:
        with contextlib.suppress(DamagedResult):
            if begun == stored:
                return _finished(kind, config)
        _discard(folder)
        folder.mkdir(parents=True)
        (folder / "fresh").write_text(stored, encoding="utf-8")
    return _finished(kind, config)


def _finished(kind: str, config: Config) -> list[tuple[dict, dict]]:
    """(record, provenance) of every finished level of an unfinished run, in order."""
    levels, folder = [], _folder(kind, config)
    # listed, not looked up: a network file system remembers for a while that a name was not there
    names = set(os.listdir(folder)) if folder.exists() else set()
    while (name := f"level-{len(levels):03d}.npz") in names:
        level = History(folder / name, f"{kind}-{key(config)}")
        levels.append((level.arrays(), level.provenance))
    return levels


def _discard(folder: pathlib.Path) -> None:
    """Remove the levels of a run, the last one first: a process that is killed leaves a shorter run."""
    if folder.exists():
        for file in sorted(folder.iterdir(), reverse=True):
            file.unlink()
        folder.rmdir()


def _summary(made: list[dict]) -> dict:
    """How a run was made, from how its levels were."""
    times = [name for name in TIMES if all(name in how for how in made)]
    return made[-1] | {
        "commit": ", ".join(dict.fromkeys(how["commit"] for how in made)),
        **{name: round(sum(how[name] for how in made), 1) for name in times},
        "peak_memory_mb": max(how["peak_memory_mb"] for how in made),
        "levels": len(made) - 1,
    }


@contextlib.contextmanager
def _one_thread():
    """One thread on the CPU, so that a result does not depend on how many runs went side by side."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
