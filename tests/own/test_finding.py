"""Runs on networks and images of one's own: found by content, resumable, the same anywhere."""

import importlib
import os
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn.utils import prune

import sifting
from sifting import data, store
from sifting.config import Config, content, key, own, preset, unread
from sifting.data import own as data_own
from sifting.pruning import tickets
from sifting.pruning.plain import without_smallest
from sifting.training.models import build
from tests.own.networks import Net
from tests.store.test_cluster import arrays, scheduler, worker  # noqa: F401

ROOT = pathlib.Path(__file__).resolve().parents[2]
FEW = {"steps": 12, "rewind_step": 2, "batch_size": 16, "levels": 2, "evaluations": 2, "prune_fraction": 0.5}
FEW |= {"min_alive": 0, "lr": 0.05}
DRAW = np.random.default_rng(0)
LABELS = DRAW.integers(0, 3, 120)
PIXELS = (DRAW.integers(0, 90, (120, 2, 6, 6)) + 70 * LABELS[:, None, None, None]).astype(np.uint8)

NETS = """
from torch import nn
import blocks

class Wide(nn.Sequential):
    def __init__(self, shape, classes):
        inputs = shape[0] * shape[1] * shape[2]
        super().__init__(nn.Linear(inputs, blocks.WIDTH), nn.ReLU(), nn.Linear(blocks.WIDTH, classes))
"""


@pytest.fixture
def nets(tmp_path, monkeypatch):
    """A folder on Python's path with a module mynets, which imports one beside it."""
    folder = tmp_path / "nets"
    folder.mkdir()
    (folder / "mynets.py").write_text(NETS)
    (folder / "blocks.py").write_text("WIDTH = 10\n")
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    for name in ("mynets", "blocks"):
        sys.modules.pop(name, None)
        own._fresh.pop(name, None)


@pytest.fixture
def pictures(tmp_path):
    """A folder of images for each of three classes."""
    return folder_of(tmp_path / "pictures")


def folder_of(folder, count=20, size=(6, 6), mode="RGB"):
    for number, name in enumerate(("ant", "bee", "cow")):
        (folder / name).mkdir(parents=True)
        for n in range(count):
            pixels = DRAW.integers(0, 90, (size[1], size[0], 3)) + 70 * number
            Image.fromarray(pixels.astype(np.uint8)).convert(mode).save(folder / name / f"{n:02}.png")
    return folder


# --- names


def test_a_name_has_the_content_of_the_code_and_of_what_that_imports(nets):
    first = Config(model="mynets:Wide")
    assert own.is_own(first.model) and first.model.startswith("mynets:Wide@")
    assert Config(model=first.model) == first == Config(model="mynets:Wide")
    keys = {key(first)}
    (nets / "blocks.py").write_text("WIDTH = 11\n")
    keys.add(key(Config(model="mynets:Wide")))
    (nets / "mynets.py").write_text(NETS + "\n# a remark\n")
    keys.add(key(Config(model="mynets:Wide")))
    (nets / "others.py").write_text("nobody imports this\n")
    assert len(keys) == 3 and key(Config(model="mynets:Wide")) in keys


def test_changed_code_is_imported_anew_and_the_name_of_what_it_was_is_refused(nets):
    mynets = importlib.import_module("mynets")
    before = Config(model="mynets:Wide").model
    assert own.fetch(before)((1, 2, 2), 3)[0].out_features == mynets.Wide((1, 2, 2), 3)[0].out_features == 10
    (nets / "blocks.py").write_text("WIDTH = 17\n")
    after = Config(model="mynets:Wide").model
    assert own.fetch(after)((1, 2, 2), 3)[0].out_features == 17, "not what was imported before"
    assert sys.modules["mynets"] is mynets, "who has a module keeps it"
    with pytest.raises(ValueError, match="the code of mynets:Wide is another than when this began"):
        own.fetch(before)


def test_relative_imports_in_a_package_are_followed(nets):
    package = nets / "lab" / "parts"
    package.mkdir(parents=True)
    (nets / "lab" / "__init__.py").write_text("")
    (package / "__init__.py").write_text("from .deep import size\nimport torch, blocks\n")
    (package / "deep.py").write_text("from .. import sizes\nsize = sizes.SIZE\n")
    (nets / "lab" / "sizes.py").write_text("SIZE = 3\n")
    found = own.sources("lab.parts")
    assert {*found} == {
        "lab/__init__.py", "lab/parts/__init__.py", "lab/parts/deep.py", "lab/sizes.py", "blocks.py"
    }  # fmt: skip
    assert "torch" not in " ".join(own.sources("mynets")), "what is installed is left to its version"


def test_a_folder_has_the_content_of_its_images(pictures):
    def name():
        return Config(dataset=f"folder:{pictures}").dataset

    first = name()
    assert first.startswith(f"folder:{pictures}@") and name() == first
    (pictures / "notes.txt").write_text("no image")
    assert name() == first
    (pictures / "ant" / "00.png").rename(pictures / "bee" / "99.png")
    assert name() != first, "another label"
    moved = name()
    Image.new("RGB", (6, 6), "red").save(pictures / "bee" / "99.png")
    assert name() not in (first, moved), "another image"


CLASS = """
import torch
from torch import nn
WIDTH = 8
def act(x):
    return x.relu()
class Net(nn.Module):
    "{remark}"
    def __init__(self, classes):
        super().__init__()
        self.a, self.b = nn.Linear(72, WIDTH), nn.Linear(WIDTH, classes)
    def forward(self, x):  # {remark}
        return self.b(act(self.a(x.flatten(1))))
from sifting.config import content
print(content.digest(Net))
"""


CHANGES = {
    "": "",
    "WIDTH = 8": "WIDTH = 9",
    "x.relu()": "x.tanh()",
    "self.b(act": "self.b(1.0 * act",
    "{remark}": "another remark",
}


def test_content_without_a_file_is_the_same_in_every_session_and_sees_what_it_refers_to(tmp_path):
    code = f"for old, new in {CHANGES}.items(): exec({CLASS!r}.replace(old, new))"
    first, again = (
        subprocess.run(
            [sys.executable, "-c", start + code],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
        ).stdout.split()
        for start, seed in (("", "1"), ("import torch\n\n", "2"))
    )
    assert first == again and len(set(first[:4])) == 4 and first[4] == first[0], "remarks are no content"


def test_a_network_has_the_content_of_its_values_and_form():
    torch.manual_seed(0)
    net = Net()
    digest = content.digest(net)
    assert content.digest(net) == digest
    with torch.no_grad():
        net.head.bias[0] += 1
    changed = content.digest(net)
    net.conv.stride = (2, 2)
    assert len({digest, changed, content.digest(net)}) == 3


# --- images


def test_images_of_a_folder_are_those_in_it(pictures):
    config = Config(dataset=f"folder:{pictures}", test_images=3)
    found = data.load(config)
    assert found.shape == (3, 6, 6) and data.class_names(config) == ["ant", "bee", "cow"]
    assert [len(split) for split in (found.train, found.val, found.test)] == [51, 6, 3]
    for split in (found.train, found.val, found.test):
        for image, label in zip(split.images[torch.arange(len(split))], split.labels):
            assert 70 * label <= image.min() and image.max() < 70 * label + 90


def test_splits_that_are_given_are_kept_apart(tmp_path):
    for split, count in (("train", 4), ("test", 2)):
        folder_of(tmp_path / "all" / split, count, mode="L")
    config = Config(dataset=f"folder:{tmp_path / 'all'}")
    found = data.load(config)
    assert found.shape == (1, 6, 6) and [len(s) for s in (found.train, found.val, found.test)] == [11, 1, 6]
    name = sifting.register(images={"train": (PIXELS[:90], LABELS[:90]), "val": (PIXELS[90:], LABELS[90:])})
    found = data.load(Config(**name))
    assert [len(s) for s in (found.train, found.val, found.test)] == [81, 30, 9]
    assert {image.numpy().tobytes() for image in found.val.images[torch.arange(30)]} == {
        image.tobytes() for image in PIXELS[90:]
    }


@pytest.mark.parametrize("form", ["numpy", "torch", "gray", "names"])
def test_arrays_are_registered_in_every_form(form, results):
    images = torch.from_numpy(PIXELS) if form == "torch" else PIXELS[:, 0] if form == "gray" else PIXELS
    labels = np.array(["ant", "bee", "cow"])[LABELS] if form == "names" else LABELS
    config = Config(**sifting.register(images=(images, labels)))
    found = data.load(config)
    assert found.shape == ((1 if form == "gray" else 2), 6, 6)
    assert data.class_names(config) == (["ant", "bee", "cow"] if form == "names" else ["0", "1", "2"])
    assert sum(len(split) for split in (found.train, found.val, found.test)) == 120


def test_images_that_have_changed_since_are_refused(pictures):
    config = Config(dataset=f"folder:{pictures}")
    data.load(config)
    (pictures / "ant" / "00.png").unlink()
    data_own._read.cache_clear()
    with pytest.raises(ValueError, match="are others than when this began; give dataset=folder:.* anew"):
        data.load(config)


def no_folder(path):
    return path / "nothing"


def no_images(path):
    (path / "ant").mkdir()
    return path


def no_classes(path):
    Image.new("L", (4, 4)).save(path / "one.png")
    return path


def one_class(path):
    (path / "ant").mkdir()
    Image.new("L", (4, 4)).save(path / "ant" / "one.png")
    return path


def two_sizes(path):
    folder_of(path / "of")
    Image.new("RGB", (7, 6)).save(path / "of" / "bee" / "odd.png")
    return path / "of"


def damaged(path):
    (folder_of(path / "of") / "cow" / "00.png").write_bytes(b"\x89PNG no more")
    return path / "of"


def too_few(path):
    return folder_of(path / "of", 1)


@pytest.mark.parametrize(
    "make, said",
    [
        (no_folder, "there is no such folder"),
        (no_images, "there are no images in it"),
        (no_classes, "needs a folder for each class; one.png is in none"),
        (one_class, "two classes or more to train on, not ant"),
        (two_sizes, "images of one size are needed; .* is 6 x 6, and .*odd.png 7 x 6"),
        (damaged, "cow/00.png cannot be read as an image"),
        (too_few, "too few images for val: 3 of train; 20 or more are needed"),
    ],
)
def test_a_folder_that_will_not_do_is_refused_with_what_is_needed(make, said, tmp_path):
    with pytest.raises(ValueError, match=said):
        data.load(Config(dataset=f"folder:{make(tmp_path)}"))


IMAGES = {
    "none": ((PIXELS[:0], LABELS[:0]), "there are no images in train"),
    "no pixels": ({"train": (PIXELS, LABELS), "val": (PIXELS[:0], LABELS[:0])}, "no images in val"),
    "alone": (PIXELS, "train is to be a pair of arrays"),
    "floats": ((PIXELS / 255, LABELS), "bytes from 0 to 255 .*, not float64: they are normalized later"),
    "lengths": ((PIXELS, LABELS[:5]), r"are needed, not \(120, 2, 6, 6\) and \(5,\)"),
    "axes": ((PIXELS[:, 0, 0], LABELS), r"images \(n, channels, height, width\)"),
    "shares": ((PIXELS, LABELS / 3), "labels are whole numbers from 0 on, or names, not float64"),
    "below": ((PIXELS, LABELS - 1), "labels are whole numbers from 0 on, not from -1 to 1"),
    "one": ((PIXELS, 0 * LABELS), "two classes or more"),
    "splits": ({"training": (PIXELS, LABELS)}, "train, val, test"),
    "shapes": ({"train": (PIXELS, LABELS), "test": (PIXELS[:, :1], LABELS)}, "splits need images of one"),
}  # fmt: skip


@pytest.mark.parametrize("case", IMAGES)
def test_images_that_will_not_do_are_refused_with_what_is_needed(case):
    images, said = IMAGES[case]
    with pytest.raises(ValueError, match=said):
        sifting.register(images=images)


# --- networks


@pytest.mark.parametrize("form", ["class", "function", "network", "name"])
def test_a_network_is_found_in_every_form(form, nets, tmp_path):
    forms = {"class": Net, "function": lambda: Net(3), "network": Net(), "name": "mynets:Wide"}
    run = sifting.find(forms[form], (PIXELS, LABELS), results=tmp_path / "mine", **FEW)
    assert run.path.parent == tmp_path / "mine" and run.levels == 2 and run.kind == "ticket"
    assert run.density(2) == pytest.approx(0.25, abs=0.02) and own.is_own(run.config.model)
    assert store.root() != tmp_path / "mine", "the folder of results is what it was"
    assert [*sifting.measure(run)] == [f"{name}.weight" for name in run.layer_names]


def test_a_network_that_is_given_begins_with_its_values(results):
    net = Net()
    run = sifting.find(net, (PIXELS, LABELS), results=results, **FEW | {"rewind_step": 0})
    for name, value in net.named_parameters():
        assert np.array_equal(run[f"rewind/{name}"], value.detach().numpy())
    other = sifting.find(Net, (PIXELS, LABELS), results=results, **FEW | {"rewind_step": 0})
    draws = torch.random.get_rng_state()
    again = sifting.find(Net, (PIXELS, LABELS), results=results, seeds=2, **FEW | {"rewind_step": 0})
    assert torch.equal(torch.random.get_rng_state(), draws), "nobody else's random numbers are touched"
    assert again[0].name == other.name != again[1].name
    assert not np.array_equal(again[0]["rewind/head.weight"], again[1]["rewind/head.weight"])


@pytest.mark.parametrize(("steps", "at"), [(1, 0), (40, 4), (1000, 100), (1001, 1000), (None, 1000)])
def test_few_steps_rewind_to_a_tenth_of_them(steps, at, results, monkeypatch):
    asked = []
    monkeypatch.setattr(store, "load_or_run", lambda kind, runs, *_, **__: asked.extend(runs) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        sifting.find(Net, (PIXELS, LABELS), results=results, **{"steps": steps} if steps else {})
    assert [run.rewind_step for run in asked] == [at]


def test_what_the_readme_shows_runs_as_it_stands(tmp_path, monkeypatch, capsys):
    code = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)[1]
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SIFTING_RESULTS", raising=False)
    exec(code, found := {})
    assert found["run"].path.parent == tmp_path / "sifting-results" and found["run"].levels == 8
    told = capsys.readouterr().out
    assert float(re.search(r"\[([\d.]+)", told)[1]) > 0.9
    measured = sifting.measure(found["run"], (1, 8, 8))["1.weight"]
    assert told.endswith(f"] {measured['locality']}\n") and measured["density"] < 0.2


def test_masks_are_those_of_the_loop_on_one_page(results):
    run = sifting.find(Net, (PIXELS, LABELS), results=results, prune_biases=False, **FEW)
    names = enumerate(run.layer_names, 1)
    first = {f"{name}.weight": torch.from_numpy(run.weights(0, layer)) for layer, name in names}
    ones = {name: torch.ones_like(value, dtype=torch.bool) for name, value in first.items()}
    for name, mask in without_smallest(first, ones, 0.5, "layer").items():
        ours = run.mask(1, run.layer_names.index(name.removesuffix(".weight")) + 1)
        assert (ours != mask.numpy()).mean() < 0.02, "up to what half precision makes equal"


def test_a_run_that_was_interrupted_goes_on_to_the_same_bits(results, monkeypatch):
    config = Config(**sifting.register(Net, (PIXELS, LABELS)), **FEW)
    whole = list(tickets.find(config))
    records = []
    for record in tickets.find(config):
        records.append(record)
        torch.rand(7)  # what others draw meanwhile
        if len(records) == 2:
            break
    for ours, theirs in zip([*records, *tickets.find(config, finished=records)], whole, strict=True):
        assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)


def test_workers_find_what_was_registered_to_the_same_bits(results):
    alone, both = (
        [{name: run[name].tobytes() for name in run.names()} for run in runs]
        for runs in (
            sifting.find(Net, (PIXELS, LABELS), results=results / name, seeds=2, workers=count, **FEW)
            for name, count in (("one", 1), ("two", 2))
        )
    )
    assert alone == both


SCRIPT = """
import sys
import numpy as np
from torch import nn
import sifting

print("begun")

class Mine(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.a, self.b = nn.Linear(72, 9), nn.Linear(9, classes)
    def forward(self, x):
        return self.b(self.a(x.flatten(1)).relu())

images = np.load(sys.argv[1])
for run in sifting.find(Mine, (images["x"], images["y"]), seeds=2, workers=2, **{few}):
    print(run.name, run.config.model)
"""


def test_a_script_without_a_guard_finds_in_workers_what_it_defines_and_again(tmp_path):
    np.savez(tmp_path / "images.npz", x=PIXELS, y=LABELS)
    (tmp_path / "script.py").write_text(SCRIPT.replace("{few}", repr(FEW)))
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT), "TQDM_DISABLE": "1"}
    surroundings.pop("SIFTING_RESULTS", None)
    said = [
        subprocess.run(
            [sys.executable, "script.py", "images.npz"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env=surroundings,
        )
        for _ in range(2)
    ]
    assert said[0].stdout == said[1].stdout and said[0].stdout.count("Mine@") == 2, said[0].stderr
    assert said[0].stdout.count("begun") == 1 and said[0].stderr == ""
    stored = sorted((tmp_path / "sifting-results").glob("ticket-*.npz"))
    assert [path.stem in said[0].stdout for path in stored] == [True, True]


def test_a_cluster_finds_what_was_registered(results, scheduler, worker):  # noqa: F811
    worker("--nthreads", "1")
    fields = sifting.register(Net, (PIXELS, LABELS))
    config = Config(**fields, **FEW)
    swept = arrays(store.load_or_run("masks", [config], "cpu", cluster=scheduler))
    assert swept == arrays(store.load_or_run("masks", [config], "cpu", fresh=True, workers=1))


def test_what_came_out_is_restored_and_examined(results):
    run = sifting.find(Net, (PIXELS, LABELS), results=results, **FEW)
    model, x, y = sifting.restore(run)
    assert x.shape == (12, 72) and not model.training
    right = float((model(x).argmax(1) == y).float().mean())
    assert right == pytest.approx(float(run.accuracy("val", "last")[-1]), abs=0.1)
    found = sifting.examine(model, x, y, sets=1)
    kept = sum(int(run.mask(2, layer).sum()) for layer in (1, 2)) + 36
    assert found["kept"] == kept and [*found["layers"]] == ["conv", "hidden", "head"]
    with pytest.raises(ValueError, match="has no weights of level 7; levels are 0 to 2"):
        sifting.restore(run, level=7)
    with pytest.raises(ValueError, match="a run of find is needed, not Net"):
        sifting.restore(Net())
    with pytest.raises(
        ValueError, match=r"split 'tests' \(did you mean test\?\); choose from test, train, val"
    ):
        sifting.restore(run, split="tests")


@pytest.mark.parametrize(
    "settings, said",
    [
        ({"lr": 1e6, "steps": 30}, "ended at level 0: training diverged, weights are no numbers any more"),
        ({"min_alive": 1.0, "prune_fraction": 0.99}, "fewer than 1 of the units of a layer keep an input"),
    ],
)
def test_a_run_that_ends_early_says_why(settings, said, results):
    with pytest.warns(UserWarning, match=said):
        run = sifting.find(Net, (PIXELS, LABELS), results=results, **FEW | settings)
    assert run.levels < 2


def test_pruned_networks_are_taken_as_they_are_used(results):
    net = Net()
    prune.l1_unstructured(net.hidden, "weight", amount=0.5)
    run = sifting.find(net, (PIXELS, LABELS), results=results, **FEW | {"rewind_step": 0})
    assert (run["rewind/hidden.weight"] == net.hidden.weight.detach().numpy()).all()


def made(*layers):
    """A function that makes networks of those layers, one behind the other."""
    return lambda: nn.Sequential(*layers)


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.cells, self.head = nn.LSTM(72, 4, batch_first=True), nn.Linear(4, 3)

    def forward(self, x):
        return self.head(self.cells(x.flatten(1)[:, None])[0][:, 0])


def frozen():
    net = Net()
    net.hidden.weight.requires_grad_(False)
    return net


def tied():
    net = nn.Sequential(nn.Flatten(), nn.Linear(72, 72), nn.ReLU(), nn.Linear(72, 72), nn.Linear(72, 3))
    net[3].weight = net[1].weight
    return net


REFUSED = {
    "frozen": ({"network": frozen}, "frozen has parameters without a gradient, hidden.weight: training"),
    "tied": ({"network": tied}, "3 has the weights of 1: layers with their own weights are needed"),
    "nothing": ({"network": None}, "a network and images are needed, not None"),
    "no network": ({"network": 3}, "a class, a function or a torch.nn.Module is needed, not int"),
    "no colon": ({"network": "resnet18"}, "given by MODULE:NAME, as mynets:MyNet, not 'resnet18'"),
    "no module": ({"network": "nonets:Net"}, "no module nonets with a source is found"),
    "no name": ({"network": "mynets:Nothing"}, "mynets has no Nothing; it has Wide, blocks"),
    "arguments": ({"network": nn.Linear}, "needs in_features, out_features; known are shape, classes"),
    "no module made": ({"network": lambda: 3}, "makes no torch.nn.Module, but int"),
    "classes": ({"network": made(nn.Linear(72, 9), nn.Linear(9, 7))}, "puts out 7 numbers .* 3 classes"),
    "no fit": ({"network": made(nn.Linear(71, 3))}, "of images of 2 x 6 x 6: as images: mat1"),
    "no classes": ({"network": made(nn.Conv2d(2, 3, 1))}, r"as images: puts out \(2, 3, 6, 6\); as rows: "),
    "head only": ({"network": made(nn.Linear(72, 3))}, "has nothing to prune: a layer is needed before"),
    "recurrent": ({"network": Recurrent}, "cells.weight_ih_l0, cells.weight_hh_l0 would never be pruned"),
    "slimming": ({"network": "mynets:Wide", "criterion": "slimming"}, "slimming needs convolutions"),
    "reinit": ({"network": Net(), "treatment": "reinit"}, "reinit needs a class or a function"),
    "a setting": ({"stps": 3}, r"unknown setting 'stps' \(did you mean steps\?\); choose from"),
    "a model": ({"model": "fcn"}, "model is what network and images say: leave it out"),
    "widths": ({"widths": (3,)}, "widths has no effect on model .*:Net@"),
    "width": ({"width": 0.5}, "width has no effect on model .*:Net@"),
    "criterion": ({"criterion": "mag"}, "unknown criterion 'mag'; choose from all-but-first, cavity"),
    "labels": ({"labels": "semantic"}, "unknown labels of images@.* 'semantic'; choose from fine, random"),
    "steps": ({"steps": 1}, "rewind_step must be below steps"),
    "seeds": ({"seeds": 0}, "seeds must be a whole number, 1 or more"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_found_is_refused_before_anything_is_trained(case, nets, results, monkeypatch):
    given, said = REFUSED[case]
    monkeypatch.setattr(tickets, "Run", None)
    with pytest.raises(ValueError, match=said):
        sifting.find(**{"network": Net, "images": (PIXELS, LABELS), "results": results} | FEW | given)


def test_registering_nothing_and_what_was_never_registered_are_refused(results):
    with pytest.raises(ValueError, match="give a network, images, or both"):
        sifting.register()
    with pytest.raises(ValueError, match="Net@0123456789ab is not registered in .*; call sifting.register"):
        build(Config(model="Net@0123456789ab"), (2, 6, 6), 3, torch.Generator())
    for field, text in (("model", "mynets:My Net"), ("dataset", "mynets:images"), ("dataset", "file:x")):
        with pytest.raises(ValueError, match=f"cannot read '{text}'; one's own is written as "):
            Config(**{field: text})


def test_a_preset_of_other_networks_says_nothing_of_own_ones(nets):
    config = preset("laptop", {"model": "mynets:Wide"})
    assert unread(config) == {} and config.steps == preset("laptop").steps
    config = preset("laptop", {"model": "mynets:Wide", "widths": "9,9"})
    assert [*unread(config)] == ["widths"], "what is asked for is refused, not dropped"
