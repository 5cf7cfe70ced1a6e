"""The computed pages: what they say follows from what the notebooks record."""

import hashlib
import inspect
import re

import nbformat
import numpy as np
import pytest

from sifting import store
from sifting.config import Config, key
from sifting.publish import pages, reference
from sifting.publish.catalog import FIGURES, PAPERS
from sifting.publish.claims import VERDICTS

MADE = {
    "date": "2026-01-02T03:04:05+00:00", "commit": "0123456789ab", "versions": {"torch": "2.13.0"}, "device": "a <fast> one",
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


def claimed(id, verdict, **more):
    values = {
        "statement": "It is so.",
        "paper": "12 %",
        "effect": "gain",
        "ours": "1 [0, 2], 3 seeds",
        "wanted": "above 0",
        "preset": "laptop",
        "dataset": "photos",
    }
    return {"claim": values | {"id": id, "verdict": verdict} | more, "chapter": "imp"}


def row(shown, name):
    return next(row for row in pages.coverage(shown) if row["id"] == name)


def write_notebook(path, records, metadata=None):
    outputs = [nbformat.v4.new_output("display_data", metadata={"sifting": record}) for record in records]
    cells = [nbformat.v4.new_code_cell("x", outputs=outputs), nbformat.v4.new_markdown_cell("y")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata or {}), path)


# --- the catalog


def test_the_catalog_has_the_71_figures_of_four_papers():
    counts = {prefix: sum(name.startswith(prefix) for name in FIGURES) for prefix in PAPERS}
    assert counts == {"PB": 28, "RD": 10, "PF": 18, "ES": 15}
    assert len(set(FIGURES.values())) == 71


# --- coverage


def test_what_is_not_drawn_is_not_yet_covered():
    rows = pages.coverage([claimed("PB1a", "holds")])
    assert [row["id"] for row in rows] == list(FIGURES)
    assert all(row["status"] == "not yet" and row["verdict"] is row["chapter"] is None for row in rows)


@pytest.mark.parametrize("worst", VERDICTS)
def test_a_figure_has_the_worst_verdict_of_its_claims(worst):
    better = VERDICTS[VERDICTS.index(worst) :]
    shown = [
        drawn("PB4"),
        *(claimed("PB4", verdict) for verdict in reversed(better)),
        claimed("PB5", "does not hold"),
    ]
    assert row(shown, "PB4")["verdict"] == worst


def test_a_figure_without_claims_is_shown():
    found = row([drawn("PB2a", dataset=None)], "PB2a")
    assert found == {
        "id": "PB2a", "status": "reproduced", "chapter": "imp", "preset": "laptop", "dataset": None, "verdict": "shown",
    }  # fmt: skip


def test_figures_of_our_own_do_not_count_and_misspelt_ones_are_reported():
    shown = [drawn("imp-locality"), drawn("PB12-sparse")]
    assert all(row["status"] == "not yet" for row in pages.coverage(shown))
    with pytest.raises(ValueError, match="PB99"):
        pages.coverage([drawn("PB99")])


def test_the_counts_on_the_page_are_those_of_the_rows():
    text = pages.coverage_page([drawn("PB1a"), drawn("RD1")])
    assert text.count("2 of 71") == 1 and text.count("1 of 28") == 1 and text.count("1 of 10") == 1
    assert all(f"<code>{name}</code>" in text for name in FIGURES)
    assert 'href="imp.html#PB1a"' in text


# --- claims


def test_the_ledger_holds_every_claim_in_words_and_escapes_them():
    shown = [claimed("PB1a", verdict, statement=f"a < b & {n}") for n, verdict in enumerate(VERDICTS)]
    text = pages.claims_page(shown)
    assert (
        "3 tests of what" in text
        and "1 hold, 1 are unclear, 1 do not hold; and 0 of statements of our own" in text
    )
    assert "warning" not in text
    smoke = pages.claims_page([claimed("imp-own", "holds", preset="smoke") | {"preset": "smoke"}])
    assert (
        "0 tests of what" in smoke
        and "1 of statements of our own" in smoke
        and "nothing below is a result" in smoke
    )
    for n, verdict in enumerate(VERDICTS):
        assert (
            f"a &lt; b &amp; {n}" in text
            and f'<span class="verdict {verdict.replace(" ", "-")}">{verdict}</span>' in text
        )


def test_a_claim_leads_to_where_its_figure_is_drawn():
    claim = claimed("ES6", "holds") | {"chapter": "basins"}
    assert 'href="surface.html#ES6"' in pages.claims_page([claim, drawn("ES6") | {"chapter": "surface"}])
    assert 'href="basins.html#ES6"' in pages.claims_page([claim, drawn("ES6") | {"chapter": "basins"}])
    assert 'href="basins.html#ES6"' in pages.claims_page([claim])


def test_claims_are_counted_by_paper_and_preset():
    shown = [claimed("PB1a", "holds"), claimed("PB1b", "unclear"), claimed("RD1", "holds", preset="gpu")]
    text = pages.claims_page(shown)
    rows = [re.sub("<[^>]+>", " ", row).split() for row in re.findall("<tr>.*?</tr>", text)]
    assert [row[-4:] for row in rows[1:]] == [["laptop", "1", "1", "0"], ["gpu", "1", "0", "0"]]


def test_in_short_only_statements_of_papers_that_do_not_hold_are_told():
    shown = [claimed("RD1", verdict, statement=f"it {verdict}") for verdict in VERDICTS]
    shown += [claimed("imp-own", "does not hold", statement="our own")]
    text = pages.verdicts(shown)
    assert "Of 3 tests of what the papers say, 1 hold, 1 are unclear, 1 do not hold." in text
    assert text.count("<details>") == 1 and "1 of 3 do not hold" in text
    assert "it does not hold" in text and "it holds" not in text and "our own" not in text
    assert "<details>" not in pages.verdicts(shown[1:3])


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
    assert text.count("\n## ") == 2 and "fraction 0.5" in text
    assert (
        f"make verify result={stored[0]}\n" in text
        and "a &lt;fast&gt; one" in text
        and "0123456789ab" in text
        and "1,234 MB" in text
    )
    fields = re.search('(?s)<table class="fields">.*?</table>', text).group()
    assert fields.index("<code>lr</code>") < fields.index(
        "<code>dataset</code>"
    )  # what differs from the defaults comes first


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
    assert len(before) == 7 and before == {path: path.stat().st_mtime_ns for path in before}


# --- reference


def test_the_reference_has_an_anchor_for_what_figures_link_to():
    from sifting import figures

    text = reference.reference()
    drawing = [name for name, found in vars(figures).items() if inspect.isfunction(found)]
    assert len(drawing) > 40 and all(f'id="figures.{name}"' in text for name in drawing)
    assert 'id="widgets.MaskExplorer"' in text and 'id="tickets.find"' in text
    anchors = re.findall('<div class="function" id="([^"{]+)">', text)
    assert len(anchors) == len(set(anchors))


def test_prose_flows_and_equations_keep_their_lines():
    assert reference.paragraph("one\ntwo `x<y`") == "<p>one two <code>x&lt;y</code></p>"
    assert reference.paragraph("    a = b\n    c = d").count("\n") == 2
    assert reference.paragraph("x : (units,)\ny : (units,)").startswith("\n<pre>")
