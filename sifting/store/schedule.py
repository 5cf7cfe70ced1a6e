"""Computes what is not stored, level by level, side by side, so that nothing finished is ever lost."""

import concurrent.futures
import contextlib
import importlib
import multiprocessing
import os
import pathlib
import shutil
import signal
import threading
import time

from tqdm.auto import tqdm

from sifting.config import Config, choose, key
from sifting.history import DamagedResult, History
from sifting.store.files import EXPERIMENTS, check_writable, exists, load, path, root, save
from sifting.store.provenance import provenance


def load_or_run(
    kind: str, configs: list[Config], device: str = "auto", fresh: bool = False, workers: int | None = None
) -> list[History]:
    """The results of `configs`, in their order: stored ones are read, missing ones computed and stored.

    device  : cpu, cuda, or auto (cuda where there is one); only for what is computed
    fresh   : compute even what is stored, and replace it
    workers : processes side by side on the CPU, one thread each; default: one a core

    Every level is saved as it ends; a killed run goes on after its last finished level, to the same
    bits. The run that is furthest behind always goes first. A damaged file is reported, not replaced,
    unless fresh. A fresh run that was killed goes on, too, when asked for again. Names that nothing
    is registered under and a folder that cannot be written are found before anything is computed.
    """
    missing = [config for config in dict.fromkeys(configs) if fresh or not exists(kind, config)]
    if missing:
        for config in missing:
            importlib.import_module("sifting.tickets").check(config)
        device = _device(device)
        check_writable(root())
        for config in missing if fresh else []:
            _start_afresh(kind, config)
        workers = 1 if device == "cuda" else min(workers or _cores(), len(missing))
        _compute(kind, missing, device, workers)
    return [load(kind, config) for config in configs]


def _compute(kind: str, configs: list[Config], device: str, workers: int) -> None:
    """Hand out level after level of `configs` to `workers` processes until all are stored."""
    total = sum(_module(kind).level_count(config) for config in configs)
    done = {config: len(_finished(kind, config)) for config in configs}
    with tqdm(total=total, initial=sum(done.values()), desc=kind, unit="level") as bar:
        if workers == 1:
            for config in configs:
                while advance(kind, config, device, progress=True):
                    bar.update()
            return
        queue, running = dict(done), {}
        context = multiprocessing.get_context("spawn")
        pool = concurrent.futures.ProcessPoolExecutor(workers, context, initializer=_single_thread)
        try:
            while queue or running:
                while queue and len(running) < workers:
                    config = min(queue, key=queue.get)
                    queue.pop(config)
                    running[pool.submit(advance, kind, config, device)] = config
                finished, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in finished:
                    config = running.pop(future)
                    if future.result():
                        done[config] += 1
                        queue[config] = done[config]
                        bar.update()
        except BaseException:
            for process in list((pool._processes or {}).values()):
                process.terminate()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def advance(kind: str, config: Config, device: str, progress: bool = False) -> bool:
    """Compute and save the next level of a run; after the last one, pack the run into its result.

    returns : whether there was a level left to compute
    """
    module, finished = _module(kind), _finished(kind, config)
    with _one_thread(device):
        started = time.perf_counter()
        record = next(module.find(config, device, [record for record, _ in finished], progress), None)
        seconds = time.perf_counter() - started
    if record is None:
        made = [how for _, how in finished]
        made_how = made[-1] | {
            "commit": ", ".join(dict.fromkeys(how["commit"] for how in made)),
            "wall_seconds": round(sum(how["wall_seconds"] for how in made), 1),
            "peak_memory_mb": max(how["peak_memory_mb"] for how in made),
            "levels": len(made) - 1,
        }
        pack = getattr(module, EXPERIMENTS[kind][1])
        save(kind, config, pack([record for record, _ in finished], config), made_how)
        shutil.rmtree(_folder(kind, config))
        return False
    save(
        kind,
        config,
        record,
        provenance(config, device, seconds),
        _folder(kind, config) / f"level-{len(finished):03d}.npz",
    )
    return True


def _folder(kind: str, config: Config) -> pathlib.Path:
    """Where the finished levels of an unfinished run lie."""
    return root() / ".running" / path(kind, config).stem


def _start_afresh(kind: str, config: Config) -> None:
    """Forget the finished levels of a run, unless they are those of a fresh run that was interrupted, and whole."""
    folder = _folder(kind, config)
    with contextlib.suppress(DamagedResult):
        if (folder / "fresh").exists() and _finished(kind, config):
            return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "fresh").touch()


def _finished(kind: str, config: Config) -> list[tuple[dict, dict]]:
    """(record, provenance) of every finished level of an unfinished run, in order."""
    levels = []
    while (file := _folder(kind, config) / f"level-{len(levels):03d}.npz").exists():
        level = History(file, f"{kind}-{key(config)}")
        levels.append(({name: level[name] for name in level.names()}, level.provenance))
    return levels


def _module(kind: str):
    choose("kind of result", kind, EXPERIMENTS)
    return importlib.import_module(EXPERIMENTS[kind][0])


def _device(name: str) -> str:
    import torch

    choose("device", name, ("auto", "cpu", "cuda"))
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("device cuda: torch sees no GPU here; use device=cpu, or device=auto")
    return "cuda" if name != "cpu" and torch.cuda.is_available() else "cpu"


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _follow_parent() -> None:
    """End this worker when its parent is gone, killed even: nobody would give it work or end it."""
    multiprocessing.parent_process().join()
    os._exit(1)


def _single_thread() -> None:
    """Start of a worker: one thread to compute with, and Ctrl-C is for the parent to handle."""
    import torch

    tqdm.set_lock(threading.RLock())  # its own would be a semaphore, which a killed worker leaves behind
    threading.Thread(target=_follow_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)


@contextlib.contextmanager
def _one_thread(device: str):
    """One thread on the CPU, so that a result does not depend on how many runs went side by side."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
