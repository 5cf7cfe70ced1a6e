"""How a result was made: commit, versions, device, seeds, time, memory."""

import contextlib
import datetime
import functools
import platform
import resource
import subprocess
import sys
from importlib import metadata

import sifting
from sifting.config import Config, place
from sifting.store.devices import model

TIMES = ("wall_seconds", "cpu_seconds")  # by the clock; on a processor, that other processes do not lengthen


def provenance(config: Config, device: str, wall: float, busy: float) -> dict:
    """How a level was made: commit, versions, device, seeds, TIMES, peak memory.

    wall, busy : seconds by the clock, and those of the processor, which say nothing of work on a GPU
    """
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "versions": versions(),
        "device": model(device),
        "threads": 1,
        "seed": config.seed,
        "data_seed": config.data_seed,
        "wall_seconds": round(wall, 2),
        **({"cpu_seconds": round(busy, 2)} if device == "cpu" else {}),
        "peak_memory_mb": round(peak),
    }


@functools.cache
def versions() -> dict[str, str]:
    """Of Python, and of the packages that results depend on: of those that are here."""
    found = {"python": platform.python_version()}
    for name in ("torch", "numpy", "numba", "scikit-image", "scikit-learn"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def commit() -> str:
    """The commit that is checked out, with "+" where sifting/ differs from it; "unknown" outside git.

    Where the package is installed, its version: around it there may be another repository.
    """
    if not place.checkout():
        return f"sifting {sifting.__version__}"
    git = ["git", "-C", str(place.PACKAGE)]
    try:
        commit = subprocess.run(
            [*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, encoding="utf-8", check=True
        )
        dirty = subprocess.run(
            [*git, "status", "--porcelain", "."], capture_output=True, encoding="utf-8", check=True
        )
        return commit.stdout.strip() + ("+" if dirty.stdout.strip() else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
