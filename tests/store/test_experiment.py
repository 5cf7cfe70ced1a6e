"""Kinds of results: each is an Experiment, can be computed, and goes on to the same bits."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from sifting import config, store
from sifting.pruning import tickets
from sifting.results.packing import MEASURED
from sifting.store.experiment import EXPERIMENTS, Experiment, experiment_of

TINY = config.preset(
    "smoke", steps=6, rewind_step=1, evaluations=1, levels=2, min_alive=0, train_images=600, widths=(16, 8),
    labels="picture", clone="pixels", subsets=2, probe_images=20,
)  # fmt: skip


def same(a, b):
    a, b = (
        {name: (np.asarray(v).dtype, np.asarray(v).tobytes()) for name, v in one.items()} for one in (a, b)
    )
    return a == b


@pytest.mark.parametrize("kind", EXPERIMENTS)
def test_every_kind_is_an_experiment_that_can_be_computed_and_goes_on_to_the_same_bits(kind, results):
    made = experiment_of(kind)
    assert isinstance(made, Experiment)
    [run] = store.load_or_run(kind, [TINY], "cpu", workers=1)
    records = list(made.find(TINY))
    assert 0 < len(records) <= made.level_count(TINY)
    assert same({name: run[name] for name in run.names()}, made.pack(records, TINY))
    for stop in range(1, len(records) + 1):
        again = list(made.find(TINY, "cpu", records[:stop]))
        assert len(again) == len(records) - stop and all(map(same, again, records[stop:]))


@pytest.mark.parametrize("kind", [kind for kind in EXPERIMENTS if experiment_of(kind).find_together])
def test_what_is_measured_of_a_run_changes_none_of_it_and_has_names_of_its_own(kind):
    for found, plain in (
        (experiment_of(kind).find(TINY), tickets.find(TINY)),
        ([one for [one] in experiment_of(kind).find_together([TINY])], tickets.find(TINY, engine="replicas")),
    ):
        for record, other in zip(found, plain, strict=True):
            run = {name: value for name, value in record.items() if not name.startswith(MEASURED)}
            assert same(run, other)


@pytest.mark.parametrize("kind", EXPERIMENTS)
def test_teams_have_every_run_once(kind):
    runs = [*config.seeds(TINY, 3), dataclasses.replace(TINY, batch_norm="none"), TINY]
    for engine, device in (("auto", "cpu"), ("auto", "cuda"), ("replicas", "cpu")):
        teams = experiment_of(kind).teams(runs, engine, device)
        assert sorted(map(repr, sum(teams, []))) == sorted(map(repr, runs))


def test_what_is_stored_is_read_without_torch(results):
    store.load_or_run("masks", [TINY], "cpu", workers=1)
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from sifting import config, store\n"
        f"[run] = store.load_or_run('masks', [config.{TINY!r}])\n"
        "print(run.levels)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr
