"""Exercises have answers: trials that are kept in small, of what their chapters are now."""

import ast
import io
import json
import re
from xml.etree import ElementTree

import nbformat
import numpy as np
import pytest
from matplotlib.figure import Figure

from sifting import __main__ as cli
from sifting import store
from sifting.publish import answers, asked, fingerprint, markup, pages, plans, runner, sources, trials
from sifting.publish.pages.outputs import recorded
from sifting.publish.pages.tried import page_of

ASKED = [exercise for path in sorted(sources.CHAPTERS.glob("*.ipynb")) for exercise in answers.asked(path)]
STORED = sorted(answers.FOLDER.glob("*"))
NUMBERED = re.compile(r"^\d+\. ", re.M)


def code_of(chapter):
    cells = nbformat.read(sources.CHAPTERS / f"{chapter}.ipynb", 4).cells
    return ast.parse("\n".join(cell.source for cell in cells if cell.cell_type == "code"))


def figures_of(chapter):
    calls = [node for node in ast.walk(code_of(chapter)) if isinstance(node, ast.Call)]
    return {call.args[0].value for call in calls if getattr(call.func, "attr", "") == "show"}


@pytest.mark.parametrize("chapter", plans.GROUPS)
def test_every_exercise_has_an_answer_below_it(chapter):
    cells = nbformat.read(sources.CHAPTERS / f"{chapter}.ipynb", 4).cells
    [place] = [n for n, cell in enumerate(cells) if "\n## Exercises\n" in cell.source]
    exercises = [cell.source.partition("## Exercises")[2] or cell.source for cell in cells[place:]]
    exercises = [n for n, text in enumerate(exercises, place) if NUMBERED.search(text)]
    assert exercises
    for begin, end in zip(exercises, [*exercises[1:], len(cells)]):
        below = "\n".join(cell.source for cell in cells[begin + 1 : end])
        assert below.count("page.answer(") + below.count('<details class="answer">') == 1
    numbers = [NUMBERED.findall(cells[n].source)[-1] for n in exercises]
    assert numbers == [f"{n}. " for n in range(1, len(exercises) + 1)]


@pytest.mark.parametrize("exercise", ASKED, ids=lambda one: one.path.stem)
def test_what_an_exercise_changes_has_an_effect_on_a_figure_of_the_chapter(exercise):
    usual = plans.planned(exercise.of, plans.base(exercise.of, "laptop"), 2)
    wanted = plans.planned(exercise.of, plans.base(exercise.of, "laptop", exercise.overrides), 2)
    assert set(wanted) - set(usual), "nothing is to be computed"
    asked.check(exercise.of, overrides=exercise.overrides)  # as its command has it, without a preset
    store.check([config for _, config in wanted], here=False)
    assert exercise.figure in figures_of(exercise.of)


def test_no_two_exercises_share_an_answer():
    assert len({exercise.path for exercise in ASKED}) == len(ASKED)


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_an_answer_is_of_what_its_exercise_and_its_chapter_are_now(path):
    """Else: make the trial again, and keep it; or remove it, and the exercise says that it has none."""
    [exercise] = [one for one in ASKED if one.path == path]
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert len(path.read_bytes()) <= answers.MOST
    assert [kept["chapter"], kept["overrides"]] == [exercise.of, exercise.overrides]
    assert kept["figure"]["name"] == exercise.figure
    base = plans.base(exercise.of, kept["preset"], kept["overrides"])
    planned = plans.planned(exercise.of, base, kept["seeds"])
    assert kept["results"] == sorted({store.path(*result).stem for result in planned})
    said = {name for name, _ in trials.by_name(kept["claims"])}
    assert said == set(fingerprint.tested(code_of(exercise.of))), "its chapter tests other statements now"
    answers.glued(exercise.says, trials.by_name(kept["claims"]), trials.by_name(kept["book"]))
    assert re.fullmatch(r"[0-9a-f]{12}(, [0-9a-f]{12})*", kept["commit"]), (
        "computed from code that is in no commit"
    )
    assert kept["wall_seconds"] > 0 and re.fullmatch(r"\d{4}-\d\d-\d\d", kept["date"])


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_an_answer_was_computed_as_its_chapter_computes_now(path, site):
    """What the book had then is what it has: else the trial is to be drawn and kept again."""
    kept = json.loads(path.read_text(encoding="utf-8"))
    page = runner.BOOK / f"{kept['chapter']}.ipynb"
    if pages.record(page)["preset"] != kept["preset"]:
        pytest.skip("the chapter is drawn at another preset")
    now = trials.by_name(recorded(nbformat.read(page, 4), ""))
    then = {key: claim for key, claim in trials.by_name(kept["book"]).items() if key in now}
    alike = [key for key, claim in then.items() if claim["over"] == now[key]["over"]]
    assert [then[key]["estimate"] for key in alike] == pytest.approx(
        [now[key]["estimate"] for key in alike], rel=1e-5, nan_ok=True
    )


# --- made of a trial


CELL = """
from matplotlib.figure import Figure
from sifting import config, store
from sifting.publish.page import Page

page = Page(preset, {}, "toy", config.preset(preset, overrides))
def line(table):
    figure = Figure()
    figure.add_subplot().plot(table)
    return figure
line.__module__ = "sifting.figures.curves"
page.show("PB1a", line, [1, 2], "A line.")
page.check("PB1a", gains=[2.5, 2.4] if overrides else [0.5, 0.6])
"""


@pytest.fixture
def toy(book, monkeypatch, tmp_path):
    """A book whose chapter toy has an exercise: lr=0.5."""
    monkeypatch.setattr(sources, "CHAPTERS", tmp_path / "chapters")
    monkeypatch.setattr(plans, "base", lambda name, preset, overrides=None: config_of(preset, overrides))
    monkeypatch.setattr(answers, "FOLDER", tmp_path / "answers")
    book.write(CELL, 'page.answer("lr=0.5", "PB1a", "From {book PB1a.gains} to {PB1a.gains}.")')
    return book


def config_of(preset, overrides=None):
    from sifting import config

    return config.preset(preset, overrides)


class Asking:
    chapter, claims, anchors = "toy", {}, {"PB1a"}

    def __init__(self):
        self.base = config_of("smoke")


def test_a_trial_is_kept_as_the_answer_to_the_exercise_that_asks_for_it(toy, capsys):
    words = "lr=0.5", "PB1a", "From {book PB1a.gains} to {PB1a.gains}."
    page, plain = answers.shown(Asking(), *words)
    assert "What comes out is not stored yet" in page and 'make chapter=toy set="lr=0.5"' in plain
    assert cli.main(["run", "toy"]) == cli.main(["run", "toy", "set=lr=0.5"]) == 0
    [trial] = trials.drawn(runner.BOOK)
    notebook = sources.CHAPTERS / "toy.ipynb"
    before = answers.stamps(notebook)
    assert cli.main(["answer", f"trial={trial}"]) == 0
    [path] = answers.FOLDER.glob("*")
    assert path.name == "toy-lr-0.5.json" and str(path) in capsys.readouterr().out
    assert before == [] and len(answers.stamps(notebook)) == 1, "the page is to be drawn again"
    page, plain = answers.shown(Asking(), *words)
    assert "From 0.55 points to 2.45 points." in plain and "<img" in page
    assert "1 of 1 verdicts differ" in page and 'href="toy.html#PB1a"' in page
    assert "holds; in the book: 0.55 points" in answers.shown(Asking(), "lr=0.5", "PB1a")[1]
    earlier = "of an earlier form of the chapter"
    assert earlier in answers.shown(Asking(), "lr=0.5", "PB1a", "{PB1a.losses}")[1]
    path.write_text(path.read_text().replace('"gains"', '"losses"'))  # a statement has another name now
    page, plain = answers.shown(Asking(), *words)
    assert earlier in plain and "<img" not in page
    with pytest.raises(ValueError, match="an answer names PB1a.losses, which there is not among"):
        answers.glued("{PB1a.losses}", {}, {})
    with pytest.raises(ValueError, match=r"or {book ID.name}, not so: {book PB1a- chance.gains} of"):
        answers.glued("It is {book PB1a- chance.gains} of all.", {}, {})


def test_what_cannot_be_kept_is_told(toy, capsys, monkeypatch):
    assert cli.main(["run", "toy"]) == cli.main(["run", "toy", "set=lr=0.6"]) == 0
    [trial] = trials.drawn(runner.BOOK)
    for name, told in ((trial, "no exercise asks for it"), ("toy-000000", f"choose from all, {trial}")):
        assert cli.main(["answer", f"trial={name}"]) == 2
        assert told in capsys.readouterr().err
    assert cli.main(["answer"]) == 2
    assert "make answer trial=all" in capsys.readouterr().err
    assert cli.main(["answer", "trial=all"]) == 0 and not answers.FOLDER.exists()
    assert cli.main(["run", "toy", "set=lr=0.5"]) == 0
    monkeypatch.setattr(answers, "MOST", 1000)
    assert cli.main(["answer", "trial=all"]) == 2
    assert "PB1a is too large to be kept" in capsys.readouterr().err


def test_one_trial_that_cannot_be_kept_does_not_stop_the_others(toy, capsys):
    toy.write(CELL, 'page.answer("lr=0.5", "PB1a")', 'page.answer("lr=0.7", "PB1a")')
    for words in ([], ["set=lr=0.5"], ["set=lr=0.7"]):
        assert cli.main(["run", "toy", *words]) == 0
    first, _ = trials.drawn(runner.BOOK)
    (runner.BOOK / "figures" / page_of(first) / "PB1a.svg").unlink()
    assert cli.main(["answer", "trial=all"]) == 2
    told = capsys.readouterr().err
    assert f"{first}: " in told and "PB1a.svg" in told and "(kept: 1)" in told
    assert len([*answers.FOLDER.glob("*")]) == 1


def test_a_slim_picture_has_every_mark_where_it_was_and_as_it_looked():
    """Marks with forms and the styles they have or inherit, and paths, within half a hundredth of a point."""

    def marks(text):
        found, svg = [], "{http://www.w3.org/2000/svg}"

        def visit(element, style):
            style = element.get("style", style)
            if element.tag == f"{svg}use":
                link = element.get("{http://www.w3.org/1999/xlink}href")
                place = [float(element.get(name, 0)) for name in "xy"]
                found.append((forms.index(link.removeprefix("#")), style, *place))
            for child in element:
                visit(child, style)

        root = ElementTree.fromstring(text)
        forms = [path.get("id") for path in root.iter(f"{svg}path")]
        visit(root, "")
        paths = (path.get("d", "") for path in root.iter(f"{svg}path"))
        return found, [re.findall(r"[A-Za-z]|-?[\d.]+(?:e-?\d+)?", path) for path in paths]

    drawn = Figure()
    for color in ("red", "blue"):
        drawn.add_subplot(1, 2, 1 + (color == "blue")).plot(
            np.arange(9) / 7, np.arange(9) ** 2, "o-", color=color
        )
    buffer = io.StringIO()
    drawn.savefig(buffer, format="svg")
    text = buffer.getvalue()
    small = markup.slim(text)
    assert len(small) < 0.85 * len(text) and "<metadata>" not in small
    assert markup.slim(small) == small
    (before, lines), (after, thin) = marks(text), marks(small)
    assert [mark[:2] for mark in before] == [mark[:2] for mark in after]
    for one, other in zip(before, after, strict=True):
        assert one[2:] == pytest.approx(other[2:], abs=0.0051)
    for one, other in zip(lines, thin, strict=True):
        assert len(one) == len(other)
        numbers = [(a, b) for a, b in zip(one, other) if not a.isalpha()]
        assert all(float(a) == pytest.approx(float(b), abs=0.0051) for a, b in numbers)


def test_values_are_read_as_one_types_them():
    one, other = ({"lr": "0.10", "widths": "64,64"}, {"widths": [64, 64], "lr": 0.1})
    assert answers.path("imp", one) == answers.path("imp", other)
    assert answers.path("imp", one).name == "imp-lr-0.1-widths-64-64.json"
