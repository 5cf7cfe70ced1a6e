"""Processes that are killed, and processes that want the same.

Nothing is lost, nothing half-written, nothing done twice.
"""

import signal
import time

import filelock
import pytest

from sifting import config, store
from sifting.store import levels, schedule

TINY = config.preset(
    "smoke", dataset="digits", steps=10, rewind_step=2, levels=2, evaluations=2, widths=(16, 8)
)
SETUP = """
import dataclasses, itertools, os, pathlib, random, shutil, signal, sys, time
from sifting import config, store
from sifting.results.history import History
from sifting.store import levels
tiny = config.preset(
    "smoke", dataset="digits", steps=10, rewind_step=2, levels=2, evaluations=2, widths=(16, 8)
)
here = store.root()
"""
CRAWL = """
from sifting.training import sparse
quick = sparse.Network.step
sparse.Network.step = lambda *a: (time.sleep(0.04), quick(*a))[1]
"""


def equal(a, b):
    return a.names() == b.names() and all(a[name].tobytes() == b[name].tobytes() for name in a.names())


def finished(process):
    out, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    return out


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """Two seeds of TINY, undisturbed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIFTING_RESULTS", str(tmp_path_factory.mktemp("reference")))
        return store.load_or_run("ticket", config.seeds(TINY, 2), "cpu", workers=1)


# --- one process that is killed

FORKS = """
import tqdm
import sifting.store.provenance
sifting.store.provenance.commit = lambda: "0"  # git takes longer than such a run
tqdm.tqdm.monitor_interval = 0  # no threads: this process forks

def run(configs, fresh):
    return store.load_or_run("ticket", configs, "cpu", fresh, workers=1)

def forked(work):
    sys.stdout.flush()
    if (child := os.fork()) == 0:
        sys.stderr = open(os.devnull, "w")
        work()
        os._exit(0)
    return child

def dies_at(moment, work):
    count = itertools.count(1)
    def hook(event, arguments):
        change = event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir")
        change |= event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if change and str(here) in str(arguments[0]) and next(count) == moment:
            os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)
    work()

def content(histories):
    return [[history[name].tobytes() for name in history.names()] for history in histories]

def whole():
    for file in [*here.glob("*.npz"), *here.rglob("level-*.npz")]:
        History(file, file.stem if file.parent == here else file.parent.name).check()

def clean():
    left = [*(here / ".running").iterdir(), *here.glob(".*.*")]
    assert not left, left
"""


@pytest.mark.parametrize("fresh", [False, True])
def test_a_run_killed_at_any_change_of_a_file_goes_on_to_the_same_bits(python, fresh):
    process = python(
        SETUP + FORKS + f"fresh = {fresh}\n"
        "configs = [dataclasses.replace(tiny, levels=1, steps=3)]\n"
        "expected = content(run(configs, False))\n"
        "for moment in itertools.count(1):\n"
        "    if not fresh: shutil.rmtree(here)\n"
        "    before = levels.stamp('ticket', configs[0])\n"
        "    _, status = os.waitpid(forked(lambda: dies_at(moment, lambda: run(configs, fresh))), 0)\n"
        "    if status == 0: break\n"
        "    assert os.WTERMSIG(status) == signal.SIGKILL\n"
        "    whole()\n"
        "    assert content(run(configs, fresh)) == expected, moment\n"
        "    assert levels.stamp('ticket', configs[0]) != before\n"
        "    clean()\n"
        "print(moment)"
    )
    assert int(finished(process)) > 20


def test_a_sweep_killed_at_random_times_goes_on_to_the_same_bits(python):
    process = python(
        SETUP + FORKS + "configs, draw = config.seeds(tiny, 2), random.Random(0)\n"
        "expected = content(run(configs, False))\n"
        "started = time.time()\n"
        "assert content(run(configs, True)) == expected\n"
        "seconds = time.time() - started\n"
        "shutil.rmtree(here)\n"
        "for kill in range(12):\n"
        "    child = forked(lambda: run(configs, False))\n"
        "    time.sleep(draw.uniform(0, seconds / 2))\n"
        "    os.kill(child, signal.SIGKILL)\n"
        "    os.waitpid(child, 0)\n"
        "    whole()\n"
        "assert content(run(configs, False)) == expected\n"
        "clean()"
    )
    finished(process)


# --- processes that want the same


def test_two_processes_that_want_the_same_do_the_work_once(results, python, reference):
    code = (
        SETUP
        + CRAWL
        + "saved, save = [], levels.save\n"
        + "levels.save = lambda *a: (saved.append(a[4].name if a[4:] else 'result'), save(*a))\n"
        + "for name in ('once', 'afresh'):\n"
        "    print('ready', flush=True)\n"
        "    while not (here.parent / name).exists(): time.sleep(0.01)\n"
        "    store.load_or_run('ticket', config.seeds(tiny, 2), 'cpu', name == 'afresh', workers=1)\n"
        "print(*saved)"
    )
    both = [python(code), python(code)]
    for name in ("once", "afresh"):
        assert [process.stdout.readline() for process in both] == ["ready\n"] * 2
        (results.parent / name).touch()
    saved = [finished(process).split() for process in both]
    assert all(saved), "one of them did everything"
    once = ["level-000.npz", "level-001.npz", "level-002.npz", "result"]
    assert sorted(saved[0] + saved[1]) == sorted(once * 2 * 2)  # two runs, twice
    assert all(map(equal, store.load_or_run("ticket", config.seeds(TINY, 2)), reference))


def stop_at_a_level(process, name):
    """Stop a process while it holds the lock of a run, not in the moment between two levels."""
    while True:
        process.send_signal(signal.SIGSTOP)
        try:
            store.files.lock(name).acquire().lock.release()
        except filelock.Timeout:
            return
        process.send_signal(signal.SIGCONT)
        time.sleep(0.05)
        assert process.poll() is None, process.stderr.read()


def test_who_waits_for_a_process_that_dies_goes_on_in_its_place(results, python, reference, wait_for):
    first = python(SETUP + CRAWL + "store.load_or_run('ticket', [tiny], 'cpu')")
    wait_for(lambda: list(results.rglob("level-000.npz")))
    stop_at_a_level(first, store.path("ticket", TINY).stem)
    second = python(SETUP + "store.load_or_run('ticket', [tiny], 'cpu')")
    said = ""
    while "waits for another process" not in said:
        said += (character := second.stderr.read(1))
        assert character, said
    assert not store.exists("ticket", TINY)
    first.kill()
    first.communicate()
    finished(second)
    assert equal(store.load("ticket", TINY), reference[0])


def test_a_run_that_another_is_at_is_put_last(results, monkeypatch):
    monkeypatch.setattr(schedule, "SECONDS", 0.01)
    configs, order = config.seeds(TINY, 2), []
    held = store.files.lock(store.path("ticket", configs[0]).stem).acquire()

    def recorded(kind, runs, *rest):
        levels_done = levels.advance_together(kind, runs, *rest)
        order.extend(config.seed for config in runs)
        if len(order) == 4:
            held.lock.release()
        return levels_done

    monkeypatch.setattr(schedule, "advance_together", recorded)
    store.load_or_run("ticket", configs, "cpu", workers=1)
    assert order == [1] * 4 + [0] * 4


def test_levels_of_a_stored_run_and_half_written_files_are_removed(results, reference):
    store.advance("ticket", TINY, "cpu")
    folder = results / ".running" / reference[0].name
    (folder / ".level-001.npz.123").write_text("half")
    (results / f".{reference[0].name}.npz.123").write_text("half")
    store.advance("ticket", TINY, "cpu")
    assert not [*folder.glob(".*"), *results.glob(".ticket*")]
    store.path("ticket", TINY).write_bytes(reference[0].path.read_bytes())
    store.load_or_run("ticket", [TINY])
    assert not folder.exists()
