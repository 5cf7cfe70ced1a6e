"""The page With your own network: executed line by line, drawn once, and leaving nothing behind."""

import nbformat
import pytest

from sifting.config import place
from sifting.publish import pages, runner, sources
from sifting.publish.fingerprint import fingerprint, reached

GUIDE = place.checkout() / "chapters" / "guides" / "own.ipynb"


@pytest.fixture
def book(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "BOOK", tmp_path / "book")
    monkeypatch.setenv("SIFTING_RESULTS", str(tmp_path / "results"))
    (tmp_path / "book").mkdir()
    return tmp_path / "book"


def test_every_line_of_it_runs_and_it_is_drawn_once(book, capsys):
    runner.run("own")
    page = nbformat.read(book / "own.ipynb", 4)
    outputs = [output for cell in page.cells for output in cell.get("outputs", [])]
    said = "\n".join(str(output.get("text") or output.get("data")) for output in outputs)
    for words in (
        "level 8:   5% of the weights",
        "criterion slimming needs convolutions with a batch norm",
        "locality_random ",
        "MaskExplorer(ticket-",
        "SurfaceExplorer(1 ways",
        "'model': 'Net@",
        "unknown mask 'hiden.weight' (did you mean hidden.weight?); choose from",
    ):
        assert words in said
    assert "level/s" not in said and "Error" not in said
    assert not (book.parent / "results").exists(), "nothing is stored for the book"
    assert pages.record(book / "own.ipynb") == {"stamp": fingerprint(GUIDE, {}, [])}
    capsys.readouterr()
    runner.run("own")
    assert capsys.readouterr().out == ""


def test_the_page_depends_on_the_code_that_it_calls():
    code = "\n".join(cell.source for cell in nbformat.read(GUIDE, 4).cells if cell.cell_type == "code")
    found = reached(code)
    for place_of in (("sifting.own.measuring", "measure"), ("sifting.pruning.tickets", "find_together")):
        assert (place_of in found) == (place_of[1] == "measure")
    assert ("sifting.observables.locality", "localization") in found


def test_it_has_no_outputs_and_is_in_the_contents():
    code = [cell for cell in nbformat.read(GUIDE, 4).cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert "own" in sources.guides() and "book/own\n" in (GUIDE.parents[2] / "_toc.yml").read_text()
