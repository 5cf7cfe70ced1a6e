"""Results on disk: found by content, written whole or not at all."""

import contextlib
import dataclasses
import io
import json
import os
import pathlib
import re
import tempfile
import zipfile

import filelock
import numpy as np

from sifting.config import Config, choose, key
from sifting.config.place import TRIALS, root
from sifting.results.history import META, History
from sifting.store.experiment import EXPERIMENTS


def path(kind: str, config: Config) -> pathlib.Path:
    """Where the result of that kind and configuration lies, or would lie."""
    choose("kind of result", kind, EXPERIMENTS)
    return _place(f"{kind}-{key(config)}.npz")


def _place(name: str) -> pathlib.Path:
    """Where that file lies, or would lie: trials read what is stored for the book, and write beside it."""
    folder = root()
    own, above = folder / name, folder.parent / name
    return above if folder.name == TRIALS and above.exists() and not own.exists() else own


def exists(kind: str, config: Config) -> bool:
    """Whether that result is stored."""
    return path(kind, config).exists()


def is_name(text: str) -> bool:
    """Whether `text` has the form of a result's name, KIND-KEY."""
    return re.fullmatch(f"({'|'.join(EXPERIMENTS)})-[0-9a-f]{{12}}", text) is not None


def named(name: str) -> History:
    """The stored result of that name.

    Raises FileNotFoundError where there is none, DamagedResult where it is broken.
    """
    if not (file := _place(f"{name}.npz")).exists():
        raise FileNotFoundError(f"no stored result {file}")
    return History(file)


def load(kind: str, config: Config) -> History:
    """The stored result. Raises FileNotFoundError where there is none, DamagedResult where it is broken."""
    return named(path(kind, config).stem)


def lock(name: str, seconds: float = 0) -> filelock.BaseFileLock:
    """A context in which this process alone is at what `name` stands for: a result, by its name.

    Raises filelock.Timeout where another process, on any machine that shares the folder, still is after
    `seconds`. However that process ends, the lock ends with it. The empty files in .locks stay: one
    that is removed while others wait for it may be locked twice.
    """
    return filelock.FileLock(root() / ".locks" / f"{name}.lock", timeout=seconds, fallback_to_soft=False)


def save(
    kind: str, config: Config, arrays: dict[str, np.ndarray], provenance: dict, target: pathlib.Path = None
):
    """Write a result: all of it under its name, or nothing.

    target : another file, of what is soon to be read and removed: packed quickly, and not as small as can be

    Raises OSError, saying that nothing finished is lost, where the disk is full.
    """
    effort = 1 if target else 6  # of zlib
    target = target or root() / path(kind, config).name
    target.parent.mkdir(parents=True, exist_ok=True)
    meta = {"kind": kind, "key": key(config), "config": dataclasses.asdict(config), "provenance": provenance}
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with open(part, "wb") as file:
            with zipfile.ZipFile(file, "w") as archive:
                for name, array in arrays.items():
                    buffer = io.BytesIO()
                    np.lib.format.write_array(buffer, np.asarray(array), allow_pickle=False)
                    member = zipfile.ZipInfo(name + ".npy")
                    archive.writestr(member, buffer.getvalue(), zipfile.ZIP_DEFLATED, effort)
                archive.writestr(
                    zipfile.ZipInfo(META), json.dumps(meta, indent=1), zipfile.ZIP_DEFLATED, effort
                )
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except OSError as error:
        raise _unwritten(target.name, error, target.parent) from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _unwritten(what: str, error: OSError, folder: pathlib.Path) -> OSError:
    why = f"{error.strerror}: could not write {what} there; everything finished before is kept"
    return type(error)(error.errno, f"{why} ($SIFTING_RESULTS names another folder)", str(folder))


def check_writable(folder: pathlib.Path) -> None:
    """Raise OSError, before hours of computing, where nothing can be written or locked in `folder`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder), contextlib.suppress(filelock.Timeout), lock("check"):
            pass
    except OSError as error:
        raise _unwritten("results", error, folder) from None
