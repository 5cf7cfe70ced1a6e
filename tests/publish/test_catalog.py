"""The catalog of statements: what its files may hold, and that the chapters test all of it."""

import ast
import collections
import functools
import math
import pathlib
import re
import tomllib

import nbformat
import numpy as np
import pytest

from sifting.publish import catalog, plans, sources
from sifting.publish.catalog import FIGURES, PAPERS, statement, statements
from sifting.tables import chance, methods
from tests.known import of_the_book

ROOT = pathlib.Path(__file__).parents[2]
FILES = {stem: catalog.HERE / f"{stem}.toml" for stem in [*(stem for stem, *_ in PAPERS.values()), "own"]}
RECORD = 'text = "It is so."\npaper = "12 %"\neffect = "gain"\n'


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Reads a catalog in which one file holds this text, and the others nothing."""

    def read(text, stem="own"):
        for path in FILES.values():
            (tmp_path / path.name).write_text(text if path.stem == stem else "")
        monkeypatch.setattr(catalog, "HERE", tmp_path)
        return statements.__wrapped__()  # not the book's, which are kept

    return read


def in_chapters():
    """ID.NAME -> chapters that test it, from the calls of page.check in their code."""
    found = collections.defaultdict(list)
    for chapter in sources.chapters():
        for id, name in checks(chapter):
            found[f"{id}.{name}"].append(chapter)
    return found


def calls(chapter):
    """Every call of page.check in the code of a chapter."""
    for cell in nbformat.read(ROOT / "chapters" / f"{chapter}.ipynb", 4).cells:
        for node in ast.walk(ast.parse(cell.source)) if cell.cell_type == "code" else ():
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "page.check":
                yield node


def checks(chapter):
    """ID and name of every statement that a chapter tests."""
    for node in calls(chapter):
        id, *more = node.args
        plain = isinstance(id, ast.Constant) and not more and all(word.arg for word in node.keywords)
        assert plain, f"an ID and names that can be searched for are wanted: {ast.unparse(node)}"
        yield from ((id.value, word.arg) for word in node.keywords)


def headings(path):
    """IDs of the records of a file, one after another, as they stand there."""
    return re.findall(r"(?m)^\[([^.\]]+)\.\w+\]$", path.read_text(encoding="utf-8"))


# --- the book's


def test_every_record_is_a_statement_and_every_file_is_read():
    files = {path.name for path in FILES.values()} | {"findings.toml"}
    assert {path.name for path in catalog.HERE.glob("*.toml")} == files
    found = [
        f"{id}.{name}"
        for path in FILES.values()
        for id, records in tomllib.loads(path.read_text(encoding="utf-8")).items()
        for name in records
    ]
    assert [*statements()] == found == [one.key for one in statements().values()]
    assert all(statement(one.id, one.name) is one for one in statements().values())


def test_every_statement_is_tested_in_one_chapter_and_nothing_else_is():
    found = in_chapters()
    assert {key: chapters for key, chapters in found.items() if len(chapters) > 1} == {}
    assert sorted(set(found) - set(statements())) == [], "tested, but not in the catalog"
    assert sorted(set(statements()) - set(found)) == [], "in the catalog, but not tested"


def test_statements_of_papers_quote_them_and_our_own_quote_nobody():
    lacking = [one.key for one in statements().values() if not one.own and not (one.quote and one.place)]
    assert lacking == []
    assert [one.key for one in statements().values() if one.own and (one.quote or one.place)] == []


@pytest.mark.parametrize("path", FILES.values(), ids=FILES)
def test_records_stand_together_and_in_the_order_of_the_figures(path):
    found = headings(path)
    assert len(found) == sum(map(len, tomllib.loads(path.read_text(encoding="utf-8")).values()))
    together = [id for n, id in enumerate(found) if not n or found[n - 1] != id]
    assert len(together) == len(set(together)), "the records of a figure stand apart"
    known = [id for id in together if id in FIGURES]
    assert known == [id for id in FIGURES if id in known]


def test_what_a_statement_wants_can_be_and_can_fail():
    for one in statements().values():
        assert one.above < one.below, one.key
        assert one.least < one.below and one.above < one.most, f"{one.key}: no effect can be there"
        assert one.least < one.above or one.below < one.most, f"{one.key}: no effect can be elsewhere"
        assert one.text.endswith(".") and one.paper and one.effect, one.key
        assert one.name.isidentifier(), one.key


def test_a_bound_that_is_not_0_has_its_reason():
    bounds = {one.key: {one.above, one.below} - {0, math.inf, -math.inf} for one in statements().values()}
    assert [key for key, found in bounds.items() if found and not statements()[key].why] == []


def test_arms_are_named_where_runs_are_compared():
    for one in statements().values():
        compares = one.design in ("paired", "two samples")
        assert bool(one.arms) == (compares and not one.over), one.key
        assert one.design != "two samples" or one.over or len(one.arms) == 2, one.key


@pytest.fixture(scope="module")
def dense():
    """Function: chapter, group -> what the dense networks of the stored runs have right, a number a run."""

    found = functools.cache(of_the_book)
    return lambda chapter, group: [float(run.accuracy("test", "last")[0]) for run in found(chapter)[group]]


def test_pairs_come_of_one_dense_network_and_two_samples_do_not(dense):
    """By the stored results: networks that are trained alike, bit for bit, have as many images right."""
    chapters = in_chapters()
    for one in (one for one in statements().values() if one.arms):
        first, *others = (dense(chapters[one.key][0], arm) for arm in one.arms)
        same = [a == b for other in others for a, b in zip(first, other)]
        if one.design == "paired":
            assert all(same) and {len(other) for other in others} == {len(first)}, one.key
        else:
            assert not any(same), one.key


def test_chapters_leave_differences_of_groups_to_the_record():
    """No chapter subtracts the runs of one group from those of another: then it would choose the design."""
    for name in sources.chapters():
        groups = plans.GROUPS[name](plans.base(name, "laptop"), 1)
        for call in calls(name):
            for node in ast.walk(call):
                if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
                    sides = [group_in(side, groups) for side in (node.left, node.right)]
                    assert not all(sides) or sides[0] == sides[1], f"{name}: {ast.unparse(node)}"


def group_in(code, groups):
    """The group that an expression names, table["IMP"], or None."""
    words = [node.value for node in ast.walk(code) if isinstance(node, ast.Constant)]
    return next((word for word in words if word in groups), None)


def test_the_margin_of_what_is_local_stands_once():
    bounds = {
        (word, getattr(one, side))
        for one in statements().values()
        for word, side in (("least", "above"), ("largest", "below"))
        if one.effect.startswith(f"the {word} of three measures of locality beyond chance")
    }
    assert bounds == {(word, 100 * chance.MARGIN) for word in ("least", "largest")}


# Paganini & Forde, table 2: test accuracy of the eight methods and of two means, levels 1 to 20
TABLE_2 = """
L2S L1S L1US hybrid RUS RS L-inf fc-only all trio
97.4 97.5 97.8 97.8 97.4 97.3 97.1 97.9 98.2 98.1
97.2 97.0 97.7 97.6 97.0 96.9 96.9 97.8 98.2 97.9
96.5 96.6 97.8 97.5 96.1 96.4 96.2 97.7 98.1 97.9
95.8 95.6 97.9 97.6 95.6 95.1 95.4 97.8 97.9 97.9
95.0 95.1 97.6 97.5 93.8 94.0 94.1 97.8 97.7 97.9
94.2 93.8 97.6 97.4 92.2 92.9 93.3 97.6 97.6 97.7
91.7 92.7 97.4 97.5 89.2 91.0 91.3 97.6 97.4 97.8
89.5 90.9 97.3 97.4 45.8 88.2 88.9 97.5 97.2 97.7
87.6 86.9 97.0 97.3 14.0 83.7 86.2 97.5 97.2 97.5
82.0 82.2 96.5 96.9 11.3 79.2 81.3 97.3 96.8 97.3
77.2 77.7 95.9 96.8 11.3 60.1 76.3 97.0 96.6 97.1
72.5 72.5 94.5 96.4 11.3 45.5 74.1 96.9 96.3 97.0
69.0 65.1 90.2 95.8 11.3 41.1 65.6 96.1 95.7 96.4
65.4 58.3 83.5 95.3 11.3 32.0 58.4 95.9 95.1 96.3
55.7 54.7 72.7 94.4 11.3 18.5 48.3 94.7 94.6 95.7
47.1 43.7 69.5 92.5 11.3 11.3 24.7 93.3 94.0 94.7
45.9 41.6 47.9 88.3 11.3 11.3 21.9 90.7 91.9 92.8
36.7 37.8 32.4 81.8 11.3 11.3 14.5 87.4 91.0 91.6
30.2 35.9 23.0 76.4 11.3 11.3 11.9 84.3 89.3 90.3
29.4 33.1 21.2 71.9 11.3 11.3 11.7 78.6 85.0 86.0
"""


def test_numbers_of_the_papers_are_those_of_their_tables():
    """By our own function, where it is one; to the digits that are told."""
    head, *rows = (line.split() for line in TABLE_2.strip().splitlines())
    columns = dict(zip(head, np.array(rows, float).T))
    best = np.max([columns[name] for name in head[:8]], 0)
    lived = methods.lived({name: {"test": column[None]} for name, column in columns.items()})
    lived = {name: 1 + values[0] for name, values in lived.items()}  # the first row is level 1
    found = {
        "PF1.unstructured": lived["L1US"] - lived["L1S"],
        "PF1.hybrid": lived["hybrid"] - lived["L1S"],
        "PF1.l1_inputs": lived["L1S"] - lived["RS"],
        "PF1.l2_inputs": lived["L2S"] - lived["RS"],
        "PF1.linf_inputs": lived["L-inf"] - lived["RS"],
        "PF1.random_inputs": lived["RS"] - lived["RUS"],
        "PFT2.all": (columns["all"] - best)[14:].mean(),
        "PFT2.trio": (columns["trio"] - best)[14:].mean(),
        "PFT2-early.all": (columns["all"] - best)[:10].mean(),
        "ES1.which_tenth": 60,  # as printed
        "utility-taken.which_tenth": 60,
        "basins-distance.weights_farther": (49.5995 + 49.2613 - 26.8334 - 25.5950) / 2,
    }
    for one in statements().values():
        if printed := re.search(r"([\d.]+)(?: %)? (less|over) ([\d.]+)", one.value_from):
            a, b = float(printed[1]), float(printed[3])
            found[one.key] = a - b if printed[2] == "less" else math.log2(a / b)
    assert found.keys() == {key for key, one in statements().items() if not math.isnan(one.value)}
    for key, number in found.items():
        value = statements()[key].value
        digits = len(f"{value:g}".partition(".")[2])
        assert round(number, digits) == pytest.approx(value), key


def test_no_two_statements_on_a_figure_say_the_same():
    counts = collections.Counter((one.id, one.text) for one in statements().values())
    assert [said for said, count in counts.items() if count > 1] == []


# --- one that somebody writes


def test_a_record_becomes_a_statement(written):
    [one] = written(f"[own-figure.gains]\n{RECORD}above = 1\nover = 'ways'\n").values()
    assert (one.id, one.name, one.key, one.own) == ("own-figure", "gains", "own-figure.gains", True)
    assert (one.text, one.paper, one.effect) == ("It is so.", "12 %", "gain")
    assert (one.above, one.below, one.over, one.unit) == (1, float("inf"), "ways", "")
    assert (one.quote, one.place, one.design, one.arms) == ("", "", "one sample", ())


def test_effects_in_points_lie_between_their_ends(written):
    [one] = written(f"[PB4.gains]\n{RECORD}below = 1\nunit = 'points'\n", "pellegrini2022").values()
    assert (one.least, one.most, one.own) == (-100, 100, False)
    [one] = written(f"[own-figure.gains]\n{RECORD}above = 1\nunit = 'points'\nleast = 0\n").values()
    assert (one.least, one.most) == (0, 100)
    [one] = written(f"[own-figure.gains]\n{RECORD}above = 1\nunit = 'pixels'\n").values()
    assert (one.least, one.most) == (-float("inf"), float("inf"))


@pytest.mark.parametrize(
    "text, stem, message",
    [
        (f"[own-figure.gains]\n{RECORD}", "own", "own-figure.gains: where the effect is to lie is not said"),
        (f"[PB4.gains]\n{RECORD}over = 'ways'\n", "pellegrini2022", "PB4.gains: where the effect is to lie"),
        (f"[own-figure.gains]\n{RECORD}above = 1\nwithin = 2\n", "own", "own-figure.gains: .*'within'"),
        (f"[own-figure.gains]\n{RECORD}above = 1\ndesign = 'two'\n", "own", "there is no design 'two', only"),
        (
            f"[own-figure.gains]\n{RECORD}above = 1\nvalue = 2\n",
            "own",
            "own-figure.gains: a value of the paper",
        ),
        (
            "[own-figure.gains]\ntext = 'It is so.'\nabove = 1\n",
            "own",
            "own-figure.gains: .*'paper'.*'effect'",
        ),
        (f"[own.gains]\n{RECORD}above = 1\n", "own", "own of own.toml: only names of our own have a hyphen"),
        (f"[PB4-own.gains]\n{RECORD}above = 1\n", "pellegrini2022", "PB4-own of pellegrini2022.toml: only"),
        (f"[PB99.gains]\n{RECORD}above = 1\n", "pellegrini2022", "the paper has no figure PB99"),
        (f"[RD1.gains]\n{RECORD}above = 1\n", "pellegrini2022", "pellegrini2022.toml: .* no figure RD1"),
    ],
    ids=[
        "no bounds",
        "no bounds in a paper",
        "unknown",
        "design",
        "value",
        "missing",
        "own",
        "hyphen",
        "no figure",
        "other paper",
    ],
)
def test_a_record_that_is_wrong_is_named(written, text, stem, message):
    with pytest.raises(ValueError, match=message):
        written(text, stem)
