"""What can be computed anew at any time, kept for the next process; nothing here needs to be backed up."""

import contextlib
import os
import pathlib
from collections.abc import Callable

import filelock
import numpy as np


def folder() -> pathlib.Path:
    """Where it lies: $SIFTING_CACHE, or ~/.cache/sifting."""
    return pathlib.Path(os.environ.get("SIFTING_CACHE") or "~/.cache/sifting").expanduser()


def array(name: str, compute: Callable[[], np.ndarray]) -> np.ndarray:
    """The array of that name, mapped from its file: the first process that asks computes it, the others wait for it.

    What is written to the array does not reach the file. A damaged file is replaced; where no file can be
    written, every process computes for itself.
    """
    file = folder() / f"{name}.npy"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(file.with_suffix(".lock")):
            with contextlib.suppress(FileNotFoundError, ValueError, EOFError):
                return np.load(file, mmap_mode="c")
            part = file.with_suffix(f".{os.getpid()}")
            with open(part, "wb") as open_file:
                np.save(open_file, compute())
            os.replace(part, file)
            return np.load(file, mmap_mode="c")
    except OSError:
        return compute()
