"""A task that another machine does, and what that machine must have for it: this code, and this folder."""

import hashlib
import os
import pathlib
import pickle
import platform
import sys
import time

import filelock

from sifting.store.files import lock, root
from sifting.store.provenance import versions

SECONDS = 10  # within which a file that one machine made shows on another


def _code() -> str:
    """A hash of the source of this package."""
    package, digest = pathlib.Path(__file__).parents[1], hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        digest.update(f"{file.relative_to(package)}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:12]


CODE = _code()  # as it was imported: a worker may be older than the files


def task(sign: str, function, *arguments):
    """`function(*arguments)` as a function without arguments, that a Dask worker can call.

    sign : the name of a lock that the caller holds, by which the worker knows the folder of results
    """
    work = pickle.dumps((function, arguments))
    folder, path, made_with = str(root()), list(sys.path), versions() | {"sifting": CODE}

    def run():  # pickled by value, so that the scheduler need not know this package
        import platform

        try:
            from sifting.store import remote
        except ImportError as error:
            where = f"a worker on {platform.node()}"
            raise ValueError(f"{where}: {error}; start it with PYTHONPATH=FOLDER OF THE REPOSITORY") from None
        return remote.perform(work, folder, sign, made_with, path)

    return run


def perform(work: bytes, folder: str, sign: str, made_with: dict, path: list[str]):
    """On a worker: do a task, with its results in `folder`.

    path : where the caller finds modules; what there is of it here is looked in last, for one's own networks

    Raises ValueError, saying what to do, where the worker runs several tasks at once, has other
    versions than `made_with`, does not see the folder, or keeps no locks in common with the caller.
    """
    import distributed

    worker = distributed.get_worker()
    who = f"the worker {worker.address} on {platform.node()}"
    if worker.state.nthreads > 1:
        raise ValueError(f"{who} runs {worker.state.nthreads} tasks at once; start it with --nthreads 1")
    have = versions() | {"sifting": CODE}
    if other := [
        f"{name} {have.get(name, 'missing')}, not {made_with.get(name, 'missing')}"
        for name in {**made_with, **have}
        if have.get(name) != made_with.get(name)
    ]:
        raise ValueError(
            f"{who} has {'; '.join(other)}: give it the same packages and code, and start it again"
        )
    os.environ["SIFTING_RESULTS"] = folder
    sys.path += [place for place in path if place and place not in sys.path and os.path.exists(place)]
    if not _sees(sign):
        raise ValueError(
            f"{who} does not see the folder of results {folder}; share it, or name another: SIFTING_RESULTS"
        )
    try:
        with lock(sign):
            raise ValueError(
                f"{who} does not see who is at work in {folder}: its file system keeps no common locks"
            )
    except filelock.Timeout:
        pass
    function, arguments = pickle.loads(work)
    return function(*arguments)


def _sees(sign: str) -> bool:
    """Whether the folder is there, and the file of that lock in it, or within SECONDS."""
    file, deadline = pathlib.Path(lock(sign).lock_file), time.monotonic() + SECONDS
    while file.parent.exists() and not file.exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    return file.exists()
