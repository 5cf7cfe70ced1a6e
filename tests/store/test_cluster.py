"""A Dask scheduler and workers, real ones on this machine: some are killed, some do not fit."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import threading

import pytest

from sifting import config, store
from sifting.store import pools, remote

ROOT = pathlib.Path(__file__).resolve().parents[2]
RUNS = config.seeds(
    config.preset(
        "smoke", dataset="digits", steps=300, rewind_step=2, levels=2, evaluations=2, widths=(16, 8)
    ),
    3,
)
DASK = [sys.executable, "-m", "dask"]


def started(*words, **surroundings):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), **surroundings}
    return subprocess.Popen([*DASK, *words], env=environment, cwd="/", stderr=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory, wait_for):
    """Address of a scheduler that cannot import the package."""
    file = tmp_path_factory.mktemp("scheduler") / "scheduler.json"
    words = "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)
    process = started(*words, PYTHONPATH="")
    wait_for(file.exists)
    yield wait_for(lambda: file.read_text()) and json.loads(file.read_text())["address"]
    process.terminate()
    process.wait(30)


@pytest.fixture
def worker(scheduler, tmp_path):
    """Start a worker, with these options."""
    workers = []

    def start(*words, **surroundings):
        words = "--no-dashboard", "--no-nanny", "--local-directory", str(tmp_path), *words
        workers.append(started("worker", scheduler, *words, **surroundings))
        return workers[-1]

    yield start
    for process in workers:
        process.kill()
        process.wait(30)


def arrays(histories):
    return [{name: history[name].tobytes() for name in history.names()} for history in histories]


def test_a_sweep_waits_for_workers_outlives_one_and_gives_the_bits_of_one_process(
    results, scheduler, worker, capfd, wait_for
):
    def happen():
        wait_for(lambda: said.append(capfd.readouterr().err) or "waits for workers" in "".join(said))
        one = worker("--nthreads", "1")
        wait_for(lambda: list(results.rglob("level-000.npz")))
        worker("--nthreads", "1")
        one.send_signal(signal.SIGKILL)

    said, events = [], threading.Thread(target=happen)
    events.start()
    swept = arrays(store.load_or_run("ticket", RUNS, "cpu", cluster=scheduler))
    events.join()
    assert not list((results / ".running").iterdir()) and not list((results / ".locks").glob("cluster-*"))
    assert swept == arrays(store.load_or_run("ticket", RUNS, "cpu", fresh=True, workers=1))


def test_a_worker_that_does_not_fit_is_named_with_what_to_do(results, scheduler, worker, monkeypatch):
    def refused(message):
        with pytest.raises(ValueError, match=message):
            store.load_or_run("ticket", RUNS[:1], "cpu", cluster=scheduler)

    process = worker("--nthreads", "1")
    with monkeypatch.context() as patch:
        patch.setattr(remote, "CODE", "other")
        refused(
            "the worker tcp://.* on .* has sifting [0-9a-f]{12}, not other: "
            "give it the same packages and code"
        )
    with monkeypatch.context() as patch:
        patch.setattr(remote, "root", lambda: "/nowhere")
        refused("does not see the folder of results /nowhere; share it")
    with monkeypatch.context() as patch:
        enter = pools.Cluster.__enter__
        patch.setattr(pools.Cluster, "__enter__", lambda pool: (enter(pool), pool._lock.release())[0])
        refused("its file system keeps no common locks")
    process.kill()
    process.wait(30)
    process = worker("--nthreads", "2")
    refused("runs 2 tasks at once; start it with --nthreads 1")
    process.kill()
    process.wait(30)
    worker("--nthreads", "1", PYTHONPATH="")
    refused("No module named 'sifting'; start it with PYTHONPATH=")
    assert not list(results.glob("*.npz"))


def test_a_scheduler_that_is_not_there_or_goes_is_told(results, python, monkeypatch, tmp_path, wait_for):
    monkeypatch.setattr(pools, "SECONDS", 1)
    with pytest.raises(ConnectionError, match="no Dask scheduler answers at tcp://127.0.0.1:1 "):
        store.load_or_run("ticket", RUNS, "cpu", cluster="tcp://127.0.0.1:1")
    for wrong in ("somewhere", "http://127.0.0.1:80"):
        with pytest.raises(ValueError, match=f"cluster takes an address as tcp://host:8786, not '{wrong}'"):
            store.load_or_run("ticket", RUNS, "cpu", cluster=wrong)
    file = tmp_path / "scheduler.json"
    words = "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)
    process = started(*words)
    wait_for(file.exists)
    address = wait_for(lambda: file.read_text()) and json.loads(file.read_text())["address"]
    threading.Timer(2, process.kill).start()
    with pytest.raises(ConnectionError, match="is gone; finished levels are kept, run the same command"):
        store.load_or_run("ticket", RUNS, "cpu", cluster=address)
    process.wait(30)
    assert not list((results / ".locks").glob("cluster-*"))
