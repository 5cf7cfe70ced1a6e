"""What a page shows is what it records."""

import json
import re
import types

import pytest

from sifting import config, figures
from sifting.publish.page import Page


class Run:
    name, config = "ticket-0123456789ab", config.preset("smoke")


@pytest.fixture
def published(monkeypatch):
    outputs = []
    monkeypatch.setattr(
        "sifting.publish.page.publish_display_data",
        lambda data, metadata: outputs.append((data, metadata["sifting"])),
    )
    return outputs


def test_a_figure_records_its_id_function_results_and_preset(published, tmp_path, monkeypatch):
    monkeypatch.setenv("SIFTING_FIGURES", str(tmp_path))
    Page("smoke", [Run]).show("PB2a", figures.maps.displacement, None, "A sketch of <em>d</em>.")
    [(data, record)] = published
    assert record == {
        "figure": "PB2a",
        "own": False,
        "function": "figures.maps.displacement",
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
        Page("smoke", [Run]).show("PB99", figures.maps.displacement, None, "")
    Page("smoke", [Run]).show("own-figure", figures.maps.displacement, None, "")
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


def test_a_smoke_page_says_that_it_is_one(published):
    Page("smoke", [Run]).settings(config.preset("smoke"))
    assert "nothing below is a result" in published[0][0]["text/html"] and len(published) == 2
    Page("laptop", [Run]).settings(config.preset("laptop"))
    assert len(published) == 3


def test_a_table_of_the_papers_is_recorded_under_its_id(published):
    Page("laptop", [Run]).table(["a", "b"], [["1", "<2>"]], "Two", name="PBT1", made="data.composition")
    [(data, record)] = published
    assert record["figure"] == "PBT1" and record["function"] == "data.composition" and not record["own"]
    assert (
        'id="PBT1"' in data["text/html"].replace("id=PBT1", 'id="PBT1"') and "&lt;2&gt;" in data["text/html"]
    )


def test_a_claim_of_our_own_can_be_linked_to_once(published):
    page = Page("smoke", [Run])
    for id in ("imp-own", "imp-own", "PB1a"):
        page.check(id, "It is so.", "", "effect", [1.0, 1.1])
    page.show("own-figure", figures.maps.displacement, None, "")
    page.check("own-figure", "It is so.", "", "effect", [1.0, 1.1])
    assert "".join(data["text/html"] for data, _ in published).count('id="imp-own"') == 1
    assert "".join(data["text/html"] for data, _ in published).count('id="own-figure"') == 1
    assert not any('class="claim holds" id="PB1a"' in data["text/html"] for data, _ in published)


def test_settings_that_are_a_table_of_a_paper_show_what_is_shared_too(published):
    theirs = config.preset("paper", batch_size=40, lr=0.1)
    Page("laptop", []).settings(config.preset("paper", batch_size=40, seed=3), theirs, "RDS1", "Theirs")
    [(data, record)] = published
    rows = re.findall("(?s)<tr>(.*?)</tr>", data["text/html"])[1:]
    found = [re.findall(">([^<]+)</t[dh]>", row) for row in rows]
    assert ["batch_size", "40", "40"] in found and ["seed", "0", "3"] in found
    assert not [row for row in found if row[0] == "lr"], "the default of all"
    assert record["figure"] == "RDS1" and "Theirs" in data["text/html"]


def test_settings_shows_exactly_the_fields_that_differ_from_the_paper(published):
    Page("smoke", []).settings(config.preset("paper", lr=0.5, widths=(7, 8)))
    text = published[-1][0]["text/html"]
    assert text.count("<tr>") == 3 and "7 × 8" in text and "1024 × 1024 × 1024" in text and "0.5" in text


def test_a_setting_that_no_run_of_the_page_has_is_not_shown(published):
    run = types.SimpleNamespace(name="ticket-0123456789ab", config=config.preset("laptop", subsets=7))
    Page("laptop", [run]).settings(config.preset("laptop", cells=5, subsets=7))
    text = published[-1][0]["text/html"]
    assert ">subsets<" in text and ">cells<" not in text
