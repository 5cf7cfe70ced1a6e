"""Time by the clock of the processor, of what takes turns."""

import statistics
import time

STRETCH = 25  # steps that each takes in its turn, see `several`


def measure(runs: dict, seconds: float, least: int = 5) -> dict[str, float]:
    """Median milliseconds of each function, of the processor's time for this thread.

    They take turns, so that a busy machine slows all alike, and each runs at least `least` times. One that
    returns a list has measured what it did by itself, and may have done it several times.
    """
    times = {name: [] for name in runs}
    for run in [*runs.values()] * min(2, least - 1):
        run()
    stop = time.perf_counter() + seconds
    while time.perf_counter() < stop or min(map(len, times.values())) < least:
        for name, run in runs.items():
            start = time.thread_time()  # others may be at work here, too
            found = run()
            own = isinstance(found, list)
            times[name] += found if own else [1000 * (time.thread_time() - start)]
    return {name: round(statistics.median(values), 3) for name, values in times.items()}


def several(run, count: int = STRETCH):
    """A function that does the same so often and returns the milliseconds of each time.

    What is small stays in the processor's caches, as where nobody else takes turns.
    """

    def stretch():
        times = []
        for _ in range(count):
            start = time.thread_time()
            run()
            times.append(1000 * (time.thread_time() - start))
        return times

    return stretch


def compared(row: dict, fast: str) -> dict:
    """The row, with how many times faster than the reference `fast` is: below 1 it is slower."""
    return row | {"ratio": round(row["reference"] / row[fast], 3)}
