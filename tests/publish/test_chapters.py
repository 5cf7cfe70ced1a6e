"""Every chapter runs from nothing, and its page can be read by what makes the other pages."""

import json

import pytest

from sifting import __main__ as cli
from sifting.publish import pages, runner

BEYOND = {"dial", "leaving", "notions", "synthesis", "worth"}  # chapters without a figure of the papers


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
    assert found == ({None} if name in BEYOND else {"smoke", None})
    assert not runner.run_chapter(name, preset="smoke", seeds=2, device="cpu")
