"""Explorers of masks and planes of one's own."""

import numpy as np
import pytest

import sifting
from sifting.results.masks import NEVER
from sifting.results.nested import Nested
from tests.own.test_examining import Cnn, Mlp, X, Y, made
from tests.own.test_measuring import by_prune, mlp

SHAPE = (2, 6, 6)


def levels(count=3):
    draw = np.random.default_rng(0)
    found = [{"a": np.ones((9, 72), bool), "b": np.ones((4, 9), bool)}]
    for _ in range(count - 1):
        found.append({name: mask & (draw.random(mask.shape) < 0.6) for name, mask in found[-1].items()})
    return found


def test_levels_are_those_that_are_given():
    some = levels(4)
    run = Nested(some, SHAPE)
    assert run.levels == 3 and run.layers == 2
    for level, masks in enumerate(some):
        for layer, mask in enumerate(masks.values(), 1):
            assert ((run.removed_at(layer) > level) == mask).all()
        kept = sum(mask.sum() for mask in masks.values()) / sum(mask.size for mask in masks.values())
        assert run.density(level) == pytest.approx(kept)
    assert (run.removed_at(1)[some[-1]["a"]] == NEVER).all()


@pytest.mark.parametrize("form", ["module", "dict", "array", "torch", "list"])
def test_masks_in_any_form_are_explored(form):
    model, _ = by_prune(mlp())
    mask = model[1].weight_mask
    given = {"module": model, "dict": {"fc": mask}, "array": mask.numpy(), "torch": mask, "list": [mask]}[
        form
    ]
    explorer = sifting.MaskExplorer(given, SHAPE)
    [run] = explorer.runs
    assert explorer.shape == list(SHAPE) and run["accuracy"] == [] and run["levels"] == 0
    assert run["layers"][0]["units"] == 20 and len(run["layers"]) == 1 + (form == "module")
    assert explorer.picture().size[0] > 0
    assert mask[explorer.unit].sum() == mask.sum(1).max(), "the one with most inputs is shown first"


def test_accuracy_is_shown_where_it_is_given():
    explorer = sifting.MaskExplorer(levels(3), SHAPE, accuracy=[0.9, 0.8, 0.7], name="mine", gallery=4)
    assert explorer.runs[0]["accuracy"] == [0.9, 0.8, 0.7] and explorer.runs[0]["name"] == "mine"
    assert explorer.level == 2 and explorer.gallery == 4


REFUSED = {
    "no shape": (lambda: sifting.MaskExplorer(levels()), "the shape of the images is needed"),
    "another shape": (lambda: sifting.MaskExplorer(levels(), (1, 6, 6)), "take the 1 x 6 x 6 = 36 pixels"),
    "convolutions": (lambda: sifting.MaskExplorer(made(Cnn), (2, 4, 4)), r"body.weight is \(6, 1, 3, 3\)"),
    "no chain": (
        lambda: sifting.MaskExplorer({"a": np.ones((9, 72)), "b": np.ones((4, 8))}, SHAPE),
        r"b is \(4, 8\), and does not take the 9 units of a",
    ),
    "another order": (lambda: sifting.MaskExplorer(made(Mlp), (2, 4, 4)), "last.weight is .*in their order"),
    "regrown": (lambda: sifting.MaskExplorer(levels()[::-1], SHAPE), "a of level 1 keeps weights that"),
    "other names": (
        lambda: sifting.MaskExplorer([levels()[0], {"a": levels()[0]["a"]}], SHAPE),
        "level 1 have other names or shapes",
    ),
    "nothing": (lambda: sifting.MaskExplorer([], SHAPE), "there are no masks"),
    "accuracies": (lambda: sifting.MaskExplorer(levels(), SHAPE, accuracy=[0.5]), "3 levels, but 1 acc"),
    "weights": (lambda: sifting.MaskExplorer(mlp()[1].weight, SHAPE), "mask is no mask, but holds"),
    "no plane": (lambda: sifting.SurfaceExplorer({"accuracy": 1, "statistics": ()}), "planes of sifting"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_shown_is_refused_with_what_is_needed(case):
    show, said = REFUSED[case]
    with pytest.raises(ValueError, match=said):
        show()


def test_planes_of_own_networks_are_explored():
    a, b, c = (made(Mlp, seed) for seed in range(3))
    plane = sifting.networks(a, X, Y).plane(a, b, c, cells=3)
    for planes in (plane, {"one": plane, "two": plane}):
        explorer = sifting.SurfaceExplorer(planes)
        assert explorer.picture().size == (640, 640) and "1 cycles; 3 x 3 cells" in repr(explorer)
