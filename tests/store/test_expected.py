"""How long runs will take: told from those that are like them, and corrected by how it goes."""

import dataclasses
import heapq
import json
import math

import numpy as np
import pytest

from sifting import config, store
from sifting.store import expected

LAPTOP, SMOKE = config.preset("laptop"), config.preset("smoke")


@pytest.fixture
def stored(results):
    """Store runs that took some seconds: stored(config, seconds, ...)."""

    def keep(*runs, folder=""):
        for one, seconds in runs:
            made = {"wall_seconds": seconds, "versions": {}}
            target = results / folder / store.path("masks", one).name
            store.save("masks", one, {"x": np.ones(1)}, made, target)
        expected._measured.cache_clear()
        expected.pace.cache_clear()

    yield keep
    expected._measured.cache_clear()
    expected.pace.cache_clear()


def test_a_run_takes_as_long_as_the_same_one_did(stored):
    stored((LAPTOP, 100.0), (SMOKE, 3.0))
    assert expected.seconds("masks", LAPTOP) == 100.0
    assert expected.seconds("masks", dataclasses.replace(LAPTOP, lr=0.05)) == 100.0
    assert math.isnan(expected.seconds("ticket", LAPTOP)), "another kind"
    assert math.isnan(expected.seconds("masks", dataclasses.replace(LAPTOP, model="lenet", widths=(1,))))


def test_twice_the_training_takes_twice_as_long_and_a_wider_network_longer(stored):
    stored((LAPTOP, 100.0))
    twice = dataclasses.replace(LAPTOP, steps=2 * LAPTOP.steps)
    assert expected.seconds("masks", twice) == pytest.approx(200)
    assert expected.seconds("masks", dataclasses.replace(LAPTOP, widths=(512, 512, 512))) > 200
    least = expected.LEVEL * (SMOKE.levels + 2)
    assert least / 2 < expected.seconds("masks", SMOKE) < 2 * least, "a level takes a while, however small"


@pytest.mark.parametrize("name", config.SETTINGS)
def test_work_is_some_for_whatever_settings(name):
    setting = config.SETTINGS[name]
    if setting.kind in (int, float, tuple) and setting.low is not None:
        least = (int(setting.low),) if setting.kind is tuple else setting.kind(setting.low)
        least = dataclasses.replace(config.Config(rewind_step=0), **{name: least})
        assert 0 < expected.work(least) < math.inf


def test_a_slower_machine_takes_longer_but_not_for_what_it_has_computed(stored, results, monkeypatch):
    monkeypatch.setattr(expected, "product", lambda: 0.03)
    results.mkdir(parents=True, exist_ok=True)
    (results / "bench.json").write_text(json.dumps({"machine": {"product": 10}}))
    stored((LAPTOP, 100.0))
    assert expected.seconds("masks", LAPTOP) == pytest.approx(300)
    monkeypatch.setenv("SIFTING_RESULTS", str(results / "trials"))
    stored((SMOKE, 5.0), folder="trials")
    assert expected.seconds("masks", LAPTOP) == pytest.approx(300)
    assert expected.seconds("masks", SMOKE) == 5.0
    (results / "bench.json").write_text("{")
    stored()
    assert expected.seconds("masks", LAPTOP) == 100.0, "not known: as fast"


@pytest.mark.parametrize("starts", [0.0, 20.0])
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("width", [1, 2, 7])
@pytest.mark.parametrize("slower", [0.2, 1.0, 5.0])
def test_what_is_left_is_told_within_a_factor_of_two_after_the_first_tenth(slower, width, known, starts):
    """Tasks of two lengths, on workers whose first task takes them `starts` seconds more."""
    sizes = [1.0, 3.0] * 60
    left, ends, waiting = expected.Left(sum(sizes), width, known), [], list(sizes)
    for _ in range(width):
        size = waiting.pop()
        heapq.heappush(ends, (starts + slower * size, size))
    done, seen = 0.0, []
    while ends:
        now, size = heapq.heappop(ends)
        done += size
        left.finished(done, now)
        seen.append((now, done, left.seconds(done, now)))
        if waiting:
            size = waiting.pop()
            heapq.heappush(ends, (now + slower * size, size))
    end = seen[-1][0]
    checked = [(told, end - now) for now, done, told in seen if 0.1 * sum(sizes) < done < 0.9 * sum(sizes)]
    assert len(checked) > 50
    assert all(truth / 2 < told < 2 * truth for told, truth in checked if truth > 5 * slower)
    assert seen[-1][2] == 0


def test_before_anything_is_known_nothing_is_said():
    assert math.isnan(expected.Left(10, 2, known=False).seconds(0, 0))
    assert expected.Left(10, 2).seconds(0, 1000) == 5, "as expected; the start of workers is not counted"
    assert expected.duration(math.nan) == ""


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (45, "45 s"), (100, "2 min"), (3000, "50 min"), (9000, "2 h")]
)
def test_durations_in_words(seconds, words):
    assert expected.duration(seconds) == f"about {words}"
