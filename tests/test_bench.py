"""The benchmark measures what it says, and its stored numbers are what the project promises."""

import dataclasses
import json
import pathlib

import pytest
import torch
import torch.utils.flop_counter

from sifting import bench, config

STORED = pathlib.Path(__file__).resolve().parents[1] / "book" / "results" / "bench.json"
TINY = dataclasses.replace(config.preset("smoke"), batch_size=20)


def test_main_prints_and_keeps_the_ratios(results, monkeypatch, capsys):
    monkeypatch.setattr(bench, "SIZES", {"tiny": (8, TINY, 12)})
    monkeypatch.setattr(bench, "STACKED", {"tiny": (8, TINY, 12)})
    result = bench.main(seconds=0.1)
    [row] = result["rows"]
    assert row["share_of_products"] == pytest.approx(row["products"] / row["step"], abs=0.01)
    assert row["times_plain"] == pytest.approx(row["plain"] / row["step"], abs=0.01)
    [row] = result["replicas"]
    for count, ratio in row["times_single"].items():
        assert ratio == pytest.approx(row["ms"][count] / int(count) / row["ms"]["step"], abs=0.01)
    assert [line["density"] for line in result["sparse"]] == list(bench.DENSITIES)
    assert all(
        line["ratio"] == pytest.approx(line["reference"] / line["sparse"], abs=0.01)
        for line in result["sparse"]
    )
    assert (
        json.loads((results / "bench.json").read_text()) == result
        and "of the products' rate" in capsys.readouterr().out
    )


@pytest.mark.parametrize("norm", ["before", "after", "none"])
def test_the_products_are_those_of_a_step(norm):
    """As many floating-point operations as the matrix products that autograd does in our step."""
    settings = dataclasses.replace(TINY, batch_norm=norm)
    split = bench.images(8, 12)
    totals = []
    for make in (bench.products, bench.ours):
        run = make(split, settings, 12)
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


def test_stored_ratios_keep_the_promise():
    rows = json.loads(STORED.read_text())["rows"]
    assert rows[0]["share_of_products"] >= 0.8
    assert all(row["times_plain"] >= 1 for row in rows)
