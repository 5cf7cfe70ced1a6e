"""Results: whole or not at all, found by content, resumed to the same bits, never silently wrong."""

import dataclasses
import errno
import json
import os
import shutil
import signal
import time
import zipfile

import numpy as np
import pytest
import torch

from sifting import config, store
from sifting.results.history import META, DamagedResult, History
from sifting.store import devices
from tests import elsewhere

TINY = dataclasses.replace(
    config.preset("smoke"), steps=10, rewind_step=2, levels=2, evaluations=2, train_images=500
)
RUN = (
    "from sifting import config, store\nimport dataclasses\n"
    "tiny = dataclasses.replace(\n"
    "  config.preset('smoke'), steps=10, rewind_step=2, levels=2, evaluations=2, train_images=500\n)\n"
)


def arrays(history):
    return {name: history[name] for name in history.names()}


def equal(a, b):
    a, b = arrays(a), arrays(b)
    return a.keys() == b.keys() and all(a[name].tobytes() == b[name].tobytes() for name in a)


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The undisturbed run of TINY."""
    folder = tmp_path_factory.mktemp("reference")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIFTING_RESULTS", str(folder))
        return store.load_or_run("ticket", [TINY], "cpu")[0]


@pytest.fixture
def stored(results, reference):
    """A folder of results that holds the run."""
    results.mkdir()
    return shutil.copy(reference.path, results)


def test_a_stored_result_is_read_and_not_computed_again(results, stored, monkeypatch):
    monkeypatch.setattr(store.schedule, "_Sweep", lambda *_: pytest.fail("computed again"))
    assert store.load_or_run("ticket", [TINY, TINY], "cpu")[1].key == config.key(TINY)


def test_history_reads_what_the_run_was(reference):
    assert reference.config == TINY and reference.levels == 2 and reference.layers == 3
    assert reference.mask(0).all() and (reference.mask(2) <= reference.mask(1)).all()
    assert reference.density(2, layer=1) == pytest.approx(0.25, abs=0.01)
    assert (reference.weights(1)[~reference.mask(1)] == 0).all()
    assert reference.weights(1, layer=2).shape == (32, 48)
    assert reference.effective(1, layer=2).shape == (32, 192)
    assert (reference.accuracy("val", "best") >= reference.accuracy("val", "last")).all()
    for wrong in (lambda: reference.mask(3), lambda: reference.mask(0, layer=4), lambda: reference.mask(-1)):
        with pytest.raises(ValueError, match="must be"):
            wrong()
    with pytest.raises(KeyError, match="has no array 'nothing'"):
        reference["nothing"]


def test_provenance_says_how_it_was_made(reference):
    made = reference.provenance
    assert set(made) >= {
        "commit",
        "versions",
        "device",
        "threads",
        "seed",
        "data_seed",
        "wall_seconds",
        "cpu_seconds",
        "peak_memory_mb",
        "date",
    }
    assert (
        set(made["versions"]) >= {"python", "torch", "numpy"}
        and made["wall_seconds"] > 0
        and made["peak_memory_mb"] > 50
    )


def test_two_workers_give_the_bits_of_one(results):
    configs = config.seeds(TINY, 2)
    serial = store.load_or_run("ticket", configs, "cpu", workers=1)
    copies = [arrays(history) for history in serial]
    parallel = store.load_or_run("ticket", configs, "cpu", workers=2, fresh=True)
    for before, after in zip(copies, parallel):
        assert all(before[name].tobytes() == after[name].tobytes() for name in before)
    assert not list((results / ".running").iterdir())


def test_an_interrupted_run_goes_on_from_its_last_level(results, reference):
    assert store.advance("ticket", TINY, "cpu") and store.advance("ticket", TINY, "cpu")
    first = (results / ".running").rglob("level-000.npz").__next__()
    written = first.stat().st_mtime_ns
    [history] = store.load_or_run("ticket", [TINY], "cpu")
    assert equal(history, reference) and written and not first.exists()


@pytest.mark.parametrize("how, code", [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_a_killed_process_loses_no_finished_level(results, python, reference, how, code, wait_for):
    process = python(
        RUN + "import time\nfrom sifting.pruning.tickets import Run\nslow = Run.conclude\n"
        "def crawl(*a):\n    time.sleep(1); return slow(*a)\n"
        "Run.conclude = crawl\n"
        "try:\n    store.load_or_run('ticket', [tiny], 'cpu')\n"
        "except KeyboardInterrupt:\n    raise SystemExit(130)"
    )
    wait_for(lambda: any(results.rglob("level-000.npz")))
    time.sleep(0.2)
    process.send_signal(how)
    process.communicate(timeout=30)
    assert process.returncode == code
    assert list((results / ".running").rglob("level-000.npz")) and not list(results.glob("*.npz"))
    [history] = store.load_or_run("ticket", [TINY], "cpu")
    assert equal(history, reference)


def test_a_terminated_command_ends_its_workers_and_keeps_finished_levels(
    results, python, reference, wait_for
):
    process = python(
        "from sifting import __main__ as cli, config, store; from sifting.publish import runner\n"
        "import dataclasses, sys\n"
        "slow = dataclasses.replace(config.preset('smoke'), steps=400, levels=3)\n"
        "cli.command = lambda words: store.load_or_run('ticket', config.seeds(slow, 2), 'cpu', workers=2)\n"
        "sys.exit(cli.main([]))"
    )
    wait_for(lambda: any(results.rglob("level-000.npz")))
    process.terminate()
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 130 and "interrupted; finished levels are kept" in errors
    assert any(results.rglob("level-000.npz"))


def test_a_result_names_every_commit_that_its_levels_were_computed_at(results, monkeypatch):
    for commit in ("aaa", "aaa", "bbb"):
        monkeypatch.setattr("sifting.store.provenance.commit", lambda commit=commit: commit)
        store.advance("ticket", TINY, "cpu")
    assert store.load_or_run("ticket", [TINY], "cpu")[0].provenance["commit"] == "aaa, bbb"


def test_fresh_computes_again_and_replaces(results, stored, reference):
    before = store.path("ticket", TINY).stat().st_mtime_ns
    [history] = store.load_or_run("ticket", [TINY], "cpu", fresh=True)
    assert history.path.stat().st_mtime_ns != before and equal(history, reference)


def test_workers_end_with_a_parent_that_is_killed(results, python, wait_for):
    process = python(
        RUN
        + "if __name__ == '__main__':\n    long = config.seeds(dataclasses.replace(tiny, steps=100000), 2)\n"
        "    import multiprocessing, threading, time\n"
        "    how = {'args': ('ticket', long, 'cpu'), 'kwargs': {'workers': 2}}\n"
        "    threading.Thread(target=store.load_or_run, **how).start()\n"
        "    while len(multiprocessing.active_children()) < 2: time.sleep(0.1)\n"
        "    time.sleep(5)\n"
        "    print(*[child.pid for child in multiprocessing.active_children()], flush=True)\n"
    )
    workers = [int(word) for word in process.stdout.readline().split()]
    process.kill()
    process.communicate(timeout=30)
    assert len(workers) == 2
    wait_for(lambda: not any(_runs(pid) for pid in workers))


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return True
    except ProcessLookupError:
        return False


def test_a_fresh_run_that_was_interrupted_goes_on_and_then_starts_over(
    results, stored, reference, monkeypatch
):
    levels, advance = [], store.levels.advance_together

    def interrupted(*arguments, **options):
        levels.append(arguments)
        if len(levels) == 3:
            raise KeyboardInterrupt
        return advance(*arguments, **options)

    monkeypatch.setattr(store.schedule, "advance_together", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.load_or_run("ticket", [TINY], "cpu", fresh=True)
    assert equal(store.load("ticket", TINY), reference), "what was stored stays until the new result is whole"
    [history] = store.load_or_run("ticket", [TINY], "cpu", fresh=True)
    assert len(levels) == 3 + 2 and equal(history, reference), "two levels were kept; one more, and packing"
    store.load_or_run("ticket", [TINY], "cpu", fresh=True)
    assert len(levels) == 5 + 4


def damage_half(path):
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def damage_bits(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 0xFF
    path.write_bytes(data)


def damage_empty(path):
    path.write_bytes(b"")


def damage_foreign(path):
    np.savez(path.with_suffix(""), nothing=np.zeros(3))


def damage_other_run(path):
    store.save("ticket", dataclasses.replace(TINY, seed=9), {"a": np.zeros(2)}, {}, path)


def damage_config(path):
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    meta = json.loads(members[META])
    meta["config"]["lr"] = 0.7
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in (members | {META: json.dumps(meta)}).items():
            archive.writestr(name, data)


@pytest.mark.parametrize(
    "damage", [damage_half, damage_bits, damage_empty, damage_foreign, damage_other_run, damage_config]
)
def test_a_damaged_or_foreign_file_is_reported_and_left_alone(results, stored, damage):
    path = store.path("ticket", TINY)
    damage(path)
    broken = path.read_bytes()
    with pytest.raises(DamagedResult, match=path.name):
        [history] = store.load_or_run("ticket", [TINY], "cpu")
        arrays(history)
    assert path.read_bytes() == broken


def test_check_finds_a_changed_byte_in_an_array_that_nobody_read(results, stored):
    History(store.path("ticket", TINY)).check()
    damage_bits(store.path("ticket", TINY))
    with pytest.raises(DamagedResult, match="is damaged"):
        History(store.path("ticket", TINY)).check()


def test_the_folder_of_results_is_whole_and_never_empty(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SIFTING_RESULTS", "here")
    assert store.root() == tmp_path / "here"
    monkeypatch.setenv("SIFTING_RESULTS", "")
    assert store.root().parts[-2:] == ("book", "results")


def test_what_cannot_be_computed_or_kept_is_found_before_a_worker_starts(results, monkeypatch):
    monkeypatch.setattr(store.schedule, "_Sweep", lambda *_: pytest.fail("started"))
    for field, message in (
        ({"criterion": "magic"}, "unknown criterion 'magic'; choose from .*magnitude, .*random"),
        ({"model": "cnn9"}, "unknown model 'cnn9'"),
        ({"dataset": "cifar1000"}, "unknown dataset 'cifar1000'"),
        ({"labels": "semantic", "dataset": "digits"}, "unknown labels of digits 'semantic'"),
        ({"labels": "random", "classes": 999}, "classes=999"),
    ):
        with pytest.raises(ValueError, match=message):
            store.load_or_run("ticket", [dataclasses.replace(TINY, **field)], "cpu")
    results.write_text("a file")
    with pytest.raises(OSError, match="SIFTING_RESULTS names another folder") as caught:
        store.load_or_run("ticket", [TINY], "cpu")
    assert caught.value.filename == str(results)


def test_an_engine_that_there_is_not_is_refused_even_where_all_is_stored(results, stored):
    with pytest.raises(ValueError, match="unknown engine 'warp'; choose from auto"):
        store.load_or_run("ticket", [TINY], "cpu", engine="warp")


@pytest.mark.parametrize("device, what", [("cuda", "GPU"), ("mps", "Metal GPU")])
def test_a_gpu_that_there_is_not_is_refused_even_where_all_is_stored(
    device, what, results, stored, monkeypatch
):
    for backend in (torch.cuda, torch.backends.mps):
        monkeypatch.setattr(backend, "is_available", lambda: False)
    said = f"device {device}: torch sees no {what} here; use device=cpu, or device=auto"
    with pytest.raises(ValueError, match=said):
        store.load_or_run("ticket", [TINY], device)


def test_a_damaged_level_is_reported_too(results):
    store.advance("ticket", TINY, "cpu")
    level = next((results / ".running").rglob("level-000.npz"))
    damage_half(level)
    with pytest.raises(DamagedResult, match="level-000.npz"):
        store.load_or_run("ticket", [TINY], "cpu")


def test_fresh_starts_over_where_a_level_of_an_interrupted_fresh_run_is_damaged(results, reference):
    store.advance("ticket", TINY, "cpu")
    level = next((results / ".running").rglob("level-000.npz"))
    (level.parent / "fresh").touch()
    damage_half(level)
    [history] = store.load_or_run("ticket", [TINY], "cpu", fresh=True)
    assert equal(history, reference)


def test_arrays_of_objects_are_never_read(results, tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "executed"), "w"))

    path = store.path("ticket", TINY)
    store.save("ticket", TINY, {"a": np.zeros(2)}, {})
    with zipfile.ZipFile(path, "a") as archive, archive.open("evil.npy", "w") as file:
        np.lib.format.write_array(file, np.array([Evil()], object), allow_pickle=True)
    with pytest.raises(DamagedResult, match="damaged"):
        History(path)["evil"]
    assert not (tmp_path / "executed").exists()


def test_a_full_disk_says_so_and_leaves_nothing_half_written(results, python):
    process = python(
        RUN + "import resource, signal\nstore.advance('ticket', tiny, 'cpu')\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\n"
        "store.advance('ticket', tiny, 'cpu')"
    )
    _, errors = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "could not write level-001.npz" in errors and "everything finished before is kept" in errors
    assert [file.name for file in (results / ".running").rglob("*") if file.is_file()] == ["level-000.npz"]


def test_errors_of_the_disk_keep_their_number(results, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(OSError, match="No space left") as caught:
        store.save("ticket", TINY, {"a": np.zeros(2)}, {})
    assert caught.value.errno == errno.ENOSPC and not [f for f in results.iterdir() if f.is_file()]


def test_unknown_kinds_and_devices_raise_with_the_choices(results):
    with pytest.raises(ValueError, match="unknown kind of result 'ticke'"):
        store.load_or_run("ticke", [])
    with pytest.raises(ValueError, match="workers must be 1 or more, not -1"):
        store.load_or_run("ticket", [TINY], workers=-1)
    with pytest.raises(ValueError, match="representations are of the first layer of model fcn, not lenet"):
        store.load_or_run("representation", [config.preset("smoke", family="lenet")], "cpu", workers=1)
    with pytest.raises(
        ValueError, match=r"unknown kind of result 'tickets' \(did you mean ticket\?\); choose"
    ):
        store.load_or_run("tickets", [TINY])
    with pytest.raises(ValueError, match="unknown device 'tpu'; choose from auto, cpu, cuda, mps"):
        store.load_or_run("ticket", [TINY], "tpu")
    with pytest.raises(FileNotFoundError, match="no stored result"):
        store.load("ticket", TINY)


class Toy:
    """A kind of result that a device does in part."""

    def __init__(self, error):
        self.error, self.asked = error, []

    def __call__(self, device):
        self.asked.append(device)
        if device == "mps":
            raise self.error
        return "found"


LINE = "The operator 'aten::_x' is not currently implemented for the MPS device. If you want this op"


@pytest.mark.parametrize(
    "error", [NotImplementedError(LINE), TypeError("Cannot convert a MPS Tensor to float64 dtype as MPS")]
)
def test_what_mps_lacks_is_computed_on_the_cpu_and_one_line_says_so(error, capsys, monkeypatch):
    monkeypatch.setattr(devices, "told", set())
    toy = Toy(error)
    assert [devices.computed("toy", "mps", toy) for _ in range(2)] == [("found", "cpu")] * 2
    assert toy.asked == ["mps", "cpu", "cpu"]
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and said.startswith("device mps: ") and "MPS" in said
    assert said.endswith("; toy is computed on the CPU\n")


@pytest.mark.parametrize(
    "device, error", [("mps", TypeError("no such argument")), ("cuda", TypeError("MPS"))]
)
def test_an_error_of_another_kind_is_not_taken_for_a_lack(device, error):
    def fail(device):
        raise error

    with pytest.raises(TypeError, match=str(error)):
        devices.computed("toy", device, fail)


def test_a_run_that_needs_double_precision_goes_to_its_end_on_mps(results, monkeypatch, capsys):
    monkeypatch.setattr(devices, "told", set())
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    with elsewhere.device("mps", monkeypatch):
        [run] = store.load_or_run("ticket", [dataclasses.replace(TINY, criterion="synflow")], "mps")
        [other] = store.load_or_run("ticket", [TINY], "mps")
    assert capsys.readouterr().err.count("ticket by synflow is computed on the CPU") == 1
    assert run.levels == other.levels == TINY.levels
    assert run.provenance["device"] == store.processor()
    assert other.provenance["device"] == f"{store.processor()}, mps"
