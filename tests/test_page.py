"""What a page shows is what it records."""

import json

import pytest

from sifting import config, figures
from sifting.page import Page


class Run:
    name, config = "ticket-0123456789ab", config.preset("smoke")


@pytest.fixture
def published(monkeypatch):
    outputs = []
    monkeypatch.setattr(
        "sifting.page.publish_display_data",
        lambda data, metadata: outputs.append((data, metadata["sifting"])),
    )
    return outputs


def test_a_figure_records_its_id_function_results_and_preset(published, tmp_path, monkeypatch):
    monkeypatch.setenv("SIFTING_FIGURES", str(tmp_path))
    Page("smoke", [Run]).show("PB2a", figures.displacement, None, "A sketch of <em>d</em>.")
    [(data, record)] = published
    assert record == {
        "figure": "PB2a",
        "own": False,
        "function": "figures.displacement",
        "results": [],
        "preset": "smoke",
        "dataset": "photos",
    }
    assert (
        'id="PB2a"' in data["text/html"] and 'alt="A sketch of &lt;em&gt;d&lt;/em&gt;."' in data["text/html"]
    )
    assert (tmp_path / "PB2a.svg").read_text().startswith("<?xml")


def test_names_that_are_neither_the_papers_nor_ours_raise(published):
    with pytest.raises(ValueError, match="no figure of the papers has the ID 'PB99'"):
        Page("smoke", [Run]).show("PB99", figures.displacement, None, "")
    Page("smoke", [Run]).show("own-figure", figures.displacement, None, "")
    assert published[0][1]["own"]


def test_a_claim_shows_and_records_its_verdict(published):
    Page("smoke", [Run]).check(
        "PB1a", "a < b", "a is 1 & b is 2", "b minus a", [1.0, 1.1, 0.9], unit="points"
    )
    [(data, record)] = published
    assert record["claim"]["verdict"] == "holds" and record["claim"]["estimate"] == pytest.approx(1)
    assert (
        "a &lt; b" in data["text/html"]
        and 'class="claim holds"' in data["text/html"]
        and "1.00 points" in data["text/html"]
    )
    assert record["claim"]["below"] is None, "JSON knows no infinity"
    json.dumps(record, allow_nan=False)
    assert data["text/plain"].startswith("holds: a < b")


def test_settings_shows_exactly_the_fields_that_differ_from_the_paper(published):
    Page("smoke", [Run]).settings(config.preset("paper", lr=0.5, widths=(7, 8)))
    text = published[0][0]["text/html"]
    assert text.count("<tr>") == 3 and "7 × 8" in text and "1024 × 1024 × 1024" in text and "0.5" in text
