"""Headline statements under all choices: the book's own is among them, and what robust means."""

import ast
import dataclasses
import functools
import math

import nbformat
import numpy as np
import pytest

from sifting import config, figures
from sifting.data import photos
from sifting.observables import locality
from sifting.publish import asked, catalog, claims, multiverse, plans, sources
from sifting.tables import conditions
from sifting.tables.choices import ALONE, APART, PAIRED, Cell, Grid, Row, contrast, masks
from sifting.tables.multiverse import AGAIN, HEADLINES, LARGER, again, choices, of
from tests.known import of_the_book

READS = plans.multiverse.READS
SAID = catalog.Statement("own-x", "up", "It is up.", "not asked", "how far", above=0)


# --- the headlines, from the results that are stored


@pytest.fixture(scope="module", autouse=True)
def measured_once():
    """Chapters and headlines measure the same masks."""
    rows = conditions._rows
    found = {}

    def known(runs):
        names = tuple(run.name for run in runs)
        if names not in found:
            found[names] = rows(runs)
        return found[names]

    conditions._rows = known
    yield
    conditions._rows = rows


@pytest.fixture(scope="module")
def groups():
    return of_the_book("multiverse")


@pytest.fixture(scope="module")
def headline(groups):
    return functools.cache(
        lambda key: multiverse.under(catalog.statement(*key.split(".")), choices(groups, key))
    )


def test_the_headlines_read_what_is_planned_with_as_many_seeds_as_the_book_shows():
    assert {chapter for _, *chapters in HEADLINES.values() for chapter in chapters} == set(READS)
    _, _, seeds = asked.settle("multiverse", None, None, None)
    mine = {chapter: plans.multiverse.seeds_of(chapter, seeds) for chapter in READS}
    assert mine == {chapter: asked.settle(chapter, None, None, None)[2] for chapter in READS}


def test_nothing_is_planned_that_no_other_chapter_plans():
    for preset in config.PRESETS:
        others = {
            result for chapter in READS for result in plans.planned(chapter, plans.base(chapter, preset), 9)
        }
        assert set(plans.planned("multiverse", plans.base("multiverse", preset), 3)) <= others


@pytest.mark.parametrize("family", config.FAMILIES)
@pytest.mark.parametrize("name", config.PRESETS)
def test_other_families_keep_the_preset_whatever_is_set(family, name):
    usual = plans.multiverse.beside(config.preset(name), family)
    assert usual == config.preset(name, family=family)
    if family != "fcn":
        assert plans.multiverse.beside(config.preset(name, {"lr": 0.3, "widths": (9, 9)}), family) == usual


@pytest.mark.parametrize("key", HEADLINES)
def test_a_headline_has_every_choice_at_every_density_and_the_books_own_counts(headline, key):
    one = headline(key)
    label, column = one.grid.book
    assert len(one.claims) == len(one.grid.rows) > 2, "a choice has a name of its own"
    assert {len(row.cells) for row in one.grid.rows} == {len(one.grid.columns)}
    [row] = [row for row in one.grid.rows if row.label == label]
    assert row.unit == one.statement.unit and one.counts[label][column]
    assert sum(one.shares.values()) == pytest.approx(1)
    assert one.size > 10


@pytest.mark.parametrize("key", HEADLINES)
def test_the_outlined_cell_is_the_books_own_test(headline, key):
    """By the code of its chapter, of which all is run that the test needs."""
    book = claims.check(catalog.statement(*key.split(".")), **in_chapter(key))
    mine = headline(key).book
    assert (mine.verdict, mine.over) == (book.verdict, book.over)
    numbers = [(one.estimate, one.low, one.high, one.p) for one in (mine, book)]
    assert numbers[0] == pytest.approx(numbers[1], rel=1e-4)  # accuracies have single precision


def in_chapter(key):
    """The arguments of claims.check, as the chapter of the statement has them."""
    for chapter in sources.chapters():
        cells = nbformat.read(sources.path(chapter), 4).cells
        code = [cell for cell in cells if cell.cell_type == "code"]
        lines = [
            node
            for cell in code
            if "parameters" not in cell.metadata.get("tags", [])
            for node in ast.parse(cell.source).body
        ]
        for place, line in enumerate(lines):
            if (wanted := effect(line, *key.split("."))) is not None:
                preset, _, seeds = asked.settle(chapter, None, None, None)
                space = {"preset": preset, "seeds": seeds, "device": "cpu", "overrides": {}}
                module = ast.Module(needed(lines[:place], wanted), [])
                exec(compile(module, chapter, "exec"), space)
                how = eval(compile(ast.Expression(wanted), chapter, "eval"), space)
                return how if isinstance(how, dict) else {"values": how}
    raise AssertionError(f"no chapter tests {key}")


def effect(line, id, name):
    """The expression of an effect in page.check(ID, NAME=...), if this is it."""
    call = getattr(line, "value", None)
    checks = isinstance(call, ast.Call) and ast.unparse(call.func) == "page.check"
    if not checks or call.args[0].value != id:
        return None
    return {word.arg: word.value for word in call.keywords}.get(name)


def needed(lines, wanted):
    """The imports and assignments that an expression needs, and no call that shows anything."""
    names, found = {node.id for node in ast.walk(wanted) if isinstance(node, ast.Name)}, []
    for line in reversed(lines):
        imports = isinstance(line, (ast.Import, ast.ImportFrom))
        used = [node for node in ast.walk(line) if isinstance(node, ast.Name)]
        set_here = {node.id for node in used if isinstance(node.ctx, ast.Store)}
        if imports or isinstance(line, ast.Assign) and set_here & names:
            found.append(line)
            names |= {node.id for node in used}
    return found[::-1]


def test_units_without_a_width_have_that_of_pairs_of_different_units(groups):
    """The mean over all living units, one by one."""
    runs = groups["pruners: one-shot"]
    run, last, size = runs[0], runs[0].levels, (3, 16, 16)
    mask = run.mask(last)
    mask = mask[mask.any(1)]
    width = locality.rf_width(locality.displacement_counts(mask, size)[0])[0]
    chance = locality.rf_width(locality.null_counts(mask, size))[0]
    assert np.isnan(width).any()
    expected = np.where(np.isnan(width), chance, width).mean()
    assert masks(runs)["width_counted"][0, last] == pytest.approx(expected)


# --- the rule


def grid_of(effects, measured=1.0):
    """A grid of one row with these mean effects, each with an interval of ± 1 about."""
    cells = [Cell(effect + np.array([-0.4, 0, 0.4]), measured=measured) for effect in effects]
    return Grid("kept", [*map(str, effects)], [Row("plain", cells)], ("plain", 0), "paired")


@pytest.mark.parametrize(
    ("effects", "robust"),
    [
        ([5] * 9 + [0], "holds"),
        ([5] * 8 + [0] * 2, ""),
        ([5] * 19 + [-5], ""),
        ([-5] * 9 + [0], "does not hold"),
        ([0] * 10, ""),
    ],
)
def test_robust_is_nine_tenths_of_one_verdict_and_none_of_the_opposite(effects, robust):
    one = multiverse.under(SAID, grid_of(effects))
    assert one.robust == robust
    assert one.turns == (max(effects) > 0 > min(effects))
    assert one.said.startswith(f"robust: {robust}" if robust else "not robust")


def test_cells_of_few_units_and_of_equal_masks_do_not_count():
    few, many = grid_of([-5, -5], measured=0.94), grid_of([5, 5, 5], measured=0.95)
    same = Row("same", [Cell(np.zeros(3)), Cell(np.ones(3), np.ones(3)), None])
    rows = [Row("few", [*few.rows[0].cells, None]), *many.rows, same]
    one = multiverse.under(SAID, dataclasses.replace(many, rows=rows))
    assert one.counts == {"few": [False] * 3, "plain": [True] * 3, "same": [False] * 3}
    assert (one.size, one.robust, one.claims["same"][2]) == (3, "holds", None)
    assert one.claims["few"][0].verdict == "does not hold", "it is shown all the same"


def test_a_statement_of_which_nothing_can_be_measured_is_unclear_and_not_robust():
    nothing = Grid("kept", ["10 %"], [Row("plain", [None])], ("plain", 0), "paired")
    one = multiverse.under(SAID, nothing)
    assert (one.book.verdict, one.size, one.robust, one.turns) == ("unclear", 0, "", False)
    found = {"a": one}
    assert multiverse.rows(found)[0][1:5] == ["0", "– %", "– %", "– %"]
    assert multiverse.counts(found)["robust"] == 0
    assert figures.multiverse.summary(multiverse.summary(found), multiverse.MOST).axes


def test_other_measures_have_their_own_unit_and_no_ends():
    said = dataclasses.replace(SAID, unit="points", least=-100, most=100)
    found = grid_of([500])
    other = dataclasses.replace(found, rows=[dataclasses.replace(found.rows[0], unit="pixels")])
    assert multiverse.under(said, other).book.estimate == pytest.approx(500)
    assert multiverse.under(said, other).book.high > 500
    assert "pixels" in multiverse.under(said, other).book.ours


@pytest.mark.parametrize(
    ("way", "over"),
    [(ALONE, "3 seeds{}"), (PAIRED, "3 seeds{}, paired"), (APART, "3 seeds against 3 seeds{}")],
)
def test_a_cell_is_tested_by_its_own_design(way, over):
    """Whatever the design of the statement; the effect is the same, and of images it is over them, too."""
    one, other = np.array([[5.0, 6, 8]]).T, np.array([[0.0, 1, 2]]).T
    redrawn = one + np.array([0, -0.5, 0.5])[:, None, None]
    for values, more in ((one, ""), (redrawn, " and the held-out images")):
        rows = contrast("plain", values, np.broadcast_to(other, values.shape), (way,))
        said = dataclasses.replace(SAID, design=APART, arms=("a", "b"))
        [[found]] = multiverse.under(said, Grid("kept", ["10 %"], rows, ("plain", 0), "")).claims.values()
        assert found.statement.design == way and way in catalog.DESIGNS
        assert (found.over, found.estimate) == (over.format(more), pytest.approx(16 / 3))


def test_counts_are_of_all_statements():
    found = {
        str(n): multiverse.under(SAID, grid_of(effects))
        for n, effects in enumerate(([5, 5], [5, -5, -5], [5, 0]))
    }
    assert multiverse.counts(found) == {"statements": 3, "robust": 1, "turn": 1, "cells": 7, "alone": 1}
    assert [row[-1].partition(":")[0] for row in multiverse.rows(found)] == ["robust"] + ["not robust"] * 2


# --- on other photographs


def test_on_all_photographs_the_tests_are_those_of_the_book(headline):
    cells = again(of(of_the_book("pictures"), "all"))
    for key in AGAIN.keys() - {"PB5.more_data_local"}:  # of fewer amounts of data
        mine, book = cells[key], headline(key).grid.own
        np.testing.assert_allclose(mine.effects, book.effects, rtol=1e-5)
        assert mine.design == book.design


def test_sets_are_compared_one_by_one_on_photographs_that_no_two_share():
    groups = of(of_the_book("pictures"), "sets")
    cells = again(groups, alike=True)
    assert {len(cell.values) for cell in cells.values()} == {5}
    assert {cell.design for cell in cells.values()} == {ALONE}
    for runs in groups.values():
        sets = [set(photos.chosen(run.config)) for run in runs]
        assert [len(one) for one in sets] == [3] * 5 and len(set.union(*sets)) == 15


@pytest.mark.parametrize(
    ("against", "paired", "effects"),
    [(None, False, [1, 3]), ([1, 1], True, [0, 2]), ([0, 4], False, [-1, 1]), ([0, 4], True, [1, -1])],
)
def test_the_effects_of_a_cell_are_one_a_run(against, paired, effects):
    cell = Cell(np.array([1.0, 3]), None if against is None else np.array(against, float), paired=paired)
    assert cell.effects.tolist() == effects


def test_the_bounds_on_other_photographs_are_those_of_the_headlines():
    said = {key: one for key, one in catalog.statements().items() if key.startswith("pictures-")}
    assert len(said) == len(AGAIN)
    assert {(one.above, one.below) for one in said.values()} == {
        (one.above, one.below) for one in (catalog.statement(*key.split(".")) for key in AGAIN)
    }


# --- in larger networks


def test_the_smaller_networks_beside_those_of_desk_are_those_of_the_book():
    """Of which it has its own seeds, whatever is asked for; of the larger ones there are as many as that."""
    assert plans.multiverse.smaller(config.preset("desk")) == config.preset("laptop")
    small, large = (of(plans.GROUPS["scale"](config.preset("desk"), 2), size) for size in ("small", "large"))
    assert {len(runs) for runs in large.values()} == {2}
    assert {name: len(runs) for name, runs in small.items()} == {
        f"{chapter}: {name}": plans.multiverse.seeds_of(chapter, 3)
        for chapter, names in plans.multiverse.LARGER.items()
        for name in names
    }
    for name, runs in small.items():
        assert {dataclasses.replace(run, seed=0) for run in runs} == {
            plans.multiverse.smaller(large[name][0])
        }


def test_the_bounds_in_larger_networks_are_those_of_the_headlines():
    said = {key: one for key, one in catalog.statements().items() if key.startswith("scale-")}
    own = {"scale-locality.snip", "scale-locality.more_than_small", "scale-accuracy.over_random"}
    flat = said.pop("scale-training.flat")
    assert len(said) == len(LARGER) + len(own) and (flat.above, flat.below) == (-math.inf, 1)
    assert {(one.above, one.below) for one in said.values()} == {
        (one.above, one.below) for one in (catalog.statement(*key.split(".")) for key in LARGER)
    }


# --- what is drawn


def test_other_photographs_have_a_panel_a_headline_with_a_dot_a_run():
    cells = dict.fromkeys(AGAIN, Cell(np.array([1.0, 2, 4])))
    figure = figures.multiverse.again(multiverse.panels({"fifteen": cells, "sets": cells}))
    drawn = [ax for ax in figure.axes if ax.axison]
    assert [ax.get_title() for ax in drawn] == [what for _, what in AGAIN.values()]
    for ax in drawn:
        dots, means = [line for line in ax.get_lines() if len(line.get_xdata()) == 3], ax.containers
        assert [line.get_ydata().tolist() for line in dots] == [[1, 2, 4]] * 2 and len(means) == 2
        low, high = np.array(means[0].lines[2][0].get_segments())[0, :, 1]
        claim = claims.check(SAID, np.array([1.0, 2, 4]))
        assert (low, high) == pytest.approx((claim.low, claim.high))


def test_a_grid_has_a_square_a_cell_and_an_outline_and_says_every_verdict_by_a_sign():
    grid = grid_of([5, 0, -5])
    grid = dataclasses.replace(grid, rows=[*grid.rows, Row("none", [None, *grid.rows[0].cells[1:]])])
    [ax] = figures.multiverse.grid(multiverse.cells(multiverse.under(SAID, grid))).axes
    assert len(ax.patches) == 5 + 1
    assert [text.get_text() for text in ax.texts] == ["+", "?", "−", "?", "−"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["plain", "none"]


def test_the_summary_has_shares_that_fill_each_row():
    found = {"a": multiverse.under(SAID, grid_of([5, 0])), "b": multiverse.under(SAID, grid_of([-5]))}
    [ax] = figures.multiverse.summary(multiverse.summary(found), multiverse.MOST).axes
    assert sum(bar.get_width() for bar in ax.patches) == pytest.approx(2)
    assert [label.get_text() for label in ax.get_yticklabels()] == [SAID.text] * 2
