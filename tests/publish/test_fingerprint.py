"""A page is drawn again when something that it is made from has changed, and only then."""

import pathlib

import nbformat
import pytest

from sifting.publish import catalog, fingerprint

CODE = {
    "__init__.py": "import house.style\nhouse.style.SEEN.append(1)\n",
    "style.py": "SEEN = []\nWIDTH = 3\nUNUSED = 4\n",
    "figures.py": (
        "from house import style\nfrom house.tables import table\n"
        "def line(x):\n    return _drawn(x, style.WIDTH)\ndef _drawn(x, width):\n    return x * width\n"
        "def other(x):\n    return table(x)\n"
    ),
    "tables.py": (
        '"""What is drawn."""\nFACTOR = 2\ndef table(x):\n    # why\n    return FACTOR * x\n'
        "class Row:\n    def a(self):\n        return table(1)\n"
    ),
}


@pytest.fixture
def house(tmp_path, monkeypatch):
    """change(code, file, old, new) -> what code reaches in four modules after that change."""
    package = tmp_path / "house"
    package.mkdir()
    for name, text in CODE.items():
        (package / name).write_text(text)
    monkeypatch.setattr(fingerprint, "PACKAGE", package)

    def change(code: str, file: str = "style.py", old: str = "", new: str = ""):
        text = (package / file).read_text()
        assert old in text
        (package / file).write_text(text.replace(old, new) if old else text)
        fingerprint.modules.cache_clear()
        return fingerprint.reached(code)

    yield change
    fingerprint.modules.cache_clear()


LINE = "from house import figures\nfigures.line(3)"


def test_what_is_reached_is_what_is_used_through_all_that_uses_it(house):
    found = house(LINE)
    assert set(found) == {
        ("house", ""), ("house.figures", "line"), ("house.figures", "_drawn"),
        ("house.style", "WIDTH"), ("house.style", "SEEN"),
    }  # fmt: skip
    found = house("import house.tables as t\nt.Row()")
    assert {name for module, name in found if module == "house.tables"} == {"Row", "table", "FACTOR"}


def test_a_module_that_is_named_as_a_whole_is_reached_as_a_whole(house):
    found = house("from house import figures\nprint(vars(figures))")
    assert {"line", "_drawn", "other"} <= {name for _, name in found}
    assert ("house.tables", "FACTOR") in found


@pytest.mark.parametrize(
    ("file", "old", "new", "matters"),
    [
        ("style.py", "WIDTH = 3", "WIDTH = 5", True),
        ("style.py", "UNUSED = 4", "UNUSED = 5", False),
        ("figures.py", "x * width", "x + width", True),
        ("figures.py", "return table(x)", "return table(2 * x)", False),
        ("tables.py", "FACTOR = 2", "FACTOR = 3", False),
        ("__init__.py", "append(1)", "append(2)", True),
        ("tables.py", "# why", "# because", False),
    ],
)
def test_only_a_change_of_what_is_used_matters(house, file, old, new, matters):
    assert (house(LINE) != house(LINE, file, old, new)) == matters


@pytest.fixture
def chapter(tmp_path):
    """chapter(*cells of code) -> the path of a notebook of these."""

    def write(*code: str) -> pathlib.Path:
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(text, id=f"c{n}") for n, text in enumerate(code)]
        )
        nbformat.write(notebook, tmp_path / "one.ipynb")
        return tmp_path / "one.ipynb"

    return write


def test_statements_that_a_chapter_tests_belong_to_its_page(chapter, monkeypatch):
    path = chapter('page.check("PB1a", gains=[1.0])')
    before = fingerprint.fingerprint(path, {}, [])
    records = dict(catalog.statements())

    def changed(id):
        some = next(key for key, record in records.items() if record.id == id)
        record = catalog.Statement(**{**vars(records[some]), "text": "Otherwise."})
        monkeypatch.setattr(catalog, "statements", lambda: records | {some: record})
        return fingerprint.fingerprint(path, {}, [])

    assert changed("PB1a") != before
    assert changed("PB2b") == before


def test_source_that_a_chapter_shows_belongs_to_its_page(chapter):
    [shown] = fingerprint.sourced(fingerprint.ast.parse('page.source("observables.paths.used")'))
    path = chapter('page.source("observables.paths.used")')
    assert shown == "observables.paths.used"
    assert fingerprint.fingerprint(path, {}, []) != fingerprint.fingerprint(chapter("page.source()"), {}, [])


def test_parameters_results_and_scripts_of_explorers_matter(chapter, tmp_path, monkeypatch):
    path = chapter("from sifting.widgets import MaskExplorer\nMaskExplorer()")
    whole = fingerprint.fingerprint(path, {"seeds": 3}, ["a"])
    assert whole != fingerprint.fingerprint(path, {"seeds": 4}, ["a"])
    assert whole != fingerprint.fingerprint(path, {"seeds": 3}, ["b"])
    monkeypatch.setattr(fingerprint, "SCRIPTS", tmp_path)
    assert whole != fingerprint.fingerprint(path, {"seeds": 3}, ["a"])
    plain = chapter("from sifting.tables import words\nwords.percent(1)")
    without = fingerprint.fingerprint(plain, {}, [])
    monkeypatch.undo()
    assert without == fingerprint.fingerprint(plain, {}, [])


@pytest.mark.parametrize(
    "path", sorted((fingerprint.PACKAGE.parent / "chapters").glob("*.ipynb")), ids=lambda path: path.stem
)
def test_a_chapter_reaches_its_figures_and_not_how_results_are_computed(path):
    code = "\n".join(cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code")
    modules = {module for module, _ in fingerprint.reached(code)}
    assert "sifting.publish.page" in modules and any(name.startswith("sifting.figures") for name in modules)
    assert not [name for name in modules if name.startswith("sifting.store")]
