"""Plans and what is stored of them: complete, readable, nothing besides, small enough."""

import re
from pathlib import Path

import nbformat
import pytest

from sifting import __main__ as cli
from sifting import config, store
from sifting.figures import style
from sifting.publish import asked, page, plans, settings, sources
from sifting.publish.page import open_chapter
from sifting.results.history import History

ROOT = Path(__file__).resolve().parents[2]
LAPTOP = config.preset("laptop")


def shown(chapter: str) -> list:
    """What the page of a chapter shows; at the preset laptop three seeds at least, whatever is stored."""
    preset, base, seeds = asked.settle(chapter, None, None, None)
    return plans.planned(chapter, base, 3 if preset == "laptop" else seeds)


PLANNED = {store.path(*result).name for name in plans.GROUPS for result in shown(name)}
STORED = sorted(store.root().glob("*.npz"))


def test_every_chapter_has_a_plan_and_every_plan_a_chapter():
    assert sorted(plans.GROUPS) == sources.chapters()
    names = ", ".join(sorted(plans.GROUPS))
    with pytest.raises(ValueError, match=rf"'imps' \(did you mean imp\?\); choose from {names}$"):
        plans.plan("imps", LAPTOP, 1)


def test_a_chapter_without_a_plan_is_said_to_have_none(tmp_path, monkeypatch, results, capsys):
    """Whoever has just written its notebook is told what is still to do, from wherever it is run."""
    monkeypatch.setattr(sources, "CHAPTERS", tmp_path)
    nbformat.write(nbformat.read(ROOT / "chapters" / "imp.ipynb", 4), tmp_path / "patches.ipynb")
    told = "chapter patches has no plan: add one to sifting/publish/plans"
    with pytest.raises(ValueError, match=f"^{told}$"):
        page.open_chapter("patches", "smoke", 1, "cpu")
    for words in ("run patches", "run patches preset=smoke seeds=1 set=lr=0.05", "build", "verify patches"):
        assert cli.main(words.split()) == 2
        assert capsys.readouterr().err == f"sifting: {told}\n"
    assert not results.exists()


def test_plans_of_all_subjects_are_read_and_speak_of_chapters_groups_and_kinds_that_there_are():
    subjects = {path.stem for path in Path(plans.__file__).parent.glob("*.py")} - {"__init__"}
    assert {subject.__name__.rpartition(".")[2] for subject in plans.SUBJECTS} == subjects
    named = [chapter for subject in plans.SUBJECTS for chapter in subject.GROUPS]
    assert len(named) == len(set(named)), "a chapter has one plan"
    for said in (plans.KINDS, plans.DEFAULT, plans.FAMILY):
        assert set(said) <= set(plans.GROUPS)
    assert set(plans.DEFAULT.values()) <= set(store.EXPERIMENTS)
    assert set(plans.FAMILY.values()) <= set(config.FAMILIES)


@pytest.mark.parametrize("chapter", plans.GROUPS)
def test_a_chapter_is_about_a_few_fields_that_it_reads(chapter):
    assert 4 <= len(set(plans.ABOUT[chapter])) == len(plans.ABOUT[chapter]) <= 8
    assert [field for field in plans.ABOUT[chapter] if chapter not in settings.readers(field)] == []


@pytest.mark.parametrize("chapter", plans.GROUPS)
def test_a_plan_needs_something_of_every_group_at_every_preset(chapter):
    for preset in config.FAMILIES[plans.FAMILY.get(chapter, "fcn")]:
        base = plans.base(chapter, preset)
        groups, needed = plans.GROUPS[chapter](base, 2), plans.plan(chapter, base, 2)
        assert {group for _, group in needed} == set(groups) and all(needed.values())
        for group, kinds in plans.KINDS.get(chapter, {}).items():
            assert {kind for kind, name in needed if name == group} == set(kinds)


def test_what_a_chapter_cannot_do_is_told_before_anything_is_computed(results):
    with pytest.raises(ValueError, match="a chapter needs levels=2 or more, not 1"):
        plans.results("imp", config.preset("smoke", levels=1, rewind_step=1), 1, "cpu")
    with pytest.raises(ValueError, match="surface needs cells=2 or more"):
        plans.results("surface", plans.base("surface", "smoke", {"cells": 1}), 1, "cpu")
    with pytest.raises(ValueError, match="subsets must be 1 or more for results of kind utility, not 0"):
        plans.results("size", plans.base("size", "smoke", {"subsets": 0}), 1, "cpu")
    with pytest.raises(ValueError, match="probe_images must be 2 or more for results of kind surface, not 1"):
        plans.results("basins", plans.base("basins", "smoke", {"probe_images": 1}), 1, "cpu")
    with pytest.raises(ValueError, match="classes=1, but the semantic labels of photos have 5"):
        plans.results("units", config.preset("smoke", labels="random", classes=1), 1, "cpu")
    assert not results.exists()


@pytest.mark.parametrize(
    ("chapter", "field"),
    [
        ("residual", "cells"),
        ("residual", "prune_fraction"),
        ("residual", "retrain_steps"),
        ("surface", "subsets"),
        ("retraining", "probed"),
        ("basins", "probed"),
    ],
)
def test_what_a_chapter_does_not_measure_or_do_has_no_effect_in_it(chapter, field):
    with pytest.raises(ValueError, match=f"{field} has no effect in {chapter}"):
        plans.base(chapter, "smoke", {field: {"prune_fraction": "0.7", "probed": "last"}.get(field, "7")})


def test_all_data_of_a_chapter_are_looked_for_before_anything_is_computed(results, monkeypatch, tmp_path):
    monkeypatch.setenv("SIFTING_DATA", str(tmp_path / "data"))
    for name in ("images-idx3", "labels-idx1"):
        for part in ("train", "t10k"):
            path = tmp_path / "data" / "MNIST" / "raw" / f"{part}-{name}-ubyte"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    with pytest.raises(FileNotFoundError, match="data_batch_1.*CIFAR10"):
        plans.results("structure", plans.base("structure", "paper"), 1, "cpu")
    assert not results.exists()


def test_an_override_without_any_effect_is_refused():
    with pytest.raises(ValueError, match="criterion has no effect in methods, which sets or compares it"):
        plans.base("methods", "smoke", {"steps": 50, "criterion": "random"})
    usual = plans.base("methods", "smoke")
    assert plans.base("methods", "smoke", {"criterion": usual.criterion}) == usual
    fields = {"rewind_step": 900, "steps": 1000}  # neither is possible at smoke without the other
    assert plans.base("imp", "smoke", fields).rewind_step == 900


@pytest.mark.parametrize(
    ("chapter", "field", "value"),
    [
        ("retraining", "start_density", 0.1),
        ("basins", "criterion", "random"),
        ("shares", "start_density", 0.5),
    ],
)
def test_what_a_chapter_compares_cannot_be_set(chapter, field, value):
    with pytest.raises(ValueError, match=f"{field} cannot be set in {chapter}, which compares networks"):
        plans.base(chapter, "smoke", {field: value})


@pytest.mark.parametrize(
    ("chapter", "field", "value"),
    [
        ("dial", "gain", 20.0),
        ("data", "fraction", 0.2),
        ("size", "start_density", 0.125),
        ("tasks", "labels", "picture"),
    ],
)
def test_what_a_chapter_turns_can_be_turned_farther(chapter, field, value):
    """Conditions more, beside those that there are: their results are found again."""
    before = plans.plan(chapter, plans.base(chapter, "laptop"), 2)
    after = plans.plan(chapter, plans.base(chapter, "laptop", {field: value}), 2)
    more = after.keys() - before.keys()
    assert more and all([getattr(one, field) for one in after[name]] == [value, value] for name in more)
    assert {name: runs for name, runs in after.items() if name not in more} == before
    (there, *_), *_ = [runs for runs in before.values() if getattr(runs[0], field) != getattr(LAPTOP, field)]
    with pytest.raises(ValueError, match=f"{field} has no effect in {chapter}, which sets or compares it"):
        plans.base(chapter, "laptop", {field: getattr(there, field)})


def test_a_dense_network_that_diverged_is_named(results):
    base = config.preset("smoke", family="vanilla", levels=0, lr=1e6, momentum=0.9)
    [run] = store.load_or_run("masks", [base], "cpu")
    with pytest.raises(
        ValueError, match=f"{run.name}: training of the dense network diverged, with lr=1e\\+06"
    ):
        plans._check_learned(run)


@pytest.mark.parametrize("chapter", plans.GROUPS)
@pytest.mark.parametrize("seeds", [None, 0, 2.0, "3"])
def test_what_is_no_number_of_seeds_is_refused_live(results, chapter, seeds):
    with pytest.raises(ValueError, match=f"seeds must be a whole number, 1 or more, not {seeds!r}"):
        open_chapter(chapter, "smoke", seeds)


@pytest.mark.parametrize(("model", "field", "value"), [("lenet", "widths", (64,)), ("fcn", "width", 0.5)])
def test_a_field_that_a_model_does_not_read_is_refused(model, field, value):
    with pytest.raises(ValueError, match=f"{field} has no effect on model {model}"):
        store.check([config.preset("smoke", model=model, **{field: value})])


def test_what_every_page_shows_is_stored_and_nothing_is_stored_in_vain():
    wanted = {
        store.path(*result).name
        for name in plans.GROUPS
        for preset in set(config.PRESETS) - {"smoke"}
        for result in plans.planned(name, plans.base(name, preset), 9)
    }
    names = {path.name for path in STORED}
    assert PLANNED <= names <= wanted


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_every_stored_result_is_whole(path):
    history = History(path)
    empty = [name for name in history.names() if not history[name].size]
    assert all(name.startswith("trained/") for name in empty), "a layer may lose all biases, and nothing else"
    history.check()
    commit = history.provenance["commit"]
    assert re.fullmatch("[0-9a-f]{12}(, [0-9a-f]{12})*", commit), "computed from code that is in no commit"
    # clones are drawn by the first run that needs them; VGG-11 is large
    large = history.kind in ("representation", "likeness", "evolution")
    # four times as many pixels as most have
    finer = history.kind == "representation" and history.config.image_size > 16
    assert history.provenance["peak_memory_mb"] < (5500 if finer else 2200 if large else 1500)


def test_stored_results_fit_into_the_repository():
    assert sum(path.stat().st_size for path in STORED) < 150e6


RULES = {
    "random": "random",
    "SNIP": "snip",
    "SynFlow": "synflow",
}  # how a name of a method begins -> criterion


@pytest.mark.parametrize("chapter", plans.GROUPS)
def test_a_group_that_is_called_as_a_rule_of_pruning_is_pruned_by_it(chapter):
    for (_, group), configs in plans.plan(chapter, plans.base(chapter, "laptop"), 1).items():
        for start, criterion in RULES.items():
            if style.method(group.partition(": ")[2] or group).startswith(
                start
            ):  # or it would have its color
                assert all(criterion in config.criterion for config in configs), group


def test_seeds_and_groups_never_share_a_result():
    results = plans.planned("units", LAPTOP, 3)
    assert len(set(results)) == len(results) == 3 + 3 + 4


def test_results_come_by_kind_and_group(results):
    tiny = config.preset("smoke", steps=6, rewind_step=1, levels=2, evaluations=1, train_images=300)
    found = plans.results("units", tiny, 2, "cpu")
    assert {key: len(value) for key, value in found.items()} == {
        ("shown", "main"): 2, ("anatomy", "main"): 2, ("masks", "less"): 1, ("masks", "least"): 1,
        ("masks", "semantic"): 1, ("masks", "random classes"): 1,
    }  # fmt: skip
    assert found["masks", "semantic"][0].config.labels == "semantic"
    assert not any(name.startswith("trained/") for name in found["masks", "less"][0].names())
