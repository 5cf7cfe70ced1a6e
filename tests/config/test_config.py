"""Defaults, presets, identity, and every way to get a parameter wrong."""

import contextlib
import dataclasses
import typing

import pytest

from sifting import cache, config, data, store
from sifting.config import FAMILIES, PRESETS, SETTINGS, Config, field, key, parse, preset
from sifting.data import clones
from sifting.pruning import criteria, tickets, treatments
from sifting.publish import plans, settings
from sifting.training import engines, models, reference, replicas

# Golden: stored results are found by these. A change here loses them.
GOLDEN = {"paper": "501183186686", "gpu": "1d14493f812f", "laptop": "fbb4ae146ee9", "smoke": "73a6b935a9e5"}


def test_a_field_that_is_given_twice_is_refused():
    with pytest.raises(ValueError, match="lr is given twice"):
        parse("lr=0.1 lr=0.2")


def test_a_number_without_end_is_no_number_of_steps():
    with pytest.raises(ValueError, match="steps takes a whole number, not '1e400'"):
        preset("smoke", parse("steps=1e400"))


def test_retraining_cannot_be_shorter_than_its_rewind_point():
    with pytest.raises(ValueError, match=r"rewind_step must be below retrain_steps \(4\), not 5"):
        preset("smoke", retrain_steps=4)


def test_keys_of_presets_never_change():
    assert {name: key(PRESETS[name]) for name in GOLDEN} == GOLDEN


def another(name):
    """The defaults but for one field, which has another value."""
    for value in settings.others(SETTINGS[name], SETTINGS[name].default):
        with contextlib.suppress(ValueError):  # not beside the other defaults
            return Config(**{name: value})


def test_key_sees_every_field_and_nothing_but_what_differs_from_the_defaults():
    assert key(Config()) == key(Config(lr=0.1))
    keys = {key(Config()), *(key(another(name)) for name in config.FIELDS)}
    assert len(keys) == 1 + len(config.FIELDS)


def test_defaults_are_the_papers():
    paper = PRESETS["paper"]
    assert dataclasses.replace(paper, dataset="photos", evaluations=100) == Config()
    assert (paper.lr, paper.batch_size, paper.steps, paper.prune_fraction, paper.rewind_step) == (
        0.1,
        1000,
        100_000,
        0.3,
        1000,
    )


def test_values_from_a_command_line_are_those_of_python():
    assert preset("laptop", parse("lr=0.05 widths=512,512 iterative=false steps=2e3")) == preset(
        "laptop", lr=0.05, widths=[512, 512], iterative=False, steps=2000
    )


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"lr": -0.1}, "lr must be between 0 and 1,000,000"),
        ({"lr": "fast"}, "lr takes a number, not 'fast'"),
        ({"lr": float("nan")}, "lr must be"),
        ({"prune_fraction": 1}, "prune_fraction must be above 0 and below 1"),
        ({"prune_fraction": 0}, "prune_fraction must be above 0 and below 1"),
        ({"levels": 300}, "one byte a weight"),
        ({"levels": 2.5}, "levels takes a whole number, not 2.5"),
        ({"widths": ()}, "widths must be one or more"),
        ({"widths": "256,0"}, "widths must be one or more"),
        ({"widths": "wide"}, "widths takes whole numbers"),
        ({"steps": 100, "rewind_step": 100}, r"rewind_step must be below steps \(100\)"),
        ({"momentum": 1}, "momentum must be at least 0 and below 1"),
        ({"fraction": 0}, "fraction must be above 0"),
        ({"fraction": 1.5}, "fraction must be above 0 and at most 1"),
        ({"batch_size": 1}, "batch norm needs two"),
        ({"iterative": "perhaps"}, "iterative takes true or false"),
        ({"seed": -1}, "seed must be between 0 and 4,294,967,295, not -1"),
        ({"steps": 1e13}, "steps must be at most 1,000,000,000,000, not 10000000000000"),
        ({"learning_rate": 0.1}, "unknown parameter 'learning_rate'; choose from .*lr"),
    ],
)
def test_impossible_values_name_the_field_and_what_it_takes(wrong, message):
    with pytest.raises(ValueError, match=message):
        preset("laptop", wrong)


def test_unknown_presets_and_unreadable_words_raise():
    known = ", ".join(sorted(PRESETS))
    with pytest.raises(ValueError, match=f"'laptp' \\(did you mean laptop\\?\\); choose from {known}$"):
        preset("laptp")
    with pytest.raises(ValueError, match=f"unknown family 'fnc'; choose from {', '.join(sorted(FAMILIES))}$"):
        preset("laptop", family="fnc")
    with pytest.raises(ValueError, match="cannot read 'lr'"):
        parse("lr 0.05")
    with pytest.raises(ValueError, match="seeds must be a whole number, 1 or more"):
        config.seeds(Config(), 0)


def test_seeds_differ_in_nothing_else():
    assert [dataclasses.replace(c, seed=0) for c in config.seeds(Config(), 3)] == [Config()] * 3
    assert [c.seed for c in config.seeds(Config(seed=5), 3)] == [5, 6, 7]


# --- what is known of a setting


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_a_setting_says_what_it_is_and_what_it_takes(setting):
    annotated = Config.__annotations__[setting.name]
    assert setting.kind in (annotated, typing.get_origin(annotated))
    assert setting.says and len(setting.says) <= 77, "a line of make help field=all has 110 characters"
    ways = [setting.choices, setting.registry, setting.range, setting.kind is bool]
    assert sum(map(bool, ways)) == 1
    assert not setting.choices or setting.default in setting.choices
    assert {*setting.only, *setting.never} <= set(config.FIELDS)
    assert set(setting.results) <= set(store.EXPERIMENTS)


def test_choices_that_code_knows_are_those_of_the_settings():
    known = {
        "treatment": set(treatments.TREATMENTS),
        "rounding": set(criteria.ROUNDING),
        "clone": {"none", *clones.FITTED, *clones.CHANGED},
        "normalize": set(data.NORMALIZE),
        "transform": {"none", "rotate", *data.MOVED},
    }
    assert {name: set(SETTINGS[name].choices) for name in known} == known
    assert set(clones.STEPS) == set(data.NORMALIZE), "every normalized image can be cloned"
    for name in SETTINGS["batch_norm"].choices:
        models.FCN([4, 3, 2], name)
    choices = ", ".join(sorted(SETTINGS["batch_norm"].choices))
    with pytest.raises(ValueError, match=f"choose from {choices}$"):
        models.FCN([4, 3, 2], "beside")


@pytest.mark.parametrize("name", [name for name, setting in SETTINGS.items() if setting.kind is str])
def test_another_name_is_refused_with_those_that_there_are(name):
    setting = SETTINGS[name]
    choices = ", ".join(sorted(setting.choices or settings.registered(setting)))
    with pytest.raises(ValueError, match=f"unknown {name} 'other'; choose from {choices}$"):
        store.check([preset("smoke", {name: "other"})])


@pytest.mark.parametrize("name", [name for name, setting in SETTINGS.items() if setting.registry])
def test_a_setting_knows_where_its_names_are_registered(name):
    registered = settings.registered(SETTINGS[name])
    assert {getattr(config, name) for some in FAMILIES.values() for config in some.values()} <= set(
        registered
    )


@pytest.mark.parametrize(
    "name", [name for name, setting in SETTINGS.items() if setting.only or setting.never]
)
def test_a_setting_that_has_no_effect_is_refused(name):
    setting = SETTINGS[name]
    value = settings.others(setting, setting.default)[0]
    for other, values in {**setting.only, **setting.never}.items():
        inside = Config(**{name: value, other: values[0]})
        usual, another = SETTINGS[other].default, {"model": "lenet", "dataset": "digits"}
        outside = Config(**{name: value, other: another[other] if usual in values else usual})
        unread = outside if setting.only else inside
        assert config.unread(unread) == {name: f"{other} {getattr(unread, other)}"}
        assert config.unread(inside if setting.only else outside) == {}


# --- a field that nobody has thought of


def more(**facts):
    """Config with one field more, and that of it which has another value there."""
    new = ("novel", bool, field(False, says="something new", **facts))
    kind = dataclasses.make_dataclass("More", [new], bases=(Config,), frozen=True)
    tiny = {"image_size": 8, "train_images": 480, "val_images": 8, "test_images": 6, "widths": (5,)}
    fields = tiny | {"normalize": "patch", "steps": 2, "rewind_step": 1, "levels": 1, "evaluations": 1}
    fields |= {"subsets": 1, "probe_images": 2}
    return kind(**fields), kind(**fields, novel=True)


@pytest.mark.parametrize("of", config.GROUPS)
def test_a_new_field_names_other_results_and_its_default_the_same(of):
    usual, other = more(of=of)
    assert key(usual) == key(Config(**config.changed(usual))) != key(other)
    of_utility, later = more(of=of, results=("utility",))[1], more(of=of, later=True)[1]
    for kind in store.EXPERIMENTS:
        assert plans._read(kind, other).novel and plans._read(kind, later).novel
        assert plans._read(kind, of_utility).novel == (kind == "utility")
        assert plans._read(kind, dataclasses.replace(other, levels=0)).novel
        assert not plans._read(kind, dataclasses.replace(later, levels=0)).novel


@pytest.mark.parametrize("of", config.GROUPS)
def test_a_new_field_keeps_runs_apart_unless_it_is_said_to_stack(of):
    with pytest.raises(ValueError, match="runs with different novel do not stack: False, True"):
        replicas.stackable(more(of=of))
    replicas.stackable(more(of=of, stacks=True))


@pytest.mark.parametrize("dataset", ["photos", "fields"])
@pytest.mark.parametrize("of", config.GROUPS)
def test_images_see_a_new_field_only_where_it_names_what_is_kept_of_them(of, dataset, monkeypatch):
    """What is drawn may depend on all that the source sees; so that must be in the name, or not be seen."""
    names, seen = [], []
    source = data.SOURCES[dataset]

    def load(config, device):
        seen.append(config.novel)
        return source.load(config, device)

    def array(name, compute):
        names.append(name)
        for part in getattr(compute, "args", ()):
            assert not getattr(part, "novel", False), "fields are drawn from what names them, and no more"
        return compute()

    monkeypatch.setitem(data.SOURCES, dataset, dataclasses.replace(source, load=load))
    monkeypatch.setattr("sifting.cache.array", array)
    for one in more(of=of):
        data.load(dataclasses.replace(one, dataset=dataset, clone="pixels"))
    first, second = (part for part in names if part.startswith("clone-"))
    assert seen == [False, of == "images"] and (first != second) == (of == "images")


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("of", config.GROUPS)
def test_a_dense_network_sees_a_new_field_only_where_it_names_the_network(of, later, monkeypatch):
    names, seen = [], []

    def train(engine, model, masks, images, config, level, *rest):
        seen.append((level, config.novel))
        return reference.train(model, masks, images, config, level, *rest)

    monkeypatch.setattr(cache, "once", lambda name, compute: names.append(name) or compute())
    monkeypatch.setattr(engines.Settled, "train", train)
    for one in more(of=of, later=later):
        list(tickets.find(one))
    assert (names[0] != names[1]) == (not later)
    assert seen == [(0, False), (1, False), (0, not later), (1, True)]
