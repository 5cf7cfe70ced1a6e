"""What a page shows is what it records."""

import dataclasses
import json
import re
import types

import pytest

from sifting import config, figures
from sifting.publish import plans
from sifting.publish.catalog import Statement, statements
from sifting.publish.page import Page


class Run:
    name, config = "ticket-0123456789ab", config.preset("smoke")


def a_page(preset="smoke", **more):
    """A page of one run."""
    return Page(preset, {("masks", "main"): [Run]}, **more)


@pytest.fixture
def published(monkeypatch):
    outputs = []
    monkeypatch.setattr(
        "sifting.publish.live.publish_display_data",
        lambda data, metadata: outputs.append((data, metadata["sifting"])),
    )
    return outputs


def test_a_figure_records_its_id_function_results_and_preset(published, tmp_path, monkeypatch):
    monkeypatch.setenv("SIFTING_FIGURES", str(tmp_path))
    a_page().show("PB2a", figures.maps.displacement, None, "A sketch of <em>d</em>.")
    [(data, record)] = published
    assert record == {
        "figure": "PB2a",
        "own": False,
        "function": "figures.maps.displacement",
        "results": [],
        "preset": "smoke",
        "dataset": "photos",
    }
    assert 'id="PB2a"' in data["text/html"] and 'alt="A sketch of d."' in data["text/html"]
    assert (tmp_path / "PB2a.svg").read_text().startswith("<?xml")


def test_names_that_are_neither_the_papers_nor_ours_raise(published):
    with pytest.raises(ValueError, match="no figure of the papers has the ID 'PB99'"):
        a_page().show("PB99", figures.maps.displacement, None, "")
    a_page().show("own-figure", figures.maps.displacement, None, "")
    assert published[0][1]["own"]


@pytest.fixture
def said(monkeypatch):
    """A statement in the catalog that needs escaping."""
    statement = Statement(
        "PB1a", "less", "a < b", "a is 1 & b is 2", "b minus a", unit="points", above=0, least=-100, most=100
    )
    monkeypatch.setattr("sifting.publish.page.catalog.statement", lambda id, name: statement)
    return statement


def test_a_claim_shows_its_verdict_and_records_what_was_measured(published, said):
    a_page().check("PB1a", less=[1.0, 1.1, 0.9])
    [(data, record)] = published
    assert data["text/plain"].startswith("holds: a < b")
    assert "a &lt; b" in data["text/html"] and "a is 1 &amp; b is 2" in data["text/html"]
    assert 'class="claim holds"' in data["text/html"] and "1.00 points" in data["text/html"]
    [claim] = record["claims"]
    assert claim.pop("estimate") == pytest.approx(1) and claim.pop("low") < 1 < claim.pop("high")
    assert 0 < claim.pop("p") < 0.05 and claim.pop("seeds") == 2
    assert claim == {
        "id": "PB1a", "name": "less", "over": "3 seeds", "preset": "smoke", "dataset": "photos",
    }, "words are those of the catalog"  # fmt: skip


def test_a_claim_without_an_interval_is_recorded_in_json(published, said):
    a_page().check("PB1a", less=[1.0])
    [(_, record)] = published
    [claim] = record["claims"]
    assert claim["low"] is claim["high"] is claim["p"] is None, "JSON knows no infinity"
    json.dumps(record, allow_nan=False)


def test_several_statements_are_tested_in_one_call_and_shown_once(published):
    page = a_page()
    said = [one for one in statements().values() if one.id == "PB1a"]
    found = page.check("PB1a", **{one.name: [1.0, 1.1] for one in said})
    assert found is None, "nothing for the end of a cell to show again"
    [(data, record)] = published
    assert [claim["name"] for claim in record["claims"]] == [one.name for one in said]
    assert [*page.claims] == [one.key for one in said]
    for one in said:
        assert page.claims[one.key].ours in data["text/plain"]
    assert data["text/html"].count('<li class="claim') == len(said) > 1


def test_what_the_marks_mean_is_said_at_the_first_statements_of_a_page(published):
    page = a_page()
    for one in list(statements().values())[:2]:
        page.check(one.id, **{one.name: [1.0, 1.1]})
    assert ["Every row opens" in data["text/html"] for data, _ in published] == [True, False]


def test_an_effect_may_say_how_it_is_tested(published):
    page = a_page()
    plain = [one for one in statements().values() if not one.over and not one.images]
    two, units = (next(one for one in plain if one.design == design) for design in ("two samples", "units"))
    page.check(two.id, **{two.name: dict(values=[1.0, 2.0], against=[0.5])})
    assert published[0][1]["claims"][0]["over"] == "2 seeds against 1 seed"
    page.check(units.id, **{units.name: dict(values=[1.0], error=0.25)})
    assert published[1][1]["claims"][0]["over"] == "1 seed, interval over its units"
    with pytest.raises(ValueError, match=f"{two.key} is tested by two samples: give against="):
        page.check(two.id, **{two.name: [1.0, 2.0]})


def test_statements_that_are_not_in_the_catalog_raise(published):
    names = ", ".join(one.name for one in statements().values() if one.id == "PB1a")
    with pytest.raises(ValueError, match=f"no statement 'nosuch' on PB1a; there are {names}"):
        a_page().check("PB1a", nosuch=[1.0])
    with pytest.raises(ValueError, match="no statement 'it' on own-figure; there are none"):
        a_page().check("own-figure", it=[1.0])
    assert published == []


def test_groups_have_the_runs_of_the_first_kind(published):
    first, second, third = (types.SimpleNamespace(name=name) for name in "abc")
    page = Page("smoke", {("masks", "x"): [first], ("units", "x"): [second], ("units", "y"): [third]})
    assert page.groups == {"x": [first], "y": [third]} and page.runs == [first, second, third]
    assert page.results["units", "x"] == [second]


def test_the_source_of_functions_is_that_of_their_files(monkeypatch):
    shown = []
    monkeypatch.setattr(
        "sifting.publish.live.publish_display_data", lambda data, metadata: shown.append((data, metadata))
    )
    a_page().source("observables.gaussianity.kurtosis", "data.clones.Gaussian")
    [(data, metadata)] = shown
    assert metadata == {"sifting": {"source": ("observables.gaussianity.kurtosis", "data.clones.Gaussian")}}
    assert data["text/plain"].startswith("def kurtosis(") and "\n\n\nclass Gaussian:" in data["text/plain"]
    assert data["text/markdown"] == f"```python\n{data['text/plain']}\n```"
    for name in ("observables.gaussianity.nosuch", "nosuch.module.function"):
        with pytest.raises(ValueError, match=f"no function {name}"):
            a_page().source(name)


def test_a_table_of_the_papers_is_recorded_under_its_id(published):
    a_page("laptop").table(["a", "b"], [["1", "<2>"]], "Two", name="PBT1", made="data.composition")
    [(data, record)] = published
    assert record["figure"] == "PBT1" and record["function"] == "data.composition" and not record["own"]
    assert (
        'id="PBT1"' in data["text/html"].replace("id=PBT1", 'id="PBT1"') and "&lt;2&gt;" in data["text/html"]
    )


def test_a_claim_of_our_own_can_be_linked_to_once(published):
    page = a_page()
    plain = [one for one in statements().values() if one.design == "one sample" and not one.images]
    own = next(one for one in plain if one.own)
    drawn = next(one for one in plain if one.own and one.id != own.id)
    theirs = next(one for one in plain if not one.own)
    for one in (own, own, theirs):
        page.check(one.id, **{one.name: [1.0, 1.1]})
    page.show(drawn.id, figures.maps.displacement, None, "")
    page.check(drawn.id, **{drawn.name: [1.0, 1.1]})
    text = "".join(data["text/html"] for data, _ in published)
    assert text.count(f'id="{own.id}"') == 1
    assert text.count(f'id="{drawn.id}"') == 1
    assert f'id="{theirs.id}"' not in text, "their figure is the anchor"
    assert page.anchors == {own.id, drawn.id}
    page.table(["a"], [["1"]], "Theirs", name="PBT1")
    assert page.anchors == {own.id, drawn.id, "PBT1"}


def rows(data):
    """The cells of the rows of a table, without its head."""
    found = re.findall("(?s)<tr>(.*?)</tr>", data["text/html"])[1:]
    return [re.findall(">([^<]+)</t[dh]>", row) for row in found]


def test_settings_that_are_a_table_of_a_paper_show_what_is_shared_too(published):
    theirs = plans.in_paper("clones", "photographs")
    assert theirs.batch_size == 40 and theirs.lr == config.Config().lr
    run = types.SimpleNamespace(name="ticket-0123456789ab", config=dataclasses.replace(theirs, seed=3))
    page = Page("laptop", {("representation", "photographs"): [run]}, "clones", config.preset("paper"))
    page.settings(group="photographs", name="RDS1", caption="Theirs")
    [(data, record)] = published
    found = rows(data)
    assert ["batch_size", "40", "40"] in found and ["seed", "0", "3"] in found
    assert not [row for row in found if row[0] == "lr"], "the default of all"
    assert record["figure"] == "RDS1" and "Theirs" in data["text/html"]


def test_settings_shows_exactly_the_fields_that_differ_from_the_paper(published):
    Page("smoke", {}, "imp", config.preset("paper", lr=0.5, widths=(7, 8))).settings()
    text = published[-1][0]["text/html"]
    assert text.count("<tr>") == 3 and "7 × 8" in text and "1024 × 1024 × 1024" in text and "0.5" in text


def test_a_setting_that_no_run_of_the_page_has_is_not_shown(published):
    run = types.SimpleNamespace(name="ticket-0123456789ab", config=config.preset("laptop", subsets=7))
    page = Page("laptop", {("masks", "main"): [run]}, "imp", config.preset("laptop", cells=5, subsets=7))
    page.settings()
    text = published[-1][0]["text/html"]
    assert ">subsets<" in text and ">cells<" not in text
