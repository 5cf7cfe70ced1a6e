"""Every chapter runs from nothing, and its page can be read by what makes the other pages."""

import ast
import json

import nbformat
import pytest

from sifting import __main__ as cli
from sifting.publish import catalog, markup, pages, runner, sources
from sifting.store import schedule


def of_papers(name):
    """IDs of the papers' figures that a chapter names in its code."""
    cells = nbformat.read(sources.CHAPTERS / f"{name}.ipynb", 4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    words = [node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)]
    return [word for word in words if word in catalog.FIGURES]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One folder of pages and results for all chapters: what two of them need is computed once."""
    return tmp_path_factory.mktemp("folder")


@pytest.fixture
def book(folder, monkeypatch, results):
    monkeypatch.setenv("SIFTING_RESULTS", str(folder / "results"))
    monkeypatch.setattr(runner, "BOOK", folder)
    monkeypatch.setattr(schedule, "cores", lambda: 1)  # the suite has a process a core as it is
    return folder


@pytest.mark.parametrize("name", sources.chapters())
def test_a_chapter_runs_at_the_smoke_preset(name, book):
    assert cli.main(["run", name, "preset=smoke", "seeds=2", "device=cpu", "book=1"]) == 0
    shown = [output for output in pages.outputs(book) if output["chapter"] == name]
    assert [output for output in shown if "figure" in output] and pages.claims_of(shown)
    assert markup.SMOKE in nbformat.read(book / f"{name}.ipynb", 4).cells[0].source
    assert not runner.run_chapter(name, preset="smoke", seeds=2, device="cpu")


def test_the_other_pages_are_made_from_these(book):
    pages.write(book)
    pages.write_coverage(book, book / "coverage.json")
    drawn = {shown["figure"] for shown in pages.outputs(book) if "figure" in shown}
    for row in json.loads((book / "coverage.json").read_text()):
        assert row["preset"] == ("smoke" if row["id"] in drawn else None)
        assert row["chapter"] is None or row["id"] in of_papers(row["chapter"])
