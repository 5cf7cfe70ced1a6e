"""A result in memory reads like one of a file."""

import dataclasses
import pickle

import numpy as np
import pytest

from sifting import config, store
from sifting.results.history import History

CONFIG = dataclasses.replace(config.preset("smoke"), levels=2)
ARRAYS = {
    "shape": np.array([1, 2, 2]),
    "val_accuracy": np.array([[0.1, 0.5], [0.6, 0.2], [0.3, 0.4]], np.float32),
    "test_accuracy": np.array([[0.2, 0.4], [0.5, 0.3], [0.2, 0.6]], np.float32),
    "removed_at/linear.0.weight": np.array([[1, 2, 255, 255], [255, 1, 2, 255]], np.uint8),
    "removed_at/linear.1.weight": np.array([[255, 1]], np.uint8),
    "trained/1/linear.0.weight": np.arange(6, dtype=np.float16),
}
READINGS = {
    "name": lambda run: run.name,
    "repr": repr,
    "provenance": lambda run: run.provenance["device"],
    "names": lambda run: run.names(),
    "engine": lambda run: run.engine,
    "levels": lambda run: (run.levels, run.outcome, run.shown),
    "layers": lambda run: (run.layers, run.layer_names),
    "array": lambda run: run["shape"],
    "arrays": lambda run: [run.arrays()[name] for name in run.names()],
    "masks": lambda run: [run.mask(level, layer) for level in range(3) for layer in (1, 2)],
    "effective": lambda run: run.effective(1, 2),
    "weights": lambda run: run.weights(1, 1),
    "density": lambda run: [run.density(level) for level in range(3)],
    "accuracy": lambda run: (run.accuracy(), run.accuracy("test"), run.accuracy("test", "last")),
}


@pytest.fixture
def stored(monkeypatch, tmp_path):
    monkeypatch.setenv("SIFTING_RESULTS", str(tmp_path))
    store.files.save("ticket", CONFIG, ARRAYS, {"device": "cpu"})
    return store.load("ticket", CONFIG)


@pytest.mark.parametrize("reading", READINGS)
def test_memory_and_file_read_alike(stored, reading):
    held = History.of("ticket", CONFIG, ARRAYS, {"device": "cpu"})
    for run in (held, pickle.loads(pickle.dumps(held))):
        np.testing.assert_equal(READINGS[reading](run), READINGS[reading](stored))


@pytest.mark.parametrize("held", [True, False], ids=["memory", "file"])
def test_what_is_read_cannot_be_changed_and_what_is_copied_can(stored, held):
    run = History.of("ticket", CONFIG, ARRAYS) if held else stored
    with pytest.raises(ValueError, match="read-only"):
        run["shape"][0] = 3
    run.arrays()["shape"][0] = 3
    assert run["shape"].tolist() == ARRAYS["shape"].tolist() == [1, 2, 2]
    with pytest.raises(KeyError, match="no array 'votes'; it has shape, val_accuracy"):
        run["votes"]
