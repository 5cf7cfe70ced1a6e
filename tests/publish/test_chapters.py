"""Every chapter runs from nothing, and its page can be read by what makes the other pages."""

import ast
import json

import nbformat
import pytest

from sifting import __main__ as cli
from sifting.publish import catalog, pages, runner


def of_papers(name):
    """IDs of the papers' figures that a chapter names in its code."""
    cells = nbformat.read(runner.CHAPTERS / f"{name}.ipynb", 4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    words = [node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)]
    return [word for word in words if word in catalog.FIGURES]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One folder of results for all chapters: what two of them need is computed once."""
    return tmp_path_factory.mktemp("results")


@pytest.mark.parametrize("name", runner.chapters())
def test_a_chapter_runs_at_the_smoke_preset(name, tmp_path, monkeypatch, results, folder):
    monkeypatch.setenv("SIFTING_RESULTS", str(folder))
    monkeypatch.setattr(runner, "BOOK", tmp_path)
    assert cli.main(["run", name, "preset=smoke", "seeds=2", "device=cpu"]) == 0
    shown = pages.outputs(tmp_path)
    assert [output for output in shown if "figure" in output] and pages.claims_of(shown)
    pages.write(tmp_path)
    pages.write_coverage(tmp_path, tmp_path / "coverage.json")
    found = {row["preset"] for row in json.loads((tmp_path / "coverage.json").read_text())}
    assert found == ({"smoke", None} if of_papers(name) else {None})
    assert not runner.run_chapter(name, preset="smoke", seeds=2, device="cpu")
