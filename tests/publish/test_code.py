"""Folded code of a page: it stands below what it shows."""

import pytest
from docutils import nodes
from docutils.utils import new_document

from sifting.publish.web import code


def cell(source: str, shows: str = "") -> nodes.container:
    """A cell as MyST-NB makes it: folded code, and what it shows, if anything."""
    found = nodes.container(nb_element="cell_code")
    fold = nodes.container("", nodes.literal_block(source, source), classes=["hide", "above-input"])
    output = nodes.container("", nodes.paragraph(shows, shows), nb_element="cell_code_output")
    found += [fold] * bool(source) + [output] * bool(shows)
    return found


@pytest.mark.parametrize(
    "parts, expected",
    [
        ([cell("draw()", "figure")], "figure|draw()"),
        ([cell("import"), cell("count()"), cell("draw()", "figure")], "figure|import|count()|draw()"),
        ([cell("a()", "one"), cell("b()", "two")], "one|a()|two|b()"),
        ([cell("import"), nodes.paragraph("text", "text"), cell("b()", "two")], "import|text|two|b()"),
        ([cell("import"), cell("", "note"), cell("b()", "two")], "import|note|two|b()"),
        ([cell("import"), cell(""), cell("b()", "two")], "two|import|b()"),
    ],
)
def test_code_stands_below_what_it_shows_under_one_heading(parts, expected):
    document = new_document("page")
    document += parts
    code.gather(document)
    assert document.astext().replace("\n\n", "|") == expected
    folds = [node for node in document.findall(nodes.container) if "hide" in node["classes"]]
    assert all(fold.parent[-1] is fold and fold.children for fold in folds)
    assert all(len(one.children) > 0 for one in document.findall(nodes.container))
