"""Results on disk: found by content, written whole or not at all, resumable, with how they were made."""

import concurrent.futures
import contextlib
import dataclasses
import datetime
import importlib
import io
import json
import multiprocessing
import os
import pathlib
import platform
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from importlib import metadata

import numpy as np
from tqdm.auto import tqdm

from sifting.config import Config, choose, key
from sifting.history import META, DamagedResult, History

# kind -> module with find(config, device, finished, progress), which yields the record of one level
# after another, and level_count(config); and the name of its function(records, config) that makes of
# all records the arrays to keep
EXPERIMENTS = {
    "ticket": ("sifting.tickets", "pack"),  # masks, accuracies and weights of every level: some 5 MB
    "masks": ("sifting.tickets", "pack_masks"),  # the same run without the weights: a tenth of that
    "anatomy": ("sifting.anatomy", "pack"),
}


def root() -> pathlib.Path:
    """The folder of stored results: $SIFTING_RESULTS, or book/results beside the package."""
    default = pathlib.Path(__file__).resolve().parents[1] / "book" / "results"
    return pathlib.Path(os.environ.get("SIFTING_RESULTS", default))


def path(kind: str, config: Config) -> pathlib.Path:
    """Where the result of that kind and configuration lies, or would lie."""
    choose("kind of result", kind, EXPERIMENTS)
    return root() / f"{kind}-{key(config)}.npz"


def exists(kind: str, config: Config) -> bool:
    """Whether that result is stored."""
    return path(kind, config).exists()


def load(kind: str, config: Config) -> History:
    """The stored result. Raises FileNotFoundError where there is none, DamagedResult where it is broken."""
    if not exists(kind, config):
        raise FileNotFoundError(f"no stored result {path(kind, config)}")
    return History(path(kind, config))


def save(
    kind: str, config: Config, arrays: dict[str, np.ndarray], provenance: dict, target: pathlib.Path = None
):
    """Write a result: all of it under its name, or nothing.

    Raises OSError, saying that nothing finished is lost, where the disk is full.
    """
    target = target or path(kind, config)
    target.parent.mkdir(parents=True, exist_ok=True)
    meta = {"kind": kind, "key": key(config), "config": dataclasses.asdict(config), "provenance": provenance}
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with open(part, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, array in arrays.items():
                    buffer = io.BytesIO()
                    np.lib.format.write_array(buffer, np.asarray(array), allow_pickle=False)
                    archive.writestr(zipfile.ZipInfo(name + ".npy"), buffer.getvalue(), zipfile.ZIP_DEFLATED)
                archive.writestr(zipfile.ZipInfo(META), json.dumps(meta, indent=1), zipfile.ZIP_DEFLATED)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except OSError as error:
        why = f"could not write {target.name}: {error.strerror}; everything finished before is kept"
        raise OSError(error.errno, why, str(target.parent)) from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def load_or_run(
    kind: str, configs: list[Config], device: str = "auto", fresh: bool = False, workers: int | None = None
) -> list[History]:
    """The results of `configs`, in their order: stored ones are read, missing ones computed and stored.

    device  : cpu, cuda, or auto (cuda where there is one); only for what is computed
    fresh   : compute even what is stored, and replace it
    workers : processes side by side on the CPU, one thread each; default: one a core

    Every level is saved as it ends; a killed run goes on after its last finished level, to the same
    bits. The run that is furthest behind always goes first. A damaged file is reported, not replaced,
    unless fresh. A fresh run that was killed goes on, too, when asked for again.
    """
    missing = [config for config in dict.fromkeys(configs) if fresh or not exists(kind, config)]
    for config in missing if fresh else []:
        _start_afresh(kind, config)
    if missing:
        device = _device(device)
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
        provenance = made[-1] | {
            "wall_seconds": round(sum(how["wall_seconds"] for how in made), 1),
            "peak_memory_mb": max(how["peak_memory_mb"] for how in made),
            "levels": len(made) - 1,
        }
        pack = getattr(module, EXPERIMENTS[kind][1])
        save(kind, config, pack([record for record, _ in finished], config), provenance)
        shutil.rmtree(_folder(kind, config))
        return False
    save(
        kind,
        config,
        record,
        _provenance(config, device, seconds),
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


def _provenance(config: Config, device: str, seconds: float) -> dict:
    """How a level was made: commit, versions, device, seeds, wall time, peak memory."""
    import torch

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "versions": {"python": platform.python_version()}
        | {name: metadata.version(name) for name in ("torch", "numpy", "scikit-image", "scikit-learn")},
        "device": torch.cuda.get_device_name() if device == "cuda" else processor(),
        "threads": 1,
        "seed": config.seed,
        "data_seed": config.data_seed,
        "wall_seconds": round(seconds, 2),
        "peak_memory_mb": round(peak),
    }


def _commit() -> str:
    """The commit that is checked out, with "+" where sifting/ differs from it; "unknown" outside git."""
    git = ["git", "-C", str(pathlib.Path(__file__).parent)]
    try:
        commit = subprocess.run(
            [*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True
        )
        dirty = subprocess.run(
            [*git, "status", "--porcelain", "."], capture_output=True, text=True, check=True
        )
        return commit.stdout.strip() + ("+" if dirty.stdout.strip() else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def processor() -> str:
    """The model of this machine's processor."""
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
