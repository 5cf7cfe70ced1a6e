"""What can be computed anew at any time, kept for the next process; nothing here needs to be backed up."""

import contextlib
import os
import pathlib
import pickle
import sys
import tempfile
from collections.abc import Callable
from typing import Any

import filelock
import numpy as np

MOST = 6  # things that a process remembers at once
remembered = {}  # name -> what came of it
common = None  # the folder that this process has in common with those that it works beside, where it does


def folder() -> pathlib.Path:
    """Where it lies: $SIFTING_CACHE, or ~/.cache/sifting."""
    give_home()
    return pathlib.Path(os.environ.get("SIFTING_CACHE") or "~/.cache/sifting").expanduser()


def give_home() -> None:
    """Give this process, and those that it starts, a home in the temporary folder if they have none.

    So it is in containers: no $HOME, and no such user; or a home that nobody has made, or may write to.
    """
    with contextlib.suppress(RuntimeError):
        if os.access(pathlib.Path.home(), os.W_OK | os.X_OK):
            return
    home = pathlib.Path(tempfile.gettempdir()) / f"sifting-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        home.mkdir(mode=0o700)
    if (
        home.is_symlink() or home.lstat().st_uid != os.getuid()
    ):  # somebody else's: programs read settings there
        home = pathlib.Path(tempfile.mkdtemp(prefix="sifting-"))
    os.environ["HOME"] = str(home)
    print(f"no home folder that can be written: {home} is used ($HOME names another)", file=sys.stderr)


def array(name: str, compute: Callable[[], np.ndarray]) -> np.ndarray:
    """The array of that name, mapped from its file.

    The first process that asks computes it, the others wait for it.
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


def once(name: str, compute: Callable[[], Any]) -> Any:
    """What compute() returns, computed once for all processes side by side.

    The first that asks computes it, the others wait. They have it for as long as they live; a process
    without others has the last few. It is shared: not to be written to.
    """
    if name not in remembered:
        while len(remembered) >= MOST:
            remembered.pop(next(iter(remembered)))
        remembered[name] = _shared(common / name, compute) if common else compute()
    return remembered[name]


def _shared(file: pathlib.Path, compute: Callable[[], Any]) -> Any:
    """What the file holds; without one, what is computed now, and written to it if possible."""
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):
            held.enter_context(filelock.FileLock(f"{file}.lock"))
            return pickle.loads(file.read_bytes())
        found, part = compute(), file.with_suffix(".part")
        with contextlib.suppress(OSError):
            part.write_bytes(pickle.dumps(found))
            part.replace(file)
        return found
