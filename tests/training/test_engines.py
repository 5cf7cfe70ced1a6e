"""Engines against the reference loop: same parameters, statistics and curves, whatever the masks."""

import copy
import dataclasses
import re
import sys

import pytest
import torch

from sifting import config, data, training
from sifting.config import SETTINGS
from sifting.pruning.prunable import prunable
from sifting.training import engines, kept, kept_layers, models, sparse, threshold, units
from sifting.training.engines import ENGINES
from sifting.training.reference import generator, train

SMOKE = dataclasses.replace(config.preset("smoke"), steps=20, evaluations=2, rewind_step=0)
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-4}
NORMS = SETTINGS["batch_norm"].choices


@pytest.fixture(scope="module")
def images():
    return data.load(dataclasses.replace(SMOKE, train_images=500, val_images=200, test_images=200))


@pytest.fixture(params=[0.0, 1.0], ids=["dense", "sparse"])
def form(request, monkeypatch):
    """Every layer that is pruned kept in one form, whatever is faster."""
    monkeypatch.setattr(sparse, "threshold", lambda *_: request.param)
    monkeypatch.setattr(threshold, "threshold", lambda *_: request.param)


@dataclasses.dataclass
class Cast(data.Split):
    """A split whose images have another dtype; the images of a batch can be shifted by some places."""

    dtype: torch.dtype = torch.float32
    roll: int = 0

    def batch(self, index):
        x, y = super().batch(index.roll(self.roll))
        return x.to(self.dtype), y


def cast(images, dtype, roll=0):
    splits = {name: Cast(**vars(getattr(images, name)), dtype=dtype) for name in ("train", "val", "test")}
    splits["train"].roll = roll
    return dataclasses.replace(images, **splits)


def setting(images, dtype, density=0.03, biases=True, **fields):
    """A network without special values, and masks with dead units of each kind."""
    settings = dataclasses.replace(SMOKE, prune_biases=biases, **fields)
    model = models.build(settings, images.shape, images.classes, generator(settings, "weights"))
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for value in model.parameters():
            if value.ndim == 1:
                value += 0.3 * torch.randn(value.shape, generator=draw)
    masks = {}
    for name, value in model.named_parameters():
        if name in prunable(model, biases):
            rich = 10 ** (0.7 * torch.randn(len(value), generator=draw))  # in-degrees with a heavy tail
            if value.ndim == 2:
                odds = rich[:, None] * 10 ** (0.5 * torch.randn(value.shape[1], generator=draw))
                masks[name] = torch.rand(value.shape, generator=draw) < density * odds / odds.mean()
                masks[name][:3] = False  # units without inputs
                masks[name][:, 2:7] = False  # units without outputs, two of them without inputs
            else:
                masks[name] = torch.rand(len(value), generator=draw) < 0.5
    return settings, model.to(dtype), masks


def pair(engine, images, dtype, after=(), start=0, **fields):
    """(model, curves, what the callbacks saw) by the reference and by the engine."""
    settings, model, masks = setting(images, dtype, **fields)
    if why := ENGINES[engine].objection(settings, "cpu"):
        pytest.skip(f"{engine} trains {why}")
    results = []
    for loop in (train, ENGINES[engine].train):
        net, seen = copy.deepcopy(model), []

        def remember(net=net, seen=seen):
            seen.append([value.detach().clone() for value in net.state_dict().values()])

        calls = dict.fromkeys(after, remember)
        curves = loop(net, masks, cast(images, dtype), settings, 1, start, calls)
        results.append((net, curves, seen))
    return *results, masks


def reordered(images, dtype, **fields):
    """What the reference ends at when the images of a batch stand in other orders: states.

    The first is of the usual order. Where a gradient is zero by an identity (a bias in front of a batch
    norm), or nearly, Adam makes steps of full size out of its rounding errors.
    """
    settings, model, masks = setting(images, dtype, **fields)
    states = []
    for roll in (0, 17, 41, 73):
        net = copy.deepcopy(model)
        train(net, masks, cast(images, dtype, roll), settings, 1)
        states.append(torch.cat([value.flatten().double() for value in net.state_dict().values()]))
    return states


def compare(a, b, masks, tolerance):
    (model, curves, seen), (other, other_curves, other_seen) = a, b
    for (name, value), found in zip(model.state_dict().items(), other.state_dict().values()):
        torch.testing.assert_close(found, value, rtol=tolerance, atol=tolerance, msg=name)
        if name in masks:
            assert (found[~masks[name]] == 0).all()
    assert len(seen) == len(other_seen)
    for one, two in zip(sum(seen, []), sum(other_seen, [])):
        torch.testing.assert_close(two, one, rtol=tolerance, atol=tolerance)
    assert curves.keys() == other_curves.keys()
    for name, curve in curves.items():
        assert other_curves[name] == pytest.approx(curve, abs=tolerance if "loss" in name else 0.006)


SGD = [
    {"optimizer": name, **fields}
    for name in SETTINGS["optimizer"].choices
    for fields in ({"momentum": 0.0}, {"momentum": 0.9, "weight_decay": 0.01})
    if name != "adam"
]
ADAM = [{"optimizer": "adam", "lr": 0.001, "weight_decay": decay} for decay in (0.0, 0.01)]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("optimizer", SGD, ids=str)
@pytest.mark.parametrize("biases", [True, False], ids=["biases", "weights"])
@pytest.mark.parametrize("norm", NORMS)
def test_twenty_steps_are_those_of_the_reference(engine, images, form, dtype, optimizer, biases, norm):
    *both, masks = pair(engine, images, dtype, biases=biases, batch_norm=norm, **optimizer)
    compare(*both, masks, TOLERANCE[dtype])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("optimizer", ADAM, ids=str)
@pytest.mark.parametrize("norm", NORMS)
def test_twenty_steps_of_adam_are_the_reference_as_far_as_these_have_digits(
    engine, images, form, dtype, optimizer, norm
):
    """In float64 where the reference has digits.

    In float32 as many values are elsewhere as in another order.
    """
    fields, tolerance = {"batch_norm": norm, **optimizer}, TOLERANCE[dtype]
    *both, masks = pair(engine, images, dtype, **fields)
    expected, *others = reordered(images, dtype, **fields)
    found = torch.cat([value.flatten().double() for value in both[1][0].state_dict().values()])
    apart = [(other - expected).abs() for other in (found, *others)]
    if dtype == torch.float64:
        clear = torch.stack(apart[1:]).amax(0) < tolerance / 100
        assert apart[0][clear].max() < tolerance and clear.double().mean() > 0.99
    else:
        counts = [int((distance > tolerance).sum()) for distance in apart]
        assert counts[0] <= 2 * max(counts[1:]) and counts[0] < 0.01 * len(found)
    assert both[1][1]["train_loss"] == pytest.approx(both[0][1]["train_loss"], abs=1e-4)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("density", [1.0, 0.3, 0.1, 0.01, 0.003, 0.0])
@pytest.mark.parametrize("widths", [(20,), (30, 20), (40, 30, 30, 20)], ids=str)
def test_every_depth_and_density(engine, images, form, norm, density, widths):
    *both, masks = pair(
        engine, images, torch.float64, density=density, batch_norm=norm, widths=widths, momentum=0.9
    )
    compare(*both, masks, 1e-9)


def another(name):
    """Another value of a field of training than SMOKE has."""
    known, usual = SETTINGS[name], getattr(SMOKE, name)
    if known.choices:
        return next(
            choice for choice in known.choices if choice not in (usual, "adam")
        )  # that has tests of its own
    if isinstance(usual, bool):
        return not usual
    if isinstance(usual, int):
        return usual + 3
    least = next(bound for bound in (known.low, known.above, 0) if bound is not None)
    return (usual + min(0.9, known.high or 0.9, known.below or 0.9)) / 2 if usual <= least else usual / 2


FIELDS = [name for name, known in SETTINGS.items() if known.of == "training" and name != "optimizer"]  # above


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "reference"])
def test_every_field_of_training_acts_in_an_engine_as_in_the_reference(engine, images, name):
    """Or the engine objects. A field that one of them does not read would do nothing, unseen."""
    *both, masks = pair(engine, images, torch.float64, **{name: another(name)})
    compare(*both, masks, 1e-6)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("norm", NORMS)
def test_a_late_start_and_callbacks(engine, images, form, norm):
    *both, masks = pair(engine, images, torch.float64, after=(7, 9, 20), start=7, batch_norm=norm)
    assert len(both[0][2]) == 3 and len(both[0][1]["val_accuracy"]) == 2
    compare(*both, masks, 1e-9)


@pytest.mark.parametrize("engine", ENGINES)
def test_twice_the_same_gives_the_same_bits(engine, images):
    (net, curves, _), (other, again, _) = (pair(engine, images, torch.float32)[1] for _ in range(2))
    assert curves == again
    states = zip(net.state_dict().values(), other.state_dict().values())
    assert all(torch.equal(a, b) for a, b in states)


def test_limits_decide_the_form_of_each_layer(images):
    settings, model, masks = setting(images, torch.float32, density=0.1)
    densities = [masks[f"linear.{n}.weight"].float().mean() for n in range(3)]
    limits = [densities[0] + 0.01, densities[1] - 0.01, 1.0, 1.0]
    network = sparse.Network(model, masks, limits)
    assert [type(layer).__name__ for layer in network.layers] == ["Sparse", "Dense", "Sparse", "Dense"]


def test_an_engine_that_is_settled_has_all_that_its_bits_depend_on(images):
    settings, model, masks = setting(images, torch.float32)
    engine = engines.settle("kept", model, settings)
    assert engine.name == "kept" and engine.numbers == kept.settle(model, settings)
    assert engines.settle(str(engine), model, settings) == engine
    nets = [copy.deepcopy(model) for _ in range(3)]
    settled = [engine, engines.read(str(engine)), engines.read("kept blas 0.0 0.0 0.0 0.0")]
    for some, net in zip(settled, nets):
        some.train(net, masks, images, settings, 0, 0, None, False)
    a, b, dense = [net.state_dict() for net in nets]
    assert all(torch.equal(a[name], b[name]) for name in a)
    torch.testing.assert_close(a["linear.0.weight"], dense["linear.0.weight"], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_settled_is_read_again_from_what_is_stored_of_it(engine):
    presets = (config.preset("smoke", family=family) for family in config.FAMILIES)
    settings = next(one for one in presets if not ENGINES[engine].objection(one, "cpu"))
    model = models.build(settings, (3, 16, 16), 10, torch.Generator().manual_seed(0))
    settled = engines.settle(engine, model, settings)
    assert engines.read(str(settled)) == engines.settle(str(settled), model, settings) == settled
    assert str(settled).split()[0] == engine


@pytest.mark.parametrize("family", config.FAMILIES)
@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_trains_every_network_that_it_does_not_object_to_like_the_reference(engine, family):
    settings = config.preset("smoke", family=family, schedule="constant", steps=6, rewind_step=0)
    if why := ENGINES[engine].objection(settings, "cpu"):
        with pytest.raises(ValueError, match=f"the engine {engine} trains {re.escape(why)}"):
            engines.resolve(engine, settings)
        return
    images = data.load(settings)
    model = models.build(settings, images.shape, images.classes, generator(settings, "weights")).double()
    draw = torch.Generator().manual_seed(1)
    masks = {
        name: torch.rand(model.get_parameter(name).shape, generator=draw) < 0.5
        for name in prunable(model, settings.prune_biases)
    }
    nets = [copy.deepcopy(model) for _ in range(2)]
    loops = (train, ENGINES[engine].train)
    curves = [loop(net, masks, cast(images, torch.float64), settings) for loop, net in zip(loops, nets)]
    compare(*((net, some, []) for net, some in zip(nets, curves)), masks, 1e-9)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("family", config.FAMILIES)
def test_auto_finds_an_engine_for_every_preset(family, device):
    assert set(engines.AUTO) <= set(ENGINES)
    for settings in config.FAMILIES[family].values():
        found = engines.resolve("auto", settings, device)
        assert found.name in engines.AUTO and not ENGINES[found.name].objection(settings, device)


def test_auto_is_the_first_that_does_not_object():
    lenet, resnet = (config.preset("smoke", family=family) for family in ("lenet", "resnet20"))
    for settings, device, name in (
        (SMOKE, "cpu", "kept"),
        (SMOKE, "cuda", "replicas"),
        (dataclasses.replace(SMOKE, schedule="drops"), "cpu", "reference"),
        (lenet, "cpu", "replicas"),
        (dataclasses.replace(lenet, transform="crop-flip"), "cuda", "reference"),
        (resnet, "cuda", "reference"),
    ):
        assert engines.resolve("auto", settings, device).name == name


@pytest.mark.parametrize(
    "engine",
    [
        "fast",
        "",
        "sparse a b",
        "sparse nan",
        "sparse  ",
        "sparse -1",
        "kept 0.5",
        "kept fast 0.5",
        "kept onednn 2",
        "replicas x",
        "replicas 0",
        "reference 3",
        "auto 3",
    ],
)
def test_an_engine_that_there_is_not_is_refused_with_the_choices(engine):
    with pytest.raises(ValueError, match="auto, .*reference, .*sparse"):
        engines.resolve(engine, SMOKE)


@pytest.mark.parametrize(
    "text, numbers",
    [
        ("sparse 0.5 0.25 0", [0.5, 0.25, 0.0]),
        ("sparse 1.5e-05 0.0078125 1.0", [1.5e-05, 0.0078125, 1.0]),
        ("kept onednn 0.5 0", ["onednn", 0.5, 0.0]),
        ("replicas 8", [8]),
        ("reference", []),
    ],
)
def test_the_texts_of_stored_results_are_read_and_stay_as_they_are(text, numbers):
    settled = engines.read(text)
    assert list(settled.numbers) == numbers and str(settled) == text


@pytest.mark.parametrize("fault", ["no numba", "no place"])
def test_where_nothing_can_be_compiled_the_sparse_engine_trains_and_a_line_says_so(
    fault, tmp_path, monkeypatch, capsys
):
    for module in [name for name in sys.modules if name.startswith("sifting.training.kernels")]:
        monkeypatch.delitem(sys.modules, module)
    if fault == "no numba":
        monkeypatch.setitem(sys.modules, "numba", None)
        monkeypatch.setitem(sys.modules, "numba.core", None)
    else:
        (tmp_path / "file").write_text("where a folder should be")
        monkeypatch.setenv("SIFTING_CACHE", str(tmp_path / "file"))
    for known in (kept.kernels, kept.missing):
        known.cache_clear()
    monkeypatch.delattr(training, "kernels", raising=False)
    try:
        for _ in range(2):
            with pytest.raises(ValueError, match="the engine kept trains with numba"):
                engines.resolve("kept", SMOKE)
        [line] = capsys.readouterr().err.splitlines()
        assert line.startswith("no compiled loops here (") and "engine=sparse" in line
        assert engines.resolve("auto", SMOKE).name == "sparse"
    finally:
        monkeypatch.undo()
        for known in (kept.kernels, kept.missing):
            known.cache_clear()


@pytest.mark.parametrize("images", [1, 5, 16, 23, 64, 200])
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_a_compiled_loop_gives_the_matrix_product_and_the_same_bits_wherever_arrays_begin(images, dtype):
    draw = torch.Generator().manual_seed(images)
    mask = torch.rand(30, 50, generator=draw) < 0.3
    weight, h, d = (
        torch.randn(size, generator=draw, dtype=dtype) for size in (mask.shape, (50, images), (30, images))
    )
    rows, columns = mask.nonzero().T
    starts, columns = kept_layers.starts(rows, 30), columns.int().numpy()
    results = []
    for shift in (0, 1, 3):

        def moved(value, shift=shift):
            place = torch.zeros(value.numel() + shift, dtype=dtype)[shift:].view(value.shape)
            return place.copy_(value).numpy()

        z, found = moved(torch.zeros(30, images)), moved(torch.zeros(len(rows)))
        kept.kernels().product(starts, columns, moved(weight[mask]), moved(torch.zeros(30)), moved(h), z)
        kept.kernels().products(starts, columns, moved(d), moved(h), found)
        results.append((z.tobytes(), found.tobytes()))
    assert results[1:] == results[:1] * 2
    limits = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
    torch.testing.assert_close(torch.from_numpy(z), (weight * mask) @ h, **limits)
    torch.testing.assert_close(torch.from_numpy(found), (d @ h.T)[mask], **limits)


@pytest.mark.parametrize("name", kept.PRODUCTS)
def test_a_product_is_that_of_torch(name):
    draw = torch.Generator().manual_seed(0)
    for rows, inner, columns in ((5, 7, 3), (64, 32, 20), (0, 3, 2), (2, 0, 3), (3, 2, 0)):
        a, b = torch.randn(rows, inner, generator=draw), torch.randn(inner, columns, generator=draw)
        for left, right in ((a, b), (a.T.contiguous().T, b.T.contiguous().T), (a.double(), b.double())):
            torch.testing.assert_close(kept.PRODUCTS[name](left, right), left @ right, rtol=1e-5, atol=1e-5)


def test_images_are_gathered_as_a_split_gives_them(images):
    """In one pass, to the bit, in the order of the units; and so where the images allow no such pass."""
    settings, model, masks = setting(images, torch.float32)
    network = kept.Network(model, masks, [1.0] * 4)
    index = torch.tensor([3, 0, 499, 3])
    for split in (dataclasses.replace(images.train, mean=torch.linspace(0, 255, 192)), images.train):
        found, labels = kept._gather(split, network)(index)
        x, y = split.batch(index)
        assert torch.equal(found, x.T[network.units[0].order]) and torch.equal(labels, y)


def test_a_damaged_or_lost_cache_is_measured_again(tmp_path, monkeypatch):
    monkeypatch.setattr(threshold, "measure", lambda *_: 0.25)
    for number, folder in enumerate([tmp_path, tmp_path / "file" / "x"], 5):
        (tmp_path / "thresholds.json").write_text('{"torn')
        (tmp_path / "file").write_text("where a folder should be")
        monkeypatch.setenv("SIFTING_CACHE", str(folder))
        assert threshold.threshold(number, 6, 7, torch.float32) == 0.25


def test_what_the_sparse_engine_cannot_train_it_refuses(images):
    settings, model, masks = setting(images, torch.float32)
    with pytest.raises(ValueError, match="a limit for each of 4 layers, not 1"):
        sparse.Network(model, masks, [0.5])
    with pytest.raises(ValueError, match="not Sequential"):
        sparse.train(torch.nn.Sequential(model), {}, images, settings)
    with pytest.raises(ValueError, match="on meta"):
        sparse.train(model.to("meta"), {}, images, settings)


def test_a_threshold_is_measured_once(tmp_path, monkeypatch):
    monkeypatch.setenv("SIFTING_CACHE", str(tmp_path))
    first = threshold.threshold(8, 9, 10, torch.float32)
    assert first in (0.0, *threshold.DENSITIES)
    monkeypatch.setattr(threshold, "measure", lambda *_: pytest.fail("measured again"))
    threshold.remembered.clear()
    assert threshold.threshold(8, 9, 10, torch.float32) == first
    assert (tmp_path / "thresholds.json").exists()


@pytest.mark.parametrize("statistics", [True, False])
def test_units_are_sorted_by_what_they_do(statistics):
    first = torch.tensor([[1, 1, 0], [0, 1, 0], [0, 0, 0]]).bool()  # unit 2 has no inputs, pixel 2 no reader
    second = torch.tensor([[1, 0, 0], [0, 0, 1]]).bool()  # nothing takes unit 1 as an input
    pixels, hidden, outputs = units.survey([first, second], statistics)
    assert (hidden.order.tolist(), hidden.active, hidden.computed) == ([0, 1, 2], 1, 1 + statistics)
    assert (pixels.order.tolist(), pixels.active, pixels.computed) == ([0, 1, 2], 2, 2)
    assert (len(outputs), outputs.computed) == (2, 2)
