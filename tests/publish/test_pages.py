"""The computed pages: what they say follows from what the notebooks record."""

import collections
import hashlib
import html
import importlib
import inspect
import json
import math
import pkgutil
import re
from itertools import cycle

import nbformat
import numpy as np
import pytest
import yaml

from sifting import figures, store
from sifting.config import FIELDS, Config, key
from sifting.publish import pages, plans, reference, sources
from sifting.publish.catalog import DIFFERS, FIGURES, PAPERS, Statement, findings, statements
from sifting.publish.claims import MEASURED, VERDICTS, check
from sifting.publish.pages import concluded
from sifting.publish.pages.outputs import recorded

ROOT = sources.ROOT
MADE = {
    "date": "2026-01-02T03:04:05+00:00", "commit": "0123456789ab", "versions": {"torch": "2.13.0"},
    "device": "a <fast> one",
    "threads": 1, "seed": 0, "data_seed": 0, "wall_seconds": 61.0, "peak_memory_mb": 1234,
}  # fmt: skip


def drawn(figure, chapter="imp", **more):
    return (
        {
            "figure": figure,
            "function": "figures.curves.accuracy",
            "preset": "laptop",
            "dataset": "photos",
            "results": [],
        }
        | more
        | {"chapter": chapter}
    )


def said(id, place=0):
    """A statement of the catalog on a figure, or of our own."""
    return [one for one in statements().values() if one.id == id][place]


OWN = next(one for one in statements().values() if one.own)


def claimed(statement, verdict, chapter="imp", **more):
    """What a page records of a statement of which that verdict comes out."""
    low, high = (bound if math.isfinite(bound) else None for bound in (statement.above, statement.below))
    inside = low + 1e-3 if high is None else high - 1e-3 if low is None else (low + high) / 2
    outside = low - 1 if low is not None else high + 1
    estimate = {"holds": inside, "does not hold": outside, "unclear": inside}[verdict]
    ends = (None, None) if verdict == "unclear" else (estimate - 1e-4, estimate + 1e-4)
    values = {
        "id": statement.id,
        "name": statement.name,
        "estimate": estimate,
        "low": ends[0],
        "high": ends[1],
        "p": None if verdict == "unclear" else 1e-9,
    }
    values |= {"over": "3 seeds", "preset": "laptop", "dataset": "photos"}
    return {"claim": values | more, "chapter": chapter}


def row(shown, name):
    return next(row for row in pages.coverage(shown) if row["id"] == name)


def write_notebook(path, records, metadata=None):
    outputs = [nbformat.v4.new_output("display_data", metadata={"sifting": record}) for record in records]
    cells = [nbformat.v4.new_code_cell("x", outputs=outputs), nbformat.v4.new_markdown_cell("y")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata or {}), path)


# --- the catalog


def test_every_figure_is_of_one_paper_and_the_four_papers_have_all_of_theirs():
    owners = [[prefix for prefix in PAPERS if name.startswith(prefix)] for name in FIGURES]
    assert all(len(owner) == 1 for owner in owners) and len(set(FIGURES.values())) == len(FIGURES)
    counts = collections.Counter(owner for [owner] in owners)
    assert {"PB": 28, "RD": 10, "PF": 18, "ES": 15}.items() <= counts.items() and set(counts) == set(PAPERS)


# --- coverage


def test_what_is_not_drawn_is_not_yet_covered():
    rows = pages.coverage([claimed(said("PB1a"), "holds")])
    assert [row["id"] for row in rows] == list(FIGURES)
    assert all(row["status"] == "not yet" and row["verdicts"] is row["chapter"] is None for row in rows)


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_figure_counts_the_verdicts_of_its_claims_and_tells_what_failed(verdict, count):
    mine = [one for one in statements().values() if one.id == "PB4"][: count + 1]
    shown = [drawn("PB4"), claimed(said("PB5"), "does not hold"), claimed(mine[0], "unclear")]
    shown += [claimed(one, verdict) for one in mine[1:]]
    found = row(shown, "PB4")
    assert sum(found["verdicts"].values()) == len(mine)
    assert found["verdicts"][verdict] == count + (verdict == "unclear")
    assert found["failed"] == [one.text for one in mine[1:]] * (verdict == "does not hold")
    text = pages.coverage_page(shown)
    words = {"holds": ("1 holds", "2 hold"), "does not hold": ("1 does not hold", "2 do not hold")}
    assert words.get(verdict, ("2 are unclear", "3 are unclear"))[count - 1] in text
    assert all((f"Does not hold: {one.text}" in text) == (verdict == "does not hold") for one in mine[1:])
    assert 'href="claims.html#PB4"' in text and 'href="imp.html#PB4"' in text


def test_coverage_says_in_which_respects_a_figure_is_not_as_in_the_paper():
    assert {*DIFFERS} <= {*FIGURES}
    place = {"chapter": "robustness", "preset": "laptop", "dataset": "photos"}
    shown = [{"figure": name} | place for name in ("PB6", "PB7")]
    drawn, other = row(shown, "PB7"), row(shown, "PB1a")
    here, paper = (plans.base("robustness", name) for name in ("laptop", "paper"))
    assert "widths" in drawn["settings"] and drawn["differs"] == DIFFERS["PB7"] and other["settings"] == []
    for field in FIELDS:
        assert (field in drawn["settings"]) == (getattr(here, field) != getattr(paper, field))
    text = pages.coverage_page(shown)
    assert all(DIFFERS[name] in text for name in ("PB6", "PB7")) and DIFFERS["PB8"] not in text
    assert text.count(", ".join(drawn["settings"])) == 1, "what figures share is said once"


def test_a_dot_of_coverage_has_a_slice_for_every_verdict_and_says_what_it_is():
    mine = [one for one in statements().values() if one.id == "PB4"][:4]
    shown = [drawn("PB4"), drawn("PB2a"), *(claimed(one, "holds") for one in mine[:3])]
    text = pages.coverage_page([*shown, claimed(mine[3], "unclear")])
    dots = re.findall(r"<li>(<[ai] [^>]*>)</[ai]></li>", text)
    assert len(dots) == len(FIGURES)
    [dot] = [dot for dot in dots if "PB4:" in dot]
    assert 'aria-label="PB4: 3 hold, 1 is unclear"' in dot and 'href="imp.html#PB4"' in dot
    assert "conic-gradient(var(--holds) 0% 75%, var(--unclear) 75% 100%)" in dot
    [dot] = [dot for dot in dots if "PB2a:" in dot]
    assert 'aria-label="PB2a: shown"' in dot and "style" not in dot
    assert all(dot.startswith("<i") and ": not yet" in dot for dot in dots if "href" not in dot)


def test_a_figure_without_claims_is_shown():
    found = row([drawn("PB2a", dataset=None)], "PB2a")
    assert found.pop("settings")
    assert found == {
        "id": "PB2a", "status": "reproduced", "chapter": "imp", "preset": "laptop", "dataset": None,
        "verdicts": dict.fromkeys(reversed(VERDICTS), 0), "failed": [], "differs": "",
    }  # fmt: skip


def test_figures_of_our_own_do_not_count_and_misspelt_ones_are_reported():
    shown = [drawn("imp-locality"), drawn("PB12-sparse")]
    assert all(row["status"] == "not yet" for row in pages.coverage(shown))
    with pytest.raises(ValueError, match="PB99"):
        pages.coverage([drawn("PB99")])


def test_the_counts_on_the_page_are_those_of_the_rows():
    text = pages.coverage_page([drawn("PB1a"), drawn("RD1")])
    assert text.count(f"2 of {len(FIGURES)}") == 1
    assert text.count("1 of 28") == 1 and text.count("1 of 10") == 1
    assert all(f"<code>{name}</code>" in text for name in FIGURES)
    assert 'href="imp.html#PB1a"' in text


# --- claims


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_claim_is_told_in_the_words_of_the_catalog(verdict):
    for statement in statements().values():
        [found] = pages.claims_of([claimed(statement, verdict)])
        assert found["verdict"] == verdict and found["chapter"] == "imp"
        said = {"statement": "text", "paper": "theirs", "effect": "effect", "unit": "unit"}
        assert [found[told] for told in said] == [getattr(statement, kept) for kept in said.values()]
        assert found["wanted"] == statement.wanted and found["ours"].endswith(", 3 seeds")


def test_what_a_page_records_is_told_as_it_was_tested():
    claim = check(said("PB1a"), [1.0, 1.5, 3.0])
    record = {name: getattr(claim, name) for name in (*MEASURED, "over")}
    [found] = pages.claims_of([claimed(said("PB1a"), "holds", **record)])
    assert (found["ours"], found["verdict"]) == (claim.ours, claim.verdict)
    assert found["p"] == claim.p
    assert found["claim"].forecast == claim.forecast != ""
    nothing = dict.fromkeys(MEASURED)
    [found] = pages.claims_of([claimed(said("PB1a"), "holds", **nothing)])
    assert (found["ours"], found["verdict"]) == ("nothing to measure", "unclear")


def test_the_ledger_holds_every_claim_in_words_and_escapes_them(monkeypatch):
    made = {
        verdict: Statement("PB1a", str(n), f"a < b & {n}", "12 % & <more>", "gain < 1", unit="<s>", above=0)
        for n, verdict in enumerate(VERDICTS)
    }
    for module in ("outputs", "tested"):
        recorded = importlib.import_module(f"sifting.publish.pages.{module}")
        monkeypatch.setattr(recorded, "statement", lambda id, name: made[VERDICTS[int(name)]])
    text = pages.claims_page([claimed(statement, verdict) for verdict, statement in made.items()])
    assert "3 tests of what" in text
    assert "1 holds, 1 is unclear, 1 does not hold; and 0 of statements of our own" in text
    assert "Of the tests of what the papers say, 1 is unclear." in text and "over seeds: 1." in text
    assert "warning" not in text and "<more>" not in text and "<s>" not in text
    for n, verdict in enumerate(VERDICTS):
        assert f"a &lt; b &amp; {n}" in text
        assert f'<span class="verdict {verdict.replace(" ", "-")}">{verdict}</span>' in text


def test_the_ledger_for_machines_has_a_row_a_statement_and_says_what_survives():
    shown = [
        claimed(statement, verdict) for statement, verdict in zip(statements().values(), cycle(VERDICTS))
    ]
    rows = json.loads(json.dumps(pages.ledger(shown), allow_nan=False))
    assert [f"{row['id']}.{row['name']}" for row in rows] == [*statements()]
    assert {row["of"] for row in rows if "-" in row["id"]} == {"book"}
    assert all(row["of"] == "book" or row["quote"] and row["place"] for row in rows)
    for row in rows:
        decided = row["verdict"] != "unclear"
        assert row["survives"] == {"bh": decided, "holm": decided} and (row["p"] is None) != decided
        low, high = row["interval"]
        inside = all(
            bound is None or side * (end - bound) > 0
            for end, bound, side in zip((low, high), row["holds_where"], (1, -1))
            if decided
        )
        assert not decided or inside == (row["verdict"] == "holds")
        said = statements()[f"{row['id']}.{row['name']}"]
        assert (row["design"], row["images"]) == (said.design, said.images)
        assert (row["paper_effect"] is None) == (not row["paper_effect_from"]) == math.isnan(said.value)
    count = sum(row["verdict"] != "unclear" for row in rows)
    assert f"{count} of these {len(rows)} tests are decided" in pages.claims_page(shown)
    assert f"{count} remain (Holm)" in pages.claims_page(shown)


def test_claims_made_to_test_that_they_run_are_no_results():
    text = pages.claims_page([claimed(OWN, "holds", preset="smoke") | {"preset": "smoke"}])
    assert "0 tests of what" in text and "1 of statements of our own" in text
    assert "its figures and numbers are no results" in text


def test_a_claim_leads_to_where_its_figure_is_drawn():
    claim = claimed(said("ES6"), "holds", chapter="basins")
    assert 'href="surface.html#ES6"' in pages.claims_page([claim, drawn("ES6") | {"chapter": "surface"}])
    assert 'href="basins.html#ES6"' in pages.claims_page([claim, drawn("ES6") | {"chapter": "basins"}])
    assert 'href="basins.html#ES6"' in pages.claims_page([claim])


def test_claims_are_counted_by_paper_and_preset():
    shown = [
        claimed(said("PB1a"), "holds"),
        claimed(said("PB1b"), "unclear"),
        claimed(said("RD1"), "holds", preset="gpu"),
    ]
    text = pages.claims_page(shown)
    rows = [re.sub("<[^>]+>", " ", row).split() for row in re.findall("<tr>.*?</tr>", text)]
    assert [row[-4:] for row in rows[1:]] == [["laptop", "1", "1", "0"], ["gpu", "1", "0", "0"]]


# --- what came out in the end


def test_the_papers_statements_are_told_by_verdict_the_surest_first():
    worst, unclear, best = (said("RD3B", place) for place in range(3))
    shown = [claimed(one, verdict) for one, verdict in zip((worst, unclear, best), VERDICTS)]
    shown += [claimed(OWN, "does not hold")]
    text = pages.verdicts(shown)
    assert "Of 3 tests of what the papers say, 1 holds, 1 is unclear, 1 does not hold." in text
    heads = re.findall(r"<summary>(\d of \d [a-z ]+)</summary>", text)
    assert heads == ["1 of 3 holds", "1 of 3 is unclear", "1 of 3 does not hold"]
    order = [text.index(one.text) for one in (best, unclear, worst)]
    assert order == sorted(order) and OWN.text not in text
    assert re.findall(r'<i class="([a-z-]+) ', text) == ["holds", "unclear", "does-not-hold"]


def test_how_sure_a_verdict_is_follows_from_corrections_and_the_multiverse():
    def strength(verdict="holds", bh=True, holm=False, **multiverse):
        return concluded._strength(verdict, {"bh": bh, "holm": holm}, multiverse)

    assert strength(holm=True) == "strong" and strength() == "good" and strength(bh=False) == "weak"
    assert strength(robust="holds", opposed=False) == "strong"
    assert strength(robust="does not hold", opposed=True, holm=True) == "weak"
    assert strength("unclear", holm=True, robust="holds") == "open"


def test_a_finding_shows_what_was_measured_and_says_where_a_test_came_out_otherwise():
    keys = [key for one in findings() for key in one.tests]
    expected = {key: verdict for one in findings() for key, verdict in one.tests.items()}
    shown = [claimed(statements()[key], expected[key]) for key in keys]
    text = pages.findings_page(shown)
    assert "{" not in text and "not tested yet" not in text and "warning" not in text
    assert text.count("<li><p>") == len(findings())
    assert text.count('class="measured"') == sum(one.text.count("{") for one in findings())
    other = next(verdict for verdict in VERDICTS if verdict != expected[keys[0]])
    turned = pages.findings_page([claimed(statements()[keys[0]], other), *shown[1:]])
    assert turned.count("Not so here") == 1 and statements()[keys[0]].text in turned
    assert "not tested yet" in pages.findings_page(shown[1:])
    assert "drawn here yet" in pages.findings_page([]) and "drawn here yet" not in pages.findings_page(shown)
    folded = pages.findings_page(shown, folded=True)
    assert folded.count('class="measured"') == text.count('class="measured"')
    told = re.sub("<details>.*?</details>", "", folded)
    assert 'class="measured"' not in told and all(html.escape(one.title) in told for one in findings())


def test_an_output_of_several_claims_counts_as_one_for_each():
    made = [claimed(one, "holds")["claim"] for one in list(statements().values())[:3]]
    metadata = {"sifting": {"claims": made}}
    outputs = [
        nbformat.v4.new_output("display_data", metadata=metadata),
        nbformat.v4.new_output("display_data", metadata={"sifting": {"figure": "PB4"}}),
        nbformat.v4.new_output("display_data"),
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=outputs)])
    shown = recorded(notebook, "imp")
    assert [output.get("figure") for output in shown] == [None, None, None, "PB4"]
    assert [claim["name"] for claim in pages.claims_of(shown)] == [claim["name"] for claim in made]
    assert {output["chapter"] for output in shown} == {"imp"}


# --- how it was made


@pytest.fixture
def stored(results):
    configs = [Config(seed=seed, lr=0.05) for seed in (0, 1)] + [Config(lr=0.05, fraction=0.5)]
    for config in configs:
        store.save("ticket", config, {"x": np.zeros(3)}, MADE | {"seed": config.seed})
    return [f"ticket-{key(config)}" for config in configs]


def test_provenance_names_every_result_once_with_its_hash_and_groups_seeds(stored, results):
    shown = [drawn("PB1a", results=stored[:2], preset="gpu"), drawn("PB9", results=stored, preset="gpu")]
    text = pages.provenance_page(shown)
    for name in stored:
        assert text.count(f'id="{name}"') == 1
        assert hashlib.sha256((results / f"{name}.npz").read_bytes()).hexdigest() in text
    assert text.count('<li data-kind="ticket"') == 2 and "fraction 0.5" in text
    assert (
        f"make verify result={stored[0]}</code>" in text
        and "a &lt;fast&gt; one" in text
        and "0123456789ab" in text
        and "1,234 MB" in text
    )
    fields = re.search('(?s)<table class="fields">.*?</table>', text).group()
    assert fields.index("<code>lr</code>") < fields.index(
        "<code>dataset</code>"
    )  # what differs from the defaults comes first


def test_results_of_trials_are_listed_and_not_counted(stored):
    book, trial = drawn("PB1a", results=stored[:2], preset="gpu"), drawn("PB1a", results=stored, preset="gpu")
    text = pages.provenance_page([book], [trial])
    assert "drawn from 2 stored results" in text and "1 more, of your trials" in text
    assert all(text.count(f'id="{name}"') == 1 for name in stored)
    assert "of your trials" not in pages.provenance_page([book])


def test_a_result_that_is_gone_is_reported(results):
    with pytest.raises(Exception, match="ticket-000000000000"):
        pages.provenance_page([drawn("PB1a", results=["ticket-000000000000"])])


# --- notebooks


def test_only_finished_pages_count(tmp_path):
    for name in ("imp.ipynb", "imp.failed.ipynb", ".imp.partial.ipynb"):
        write_notebook(tmp_path / name, [{"figure": name}])
    assert [output["figure"] for output in pages.outputs(tmp_path)] == ["imp.ipynb"]


def test_a_page_that_stays_the_same_is_left_alone(tmp_path, results):
    write_notebook(tmp_path / "imp.ipynb", [{k: v for k, v in drawn("PB1a").items() if k != "chapter"}])
    pages.write(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.md")}
    pages.write(tmp_path)
    assert before and before == {path: path.stat().st_mtime_ns for path in before}


def test_what_follows_from_the_code_alone_is_written_again_when_it_changes(tmp_path, results, monkeypatch):
    made = []
    monkeypatch.setattr(pages, "OF_CODE", {"settings": lambda: made.append(1) or "text"})
    for stamp, file_is_there, count in (("a", False, 1), ("a", True, 1), ("b", True, 2), ("b", False, 3)):
        monkeypatch.setattr(sources, "stamp", lambda stamp=stamp: stamp)
        if not file_is_there:
            (tmp_path / "settings.md").unlink(missing_ok=True)
        pages.write(tmp_path)
        assert len(made) == count and (tmp_path / "settings.md").read_text() == "text"


def test_the_stamp_of_the_code_sees_every_file_and_chapter(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "CHAPTERS", tmp_path)
    first = sources.stamp()
    (tmp_path / "one.ipynb").write_text("{}")
    assert first != sources.stamp() == sources.stamp()


def test_parts_of_other_pages_are_no_pages(tmp_path, results):
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    assert {f"book/{name}.md" for name in pages.BLOCKS} <= {*config["exclude_patterns"]}


def test_contents_have_every_page_once(tmp_path, results):
    """A chapter, a guide, a page that is written by hand, a computed one that no chapter includes."""
    pages.write(tmp_path)
    computed = {path.name for path in tmp_path.glob("*.md")}
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    by_hand = {path.name for path in (ROOT / "book").glob("*.md") if f"book/{path.name}" not in ignored}
    assert not by_hand & computed, "what is computed is not kept: .gitignore names it"
    included = {f"{name}.md" for name in pages.BLOCKS}
    assert included <= computed
    contents = re.findall(r"(?:file|root): book/(\w+)", (ROOT / "_toc.yml").read_text(encoding="utf-8"))
    wanted = [
        *sources.chapters(),
        *sources.guides(),
        *(name.removesuffix(".md") for name in by_hand | (computed - included)),
    ]
    assert sorted(contents) == sorted(wanted)


# --- reference


def functions(name):
    """The public functions of a module of figures, as maps.masks."""
    module = importlib.import_module(f"{figures.__name__}.{name}")
    own = inspect.getmembers(
        module, lambda one: inspect.isfunction(one) and one.__module__ == module.__name__
    )
    return [f"{name}.{found}" for found, _ in own if not found.startswith("_")]


def test_the_reference_has_an_anchor_for_what_figures_link_to():
    text = reference.reference()
    drawing = [name for module in pkgutil.iter_modules(figures.__path__) for name in functions(module.name)]
    assert len(drawing) > 40 and all(f'id="figures.{name}"' in text for name in drawing)
    assert 'id="widgets.MaskExplorer"' in text and 'id="pruning.tickets.find"' in text
    anchors = re.findall('<li class="function" id="([^"{]+)" ', text)
    assert len(anchors) == len(set(anchors))


def test_prose_flows_and_equations_keep_their_lines():
    assert reference.paragraph("one\ntwo `x<y`") == "<p>one two <code>x&lt;y</code></p>"
    assert reference.paragraph("    a = b\n    c = d").count("\n") == 2
    assert reference.paragraph("x : (units,)\ny : (units,)").startswith("\n<pre>")
