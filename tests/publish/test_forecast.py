"""What a chapter lacks is told before it is computed."""

import math

import numpy as np
import pytest

from sifting import store
from sifting.publish import forecast, plans
from sifting.store import expected


@pytest.fixture(autouse=True)
def anew():
    """What is known of stored runs is forgotten."""
    expected._measured.cache_clear()
    yield
    expected._measured.cache_clear()


def test_what_a_chapter_lacks_is_told_with_its_levels(results, monkeypatch):
    base, usual = plans.base("data", "smoke"), plans.base("data", "laptop")
    monkeypatch.setattr(forecast.schedule, "cores", lambda: 2)
    ahead = forecast.forecast("data", base, 1)
    wanted = dict.fromkeys(plans.planned("data", base, 1))
    assert (ahead.lacking, ahead.stored) == (len(wanted), 0) and math.isnan(ahead.seconds)
    assert ahead.levels == sum(one.levels + 1 for _, one in wanted)
    assert "an unknown time" in str(ahead)
    for kind, one in plans.planned("data", usual, 1):
        store.save(kind, one, {"x": np.ones(1)}, {"wall_seconds": 10.0})
    expected._measured.cache_clear()
    assert forecast.forecast("data", usual, 1).lacking == 0
    again = forecast.forecast("data", usual, 1, fresh=True)
    assert again.lacking == len(wanted) and again.seconds == pytest.approx(10 * len(wanted) / 2)
    more = forecast.forecast("data", usual, 2)
    assert more.stored == len(wanted) and f"{len(wanted)} more are stored; about 30 s on 2 cores" in str(more)
