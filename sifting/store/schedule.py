"""Computes what is not stored, level by level, side by side, so that nothing finished is ever lost."""

import collections
import concurrent.futures
import os

import filelock
from tqdm.auto import tqdm

from sifting.config import Config
from sifting.history import History
from sifting.store.files import check_writable, exists, load, path, root
from sifting.store.levels import advance, attend, count, module_of, resolve, stamp, tidy
from sifting.store.pools import Cluster, Here, Processes

LOSSES = 3  # workers that may be killed at one level of a run, before that is taken for the run's fault
SECONDS = 1.0  # between looks at a run that another process is at


def check(configs: list[Config], engine: str = "auto") -> None:
    """Raise ValueError, naming the choices, where something is asked for that there is not (tickets.check)."""
    for config in configs:
        module_of("ticket").check(config, engine)


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

    device  : cpu, cuda, or auto (cuda where there is one); only for what is computed
    fresh   : compute even what is stored, and replace it
    workers : processes side by side on the CPU, one thread each; default: one a core
    cluster : address of a Dask scheduler, as tcp://host:8786, whose workers compute instead
    engine  : what trains, a name in engines.ENGINES; auto: what is fastest; a run goes on with what it began with

    Every level is saved as it ends; a killed run goes on after its last finished level, to the same
    bits. The run that is furthest behind always goes first. What another process is at is waited for,
    and gone on with if that process dies. A damaged file is reported, not replaced, unless fresh. A
    fresh run that was killed goes on, too, when asked for again. Names that nothing is registered
    under and a folder that cannot be written are found before anything is computed.

    Raises concurrent.futures.BrokenExecutor where worker after worker is killed at the same level.
    """
    missing = [config for config in dict.fromkeys(configs) if fresh or not exists(kind, config)]
    if missing:
        check(missing, engine)
        check_writable(root())
        module_of(kind)
        replaces = {config: stamp(kind, config) if fresh else None for config in missing}
        _compute(kind, replaces, device, engine, _pool(device, workers or _cores(), len(missing), cluster))
    for config in configs:
        tidy(kind, config)
    return [load(kind, config) for config in configs]


def _pool(device: str, workers: int, runs: int, cluster: str | None) -> Here | Processes | Cluster:
    """Where to compute: on the cluster if there is one, else in up to `workers` processes, one for a GPU."""
    if cluster:
        return Cluster(cluster)
    workers = 1 if resolve(device) == "cuda" else min(workers, runs)
    return Here() if workers == 1 else Processes(workers)


def _compute(kind: str, replaces: dict[Config, str | None], device: str, engine: str, pool) -> None:
    """Hand out level after level of the runs in `replaces` to the pool until all are stored."""
    module = module_of(kind)
    done = {config: count(kind, config) for config in replaces}
    queue, running, held, losses = list(replaces), {}, set(), collections.Counter()
    total = sum(module.level_count(config) for config in replaces)
    with pool, tqdm(total=total, initial=sum(done.values()), desc=kind, unit="level") as bar:
        while queue or running:
            while queue and len(running) < pool.width:
                config = min(queue, key=lambda config: (config in held, done[config]))
                queue.remove(config)
                task = (
                    (attend, kind, config, SECONDS)
                    if config in held
                    else (advance, kind, config, device, replaces[config], pool.width == 1, engine)
                )
                running[pool.submit(done[config] + total * (config in held), *task)] = config
            finished, _ = concurrent.futures.wait(running, SECONDS, concurrent.futures.FIRST_COMPLETED)
            for future in finished:
                config = running.pop(future)
                try:
                    levels = future.result()
                except filelock.Timeout:
                    held.add(config)
                    levels = count(kind, config)
                except pool.lost:
                    losses[config] += 1
                    if losses[config] > LOSSES:
                        raise concurrent.futures.BrokenExecutor(
                            f"{path(kind, config).stem}: {losses[config]} workers were killed at the same level, "
                            "perhaps for want of memory; finished levels are kept"
                        ) from None
                    levels = done[config]
                else:
                    held.discard(config)
                    losses[config] = 0
                done[config] = module.level_count(config) if levels is None else levels
                queue += [] if levels is None else [config]
            if progress := sum(done.values()) - bar.n:
                bar.update(progress)
            others = held and held.issuperset([*queue, *running.values()])
            if (note := "waits for another process" if others else pool.note) != (bar.postfix or ""):
                bar.set_postfix_str(note)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
