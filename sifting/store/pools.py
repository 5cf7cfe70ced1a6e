"""Where levels are computed: in this process, in processes side by side, or on a Dask cluster.

A pool is a context. It takes `width` tasks at once; submit(behind, function, *arguments) returns a
concurrent.futures.Future, and what is least behind may wait. A future fails with an error of `lost`
where the worker died, not the task. `note` says what keeps the pool from working, where something does.
ready() returns once workers have started, where they are known.
"""

import concurrent.futures
import contextlib
import ctypes
import logging
import math
import multiprocessing
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterable

import filelock

from sifting import cache
from sifting.store import remote
from sifting.store.files import lock, root

SECONDS = 10  # within which a Dask scheduler answers
# what glibc's malloc is told, by number in its malloc.h: bytes from which memory is mapped anew, bytes free
# before any is given back, and bytes asked for at once
ALLOCATOR = {-3: 2**25, -1: 2**30, -2: 2**26}


class Here:
    """This process, one task after another, with progress shown."""

    width, lost, note = 1, (), ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def ready(self) -> None:
        """It is."""

    def submit(self, behind, function, *arguments) -> concurrent.futures.Future:
        """Do it now; KeyboardInterrupt is not for the future to keep."""
        future = concurrent.futures.Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future


class Processes:
    """Processes side by side, each an executor of its own: one that is killed is replaced, alone.

    With one executor for all (joblib's is such a one, too), a killed worker ends the work of every other.
    What one of them computes with cache.once, the others have.

    start : what each of them does first; default: computes with one thread
    """

    lost, note = (concurrent.futures.BrokenExecutor,), "starts workers"

    def __init__(self, width: int, start: Callable[[], None] | None = None):
        self.width, self._start = width, start or _start
        self._common = tempfile.TemporaryDirectory(prefix="sifting-", ignore_cleanup_errors=True)
        self._executors = [self._executor() for _ in range(width)]
        self._tasks = [None] * width

    def __enter__(self):
        return self

    def ready(self) -> None:
        """Wait until all processes have started; one that does not is found by the task that it is given."""
        with _without_script(), contextlib.suppress(concurrent.futures.BrokenExecutor):
            concurrent.futures.wait([executor.submit(int) for executor in self._executors])
        self.note = ""

    def submit(self, behind, function, *arguments) -> concurrent.futures.Future:
        """Give a task to a process that has none; `width` bounds how many there are."""
        free = next(n for n, task in enumerate(self._tasks) if task is None or task.done())
        with _without_script():
            try:
                self._tasks[free] = self._executors[free].submit(function, *arguments)
            except concurrent.futures.BrokenExecutor:
                self._executors[free].shutdown(wait=False)
                self._executors[free] = self._executor()
                self._tasks[free] = self._executors[free].submit(function, *arguments)
        return self._tasks[free]

    def __exit__(self, failed, *_):
        for executor in self._executors:
            for process in list((executor._processes or {}).values()) if failed else []:
                process.terminate()
        for executor in self._executors:
            executor.shutdown(wait=True, cancel_futures=True)
        self._common.cleanup()

    def _executor(self) -> concurrent.futures.ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return concurrent.futures.ProcessPoolExecutor(
            1, context, initializer=_begin, initargs=(self._start, self._common.name)
        )


@contextlib.contextmanager
def _without_script():
    """Processes that are started here do not run the user's script once more, which would start others.

    They need nothing of it: networks that are defined there are sent as they are, see own.registering.
    """
    main = sys.modules["__main__"]
    script = vars(main).pop("__file__", None) if getattr(main, "__spec__", None) is None else None
    try:
        yield
    finally:
        if script is not None:
            main.__file__ = script


def _begin(start: Callable[[], None], common: str) -> None:
    """Start of any worker: what it has in common with those beside it lies in a folder."""
    cache.common = pathlib.Path(common)
    start()


def obey() -> None:
    """Start of a worker: Ctrl-C is for the parent to handle, and a worker ends with its parent."""
    threading.Thread(target=_follow_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _start() -> None:
    """Start of a worker that computes: with one thread."""
    import torch
    from tqdm.auto import tqdm

    tqdm.set_lock(threading.RLock())  # its own would be a semaphore, which a killed worker leaves behind
    obey()
    torch.set_num_threads(1)
    _keep_memory()


def _keep_memory() -> None:
    """Keep the memory that is freed, where the C library is glibc.

    To get it from the system again for every convolution takes a sixth of the time.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        for number, value in ALLOCATOR.items():
            ctypes.CDLL(None).mallopt(number, value)


def _follow_parent() -> None:
    """End this worker when its parent is gone, killed even: nobody would give it work or end it."""
    multiprocessing.parent_process().join()
    shutil.rmtree(cache.common, ignore_errors=True)
    os._exit(1)


def each(pool: Here | Processes, tasks: Iterable[tuple]) -> None:
    """Do tasks, each a function with its arguments, in their order; ask for the next when there is room.

    Raises what the first that fails raises: no other is begun then, and those at work are waited for.
    """
    running = set()
    try:
        for task in tasks:
            running.add(pool.submit(0, *task))
            if len(running) == pool.width:
                done, running = concurrent.futures.wait(
                    running, return_when=concurrent.futures.FIRST_COMPLETED
                )
                for future in done:
                    future.result()
        for future in concurrent.futures.as_completed(running):
            future.result()
    except Exception:
        concurrent.futures.wait(running)
        raise


class Cluster:
    """The workers of a Dask cluster, each on one task at a time; they may come and go.

    address : of the scheduler, as tcp://host:8786. Raises ImportError without distributed, ValueError
              for what is no address, and ConnectionError where no scheduler answers, or none any more.
    """

    width = math.inf  # Dask has its own queue, and Slurm jobs are asked for by its length

    def __init__(self, address: str):
        import distributed

        self.address, self.lost = address, (distributed.KilledWorker, concurrent.futures.CancelledError)
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # what it says, `note` raises
        try:
            distributed.comm.resolve_address(address)
            self._client = distributed.Client(address, timeout=SECONDS, set_as_default=False)
        except ValueError as error:
            raise ValueError(
                f"cluster takes an address as tcp://host:8786, not {address!r} ({error})"
            ) from None
        except OSError as error:
            why = str(error).partition("\n")[0]
            raise ConnectionError(
                f"no Dask scheduler answers at {address} ({why}); "
                "`dask scheduler` starts one, and says its address"
            ) from None
        self._executor = self._client.get_executor(pure=False, retries=0)

    def __enter__(self):
        for sign in (root() / ".locks").glob("cluster-*"):  # of processes that were killed
            with contextlib.suppress(filelock.Timeout), lock(sign.stem):
                sign.unlink()
        self._sign = f"cluster-{uuid.uuid4().hex[:12]}"
        self._lock = lock(self._sign).acquire().lock
        return self

    def submit(self, behind, function, *arguments) -> concurrent.futures.Future:
        """Queue a task; of those that wait, what is furthest behind goes first."""
        return self._executor.submit(remote.task(self._sign, function, *arguments), priority=-behind)

    def ready(self) -> None:
        """Workers may come later: tasks wait for them."""

    @property
    def note(self) -> str:
        """Whether there are workers at all. Raises ConnectionError where the scheduler is gone."""
        if self._client.status != "running":
            raise ConnectionError(
                f"the Dask scheduler at {self.address} is gone; "
                "finished levels are kept, run the same command to go on"
            )
        return "" if self._client.nthreads() else f"waits for workers at {self.address}"

    def __exit__(self, failed, *_):
        pathlib.Path(self._lock.lock_file).unlink()
        self._lock.release()
        self._client.close(timeout=5)
