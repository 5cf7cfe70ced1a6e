"""Runs that are trained together through the store: who goes with whom, levels, restarts, ends."""

import dataclasses

import numpy as np
import pytest

from sifting import config, store
from sifting.pruning import tickets
from sifting.publish import verify
from sifting.results import packing
from sifting.store import schedule

TINY = config.preset(
    "smoke", dataset="digits", steps=10, rewind_step=2, levels=2, evaluations=2, widths=(16, 8)
)
RUNS = [*config.seeds(TINY, 2), dataclasses.replace(TINY, levels=1, lr=0.05)]


def equal(a, b):
    return a.names() == b.names() and all(a[name].tobytes() == b[name].tobytes() for name in a.names())


def test_runs_that_stack_are_a_team_and_others_go_alone():
    wider = dataclasses.replace(TINY, widths=(8, 8))
    turned = config.seeds(dataclasses.replace(TINY, transform="rotate"), 2)
    some = [RUNS[0], wider, *turned, *RUNS[1:]]
    assert tickets.teams(some, device="cuda") == [RUNS, [wider], *([run] for run in turned)]
    assert tickets.teams(some, device="cpu") == tickets.teams(some, "reference") == [[run] for run in some]
    assert [len(team) for team in tickets.teams(config.seeds(TINY, 20), "replicas")] == [8, 8, 4]


def test_a_team_has_the_records_of_runs_found_together(results):
    together = zip(*tickets.find_together(RUNS))
    packed = [packing.pack([record for record in run if record], one) for run, one in zip(together, RUNS)]
    stored = store.load_or_run("ticket", RUNS, "cpu", engine="replicas")
    for run, arrays in zip(stored, packed, strict=True):
        assert run.engine == "replicas 3" and set(run.names()) == set(arrays)
        assert all(run[name].tobytes() == np.asarray(array).tobytes() for name, array in arrays.items())
    alone = store.load_or_run("masks", RUNS, "cpu")
    assert [run.engine.split()[0] for run in alone] == ["kept"] * 3
    for one, other in zip(stored, alone):
        assert one["train_loss"] == pytest.approx(other["train_loss"], abs=1e-3)


@pytest.mark.parametrize("kept", [1, 2, 3])
def test_a_team_that_is_interrupted_goes_on_to_the_same_bits(results, monkeypatch, kept):
    """The last of them ends before the others.

    Interrupted after that, a fresh sweep computes it again, alone.
    """

    def bits(run):
        return [(name, run[name].tobytes()) for name in run.names()]

    calls, advance = [], schedule.advance_together
    first = store.load_or_run("ticket", RUNS, "cpu", engine="replicas")
    whole, written = list(map(bits, first)), [run.path.stat().st_mtime_ns for run in first]

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == kept + 1:
            raise KeyboardInterrupt
        return advance(*arguments)

    monkeypatch.setattr(schedule, "advance_together", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.load_or_run("ticket", RUNS, "cpu", fresh=True, engine="replicas")
    same = [store.path("ticket", run).stat().st_mtime_ns == when for run, when in zip(RUNS, written)]
    assert same == [True, True, kept < 3]
    again = store.load_or_run("ticket", RUNS, "cpu", fresh=True, engine="replicas")
    assert list(map(bits, again))[: 2 + (kept < 3)] == whole[: 2 + (kept < 3)]
    assert again[2].engine == ("replicas 3" if kept < 3 else "replicas 1")


def test_a_run_goes_on_with_what_it_began_with(results):
    """One was begun alone, by its own engine; the others begin together.

    They stay together when one of them has ended.
    """
    assert store.advance("ticket", RUNS[1], "cpu", engine="reference") == 1
    runs = dict.fromkeys(RUNS)
    assert advance(runs) == [1, 1, 1]
    assert advance(runs) == [2, 1, 2]
    assert advance(runs) == [2, 2, 2]
    while any(advance(runs)):
        pass
    assert [load(run).engine for run in RUNS] == ["replicas 3", "reference", "replicas 3"]
    packed = packing.pack([record for [record] in tickets.find_together(RUNS[:1], size=3)], RUNS[0])
    assert all(load(RUNS[0])[name].tobytes() == np.asarray(array).tobytes() for name, array in packed.items())


def test_runs_that_began_otherwise_do_not_go_on_together():
    first = next(tickets.find(RUNS[0], engine="reference"))
    with pytest.raises(ValueError, match="runs that began with the engine reference do not go on together"):
        next(tickets.find_together(RUNS[:2], finished=[[first], []]))


def test_a_team_of_which_one_is_left_goes_on_and_is_verified(results, capsys):
    runs = [TINY, dataclasses.replace(TINY, levels=1)]
    stored = store.load_or_run("masks", runs, "cpu", engine="replicas", workers=1)
    assert [run.engine for run in stored] == ["replicas 2"] * 2
    for run in stored:
        assert verify.verify(run.name, device="cpu")
    assert capsys.readouterr().out.count("reproduced (every bit)") == 2


def test_small_data_without_replacement_makes_smaller_batches_and_other_teams():
    few = dataclasses.replace(TINY, fraction=0.05, replacement=False)
    assert len(tickets.teams([few, dataclasses.replace(few, fraction=1.0)], "replicas")) == 2
    assert len(tickets.teams([few, dataclasses.replace(few, seed=1)], "replicas")) == 1


def test_what_does_not_stack_is_refused_before_anything_is_computed(results):
    turned = dataclasses.replace(TINY, transform="rotate")
    with pytest.raises(ValueError, match="engine replicas trains .* not rotate; choose auto"):
        store.load_or_run("ticket", [turned], "cpu", engine="replicas")
    assert not results.exists()


def advance(runs):
    counts = store.levels.advance_together("ticket", runs, "cpu")
    for run, count in zip(list(runs), counts):
        if count is None:
            del runs[run]
    return counts


def load(one):
    return store.load("ticket", one)
