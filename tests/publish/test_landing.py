"""The laboratory on the first page: the widget of its own page, in small, or nothing where there is none."""

import json

import nbformat
from ipywidgets import embed

from sifting.publish import landing, sources
from sifting.publish.normal import STATE, VIEW
from sifting.publish.web import shared
from sifting.widgets.lab import Lab


def drawn(path):
    """A page with a laboratory, as an executed guide has it."""
    lab = Lab(photographs={"bytes": b"1", "channels": []}, digits={"bytes": b"2", "labels": []})
    output = nbformat.v4.new_output("display_data", {VIEW: {"model_id": lab.model_id}})
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("Lab()", outputs=[output])])
    notebook.metadata["widgets"] = {STATE: {"state": embed.dependency_state([lab], drop_defaults=False)}}
    nbformat.write(notebook, path)
    return lab


def known(script):
    text = script.read_text(encoding="utf-8")
    assert "small-lab" in text
    return json.loads(text.partition("\n")[0].removeprefix("const LAB = ").removesuffix(";"))


def test_it_is_that_of_its_page_in_small(tmp_path):
    lab = drawn(tmp_path / "lab.ipynb")
    landing.write(tmp_path / "site" / "lab.js", tmp_path)
    found = known(tmp_path / "site" / "lab.js")
    [state] = found["state"].values()
    assert found["model"] == lab.model_id and state["state"]["small"] is True
    name = state["state"]["engine"]["shared"]  # it stands once, for this page and its own
    script = (tmp_path / "site" / shared.FOLDER / f"{name}.js").read_text(encoding="utf-8")
    assert json.loads(script.partition(" = ")[2].strip(";\n")) == lab.engine and state["buffers"]
    full = landing.laboratory(tmp_path / "lab.ipynb", small=False)
    assert full["state"][lab.model_id]["state"]["small"] is False


def test_where_its_page_is_not_drawn_the_first_page_has_a_link(tmp_path):
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "lab.ipynb")
    for book in (tmp_path, tmp_path / "none"):
        landing.write(tmp_path / "lab.js", book)
        assert known(tmp_path / "lab.js") is None
    intro = (sources.ROOT / "book" / "intro.md").read_text(encoding="utf-8")
    assert '<div class="small-lab"><a href="lab.html">' in intro


def test_for_a_picture_that_is_not_drawn_there_is_one_that_says_so(tmp_path):
    drawn = tmp_path / "figures" / "imp" / "PB1a.svg"
    drawn.parent.mkdir(parents=True)
    drawn.write_text("<svg/>")
    text = "```{image} figures/imp/PB1a.svg\n```\n```{image} figures/dial/dial-gain.svg\n```\n"
    (tmp_path / "intro.md").write_text(text)
    landing.stand_in(tmp_path)
    assert drawn.read_text() == "<svg/>"
    assert "not drawn here yet" in (tmp_path / "figures" / "dial" / "dial-gain.svg").read_text()
