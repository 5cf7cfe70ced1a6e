"""Workers: killed ones are replaced, errors arrive, and what two of them need is computed once."""

import concurrent.futures
import dataclasses
import os
import pathlib
import signal
import time

import distributed
import pytest

from sifting import cache, config, store
from sifting.results.history import DamagedResult
from sifting.store import pools, schedule

TINY = config.preset(
    "smoke", dataset="digits", steps=10, rewind_step=2, levels=2, evaluations=2, widths=(16, 8)
)
SLOW = [dataclasses.replace(run, steps=600) for run in config.seeds(TINY, 2)]


def test_a_killed_worker_is_replaced_and_a_killed_sweep_goes_on(results, python, wait_for):
    sweep = python(
        "import multiprocessing, os, signal, threading, time\n"
        "from sifting import config, store\n"
        "here = store.root()\n"
        "def pids():\n"
        "    return {child.pid for child in multiprocessing.active_children()}\n"
        "def murder():\n"
        "    while not list(here.rglob('level-000.npz')): time.sleep(0.01)\n"
        "    before = pids()\n"
        "    os.kill(min(before), signal.SIGKILL)\n"
        "    while len(after := pids() - {min(before)}) < 2: time.sleep(0.01)\n"
        "    print(len(before & after), flush=True)\n"
        "if __name__ == '__main__':\n"
        "    threading.Thread(target=murder, daemon=True).start()\n"
        f"    slow = [config.Config(**fields) for fields in {list(map(dataclasses.asdict, SLOW))}]\n"
        "    store.load_or_run('ticket', slow, 'cpu', workers=2)"
    )
    assert sweep.stdout.readline() == "1\n", "the other worker is left in peace"
    sweep.kill()
    sweep.communicate()
    assert not any(store.exists("ticket", run) for run in SLOW)
    kept = wait_for(lambda: list(results.rglob("level-*.npz")))
    disturbed = [
        [run[name].tobytes() for name in run.names()]
        for run in store.load_or_run("ticket", SLOW, "cpu", workers=1)
    ]
    undisturbed = store.load_or_run("ticket", SLOW, "cpu", fresh=True, workers=1)
    assert kept and disturbed == [[run[name].tobytes() for name in run.names()] for run in undisturbed]


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_level_that_kills_every_worker_ends_the_sweep(results, monkeypatch):
    monkeypatch.setattr(schedule, "LOSSES", 1)
    monkeypatch.setattr(schedule, "advance_together", die)
    with pytest.raises(concurrent.futures.BrokenExecutor, match="2 workers were killed at the same level"):
        store.load_or_run("ticket", config.seeds(TINY, 2), "cpu", workers=2)


def test_workers_that_dask_has_replaced_by_itself_count_too(results, monkeypatch):
    class Dask(pools.Here):
        lost = (distributed.KilledWorker,)

    def killed(*_):
        raise distributed.KilledWorker("task", None, 3)

    monkeypatch.setattr(schedule, "_pool", lambda *_: Dask())
    monkeypatch.setattr(schedule, "advance_together", killed)
    with pytest.raises(concurrent.futures.BrokenExecutor, match="4 workers were killed at the same level"):
        store.load_or_run("ticket", [TINY], "cpu")


def test_an_error_of_a_worker_arrives_as_it_is(results):
    error = DamagedResult("ticket-1.npz", "is damaged")
    with pools.Processes(1) as pool, pytest.raises(DamagedResult, match="^ticket-1.npz is damaged; move it"):
        pool.submit(0, throw, error).result()


def throw(error):
    raise error


def test_processes_side_by_side_compute_once_what_they_have_in_common():
    with pools.Processes(2) as pool:
        alone = [pool.submit(0, slowly, os.getpid) for _ in range(2)]
        assert len({future.result() for future in alone}) == 2, "two processes"
        futures = [pool.submit(0, slowly, cache.once, "pid", os.getpid) for _ in range(2)]
        assert len({future.result() for future in futures}) == 1, "which have what one of them computed"
        folder = pathlib.Path(pool._common.name)
        assert (folder / "pid").exists()
    assert not folder.exists() and not cache.remembered


def slowly(function, *arguments):
    time.sleep(0.5)
    return function(*arguments)


def test_a_process_whose_folder_cannot_be_written_computes_for_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "common", tmp_path)
    (tmp_path / "found.part").mkdir()
    assert cache.once("found", lambda: 1) == cache.once("found", lambda: 2) == 1
    cache.remembered.clear()
    assert cache.once("found", lambda: 3) == 3


def test_runs_go_first_whose_dense_network_none_before_them_has(results):
    one, other = config.seeds(TINY, 2)
    later = dataclasses.replace(one, criterion="random")
    assert schedule._apart([(one,), (later,), (other,)]) == [(one,), (other,), (later,)]
    _, run = store.load_or_run("ticket", [one, later], "cpu", workers=2)
    side_by_side = {name: run[name].tobytes() for name in run.names()}
    [alone] = store.load_or_run("ticket", [later], "cpu", fresh=True, workers=1)
    assert side_by_side == {name: alone[name].tobytes() for name in alone.names()}
