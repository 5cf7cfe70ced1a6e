"""What a reader predicts: nothing of the answer is seen before, and all of it after."""

import ast
import dataclasses
import inspect
import re
import shutil
import zlib
from collections import Counter

import nbformat
import numpy as np
import pytest
from playwright.sync_api import expect
from scipy import stats

from sifting import observables
from sifting.publish import sources
from sifting.tables import pictures, surface
from sifting.tables.basics import interval
from sifting.widgets import CurveExplorer, GainExplorer, predict
from sifting.widgets.curve_explorer import axis
from sifting.widgets.explorer import read_json
from tests.pages import LOADER, page, watched

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DENSITY = 0.6 ** np.arange(7)
TEST = np.array([[0.31, 0.34, 0.37, 0.36, 0.33, 0.27, 0.13], [0.29, 0.32, 0.36, 0.38, 0.3, 0.26, 0.17]])
ROWS = {"density": DENSITY, "test": TEST}
RANDOM = {"density": DENSITY[::2], "test": TEST[:, ::2] - 0.01 * np.arange(4)}


def curve(**options):
    given = {"label": "test accuracy", "percent": True, "given": {"random": RANDOM}} | options
    return predict.curve(ROWS, "test", "What becomes of accuracy?", **given)


def packed(explorer):
    return read_json(explorer.data)


# --- what Python packs


def test_the_interval_of_a_mean_is_students():
    values = np.random.default_rng(0).normal(size=(5, 3))
    mean, low, high = interval(values)
    for n in range(3):
        found = stats.t.interval(0.95, 4, values[:, n].mean(), stats.sem(values[:, n]))
        np.testing.assert_allclose([low[n], high[n]], found)
    np.testing.assert_allclose(mean, values.mean(0))
    assert np.isnan(interval(values[:1])[1:]).all(), "one run alone has none"


def test_a_curve_is_that_of_the_table():
    found = packed(curve())
    np.testing.assert_allclose(found["mean"], 100 * TEST.mean(0), atol=1e-5)
    np.testing.assert_allclose([found["low"], found["high"]], 100 * np.array(interval(TEST)[1:]), atol=1e-5)
    np.testing.assert_allclose(found["xs"], 100 * DENSITY, atol=1e-5)
    [[name, on, values]] = found["given"]
    assert name == "random" and found["anchor"] == 0
    np.testing.assert_allclose([on, values], [100 * DENSITY[::2], 100 * RANDOM["test"].mean(0)], atol=1e-5)


def test_points_without_a_value_in_every_run_are_left_out():
    holes = TEST.copy()
    holes[1, [0, 3]] = np.nan
    found = packed(predict.curve(ROWS | {"test": holes}, "test", "?"))
    np.testing.assert_allclose(found["xs"], 100 * np.delete(DENSITY, [0, 3]), atol=1e-5)
    assert found["anchor"] == 0, "the point nearest to the one that was to be given"


def test_where_there_is_no_curve_the_page_says_so(visit):
    alone = predict.curve(ROWS | {"test": np.where(np.arange(7) == 2, TEST, np.nan)}, "test", "What?")
    assert alone.picture().width > 600 and repr(alone) == "CurveExplorer(test; 0 points)"
    expect(status(visit(alone))).to_contain_text(
        "There is nothing to draw here: of test, fewer than two points"
    )


def test_conditions_may_have_different_numbers_of_runs():
    values = {"photographs": [0.2, 0.3, 0.25], "clones": [0.1], "noise": [0.0, 0.04]}
    found = packed(predict.conditions(values, "How local?", "images", label="Λ"))
    assert found["xs"] == list(values) and found["runs"] == [1, 2, 3]
    np.testing.assert_allclose(found["mean"], [0.25, 0.1, 0.02])
    assert found["low"][1] is None and found["high"][2] == pytest.approx(interval(np.array([0, 0.04]))[2])


@pytest.mark.parametrize("anchor", [0, -1])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_axis_does_not_tell_whether_it_goes_up_or_down(anchor, sign):
    change = sign * np.linspace(0, 5, 9)
    mean = 20 + (change if anchor == 0 else change[::-1])
    low, high = axis(mean, [], anchor, np.inf, False)
    assert 20 - low == pytest.approx(high - 20, abs=0.3 * 5) and low < mean.min() and high > mean.max()
    low, high = axis(np.exp(mean), [], anchor, np.inf, True)
    assert np.log(high) - 20 == pytest.approx(20 - np.log(low)) and low < np.exp(mean.min())


def test_the_axis_ends_where_values_must():
    assert axis(np.array([1.0, 9]), [], 0, np.inf, False)[0] == 0
    assert axis(np.array([90.0, 20]), [], 0, 100, False)[1] == 100
    assert axis(np.array([-1.0, 2]), [], 0, np.inf, False)[0] < -1
    low, high = axis(np.array([0.0, 0]), [], 0, np.inf, False)
    assert low < high


def test_a_prediction_is_small_has_a_picture_and_begins_with_nothing():
    explorer = curve()
    assert explorer.size < 2000 and explorer.guess == [] and not explorer.shown
    assert len(np.unique(np.asarray(explorer.picture()))) > 2
    assert repr(explorer) == "CurveExplorer(test accuracy; 7 points)"


# --- what JavaScript computes


@pytest.fixture(scope="module")
def js(browser):
    """Calls a function that the module exports."""
    tab = browser.new_page()
    code = """async ([esm, name, given]) => {
        const m = await import(URL.createObjectURL(new Blob([esm], { type: "text/javascript" })));
        return m[name](...given); }"""
    return lambda name, *given: tab.evaluate(code, [CurveExplorer._esm, name, given])


def test_what_was_not_drawn_is_straight_between_what_was(js):
    at = [0.0, 0.1, 0.3, 0.6, 0.7, 1.0]
    drawn = [None, 2.0, None, None, 5.0, None]
    known = [1, 4]
    expected = np.interp(at, [at[n] for n in known], [2.0, 5.0])
    np.testing.assert_allclose(js("filled", drawn, at), expected)
    assert js("filled", [None] * 6, at) == [None] * 6


@pytest.mark.parametrize("log", [False, True])
def test_how_far_off_it_was(js, log):
    rng = np.random.default_rng(1)
    drawn, mean = rng.uniform(1, 9, (2, 8))
    data = {"mean": mean.tolist(), "low": (mean - 1).tolist(), "high": (mean + 1).tolist(), "anchor": 2}
    found = js("apart", drawn.tolist(), data | {"y": {"log": log}})
    gaps = np.abs(np.log(drawn / mean) if log else drawn - mean)
    gaps[2] = np.nan
    assert found["mean"] == pytest.approx(np.nanmean(gaps)) and found["at"] == np.nanargmax(gaps)
    assert found["inside"] == (np.delete(np.abs(drawn - mean), 2) <= 1).sum() and found["of"] == 7


# --- what a reader does


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("predictions")
    shutil.copy(LOADER, folder)
    return folder


@pytest.fixture
def visit(browser, folder):
    """Opens a page of widgets from disk; nothing was asked of the network, and no error logged."""
    contexts, pages = [], []

    def visit(*widgets, around=("", ""), **options):
        contexts.append(browser.new_context(**{"viewport": {"width": 900, "height": 900}, **options}))
        pages.append(watched(contexts[-1].new_page(), "file:"))
        tab = pages[-1]
        place = folder / f"{len(list(folder.iterdir()))}.html"
        text = page(*widgets).replace("</h1>", "</h1>" + around[0]).replace("</main>", around[1] + "</main>")
        place.write_text(text, encoding="utf-8")
        tab.goto(place.as_uri())
        tab.wait_for_selector(".anywidget-static[data-ready]")
        expect(status(tab)).not_to_be_empty()
        return tab

    yield visit
    for context in contexts:
        context.close()
    assert [trouble for tab in pages for trouble in tab.trouble] == []


def status(tab):
    return tab.locator(".mx-status").first


def button(tab, name):
    return tab.get_by_role("button", name=name, exact=True)


def sound(tab):
    """axe finds nothing, and nothing is wider than the page."""
    tab.add_script_tag(path=LOADER.parents[2] / "tests" / "axe.min.js")
    assert tab.evaluate("axe.run()")["violations"] == []
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


def drawn(tab, which="path.mx-answer"):
    """The points of a path, in pixels: (points, 2)."""
    path = tab.locator(f".mx-draw {which}").get_attribute("d")
    return np.array([[float(v) for v in point.split(",")] for point in path.removeprefix("M").split("L")])


def test_nothing_of_the_answer_is_there_before(visit):
    tab = visit(curve())
    expect(tab.locator(".mx-draw .mx-answer, .mx-draw .mx-band, .mx-draw .mx-dot")).to_have_count(0)
    text = tab.locator("main").inner_text()
    assert "30.0 % at 100 % of the weights" in text, "the point that is given"
    assert not re.search("stored|37", text)
    expect(button(tab, "Show")).to_have_attribute("aria-disabled", "true")
    button(tab, "Show").click(force=True)
    assert tab.locator(".mx-answer").locator("visible=true").count() == 0, "nothing is drawn yet"


def test_a_curve_is_drawn_by_mouse_and_compared(visit):
    tab = visit(curve())
    field = tab.locator(".mx-draw")
    box = field.bounding_box()
    level = box["y"] + box["height"] / 2
    tab.mouse.move(box["x"] + 60, level)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] - 20, level)  # in one step: columns between are filled in
    tab.mouse.up()
    guess = drawn(tab, ".mx-guess")
    assert len(guess) == 7 and guess[1:, 1] == pytest.approx(box["height"] / 2, abs=1)
    button(tab, "Show").click()
    expect(status(tab)).to_contain_text(
        "The stored curve, a mean of 2 runs, begins with 30.0 % at 100 % of the weights"
    )
    answer = drawn(tab)
    low, high = packed(curve())["range"]
    height = box["height"]
    np.testing.assert_allclose(
        (height - 34 - answer[:, 1]) / (height - 58) * (high - low) + low, 100 * TEST.mean(0), atol=0.1
    )
    along = np.log(DENSITY) / np.log(DENSITY[-1])
    np.testing.assert_allclose((answer[:, 0] - answer[0, 0]) / np.ptp(answer[:, 0]), along, atol=0.01)
    off = np.abs((guess[1:, 1] - answer[1:, 1]) / (height - 58) * (high - low))
    said = float(re.search(r"off by ([\d.]+) points", status(tab).inner_text())[1])
    assert said == pytest.approx(off.mean(), abs=0.1)
    farthest = f"most at {100 * DENSITY[1 + off.argmax()]:.3g} % of the weights"
    expect(status(tab)).to_contain_text(farthest)
    button(tab, "Draw again").click()
    expect(tab.locator(".mx-draw .mx-answer, .mx-draw .mx-guess")).to_have_count(0)
    expect(status(tab)).to_contain_text("Draw the curve")


def test_a_curve_is_drawn_by_keyboard(visit):
    tab = visit(curve())
    for _ in range(5):
        tab.keyboard.press("Tab")
        if tab.locator(".mx-draw").evaluate("node => node === document.activeElement"):
            break
    tab.keyboard.press("ArrowUp")
    low, high = packed(curve())["range"]
    expect(status(tab)).to_contain_text(f"At 60 % of the weights you expect {30 + (high - low) / 40:.1f} %.")
    tab.keyboard.press("End")
    expect(status(tab)).to_contain_text("nothing is drawn yet")
    tab.keyboard.press("PageDown")
    tab.keyboard.press("Home")
    expect(status(tab)).to_contain_text("At 60 % of the weights"), "the point that is given stays as it is"
    tab.keyboard.press("Tab")
    expect(button(tab, "Show")).to_be_focused()
    tab.keyboard.press("Enter")
    expect(status(tab)).to_contain_text("Yours was off by")
    tab.locator("summary").click()
    cells = [row.locator("td").all_inner_texts() for row in tab.locator("tbody tr").all()]
    np.testing.assert_allclose([float(stored) for _, stored, _ in cells], 100 * TEST.mean(0), atol=0.051)


def test_it_is_shown_to_who_only_asks(visit):
    tab = visit(curve())
    button(tab, "Just show me").click()
    expect(status(tab)).to_contain_text("is highest with 37.0 % at 21.6 % of the weights")
    assert "Yours" not in status(tab).inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_finger_draws_and_axe_finds_nothing(visit, scheme):
    values = {
        "the photographs as they are": [0.2, 0.3],
        "their Gaussian clones": [0.1, 0.12],
        "noise": [0.0, 0.04],
    }
    tab = visit(
        curve(), predict.conditions(values, "How local?", "images", label="Λ"), color_scheme=scheme, **PHONE
    )
    sound(tab)
    field = tab.locator(".mx-draw").first
    field.scroll_into_view_if_needed()
    box = field.bounding_box()
    tab.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + 60)
    expect(status(tab)).to_contain_text("you expect")
    button(tab, "Show").first.click()
    button(tab, "Just show me").last.click()
    expect(tab.locator(".mx-status").last).to_contain_text(
        "Highest is the photographs as they are with 0.250"
    )
    sound(tab)


def test_what_the_page_says_of_the_answer_is_folded_until_it_is_shown(visit):
    head = sources.folded(
        "**Question.** What?\n\n**Answer.** It is 37.\n\n**How sure.** Very.\n\nIt goes on."
    )
    text = re.sub(r"(?m)^[*\w].*$", r"<p>\g<0></p>", head)
    exercise = '<details class="answer"><summary>Answer</summary><p>It is 38.</p></details>'
    tab = visit(curve(), curve(), around=(f"<article>{text}", f"{exercise}</article>"))
    for words in ("It is 37.", "Very."):
        expect(tab.get_by_text(words)).to_be_hidden()
    for words in ("What?", "It goes on."):
        expect(tab.get_by_text(words)).to_be_visible()
    button(tab, "Just show me").first.click()
    expect(tab.get_by_text("It is 37.")).to_be_visible()
    expect(tab.get_by_text("It is 38.")).to_be_hidden()
    tab.locator("details.folded summary").click()  # who closes it again has it closed
    button(tab, "Draw again").first.click()
    expect(tab.get_by_text("It is 37.")).to_be_hidden()


@pytest.mark.parametrize("name", sources.chapters())
def test_the_head_of_a_chapter_is_folded_where_it_tells_an_answer(name):
    head = nbformat.read(sources.path(name), 4).cells[0].source
    assert (
        head.count("**Answer.**") == head.count("**How sure.**") == (name not in ("synthesis", "multiverse"))
    )
    assert sources.folded(head).count("<details") == head.count("**Answer.**")


def test_print_shows_the_stored_curve(visit):
    tab = visit(curve())
    assert tab.locator(".mx-print").is_hidden()
    tab.emulate_media(media="print")
    assert tab.locator(".mx-print .mx-answer").is_visible() and tab.locator(".mx-draw").is_hidden()
    assert "is highest with 37.0 %" in tab.locator("main").inner_text()


# --- every use in the chapters


def uses():
    """(chapter, ID of the cell, number of the cell among those with code, its call) of all predictions."""
    found = []
    for path in sorted(sources.CHAPTERS.glob("*.ipynb")):
        cells = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
        for place, cell in enumerate(cells):
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("predict."):
                    found.append(pytest.param(path.stem, place, node, id=f"{path.stem}-{cell.id}"))
    return found


@pytest.mark.parametrize("chapter, place, call", uses())
def test_a_chapter_asks_before_it_answers(chapter, place, call):
    cells = [
        cell
        for cell in nbformat.read(sources.CHAPTERS / f"{chapter}.ipynb", 4).cells
        if cell.cell_type == "code"
    ]
    names = ast.unparse(call.func).split(".")[1]
    given = {word.arg: word.value for word in call.keywords}
    bound = inspect.signature(getattr(predict, names)).bind(*call.args, **given)
    assert ast.literal_eval(bound.arguments["ask"]).endswith((".", "?"))
    assert ast.parse(cells[place].source).body[-1].value is not None, "the widget is what the cell shows"
    tested = [n for n, cell in enumerate(cells) if "page.check(" in cell.source]
    assert place < tested[0], "the question comes before the first statement"


def test_every_chapter_asks():
    asked = Counter(use.values[0] for use in uses())
    assert set(asked.values()) <= {1, 2} and set(asked) == set(sources.chapters())


# --- a point on a line


LINES = {  # condition -> (runs, points), statistics -> that
    "interpolated": {
        "one": np.array([[0.9, 0.6, 0.3, 0.7, 0.8], [0.92, 0.64, 0.34, 0.7, 0.84]]),
        "two": np.full((2, 5), 0.9),
    },
    "recomputed": {
        "one": np.array([[0.9, 0.8, 0.8, 0.7, 0.8], [0.92, 0.8, 0.8, 0.7, 0.84]]),
        "two": np.full((2, 5), 0.9),
    },
}


@pytest.fixture
def line(monkeypatch):
    def between(groups, which="whole", of="accuracy"):
        return {
            kind: {name: rows if of == "accuracy" else 2 - rows for name, rows in found.items()}
            for kind, found in LINES.items()
        }

    monkeypatch.setattr("sifting.tables.surface.between", between)
    return predict.line({"one": [0, 0], "two": [0, 0]}, "Where is the barrier?")


def test_a_line_is_that_of_the_table(line):
    found = packed(line)
    for measure, of in enumerate(("accuracy", "loss")):
        for kind, name in enumerate(LINES):
            for way, rows in enumerate(LINES[name].values()):
                scaled = 100 * rows if of == "accuracy" else 2 - rows
                np.testing.assert_allclose(found["lines"][measure][kind][way], interval(scaled), atol=1e-4)
                height = surface.height(rows if of == "accuracy" else 2 - rows, of).mean()
                assert found["heights"][measure][kind][way] == pytest.approx(height, abs=1e-4)
    assert line.picture().size == (640, 160) and line.size < 2000
    assert repr(line) == "LineExplorer(2 ways; 5 points)"


def test_the_ends_of_a_line_are_all_that_is_seen_before(visit, line):
    tab = visit(line)
    expect(tab.locator(".mx-draw .mx-answer, .mx-draw .mx-band")).to_have_count(0)
    expect(status(tab)).to_contain_text("The ends have training accuracy 91.0 % and 82.0 %")
    tab.get_by_role("slider", name="Place").focus()
    for _ in range(3):
        tab.keyboard.press("ArrowRight")
    assert "32" not in tab.locator("main").inner_text()
    expect(status(tab)).to_contain_text("0.75 of the way")
    button(tab, "The barrier is here").press("Enter")
    expect(status(tab)).to_contain_text(
        "At 0.75 of the way the training accuracy is 70.0 %, 14.3 points below the mixture"
    )
    barrier = surface.height(LINES["interpolated"]["one"], "accuracy").mean()
    expect(status(tab)).to_contain_text(
        f"is {barrier:.1f} points; the mean curve is farthest from the mixture at 0.50."
    )
    expect(status(tab)).to_contain_text("You expected it at 0.75, 0.25 of the way off")
    tab.get_by_role("radio", name="loss").check()
    expect(status(tab)).to_contain_text("the loss is 1.30 nats, 0.14 nats above the mixture")
    tab.get_by_role("radio", name="recomputed").check()
    expect(tab.locator(".mx-draw .mx-answer")).to_have_count(0)  # another line is another question
    button(tab, "There is none").click()
    expect(status(tab)).to_contain_text("You expected none.")


def test_a_point_is_dragged_along_a_line(visit, line):
    tab = visit(line, **PHONE)
    button(tab, "Just show me").click()
    field = tab.locator(".mx-draw .mx-chart")
    field.scroll_into_view_if_needed()
    box = field.bounding_box()
    tab.mouse.move(box["x"] + 60, box["y"] + 90)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 42 + (box["width"] - 50) / 2, box["y"] + 120, steps=4)
    expect(status(tab)).to_contain_text(
        "At 0.50 of the way the training accuracy is 32.0 %, 54.5 points below"
    )
    tab.mouse.up()
    assert tab.get_by_role("slider", name="Place").input_value() == "2"
    points = drawn(tab)
    values = 100 * (1 - (points[:, 1] - 24) / (box["height"] - 58))
    np.testing.assert_allclose(values, 100 * LINES["interpolated"]["one"].mean(0), atol=0.3)
    sound(tab)
    tab.emulate_media(media="print")
    assert tab.locator(".mx-print .mx-answer").first.is_visible()


# --- which is it?


@dataclasses.dataclass
class Ticket:
    """One level of masks: all that is asked of a run."""

    kept: np.ndarray

    levels = 0

    def mask(self, level, layer=1):
        return self.kept

    def effective(self, level, layer=1):
        return self.kept

    def density(self, level, layer=None):
        return self.kept.mean()

    def __getitem__(self, name):
        return np.array([3, 6, 6])


@pytest.fixture
def groups():
    rng = np.random.default_rng(4)
    near = np.zeros((20, 3, 6, 6), bool)
    for n in range(20):
        near[n, :, n % 4 : n % 4 + 3, n // 5 : n // 5 + 3] = True
    return {"IMP": [Ticket(near.reshape(20, -1))]} | {
        name: [Ticket(rng.random((20, 108)) < 0.25)] for name in ("random", "SNIP", "clone")
    }


def which(groups):
    return predict.which(pictures.unnamed(groups, 0.25), "IMP", "Which are those of IMP?")


def test_pictures_are_the_masks_of_the_most_connected_units(groups):
    explorer = which(groups)
    found = packed(explorer)
    bits = np.unpackbits(np.frombuffer(zlib.decompress(explorer.masks), np.uint8), bitorder="little")
    shown = bits[: 4 * 16 * 108].reshape(4, 16, 108)
    assert sorted(found["names"]) == sorted(groups) and found["names"][found["answer"]] == "IMP"
    for place, name in enumerate(found["names"]):
        kept = groups[name][0].kept
        np.testing.assert_array_equal(shown[place], kept[np.argsort(-kept.sum(1), kind="stable")[:16]])
        local = np.nanmean(observables.locality.localization(kept, (3, 6, 6)))
        assert found["local"][place] == pytest.approx(local, abs=1e-4)
    assert which(groups).masks == explorer.masks and explorer.picture().width >= 100
    assert repr(explorer) == "WhichExplorer(IMP, SNIP, clone, random)"


def test_names_are_told_after_a_guess(visit, groups):
    tab = visit(which(groups))
    found = packed(which(groups))
    place = found["answer"]
    expect(tab.locator("main")).not_to_contain_text("Λ =", use_inner_text=True)
    other = (place + 1) % 4
    tab.get_by_role("button", name=f"Picture {other + 1}: this is IMP").press("Enter")
    expect(status(tab)).to_have_text(f"You say that picture {other + 1} is IMP.")
    third = (place + 2) % 4
    tab.get_by_label(f"Picture {third + 1} is").select_option(found["names"][third])
    button(tab, "Show").click()
    expect(status(tab)).to_contain_text(
        f"Picture {place + 1} is IMP, with a Λ of {found['local'][place]:.3f}."
    )
    expect(status(tab)).to_contain_text(
        f"You took picture {other + 1} for it, which is {found['names'][other]}."
    )
    expect(status(tab)).to_contain_text(
        "You have named 1 of 2 rightly. From the most local to the least: IMP 1.0"
    )
    expect(tab.locator(".mx-told").nth(third)).to_contain_text(found["names"][third])
    button(tab, "Guess again").click()
    expect(tab.locator("main")).not_to_contain_text("Λ =", use_inner_text=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_finger_picks_a_picture(visit, groups, scheme):
    tab = visit(which(groups), color_scheme=scheme, **PHONE)
    sound(tab)
    place = packed(which(groups))["answer"]
    tab.locator(".mx-pick").nth(place).tap()
    button(tab, "Show").tap()
    expect(status(tab)).to_contain_text("You found it.")
    sound(tab)


# --- a dial


def dial():
    rng = np.random.default_rng(5)
    names = ("0", "1", "5")
    found = {"gain": np.array([0.0, 1, 5])} | {
        name: rng.random((3, 3)) + 1 for name in ("localization", "kurtosis", "input")
    }
    fields = {name: rng.normal(size=(4, 1, 6, 6)) for name in names}
    return found, fields, {name: rng.random((8, 1, 6, 6)) < 0.3 for name in names}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_dial_turns_all_that_is_stored(visit, scheme):
    found, fields, masks = dial()
    explorer = GainExplorer.from_tables(found, fields, masks)
    assert (
        explorer.size < 3000 and explorer.picture().width >= 400 and repr(explorer) == "GainExplorer(3 gains)"
    )
    tab = visit(explorer, color_scheme=scheme, **PHONE)
    sound(tab)
    pictures = [f".mx-{name} canvas" for name in ("fields", "edges", "masks")]
    colors = """c => { const node = document.querySelector(c);
        return [...node.getContext("2d").getImageData(0, 0, node.width, node.height).data] }"""
    before = [tab.evaluate(colors, name) for name in pictures]
    tab.get_by_role("slider", name="Gain").focus()
    tab.keyboard.press("End")
    mean, low, high = interval(found["localization"])
    expect(status(tab)).to_contain_text(f"Gain 5: the kurtosis of a pixel is {found['input'].mean(0)[2]:.2f}")
    expect(status(tab)).to_contain_text(
        f"Λ of {mean[2]:.3f} (95 % interval {low[2]:.3f} to {high[2]:.3f}, 3 runs)"
    )
    assert all(tab.evaluate(colors, name) != old for name, old in zip(pictures, before, strict=True))
    field = np.array(tab.evaluate(colors, pictures[0])).reshape(13, 13, 4)[:6, :6, 0]
    values = fields["5"][0, 0]
    np.testing.assert_allclose(field, 127.5 * (1 + values / np.abs(fields["5"]).max()), atol=2)
    sound(tab)
