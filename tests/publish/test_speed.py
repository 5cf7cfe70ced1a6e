"""The page How fast shows every number of bench.json, and says where something is slower.

It also says what measures what it lacks.
"""

import copy
import html
import json
import pathlib
import re

import pytest

from sifting import figures
from sifting.figures.speed import times
from sifting.publish.pages import fast, measured

STORED = pathlib.Path(__file__).resolve().parents[2] / "book" / "results" / "bench.json"
MS = {"reference": 20.5, "sparse": 12345.678, "products": 3.25, "uniform": 0.4321, "together": 7.0}
RATES = {f"{loop}_rate": rate for loop, rate in (("dense", 90.5), ("sparse", 11.5), ("kept", 31.5))}
FETCHED = {f"{loop}_intensity": many for loop, many in (("dense", 85.2), ("sparse", 1.61), ("kept", 1.74))}
CEILINGS = {"blas": 98.7, "peak": 201.0, "cache": 71.5, "main_memory": 33.3}
MADE = json.loads(STORED.read_text()) | {  # of a table that is not made up, what is stored
    "machine": {"device": "a <fast> one", "threads": 1, "torch": "2.13.0", "python": "3.11.7"},
    "loops": [{"size": "small", **MS, "plain": 30.0, "share_of_products": 0.159, "times_plain": 1.463}],
    "density": [
        {"size": size, "density": density, **MS, "ratio": 0.00166}
        for size in ("small", "large")
        for density in (1.0, 0.03)
    ],
    "kernels": [
        {
            "size": size,
            "density": density,
            **MS,
            "kept": 2.5,
            "ratio": 8.2,
        }
        for size in ("small", "large")
        for density in (0.3, 0.03)
    ],
    "roofline": [
        {"size": size, "density": density, "kept_share": 0.412, **RATES, **FETCHED, **CEILINGS}
        for size in ("small", "large")
        for density in (0.3, 0.03)
    ],
    "peers": [
        {
            "size": "small",
            "density": 0.05,
            "reference": MS["reference"],
            "plain": 30.0,
            "lightning": 44.4,
            "kept": 2.5,
            "ratio": 12.0,
        }
    ],
    "width": [{"width": width, "density": 0.03, **MS, "ratio": 1.66} for width in (128, 2048)],
    "levels": [
        {"run": "ticket-0123456789ab", "level": n, "density": 0.7**n, "steps": 1200, **MS, "ratio": 0.9 + n}
        for n in range(14)
    ],
    "replicas": [{"size": "small", "replicas": n, **MS, "ratio": 2.93} for n in (1, 8)],
    "locality": [
        {"units": 1024, "side": n, "inputs": 3 * n * n, "density": 0.3, "locality": 9.5, "localization": 8.25}
        for n in (8, 32)
    ],
    "cavity": [
        {
            "units": 1024,
            "side": n,
            "inputs": 3 * n * n,
            "images": 10000,
            "cavity": 9400.5,
            "one_by_one": 187000.5,
            "ratio": 19.9,
        }
        for n in (8, 32)
    ],
}


def missing(text: str, measured: dict) -> list:
    """The values of `measured` that do not stand in their row of their table on the page."""
    tables = re.findall(r"(?s)<tbody>(.*?)</tbody>", text)
    found = []
    for rows, shown in zip([measured[name] for name in fast.SECTIONS], tables[1:]):  # the first: the machine
        cells = [
            [html.unescape(cell) for cell in re.findall("<t[hd][^>]*>(.*?)</t[hd]>", line)]
            for line in re.findall("(?s)<tr>(.*?)</tr>", shown)
        ]
        assert len(cells) == len(rows)
        for row, words in zip(rows, cells):
            found += [
                (name, value)
                for name, value in row.items()
                if name != "run" and not any(same(value, w) for w in words)
            ]
    return found


def same(value, word: str) -> bool:
    """Whether a cell says `value`, to three digits."""
    if isinstance(value, str):
        return word == value
    number = re.fullmatch(r"([\d,.]+)( %)?", word)
    return bool(number) and float(number[1].replace(",", "")) / (100 if number[2] else 1) == pytest.approx(
        value, rel=0.006
    )


def page(tmp_path, measured) -> str:
    file = tmp_path / "bench.json"
    file.write_text(json.dumps(measured))
    return fast.speed_page(file).replace("\u00a0", " ")


@pytest.mark.parametrize("measured", [MADE, json.loads(STORED.read_text())], ids=["made", "stored"])
def test_every_number_stands_in_its_row(tmp_path, measured):
    text = page(tmp_path, measured)
    assert missing(text, measured) == [] and "Not measured" not in text
    assert all(html.escape(str(value)) in text for value in measured["machine"].values())
    assert measured["levels"][0]["run"] in text


def test_a_number_that_is_left_out_is_noticed(tmp_path, monkeypatch):
    monkeypatch.delitem(measured.HEADS, "uniform")
    text = page(tmp_path, MADE)
    assert {name for name, _ in missing(text, MADE)} == {"uniform"}


@pytest.mark.parametrize("name", fast.SECTIONS)
def test_a_table_that_lacks_is_said_to_lack_and_what_measures_it(tmp_path, name):
    for gone in ({k: v for k, v in MADE.items() if k != name}, MADE | {name: []}):
        text = page(tmp_path, gone)
        assert text.count(f"Not measured yet: `make bench{' peers=1' * (name == 'peers')}`") == 1
        assert text.count("<tbody>") == len(fast.SECTIONS)
    assert ("make chapter=imp" in text) == (name == "levels")


def test_without_measurements_the_page_says_how_to_make_them(tmp_path):
    text = fast.speed_page(tmp_path / "bench.json")
    assert text.count("`make bench`") == 2 + len(fast.SECTIONS) - 1 and "<table" not in text
    assert text.count("`make bench peers=1`") == 1
    assert page(tmp_path, {"rows": [{"step": 1.0}], "threads": 2, "device": "x"}) == text  # an older file


def test_a_column_that_lacks_is_an_error_that_names_it(tmp_path):
    broken = copy.deepcopy(MADE)
    del broken["width"][0]["products"]
    with pytest.raises(ValueError, match="width lacks 'products'; measure anew: make bench"):
        page(tmp_path, broken)


def test_what_is_slower_is_said_to_be(tmp_path):
    text = page(tmp_path, MADE)
    assert (
        "It is slower at level 0 (0.90 ×)." in text
        and "It is slower at 100 % (0.00 ×), 3 % (0.00 ×)." in text
    )
    assert "It is nowhere slower." in text


def test_a_whole_run_is_the_sum_of_its_steps(tmp_path):
    rows = [row | {"reference": 10.0, "sparse": 4.0} for row in MADE["levels"]]
    text = page(tmp_path, MADE | {"levels": rows})
    assert (
        "14 levels have 16,800 steps: 168 s of the reference loop, 67 s of the sparse engine, which is 2.5 ×"
        in text
    )


def test_the_page_is_the_same_twice_and_a_phone_shows_its_figures(tmp_path):
    text = page(tmp_path, MADE)
    assert text == page(tmp_path, MADE)
    assert text.count('<img class="small"') + 1 == text.count('id="speed-') == 6


@pytest.mark.parametrize("rows, panels", [(MADE["density"], 2), (MADE["levels"], 1)])
def test_a_figure_has_a_panel_a_size_and_ratios_that_do_not_crowd(rows, panels):
    against = "density" if panels == 2 else "level"
    figure = figures.speed.cost(rows, against, "reference", "sparse")
    assert len(figure.axes) == panels
    for ax in figure.axes:
        ratios = [text.get_text() for text in ax.texts]
        assert len(ratios) <= 7 and ratios[-1] == times(rows[-1]["ratio"])
        assert ax.get_yscale() == "log"


def test_lightning_is_said_to_lack_where_it_was_not_measured(tmp_path):
    [row] = MADE["peers"]
    lacking = {name: value for name, value in row.items() if name != "lightning"}
    texts = [page(tmp_path, MADE | {"peers": [one]}) for one in (row, lacking)]
    assert ["Lightning was not measured" in text for text in texts] == [False, True]
    assert "`ModelPruning` 18 × as long" in texts[0]


def test_what_limits_a_step_is_the_nearer_ceiling(tmp_path):
    text = page(tmp_path, MADE)
    assert (
        "it does 32 billion, with 1.74 a byte: 25 % of what the cache can deliver; most of its time" in text
    )
    rows = [row | {"kept_intensity": 50.0, "kept_rate": 150.0} for row in MADE["roofline"]]
    assert "75 % of what the faster product does. Of its operations, 41 % are" in page(
        tmp_path, MADE | {"roofline": rows}
    )


def test_the_roofline_has_a_point_for_each_loop_and_density_below_its_ceilings():
    figure = figures.speed.roofline(MADE["roofline"])
    assert [ax.get_title() for ax in figure.axes] == ["small", "large"]
    for ax in figure.axes:
        ceilings, points = ax.lines[:2], ax.lines[2:]
        assert [len(line.get_xdata()) for line in points] == [2, 2, 2]
        assert max(ceilings[0].get_ydata()) == CEILINGS["peak"] > max(points[0].get_ydata())


@pytest.mark.parametrize(
    "ratio, words", [(0.984, "0.98 ×"), (1.04, "1.04 ×"), (1.96, "2.0 ×"), (12.4, "12 ×")]
)
def test_a_ratio_in_words(ratio, words):
    assert times(ratio).replace("\u00a0", " ") == words
