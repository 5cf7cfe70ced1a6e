"""The benchmark measures what it says, and its stored numbers are what the project promises."""

import dataclasses
import json
import pathlib

import numpy as np
import pytest
import torch
import torch.utils.flop_counter

from sifting import bench, config, store
from sifting.bench import libraries, limits
from sifting.publish import plans, runner
from sifting.publish.pages import fast
from sifting.publish.pages.measured import HEADS
from sifting.training import kept

STORED = pathlib.Path(__file__).resolve().parents[2] / "book" / "results" / "bench.json"
TINY = dataclasses.replace(config.preset("smoke"), batch_size=20)
LEVELS = 3


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A folder with the page of the laboratory."""
    folder = tmp_path_factory.mktemp("book")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "BOOK", folder)
        runner.draw_guides(["lab"])
    return folder


def lacking(*_):
    """Another library, where it cannot be installed."""
    raise ImportError("no network")


@pytest.fixture
def tiny(results, monkeypatch, drawn):
    """A benchmark of a tiny network, and a stored run of it with removed_at = 1, 2, 3 or never."""
    for name, value in {
        "SIZES": {"laptop preset": (8, TINY, 12)},
        "STACKED": {"tiny": (8, TINY, 12)},
        "LAPTOP": TINY,
        "PEERS": {"tiny": (8, TINY, 12)},
        "KERNEL_DENSITIES": (0.1, 0.03),
        "WIDTHS": (16, 32),
        "DENSITIES": (1.0, 0.1),
        "UNITS": 16,
        "SIDES": (4, 8),
        "IMAGES": 500,
    }.items():
        monkeypatch.setattr(bench, name, value)
    monkeypatch.setattr(libraries, "lightning", lacking)
    monkeypatch.setattr(bench.browser, "SETTINGS", "images=digits&steps=200&levels=2")
    monkeypatch.setattr(runner, "BOOK", drawn)
    sizes, draw = [192, *TINY.widths], np.random.default_rng(0)
    arrays = {"val_accuracy": np.zeros((LEVELS + 1, 2)), "shape": np.array([3, 8, 8])}
    for n, shape in enumerate(zip(sizes[1:], sizes)):
        arrays[f"removed_at/linear.{n}.weight"] = draw.choice([1, 2, 3, 255], shape).astype(np.uint8)
        arrays[f"removed_at/linear.{n}.bias"] = draw.choice([1, 2, 3, 255], shape[0]).astype(np.uint8)
    [settings] = plans.locality.imp(TINY, 1)["main"]
    store.save("shown", settings, arrays | {f"trained/{LEVELS}/linear.3.bias": np.zeros(12)}, {})
    return settings


@pytest.mark.parametrize("name", bench.TABLES)
def test_a_table_has_rows_of_sane_numbers(tiny, name):
    rows = bench.TABLES[name](seconds=0.01)
    assert len(rows) >= 1 and all(row.keys() == rows[0].keys() for row in rows)
    assert rows[0].keys() - {"run"} <= HEADS.keys(), "the page has a column for each"
    for row in rows:
        numbers = {column: value for column, value in row.items() if column not in ("size", "run")}
        assert numbers.pop("level", 0) >= 0 and all(0 < value < 1e6 for value in numbers.values())


@pytest.mark.parametrize("name", bench.TABLES)
def test_a_ratio_is_one_time_over_another_the_same_two_in_every_row(tiny, name):
    rows = bench.TABLES[name](seconds=0.01)
    if "ratio" in rows[0]:
        # what is over the line
        usual = {"plain" if name == "peers" else "reference"} & rows[0].keys() or rows[0].keys() - {"ratio"}
        assert any(
            all(row["ratio"] == round(row[slow] / row[fast], digits) for row in rows)
            for slow in usual
            for fast in rows[0].keys() - {"ratio", slow}
            for digits in (1, 3)
            if isinstance(rows[0][slow], float) and isinstance(rows[0][fast], float)
        )


def test_the_levels_are_those_of_the_stored_run(tiny):
    rows = bench.levels(seconds=0.01)
    assert [row["level"] for row in rows] == list(range(LEVELS + 1))
    assert [row["density"] for row in rows] == pytest.approx([1, 0.75, 0.5, 0.25], abs=0.03)
    assert {row["steps"] for row in rows} == {TINY.steps}


def test_without_a_stored_run_there_are_no_levels(tiny, results):
    store.path("shown", tiny).unlink()
    assert bench.levels(seconds=0.01) == []


def test_the_page_has_a_section_for_every_table():
    assert set(fast.SECTIONS) == set(bench.TABLES)


def test_main_prints_and_keeps_every_table(tiny, results, monkeypatch, capsys):
    monkeypatch.setattr(bench, "TABLES", {name: bench.TABLES[name] for name in ("loops", "replicas")})
    result = bench.main(seconds=0.01)
    assert json.loads((results / "bench.json").read_text()) == result
    assert set(result) == {"machine", "loops", "replicas"} and result["machine"]["threads"] == 1
    [row] = result["loops"]
    assert row["share_of_products"] == pytest.approx(row["products"] / row["reference"], abs=0.001)
    assert row["times_plain"] == pytest.approx(row["plain"] / row["reference"], abs=0.001)
    printed = capsys.readouterr().out
    assert all(f"ratio {row['ratio']}" in printed for row in result["replicas"])


def test_what_fetches_packages_is_measured_alone_and_the_rest_stays(tiny, results, monkeypatch, capsys):
    results.mkdir(exist_ok=True)
    before = {"machine": {"device": "another"}, "loops": [{"size": "x"}], "peers": []}
    (results / "bench.json").write_text(json.dumps(before))
    result = bench.main(seconds=0.01, only=["peers"])
    assert result | {"peers": []} == before == before | {"machine": result["machine"]}
    assert [row.keys() & {"plain", "kept", "lightning"} for row in result["peers"]] == [{"plain", "kept"}]
    assert capsys.readouterr().err == "not measured: no network\n"
    monkeypatch.setattr(bench, "TABLES", {name: bench.TABLES[name] for name in ("loops", "peers")})
    assert "peers" not in bench.main(seconds=0.01), "they are of another machine"
    result = bench.main(seconds=0.01, only=["peers"])
    assert bench.main(seconds=0.01)["peers"] == result["peers"]


def test_a_package_that_cannot_be_installed_says_why(monkeypatch, tmp_path):
    monkeypatch.setenv("SIFTING_CACHE", str(tmp_path))
    monkeypatch.setattr(libraries, "PACKAGES", ("sifting-has-no-such-package==0.0", "--no-index"))
    with pytest.raises(ImportError, match="sifting-has-no-such-package==0.0 cannot be installed: ERROR"):
        libraries.installed()


@pytest.mark.parametrize("kind", ["reference", "sparsely", "keeping"])
def test_the_operations_of_a_step_are_those_of_its_products(kind):
    """Where all layers are whole, as the products count them, but for those of the images' own gradient."""
    split, settings = bench.images(8, 12), dataclasses.replace(TINY, batch_norm="none")
    masks = bench.masks(split, settings, 1.0)
    run = bench.products(split, settings, 12)
    with torch.utils.flop_counter.FlopCounterMode(display=False) as counter:
        run()
    stepper = getattr(bench, kind)(split, settings, 12, masks).stepper
    operations, fetched, used = limits.work(stepper, masks)
    assert operations == pytest.approx(1e-9 * counter.get_total_flops()) and used == 1
    assert 0 < fetched < operations


@pytest.mark.parametrize("density", [0.1, 0.03])
def test_kept_weights_alone_are_half_an_operation_a_byte(density, monkeypatch):
    monkeypatch.setattr(kept, "settle", lambda model, config: ["blas", *[1.0] * len(model.linear)])
    split, settings = bench.images(8, 12), dataclasses.replace(TINY, batch_norm="none")
    masks = bench.masks(split, settings, density, spread=0)
    masks["linear.3.weight"] = bench.uneven(
        (12, TINY.widths[-1]), density, 0, torch.Generator().manual_seed(0)
    )
    operations, fetched, used = limits.work(bench.keeping(split, settings, 12, masks).stepper, masks)
    assert operations / fetched == pytest.approx(0.5) and used == 1


@pytest.mark.parametrize("norm", config.SETTINGS["batch_norm"].choices)
def test_the_products_are_those_of_a_step(norm):
    """As many floating-point operations as the matrix products that autograd does in our step."""
    settings = dataclasses.replace(TINY, batch_norm=norm)
    split = bench.images(8, 12)
    masks = bench.masks(split, settings, 0.3)
    totals = []
    for run in (bench.products(split, settings, 12), bench.reference(split, settings, 12, masks)):
        with torch.utils.flop_counter.FlopCounterMode(display=False) as counter:
            run()
        totals.append(counter.get_total_flops())
    assert totals[0] == totals[1]


@pytest.mark.parametrize("density", [0.1, 0.01])
@pytest.mark.parametrize("spread", [0.0, bench.SPREAD])
def test_masks_have_the_density_asked_for_and_uneven_ones_more_dead_units(density, spread):
    draw = torch.Generator().manual_seed(0)
    mask = bench.uneven((256, 768), density, spread, draw)
    assert mask.float().mean() == pytest.approx(density, rel=0.1)
    even = bench.uneven((256, 768), density, 0.0, draw)
    assert mask.sum(1).float().std() >= even.sum(1).float().std() * (3 if spread else 0.8)


def test_the_stored_run_of_the_laboratory_keeps_the_promise():
    [row] = json.loads(STORED.read_text())["laboratory"]
    assert row["seconds"] <= 40 and row["answer"] <= 50 and row["memory"] <= 300


def test_stored_ratios_keep_the_promise():
    rows = json.loads(STORED.read_text())["loops"]
    assert rows[0]["share_of_products"] >= 0.8
    assert all(row["times_plain"] >= 1 for row in rows)
