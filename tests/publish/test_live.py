"""Live mode: copies that readers may change, errors in a line, the panel and the command it stands for."""

import io
import json
import re
import sys

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell

from sifting import __main__ as cli
from sifting import store
from sifting.config import SETTINGS, parse, preset
from sifting.publish import plans, runner, sources, trials
from sifting.publish.live import copies, knobs, markdown, panel, server, session
from sifting.publish.pages.tried import arguments, command

CHAPTERS = sources.chapters()


# --- copies


@pytest.fixture(scope="module")
def made():
    """Every chapter -> its copy."""
    files = {chapter: f"{chapter}-copy.ipynb" for chapter in CHAPTERS}
    return {
        chapter: copies.copy_of(chapter, nbformat.read(sources.path(chapter), 4), files) for chapter in files
    }


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_copy_is_the_chapter_in_plain_markdown_with_a_panel(made, chapter):
    source, copy = nbformat.read(sources.path(chapter), 4), made[chapter]
    nbformat.validate(copy)
    panels = [cell for cell in copy.cells if cell.id == "panel"]
    assert [cell.id for cell in copy.cells if cell.id != "panel"] == [cell.id for cell in source.cells]
    assert len(panels) == 1 and copy.cells[1] is panels[0] and repr(chapter) in panels[0].source
    assert ('<details class="answer folded">' in copy.cells[0].source) == (
        "**Answer.**" in source.cells[0].source
    )
    for cell in copy.cells:
        if cell.cell_type == "markdown":
            assert not markdown.ROLE.search(cell.source) and not re.search(r"\.md\)|\) \(eq-", cell.source)
            places = re.findall(r"\]\((\S+?)[ )]", cell.source)
            assert all(
                re.match(rf"{markdown.SITE}[\w-]+\.html|[\w-]+-copy\.ipynb|https?://", p) for p in places
            )


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_copy_begins_with_the_settings_of_the_book(made, chapter):
    cell = next(cell for cell in made[chapter].cells if "parameters" in cell.metadata.get("tags", []))
    said = {}
    exec(cell.source, said)
    with trials.of_the_book():
        own = knobs.facts(chapter)["own"]
    assert (said["preset"], said["seeds"], said["overrides"], said["device"]) == (*own.values(), "auto")


def test_citations_links_equations_and_boxes_are_said_in_markdown():
    numbers = markdown.numbered(["$$ a $$ and $$ b $$ (eq-b)", "$$\nc\n$$ (eq-c)"])
    assert numbers == {"eq-b": 1, "eq-c": 2}

    def said(text):
        return markdown.plain(text, {"imp": "01-imp.ipynb"}, numbers, lambda page, name: f"{page} {name}")

    assert said("$$ a $$ and $$ b $$ (eq-b), see {eq}`eq-c`") == "$$ a $$ and $$ b \\tag{1}$$, see (2)"
    assert said("{glue:text}`gain` {glue:text}`imp.ipynb::gain:s`") == "None gain imp gain"
    assert said("[one](imp.ipynb#PB1a) [two](coverage.md)") == (
        "[one](01-imp.ipynb#PB1a) [two](/static/book/coverage.html)"
    )
    assert re.fullmatch(r"\\\[\[Frankle \*et al\.\*, 2020\]\(\S+ \".*\"\)\\\]", said("{cite:p}`frankle2020`"))
    assert re.fullmatch(
        r"Pellegrini and Biroli \\\[\[2022\]\(\S+ \".*\"\)\\\]", said("{cite:t}`pellegrini2022`")
    )
    two = said("{cite:p}`frankle2020, pellegrini2022`")
    assert two.count("](") == 2 and two.startswith(r"\[[Frankle") and two.endswith(r")\]")
    box = said(":::{note} Beware\nof {cite:p}`lee2019`\n:::")
    assert box.startswith('<div class="warning">\n\n**Beware.** of \\[') and box.endswith("</div>")
    assert said("```{dropdown} Answer\n:color: info\nYes.\n```") == (
        "<details><summary>Answer</summary>\n\nYes.\n\n</details>"
    )
    assert said("```python\nx\n```") == "```python\nx\n```"


def test_a_part_that_the_book_computes_stands_in_a_copy_once_the_site_is_built(tmp_path, monkeypatch):
    monkeypatch.setattr(markdown.place, "HOME", tmp_path)
    text = "Before.\n\n```{include} verdicts.md\n```\n\nAfter."

    def said():
        return markdown.plain(text, {}, {}, lambda page, name: "")

    assert said() == "Before.\n\n\n\nAfter."
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "verdicts.md").write_text('<a href="imp.html#PB1a">3 hold</a>', encoding="utf-8")
    assert said() == 'Before.\n\n<a href="/static/book/imp.html#PB1a">3 hold</a>\n\nAfter.'


def test_links_of_outputs_lead_to_the_site():
    text = '<a href="reference.html#f">f</a> <a href="#PB1a">x</a> <a class="x" href="https://a.html">y</a>'
    assert markdown.on_site(text) == text.replace("reference", "/static/book/reference")


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Two chapters with a table of contents: change(chapter, text) changes one, write() brings the copies."""
    for name in ("chapters", "book"):
        (tmp_path / name).mkdir()
    files = [{"file": f"book/{name}"} for name in ("two", "one", "other")]
    listed = json.dumps({"parts": [{"caption": "A part", "chapters": files}]})  # which is YAML, too
    (tmp_path / "_toc.yml").write_text(listed, encoding="utf-8")
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    monkeypatch.setattr(plans, "GROUPS", {"one": None, "two": None})
    monkeypatch.setattr(sources, "CHAPTERS", tmp_path / "chapters")
    monkeypatch.setattr(runner, "BOOK", tmp_path / "book")
    monkeypatch.setattr("sifting.publish.asked.settle", lambda *_: ("smoke", None, 2))
    monkeypatch.setattr(copies, "NotebookNotary", lambda: type("No", (), {"sign": lambda *_: None}))

    def change(chapter, text):
        cells = [
            nbformat.v4.new_markdown_cell(f"# Title {chapter}\n\n**Claim.** {text}", id="a"),
            nbformat.v4.new_code_cell(
                'preset = "laptop"\nseeds = 3\ndevice = "auto"\noverrides = {}',
                id="b",
                metadata={"tags": ["parameters"]},
            ),
            nbformat.v4.new_code_cell("page.show()", id="c"),
        ]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), sources.path(chapter))

    def write(**how):
        return {copy.chapter: copy.state for copy in copies.write(tmp_path / "live", **how)}

    change("one", "It is so.")
    change("two", "It is not.")
    return tmp_path / "live", change, write


def edit(path, source=None, run=True):
    """Change a copy as a reader does: a cell, or only what it has shown."""
    notebook = nbformat.read(path, 4)
    if source:
        notebook.cells[-1].source = source
    notebook.metadata.language_info = {"name": "python", "version": "3.11"}  # as JupyterLab does
    if run:
        notebook.cells[-1].outputs = [nbformat.v4.new_output("stream", text="mine")]
    nbformat.write(notebook, path)


def test_copies_stand_in_the_order_of_the_book_and_the_index_lists_them(library):
    folder, _, write = library
    assert write() == {"two": "new", "one": "new"}
    assert sorted(path.name for path in folder.iterdir()) == [
        "00-start-here.md",
        "01-two.ipynb",
        "02-one.ipynb",
    ]
    index = (folder / copies.INDEX).read_text(encoding="utf-8")
    assert index.index("## A part") < index.index("[Title two](01-two.ipynb)") < index.index("It is not.")
    assert index.count("*(not drawn yet)*") == 2
    parameters = nbformat.read(folder / "02-one.ipynb", 4).cells[2].source
    assert parameters == 'preset = "smoke"\nseeds = 2\ndevice = "auto"\noverrides = {}'


def test_copies_of_chapters_that_nobody_has_run_or_drawn_stay_as_they_are(library):
    folder, change, write = library
    write()
    assert write() == {"two": "kept", "one": "kept"}
    change("one", "It is so, after all.")
    assert write() == {"two": "kept", "one": "renewed"}
    made = [copies.Copy(name, f"{name}.ipynb", "", "renewed") for name in "abcdef"]
    assert any("6 of them" in line for line in server.told(made))
    assert any("a.ipynb, b.ipynb" in line for line in server.told(made[:5]))


def test_what_a_reader_changed_is_kept_and_what_changed_in_the_book_is_said(library):
    folder, change, write = library
    write()
    edit(folder / "01-two.ipynb", "mine()")
    edit(folder / "02-one.ipynb")  # run, and not changed
    before = {path: path.read_bytes() for path in folder.glob("*.ipynb")}
    assert write() == {"two": "changed", "one": "kept"}
    assert {path: path.read_bytes() for path in folder.glob("*.ipynb")} == before
    change("one", "It is so, after all.")
    change("two", "It is not, after all.")
    assert write() == {"two": "behind", "one": "renewed"}
    assert (folder / "01-two.ipynb").read_bytes() == before[folder / "01-two.ipynb"]
    assert "after all" in (folder / "02-one.ipynb").read_text(encoding="utf-8")
    made = [copies.Copy("two", "01-two.ipynb", "", "behind")]
    assert any("01-two.ipynb: the chapter has changed" in line for line in server.told(made))
    (folder / "02-one.ipynb").write_text("no notebook", encoding="utf-8")
    assert (
        write()["one"] == "changed" and (folder / "02-one.ipynb").read_text(encoding="utf-8") == "no notebook"
    )


def test_to_begin_anew_puts_aside_what_was_changed(library):
    folder, _, write = library
    write()
    edit(folder / "01-two.ipynb", "mine()")
    (folder / "own.ipynb").write_text("{}", encoding="utf-8")
    assert write(fresh=True) == {"two": "new", "one": "new"}
    [aside] = folder.glob(f"{copies.EARLIER}*")
    assert [path.name for path in aside.iterdir()] == ["01-two.ipynb"]
    assert "mine()" in (aside / "01-two.ipynb").read_text(encoding="utf-8")
    assert "mine()" not in (folder / "01-two.ipynb").read_text(encoding="utf-8")
    assert (folder / "own.ipynb").read_text(encoding="utf-8") == "{}"


def test_a_copy_has_the_outputs_of_the_books_page_where_its_cells_are_the_same(library):
    folder, _, write = library
    page = nbformat.read(sources.path("one"), 4)
    html = '<figure id="PB1a"><a href="reference.html#f">f</a></figure>'
    shown = nbformat.v4.new_output(
        "display_data", {"text/html": html}, metadata={"sifting": {"figure": "PB1a"}}
    )
    page.cells[-1].outputs = [shown]
    page.metadata.sifting = {"chapter": "one", "preset": "laptop", "seeds": 4, "overrides": {}}
    nbformat.write(page, runner.BOOK / "one.ipynb")
    write()
    [output] = nbformat.read(folder / "02-one.ipynb", 4).cells[-1].outputs
    assert "as in the book: preset laptop, 4 seeds" in output.data["text/html"]
    assert '<a href="/static/book/reference.html#f">' in output.data["text/html"]
    page.cells[-1].source = "page.other()"
    nbformat.write(page, runner.BOOK / "one.ipynb")
    write(fresh=True)
    assert nbformat.read(folder / "02-one.ipynb", 4).cells[-1].outputs == []


# --- JupyterLab


def test_jupyterlab_is_told_to_ask_nobody_and_to_look_like_the_book(tmp_path):
    server.dress(tmp_path)
    words = server.command(tmp_path, 8899)
    asked = {"--ServerApp.port=8899", "--LabApp.news_url=None", "--LabApp.extension_manager=readonly"}
    assert asked | {"--KernelManager.transport_encryption=auto"} < {*words}
    settings = json.loads((tmp_path / "settings" / "overrides.json").read_text(encoding="utf-8"))
    assert settings["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"
    style = (tmp_path / "custom" / "custom.css").read_text(encoding="utf-8")
    assert not re.search(r"bd-article|data-theme=", style.replace(".bd-content", "")), (
        "all of it is said anew"
    )
    assert "PORT" not in server.surroundings() and server.surroundings()["SIFTING_RESULTS"].endswith("trials")


def test_only_root_is_told_of(tmp_path, monkeypatch):
    for user, told in ((0, True), (1000, False)):
        monkeypatch.setattr(server.os, "geteuid", lambda user=user: user, raising=False)
        assert ("--allow-root" in server.command(tmp_path)) is told
        assert any("--allow-root" in line for line in server.told([])) is told


@pytest.mark.parametrize("port", ["0", "70000", "x"])
def test_a_port_that_cannot_be_is_refused_before_anything_is_written(port, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(server, "FOLDER", tmp_path / "live")
    assert cli.main(["live", f"port={port}"]) == 2
    assert "port" in capsys.readouterr().err and not (tmp_path / "live").exists()


# --- in a kernel


@pytest.fixture
def shell(monkeypatch):
    """A shell in which errors are told as in live mode: shell.told lists what is shown of them."""
    found = InteractiveShell()
    found.told = []
    monkeypatch.setattr(found, "_showtraceback", lambda kind, error, lines: found.told.append(lines))
    monkeypatch.setattr(session, "get_ipython", lambda: found)
    monkeypatch.setattr("sifting.publish.live.session.publish_display_data", lambda *a, **k: None)
    monkeypatch.setenv("SIFTING_LIVE", "1")
    monkeypatch.setenv("SIFTING_RESULTS", str(store.root() / "trials"))
    yield found
    found.set_custom_exc((), None)


OPEN = "from sifting.publish.page import open_chapter\npage = open_chapter('imp', {!r}, 1, 'auto', {!r})"


@pytest.mark.parametrize(
    "name, overrides, words",
    [
        ("smok", {}, "choose from desk, gpu, laptop, paper, smoke"),
        ("smoke", {"lrr": 1}, "lrr"),
        ("smoke", {"lr": -1}, "lr must be"),
    ],
)
def test_an_error_of_ours_is_one_line_and_no_cell_below_draws(shell, name, overrides, words):
    assert not shell.run_cell(OPEN.format(name, overrides)).success
    [[line]] = shell.told
    assert words in line and "\n" not in line and "Traceback" not in line
    assert not shell.run_cell("page.show('PB1a', None, None, '')").success
    assert "the cell that opens the chapter failed" in shell.told[-1][0]


def test_another_error_has_its_traceback(shell, monkeypatch):
    shell.run_cell(OPEN.format("smok", {}))
    shell.told.clear()
    shell.run_cell("1 / 0")
    assert len(shell.told[0]) > 1 and "ZeroDivisionError" in "".join(shell.told[0])
    monkeypatch.setenv("SIFTING_DEBUG", "1")
    shell.run_cell(OPEN.format("smok", {}))
    assert len(shell.told[1]) > 1


# --- the panel


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_panel_can_turn_every_field_that_it_shows(chapter):
    facts = knobs.facts(chapter)
    assert json.loads(json.dumps(facts)) == facts and 3 < len(facts["fields"]) < 9
    for one in facts["presets"]:
        base = plans.base(chapter, one["name"])
        assert {name: SETTINGS[name].read(text) for name, text in one["at"].items()} == {
            name: getattr(base, name) for name in facts["fields"]
        }


@pytest.fixture
def opened(results, monkeypatch):
    return panel.Panel("imp")


def test_a_panel_says_what_a_run_takes_or_what_is_wrong(opened):
    assert not opened.ready and not opened.wrong and "settings of the book" in opened.said
    opened.preset, opened.seeds = "smoke", 1
    assert opened.ready and "to compute" in opened.said
    opened.values = {"lr": "a lot"}
    assert opened.wrong and not opened.ready and opened.said == "lr takes a number, not 'a lot'"
    opened.values = {"lr": "0.05", "widths": "", "iterative": "true"}
    assert opened.settings == {"preset": "smoke", "seeds": 1, "overrides": {"lr": 0.05}}
    said = {}
    exec(opened.cell, said)
    assert (said["preset"], said["seeds"], said["overrides"]) == ("smoke", 1, {"lr": 0.05})


def test_a_command_line_and_its_words_are_of_the_same_settings():
    made = {
        "chapter": "imp",
        "preset": "smoke",
        "seeds": 2,
        "overrides": {"lr": 0.05, "widths": [64, 64], "iterative": False},
    }
    assert command(made) == 'make chapter=imp preset=smoke seeds=2 set="lr=0.05 widths=64,64 iterative=False"'
    read = parse(arguments(made)[-1].removeprefix("set="))
    assert preset("smoke", read) == preset("smoke", made["overrides"])
    assert command(made | {"overrides": {}}) == "make chapter=imp preset=smoke seeds=2"


def test_what_a_run_says_is_read_line_by_line():
    said = "one\n\rmasks:  10%|#   | 1 of 10 levels [00:01<00:09]\rmasks: 100%|####| 10 of 10 levels\nlast"
    found = list(panel.lines(io.BufferedReader(io.BytesIO(said.encode()))))
    assert found[0] == "one" and found[-1] == "last" and len(found) == 4
    bars = [panel.BAR.fullmatch(line) for line in found]
    assert [bar and (bar["what"], bar["percent"]) for bar in bars] == [
        None,
        ("masks", "10"),
        ("masks", "100"),
        None,
    ]


def test_a_panel_runs_stops_and_tells_why_a_run_failed(opened, monkeypatch, wait_for):
    opened.preset, opened.seeds = "smoke", 1
    started = []

    def start(words, popen=panel.subprocess.Popen, **how):
        started.append((words, how))
        return popen(
            [sys.executable, "-c", "print('masks: 50%|# | half', flush=True); import time; time.sleep(60)"],
            **how,
        )

    monkeypatch.setattr(panel.subprocess, "Popen", start)
    opened.run()
    opened.run()  # once is enough
    [(words, how)] = started
    assert words[1:] == ["-m", "sifting", "run", "imp", "preset=smoke", "seeds=1"]
    assert "SIFTING_LIVE" not in how["env"] and how["env"]["SIFTING_RESULTS"] == str(store.root())
    wait_for(lambda: opened.done == 0.5)
    assert opened.running and opened.doing == "masks: half"
    opened.stop()
    wait_for(lambda: not opened.running)
    assert opened.process.returncode != 0 and opened.results == {} and opened.doing.startswith("stopped")
