"""What all figures have in common: one color a method, the line of guessing, the dark, numbers and words."""

import csv
import io
import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.transforms import Bbox

from sifting import figures
from sifting.figures import dark, panels, style, values

NAMES = [*style.METHODS]
ROWS = {
    "density": np.array([1, 0.1, 0.01]),
    "level": np.arange(3),
    "test": np.random.default_rng(0).random((2, 3)),
}


NAMED = {
    f"{name}, which has a name": ROWS
    | {what: ROWS["test"] for what in ("localization", "enrichment", "measured")}
    for name in [*style.METHODS][:8]
}


def compared(names):
    return figures.curves.compare({name: ROWS for name in names}, ("test",))


def in_panels(names):
    return figures.methods.accuracy({"one": {name: ROWS for name in names}})


def learned(names):
    return figures.curves.learning(
        {name: {"steps": np.arange(1, 4), "train": ROWS["test"], "val": ROWS["test"]} for name in names}
    )


def between(names):
    return figures.surface.between({"recomputed": {name: ROWS["test"] for name in names}})


def by_inputs(names):
    rows = {"inputs": [1, 2], "kurtosis": [3, 4], "error": [1, 1]}
    return figures.gaussianity.by_inputs({name: rows for name in names})


# --- colors


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("draw", [compared, in_panels, learned, between, by_inputs])
def test_a_method_has_its_color_in_every_figure(draw, order):
    for some in (NAMES[:6], NAMES[4:11], NAMES[11:]):
        figure = draw([*some, "something else"][::order])
        named = {line.get_label(): to_hex(line.get_color()) for ax in figure.axes for line in ax.get_lines()}
        drawn = {name: color for name, color in named.items() if name in some}
        if drawn:
            assert drawn == {name: style.METHODS[name] for name in some}
        assert style.strangers(figure) == []


def test_bars_of_methods_have_their_colors():
    table = {name: {"layer": np.array([1.0, 2.0])} for name in NAMES[::-1]}
    drawn = [
        to_hex(patch.get_facecolor()) for patch in figures.methods.changes(table, "change").axes[0].patches
    ]
    assert drawn == [style.METHODS[name] for name in NAMES[::-1]]


def test_a_method_in_another_color_is_found():
    figure, axes = style.subplots(1, 1, 2)
    axes[0, 0].plot([1, 2], color=style.METHODS["SNIP"], label="SNIP")
    assert style.strangers(figure) == []
    axes[0, 0].plot([1, 2], color=style.METHODS["SNIP"], label="IMP, short")
    axes[0, 0].plot([1, 2], color=style.METHODS["SNIP"], label="no method")
    assert style.strangers(figure) == ["IMP, short"]


@pytest.mark.parametrize(
    "name, method",
    [
        ("IMP, Gaussian clone", "IMP"),
        ("random, new weights", "random"),
        ("L1 unstructured, fine-tuned", "L1 unstructured"),
        ("random classes", ""),
        ("random phases", ""),
        ("rewound to step 0", ""),
        ("hybrid, fc-only and L1 unstructured", ""),
        ("one-shot and IMP", ""),
    ],
)
def test_a_condition_is_of_a_method_or_of_none(name, method):
    assert style.method(name) == method


def test_conditions_of_one_figure_differ_in_color_or_line():
    names = ["IMP", "IMP, short", "IMP, long", "other", "third", "one-shot", "fourth", "fifth", "sixth"]
    looks = style.looks(names)
    assert len(set(looks.values())) == len(names)
    assert {looks[name][0] for name in names[:3]} == {style.IMP}
    methods = {style.IMP, style.METHODS["one-shot"]}
    assert all(looks[name][0] not in methods for name in ("other", "third", "fourth", "fifth", "sixth"))


# --- guessing


@pytest.mark.parametrize("classes", [2, 5, 240])
def test_an_axis_of_accuracy_shows_what_guessing_gives(classes):
    figure = compared(["IMP"])
    [ax] = style.guesses(figure)
    before = len(ax.get_lines())
    style.guessing(figure, [classes])
    said = " ".join(text.get_text() for text in ax.texts)
    assert f"({classes} classes)" in said and f"{round(100 / classes, 1):g} %" in said
    assert [line.get_ydata()[0] for line in ax.get_lines()[before:]] == [1 / classes]
    assert min(ax.get_ylim()) < 1 / classes


@pytest.mark.parametrize("level", [0.22, 0.02, 0.75])
def test_words_of_guessing_stand_where_nothing_is_drawn(level):
    flat = ROWS | {"test": np.full((2, 3), level)}
    figure = figures.curves.compare({"IMP": ROWS | {"test": 0.8 * ROWS["test"]}, "other": flat}, ("test",))
    style.guessing(figure, [240, 5])
    [ax] = style.guesses(figure)
    boxes = [text.get_window_extent() for text in ax.texts]
    assert len(boxes) == 2 and not boxes[0].overlaps(boxes[1])
    for line in ax.get_lines()[:2]:
        path = line.get_transform().transform_path(line.get_path()).interpolated(200)
        assert not any(box.contains(*point) for box in boxes for point in path.vertices)


def test_far_below_an_axis_words_say_what_guessing_gives():
    figure = figures.curves.compare({"IMP": ROWS | {"test": 0.8 + ROWS["test"] / 100}}, ("test",))
    limits = style.guesses(figure)[0].get_ylim()
    style.guessing(figure, [240])
    assert style.guesses(figure)[0].get_ylim() == limits
    assert "below" in style.guesses(figure)[0].texts[-1].get_text()


# --- in the dark


@pytest.mark.parametrize("color", dark.KNOWN)
def test_every_color_can_be_seen_on_paper_and_in_the_dark(color):
    assert dark.contrast(dark.bright(color), dark.GROUND) >= dark.CONTRAST
    assert dark.contrast(color, "#ffffff") >= (2.3 if color == style.FAINT else 3)


def test_contrast_is_that_of_its_definition():
    assert dark.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert dark.contrast("#123456", "#123456") == 1


def test_the_sheet_names_the_colors_of_the_figure_and_no_others():
    sheet = dark.sheet(f"stroke: {style.IMP}")
    assert f"stroke:{dark.bright(style.IMP)}" in sheet and f"fill:{dark.bright(style.IMP)}" not in sheet
    assert dark.bright(style.COOL) not in sheet


# --- panels, one below another on a phone


def inches(figure, piece):
    """The scale of a piece, its box, and the width of the labels that it shares."""
    scale, x, y, wide, high, *side = piece
    whole = figure.get_tightbbox().padded(0.1)
    left, top = whole.x0 + x * whole.width, whole.y1 - y * whole.height
    box = Bbox.from_extents(left, top - high * whole.height, left + wide * whole.width, top)
    return scale, box, side[1] * whole.width if side else 0.0


def row(count, **options):
    figure, axes = style.subplots(1, count, 2, **options)
    for number, ax in enumerate(axes[0]):
        ax.plot([1, 2], label="IMP, which has a name that is long enough for half of the page")
        ax.set_ylabel("" if number and options.get("sharey") else "accuracy")
    figure.legend(handles=axes[0, 0].get_lines(), loc="outside upper center")
    return figure


DRAWN = {
    "panels": lambda: figures.methods.accuracy({name: {"IMP": ROWS} for name in "abcde"}),
    "masks": lambda: figures.maps.masks({name: np.ones((8, 3, 4, 4), bool) for name in "ab"}, columns=8),
    "row": lambda: row(3),
    "shared": lambda: row(3, sharey=True),
}
WORDED = {
    "panels": DRAWN["panels"],
    "legend": lambda: figures.methods.panels({n: NAMED for n in "abc"}, "test", "accuracy"),
    "narrow legend": lambda: figures.methods.panels(
        {n: dict.fromkeys(("1×", "0.5×", "0.25×"), ROWS) for n in "abcdef"}, "test", "a", sharey=False
    ),
    "alone": lambda: figures.methods.panels({"one": NAMED}, "test", "accuracy"),
    "under": lambda: figures.curves.compare(NAMED, ("test", "localization", "enrichment")),
}


@pytest.mark.parametrize("name", DRAWN)
def test_pieces_of_a_figure_have_all_of_it_once_and_fit_a_phone(name):
    figure = DRAWN[name]()
    pieces = [inches(figure, piece) for piece in panels.cut(figure)]
    parts = [*figure.axes, *figure.legends]
    boxes = [part.get_tightbbox().transformed(figure.dpi_scale_trans.inverted()) for part in parts]
    for box in boxes:
        inside = [
            one for _, one, _ in pieces if one.contains(box.x0, box.y0) and one.contains(box.x1, box.y1)
        ]
        assert len(inside) == 1, "whole, and once"
    for (_, one, _), (_, other, _) in itertools.combinations(pieces, 2):
        assert not one.padded(-0.001).overlaps(other.padded(-0.001)), "none shows an edge of another"
    for scale, box, side in pieces:
        widest = max(other.width for other in boxes if box.contains(other.x0, other.y0))
        assert scale <= 1 and (box.width + side) * scale <= max(1.1 * panels.PHONE, widest + 0.1)


@pytest.mark.parametrize("name", WORDED)
def test_no_words_of_a_figure_are_cut_on_a_phone(name):
    figure = WORDED[name]()
    pieces = [inches(figure, piece) for piece in panels.cut(figure)]
    assert all((box.width + side) * scale <= 1.1 * panels.PHONE for scale, box, side in pieces), (
        "none scrolls"
    )
    said = [text for ax in figure.axes for text in (ax.title, ax.xaxis.label, ax.yaxis.label)]
    said += [text for legend in figure.legends for text in legend.get_texts()]
    for box in [text.get_window_extent().padded(-0.5) for text in said if text.get_text()]:
        box = box.transformed(figure.dpi_scale_trans.inverted())
        seen = [
            (piece.overlaps(box), piece.contains(*box.min) and piece.contains(*box.max))
            for _, piece, _ in pieces
        ]
        assert sorted(seen) == [(False, False)] * (len(pieces) - 1) + [(True, True)]


@pytest.mark.parametrize("numbers, order", [(True, "012345"), (False, "031425")])
def test_panels_of_rows_are_read_row_by_row_unless_they_share_numbers(numbers, order):
    figure, axes = style.subplots(2, 3, 4, sharex=not numbers)
    for number, ax in enumerate(axes.flat):
        ax.plot([1, 2])
        ax.set_title(number)
    boxes = [inches(figure, piece)[1] for piece in panels.cut(figure)]
    titles = sorted(
        (number for number, _ in enumerate(figure.axes)), key=lambda number: place(figure, number, boxes)
    )
    assert "".join(map(str, titles)) == order


def place(figure, number, boxes):
    """Which piece a panel is in, and how far down in it."""
    box = figure.axes[number].get_tightbbox().transformed(figure.dpi_scale_trans.inverted())
    [piece] = [n for n, one in enumerate(boxes) if one.contains(box.x0, box.y0)]
    return piece, -box.y0


def test_panels_that_share_an_axis_share_its_labels():
    (_, *first), *others = panels.cut(row(3, sharey=True))[1:]
    assert len(first) == 4 and len(others) == 2
    for _, *piece in others:
        _, _, _, _, left, side, below = piece
        assert left == pytest.approx(first[0], abs=0.001) and 0 < side < 0.5 * first[2] and 0 < below < 0.5
    assert all(len(piece) == 5 for piece in panels.cut(row(3)))


def test_a_small_figure_is_one_piece():
    figure, axes = style.subplots(1, 2, 2, width=3)
    assert len(panels.cut(figure)) == 1


# --- numbers and words


def test_the_numbers_of_a_figure_are_those_that_it_draws():
    rows = list(csv.DictReader(io.StringIO(values.table(in_panels(["IMP", "one-shot"])))))
    mine = [row for row in rows if row["series"] == "one-shot"]
    mean, sd = ROWS["test"].mean(0), ROWS["test"].std(0, ddof=1)
    for column, expected in (("x", ROWS["density"]), ("y", mean), ("low", mean - sd), ("high", mean + sd)):
        assert [float(row[column]) for row in mine] == pytest.approx(list(expected), rel=1e-4)
    assert {row["panel"] for row in rows} == {"one"} and {row["vertical"] for row in rows} == {
        "test accuracy"
    }


def test_bars_and_maps_have_numbers_and_pictures_have_none():
    bars = figures.utility.bars({"a": np.array([2.0]), "b": np.array([3.0])}, "nats")
    rows = [row for row in csv.DictReader(io.StringIO(values.table(bars))) if row["series"] == "bar"]
    assert [(row["y"], float(row["x"])) for row in rows] == [("a", 2), ("b", 3)]
    assert values.table(figures.maps.masks(np.ones((2, 3, 4, 4), bool))) == ""
    figure, axes = plt.subplots()
    plt.close(figure)
    axes.imshow([[1, 2], [3, 4]])
    assert [row["y"] for row in csv.DictReader(io.StringIO(values.table(figure)))] == ["1", "2", "3", "4"]


def test_histograms_have_numbers_and_maps_only_where_they_are_few():
    some = np.random.default_rng(0).lognormal(size=100)
    figure = figures.utility.spectra({"title": {"IMP": some, "random": some**2}}, bins=8)
    rows = [row for row in csv.DictReader(io.StringIO(values.table(figure))) if row["series"] == "IMP"]
    ends = [float(row["low"]) for row in rows] + [float(rows[-1]["high"])]
    assert [float(row["y"]) for row in rows] == list(
        np.histogram(some, ends * np.array([1 - 1e-5] + [1] * 8))[0]
    )
    figure, axes = plt.subplots(1, 2)
    plt.close(figure)
    axes[0].imshow(np.zeros((200, 200)))
    axes[1].plot([1, 2], label="a line")
    assert {row["series"] for row in csv.DictReader(io.StringIO(values.table(figure)))} == {"a line"}


def test_words_say_where_lines_begin_and_end():
    figure = figures.methods.accuracy({"one": {"IMP": ROWS | {"test": np.array([[0.5, 0.75, 0.25]])}}})
    assert (
        values.described(figure)
        == "one: test accuracy against weights kept: IMP 50 % at 100 %, 75 % at 10 %, 25 % at 1 %."
    )


def test_only_axes_of_accuracy_show_what_guessing_gives():
    rows = {"level": np.arange(3), "value": ROWS["test"]}
    table = {"accuracy, one": {"a": rows}, "utility": {"a": rows}}
    how = {"y": "value", "label": "nats, or accuracy", "sharey": False}
    assert [ax.get_title() for ax in style.guesses(figures.methods.panels(table, **how))] == ["accuracy, one"]
    assert style.guesses(figures.methods.panels(table, y="value", label="nats")) == []
    assert len(style.guesses(figures.methods.panels(table, y="value", label="training accuracy"))) == 2


def test_a_control_stands_out_from_conditions_in_an_order():
    lines = {name: {"level": np.arange(3), "value": np.ones((2, 3))} for name in ("1 %", "5 %", "none")}
    how = {"y": "value", "label": "nats", "ordered": True}
    [ax] = figures.methods.panels({"one": lines}, control="none", **how).axes
    found = {line.get_label(): (to_hex(line.get_color()), line.get_linestyle()) for line in ax.get_lines()}
    assert found["none"] == (style.INK, "--")
    assert [found[name] for name in ("1 %", "5 %")] == [(to_hex(style.ranked(n, 2)), "-") for n in (0, 1)]
