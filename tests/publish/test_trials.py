"""Trials stand beside the book, with what it has, and never in its place."""

import json
import re

import nbformat
import numpy as np
import pytest
from matplotlib.figure import Figure

from sifting import __main__ as cli
from sifting import store
from sifting.config import preset, seeds
from sifting.figures import beside
from sifting.publish import asked, building, pages, runner, trials
from sifting.publish.catalog import statements
from sifting.publish.claims import check
from sifting.publish.pages.outputs import in_words


@pytest.fixture
def stored(book):
    """The book's chapter, toy, computed and drawn at the laptop preset with three seeds."""
    assert cli.main(["run", "toy"]) == 0
    return book


def the_trial():
    [(name, record)] = trials.drawn(runner.BOOK).items()
    return name, record, nbformat.read(runner.BOOK / f"{trials.page_of(name)}.ipynb", 4)


def test_a_trial_has_a_page_of_its_own_and_the_book_keeps_every_byte(stored):
    before = {path: path.read_bytes() for path in (stored.page, *store.root().glob("*.npz"))}
    assert cli.main(["run", "toy", "preset=smoke", "seeds=2", "set=lr=0.5 widths=8,4"]) == 0
    name, record, page = the_trial()
    assert record["preset"] == "smoke" and record["seeds"] == 2
    assert record["overrides"] == {"lr": 0.5, "widths": [8, 4]}
    assert {path: path.read_bytes() for path in (stored.page, *store.root().glob("*.npz"))} == before
    assert {path.stem for path in (store.root() / "trials").glob("*.npz")} == set(record["results"])
    head = page.cells[0].source
    assert head.startswith("# Trial of toy: preset smoke, 2 seeds, lr=0.5 widths=8,4\n")
    assert "where the book has preset laptop, 3 seeds" in head
    assert f"make forget trial={name}" in head and 'href="toy.html"' in head


def test_a_trial_says_where_its_page_is_and_whose_words_stand_on_it(stored, capsys):
    capsys.readouterr()
    assert cli.main(["run", "toy", "preset=smoke", "set=lr=0.25"]) == 0
    told = capsys.readouterr().out
    name = re.search(r"make forget trial=([\w-]+)", told)[1]
    assert f"book/trial-{name}.html" in told
    page = nbformat.read(runner.BOOK / f"trial-{name}.ipynb", 4)
    assert "The text between the figures is that of the book" in page.cells[0].source


def test_where_there_are_no_trials_none_is_to_be_chosen(book, capsys):
    for verb in ("forget", "answer"):
        assert cli.main([verb, "trial=nothing"]) == 2
        assert "unknown trial 'nothing'; there is none" in capsys.readouterr().err


def test_a_setting_without_an_effect_is_refused_before_anything_is_announced(capsys):
    assert cli.main(["run", "imp", "preset=smoke", "set=gain=1"]) == 2
    told = capsys.readouterr()
    assert "gain has no effect on dataset photos" in told.err and not told.out


def test_what_draws_a_trial_again_is_its_own_command(stored, capsys):
    assert cli.main(["run", "toy", "preset=smoke", "set=lr=0.5 widths=8,4"]) == 0
    name, record, page = the_trial()
    [command] = re.findall("<code>make (chapter=.*?)</code>", page.cells[0].source)
    words = re.findall(r"(\w+)=(?:&quot;(.*?)&quot;|(\S+))", command)
    options = [f"{key}={quoted or plain}" for key, quoted, plain in words if key != "chapter"]
    capsys.readouterr()
    assert cli.main(["run", "toy", *options]) == 0
    assert f"trial-{name}: up to date" in capsys.readouterr().out


def test_settings_are_quoted_whole_whatever_their_names():
    record = {"chapter": "toy", "preset": "smoke", "seeds": 1, "overrides": {"dataset": "digits", "lr": 0.5}}
    assert trials.command(record) == 'make chapter=toy preset=smoke seeds=1 set="dataset=digits lr=0.5"'


@pytest.mark.parametrize("words", [[], ["preset=laptop"], ["seeds=3"], ["device=cpu"], ["set="]])
def test_the_settings_of_the_book_are_no_trial(stored, words):
    assert cli.main(["run", "toy", *words]) == 0
    assert trials.drawn(runner.BOOK) == {}


def test_the_book_itself_changes_where_that_is_asked_for(stored):
    assert cli.main(["run", "toy", "preset=smoke", "book=1"]) == 0
    assert trials.drawn(runner.BOOK) == {} and pages.record(stored.page)["preset"] == "smoke"


def test_more_seeds_in_a_trial_are_read_from_the_book_as_far_as_it_has_them(stored):
    before = len(stored.computed)
    assert cli.main(["run", "toy", "seeds=5"]) == 0
    assert len(stored.computed) == before + 2
    assert asked.settle("toy", None, None, None)[2] == 3, "the book shows what it has shown"


def test_a_trial_is_forgotten_with_its_results_and_no_others(stored, capsys):
    for lr in ("0.5", "0.6"):
        assert cli.main(["run", "toy", "preset=smoke", f"set=lr={lr}"]) == 0
    one, other = trials.drawn(runner.BOOK)
    kept = {*trials.drawn(runner.BOOK)[other]["results"], "ticket-0123456789ab"}
    (store.root() / "trials" / "ticket-0123456789ab.npz").touch()  # of a trial that is being computed
    assert cli.main(["forget", f"trial={one}"]) == 0
    assert [*trials.drawn(runner.BOOK)] == [other]
    assert {path.stem for path in (store.root() / "trials").glob("*.npz")} == kept
    assert cli.main(["forget", f"trial={one}"]) == 2
    told = capsys.readouterr().err
    assert f"unknown trial '{one}'" in told and f"; choose from all, {other}" in told
    assert cli.main(["forget", "trial=all"]) == 0
    assert trials.drawn(runner.BOOK) == {}
    assert [path.stem for path in (store.root() / "trials").glob("*.npz")] == ["ticket-0123456789ab"]
    assert len([*store.root().glob("*.npz")]) == 3 and stored.page.exists()


def test_two_trials_stand_together_and_go_with_either(stored, capsys):
    for lr in ("0.5", "0.6"):
        assert cli.main(["run", "toy", "preset=smoke", f"set=lr={lr}"]) == 0
    one, other = trials.drawn(runner.BOOK)
    results = {path.stem for path in (store.root() / "trials").glob("*.npz")}
    for words in (["a=" + one], [f"a={one}", f"b={one}"], [f"a={one}", "b=toy-000000"]):
        assert cli.main(["compare", *words]) == 2
    assert "name two trials of one chapter" in capsys.readouterr().err
    assert cli.main(["compare", f"a={one}", f"b={other}"]) == 0
    [both] = trials.drawn(runner.BOOK).keys() - {one, other}
    assert both == f"{one}-beside-{other[-6:]}"
    head = nbformat.read(runner.BOOK / f"{trials.page_of(both)}.ipynb", 4).cells[0].source
    assert f"where trial {other} has preset smoke" in head and f"make compare a={one} b={other}" in head
    capsys.readouterr()
    assert cli.main(["compare", f"a={one}", f"b={other}"]) == 0
    assert f"trial-{both}: up to date" in capsys.readouterr().out
    assert cli.main(["compare", f"a={both}", f"b={other}"]) == 2, "these are two trials already"
    assert cli.main(["forget", f"trial={both}"]) == 0
    assert {path.stem for path in (store.root() / "trials").glob("*.npz")} == results
    for gone, left in ((other, one), (one, None)):
        assert cli.main(["run", "toy", "preset=smoke", f"set=lr={'0.6' if left else '0.5'}"]) == 0
        if left:
            assert cli.main(["compare", f"a={one}", f"b={other}"]) == 0
        assert cli.main(["forget", f"trial={gone}"]) == 0
        assert [*trials.drawn(runner.BOOK)] == [left] * bool(left)


def test_results_that_a_trial_in_the_making_wants_are_left(stored):
    assert cli.main(["run", "toy", "preset=smoke", "seeds=2"]) == 0
    [(name, record)] = trials.drawn(runner.BOOK).items()
    there = store.root() / "trials"
    with trials.wanted([record["results"][0]]):
        assert cli.main(["forget", "trial=all"]) == 0
        assert [path.stem for path in there.glob("*.npz")] == record["results"][:1]
    assert not [*there.glob(".wanted/*")]
    (there / ".wanted" / "0a.json").write_text(json.dumps(record["results"]))  # of a process that was killed
    assert cli.main(["run", "toy", "preset=smoke", "seeds=2"]) == cli.main(["forget", "trial=all"]) == 0
    assert not [*there.glob("*.npz")] and not [*there.glob(".wanted/*.json")]


def test_results_are_wanted_from_before_they_are_computed_until_they_are_on_a_page(stored, monkeypatch):
    seen = []

    def looking(kind, configs, device="auto", **how):
        seen.append((store.root().name, trials._wanted()))
        return stored(kind, configs, device)

    monkeypatch.setattr(store, "load_or_run", looking)
    draw = runner.draw
    monkeypatch.setattr(runner, "draw", lambda *how: seen.append(("", trials._wanted())) or draw(*how))
    monkeypatch.setattr(trials, "_notes", lambda: runner.BOOK / "wanted")
    assert cli.main(["run", "toy", "preset=smoke", "seeds=2"]) == 0
    [record] = trials.drawn(runner.BOOK).values()
    assert [wanted for place, wanted in seen if place != "results"] == [set(record["results"])] * 3
    assert not trials._wanted()


def test_trials_of_one_chapter_are_forgotten(stored, capsys):
    stored.write("print(1)", name="other")
    for chapter in ("toy", "other"):
        assert cli.main(["run", chapter, "preset=smoke"]) == 0
    other, toy = trials.drawn(runner.BOOK)
    assert cli.main(["forget", f"trial={other}", "chapter=toy"]) == 2
    assert f"choose from all, {toy}" in capsys.readouterr().err
    assert cli.main(["forget", "chapter=toys"]) == cli.main(["forget", "chapter=toy", "preset=smoke"]) == 2
    assert "unknown option 'preset'; choose from chapter, trial" in capsys.readouterr().err
    assert cli.main(["forget", "chapter=toy"]) == 0
    assert [*trials.drawn(runner.BOOK)] == [other]


def test_the_results_of_a_trial_can_be_verified(stored, capsys):
    assert cli.main(["run", "toy", "preset=smoke", "seeds=1"]) == 0
    [record] = trials.drawn(runner.BOOK).values()
    [name] = record["results"]
    cli.main(["verify", name])
    assert f"{name}: computing it again" in capsys.readouterr().out
    assert cli.main(["verify", "ticket-0123456789ab"]) == 2
    assert "neither the book nor a trial has a result" in capsys.readouterr().err


def test_results_of_the_book_are_not_replaced_without_a_word(stored, capsys):
    before = len(stored.computed)
    assert cli.main(["run", "toy", "engine=reference", "fresh=1"]) == 2
    assert "engine=reference fresh=1 would replace the book's results" in capsys.readouterr().err
    assert len(stored.computed) == before
    for words in (["fresh=1"], ["engine=reference", "fresh=1", "book=1"]):
        assert cli.main(["run", "toy", *words]) == 0
        assert "toy: its results are computed anew, and replace those" in capsys.readouterr().out
    assert len(stored.computed) == before + 6
    assert cli.main(["run", "toy", "engine=reference"]) == 0
    assert "replace" not in capsys.readouterr().out


def test_nothing_of_a_trial_is_counted_in_the_book(stored):
    stored.write(
        "from IPython.display import publish_display_data\n"
        "shown = {'figure': 'PB1a', 'preset': preset, 'dataset': 'photos', 'results': []}\n"
        "publish_display_data({'text/plain': ''}, {'sifting': shown})"
    )
    assert cli.main(["run", "toy"]) == cli.main(["run", "toy", "preset=smoke"]) == 0
    assert [shown["preset"] for shown in pages.outputs(runner.BOOK)] == ["laptop"]
    assert [shown["preset"] for shown in pages.outputs(runner.BOOK, "trial-*")] == ["smoke"]


def test_trials_are_listed_and_change_no_other_page(stored):
    assert "There is none yet." in pages.trials_page(runner.BOOK)
    assert cli.main(["run", "toy", "preset=smoke"]) == 0
    name, _, page = the_trial()
    assert page.metadata["orphan"], "every page has the contents"
    assert f"[{name}](trial-{name}.ipynb)" in pages.trials_page(runner.BOOK)


def test_several_trials_are_forgotten_together(stored):
    for rate in (0.1, 0.2, 0.3):
        assert cli.main(["run", "toy", "preset=smoke", f"set=lr={rate}"]) == 0
    one, two, left = trials.drawn(runner.BOOK)
    assert cli.main(["compare", f"a={one}", f"b={left}"]) == 0
    assert cli.main(["forget", f"trial={one},no-such"]) == 2
    assert len(trials.drawn(runner.BOOK)) == 4
    assert cli.main(["forget", f"trial={one},{two}"]) == 0
    assert [*trials.drawn(runner.BOOK)] == [left]


def test_labels_of_equations_are_the_trials_own(tmp_path):
    cells = ["# Title", "$$\nx = 1\n$$ (eq-x)\n\nsee {eq}`eq-x` ($y$)"]
    page = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text) for text in cells])
    record = {"chapter": "toy", "preset": "smoke", "seeds": 1, "overrides": {}}
    trials.finish(page, record, tmp_path / "toy.ipynb")
    label = f"eq-x-{trials.name_of(record)}"
    assert page.cells[-1].source == f"$$\nx = 1\n$$ ({label})\n\nsee {{eq}}`{label}` ($y$)"


def test_statements_stand_beside_those_of_the_book():
    said = next(one for one in statements().values() if one.unit == "points" and one.above == 0)
    key = said.id, said.name

    def found(*values):
        return {key: in_words(check(said, values))}

    text = trials.comparison(found(-0.5, 1.5), found(2.4, 2.6))
    assert "1 of 1 verdicts differ from those of the book" in text and "−2 points" in text
    assert 'class="claim unclear"' in text
    assert f"the book: holds, {check(said, (2.4, 2.6)).value}" in text
    assert text.count("<circle") == 2, "both on one scale"
    assert "0 of 1 verdicts" in trials.comparison(found(2.4, 2.6), found(2.4, 2.6))
    fallen, same = found(-2.4, -2.6), found(-0.5, 1.5)
    assert "1 of 1 verdicts differ from those of the book, 1 effect has another sign" in trials.comparison(
        fallen, found(2.4, 2.6)
    )
    assert "another sign" not in trials.comparison(same, found(2.4, 2.6))
    linked = f'<a href="toy.html#{said.id}">{said.id}</a>'
    assert linked in trials.comparison(found(2.4, 2.6), {}, page="toy.html")
    assert linked in trials.comparison(found(2.4, 2.6), {}, {said.id}, "toy.html")
    elsewhere = trials.comparison(found(2.4, 2.6), {}, set(), "toy.html")
    assert linked not in elsewhere and said.id in elsewhere, "its figure is on another page"
    alone = trials.comparison(found(2.4, 2.6), {})
    assert "verdicts differ" not in alone and "difference" not in alone and alone.count("<circle") == 1


def test_the_site_has_no_page_of_what_is_forgotten(tmp_path):
    left, gone = (
        ("html/book/toy.html", "html/_sources/book/toy.ipynb"),
        (
            "html/book/trial-toy-0a1b2c.html",
            "html/_sources/book/trial-toy-0a1b2c.ipynb",
        ),
    )
    for file in (*left, *gone, "book/toy.ipynb"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    building._remove_stale_pages(tmp_path / "book", tmp_path / "html")
    assert all((tmp_path / file).exists() for file in left)
    assert not any((tmp_path / file).exists() for file in gone)


def test_how_long_the_site_takes_is_told_once_it_was_built(stored, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(runner, "SITE", tmp_path / "built" / "html")
    for seconds, said in (("", ""), ("41.7", ", about 42 s")):
        if seconds:
            (tmp_path / "built").mkdir()
            (tmp_path / "built" / building.TOOK).write_text(seconds)
        capsys.readouterr()
        assert cli.main(["run", "toy", "preset=smoke", f"set=lr=0.{len(seconds) + 1}"]) == 0
        assert f"; then its page, and the site{said}\n" in capsys.readouterr().out


def test_a_mistake_in_a_trial_is_told_before_anything_is_drawn(book, capsys):
    book("ticket", seeds(preset("laptop"), 1))
    assert cli.main(["run", "toy", "preset=smoke", "device=tpu"]) == 2
    assert not book.page.exists()


# --- curves of the book behind those of a trial


def figure(y, scale="linear", axes=1):
    drawn = Figure()
    for place in range(axes):
        ax = drawn.add_subplot(1, axes, place + 1)
        ax.plot([1, 2, 4], y)
        ax.axhline(3)
        ax.set_yscale(scale)
    return drawn


def test_curves_are_drawn_behind_and_seen_whole():
    kept = json.loads(json.dumps(beside.kept_of(figure([1.0, np.nan, 90.0]))))
    mine = figure([1, 2, 3])
    before = mine.axes[0].get_ylim()
    assert beside.draw_behind(mine, kept)
    behind = mine.axes[0].get_lines()[-1]
    np.testing.assert_array_equal(behind.get_ydata(), [1, np.nan, 90])
    assert behind.get_zorder() < mine.axes[0].get_lines()[0].get_zorder()
    assert mine.axes[0].get_ylim()[0] == min(before[0], kept[0]["limits"][1][0])
    assert mine.axes[0].get_ylim()[1] > 90
    assert [text.get_text() for text in mine.texts] == ["pale: the book"]


def test_curves_behind_have_the_color_of_their_namesake_or_their_name():
    one, other = Figure(), Figure()
    for drawn, names in ((one, ("a", "b")), (other, ("b", "c"))):
        for name in names:
            drawn.add_subplot() if not drawn.axes else None
            drawn.axes[0].plot([1, 2], [1, 2], color={"a": "red", "b": "blue", "c": "red"}[name], label=name)
    assert beside.draw_behind(other, beside.kept_of(one))
    ax = other.axes[0]
    a, b = (line.get_color() for line in ax.get_lines()[-2:])
    assert b[2] > b[0] == b[1] and a[0] == a[1] == a[2]
    assert [text.get_text() for text in ax.texts] == ["a"]


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_a_short_figure_keeps_its_room_before_a_long_one(scale):
    """Of an axis in any direction; and what is out of sight across asks for no room up."""

    def line(x, y, turned):
        drawn = Figure()
        ax = drawn.add_subplot()
        ax.plot(x, y)
        ax.set_xscale(scale)
        ax.invert_xaxis() if turned else None
        return drawn

    for turned in (False, True):
        mine = line([1, 2], [1, 2], turned)
        first, last = mine.axes[0].get_xlim()
        assert beside.draw_behind(mine, beside.kept_of(line([1, 3, 1000], [1, 3, 900], turned)))
        ax = mine.axes[0]
        scaled = ax.xaxis.get_transform().transform
        share = np.ptp(scaled([first, last])) / np.ptp(scaled(ax.get_xlim()))
        assert share == pytest.approx(beside.SHARE)
        assert (ax.get_xlim()[0] > ax.get_xlim()[1]) == turned
        assert ax.get_ylim()[1] < 100


@pytest.mark.parametrize("other", [{"scale": "log"}, {"axes": 2}])
def test_figures_that_are_not_alike_are_left_as_they_are(other):
    mine = figure([1, 2, 3])
    assert not beside.draw_behind(mine, beside.kept_of(figure([1, 2, 3], **other)))
    assert len(mine.axes[0].get_lines()) == 2


def test_a_trials_result_is_read_before_that_of_the_book(results, monkeypatch):
    one, other = seeds(preset("smoke"), 2)
    made = {"versions": {}, "commit": "0"}
    store.save("ticket", one, {"x": np.zeros(1)}, made)
    with trials.apart():
        assert store.exists("ticket", one) and not store.exists("ticket", other)
        store.save("ticket", one, {"x": np.ones(1)}, made)
        store.save("ticket", other, {"x": np.ones(1)}, made)
        assert store.load("ticket", one)["x"] == 1
    assert store.load("ticket", one)["x"] == 0 and not store.exists("ticket", other)
