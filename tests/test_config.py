"""Defaults, presets, identity, and every way to get a parameter wrong."""

import dataclasses

import pytest

from sifting import config
from sifting.config import PRESETS, Config, key, parse, preset

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


def test_key_sees_every_field_and_nothing_but_what_differs_from_the_defaults():
    assert key(Config()) == key(Config(lr=0.1))
    other = {
        "dataset": "digits",
        "labels": "random",
        "normalize": "patch",
        "transform": "rotate",
        "clone": "joint",
        "model": "lenet",
        "batch_norm": "after",
        "optimizer": "adam",
        "criterion": "random",
        "scope": "global",
        "saliency_of": "rewound",
        "rounding": "nearest",
        "treatment": "finetune",
        "retrain": "rest",
        "schedule": "drops",
        "retrain_steps": 2000,
        "widths": (7,),
        "steps": 2000,
        "layerwise": 2,
        "probed": "last",
    }
    keys = {key(Config())}
    for field in dataclasses.fields(Config):
        value = other.get(field.name)
        if value is None:
            value = {bool: not field.default, float: (field.default or 1) / 2}.get(field.type, 5)
        keys.add(key(dataclasses.replace(Config(), **{field.name: value})))
    assert len(keys) == 1 + len(dataclasses.fields(Config))


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
        ({"scope": "network"}, "unknown scope 'network'; choose from global, layer"),
        ({"optimizer": "rmsprop"}, "unknown optimizer 'rmsprop'; choose from adam, sgd"),
        ({"seed": -1}, "seed must be between 0 and 4,294,967,295, not -1"),
        ({"steps": 1e13}, "steps must be at most 1,000,000,000,000, not 10000000000000"),
        ({"learning_rate": 0.1}, "unknown parameter 'learning_rate'; choose from .*lr"),
    ],
)
def test_impossible_values_name_the_field_and_what_it_takes(wrong, message):
    with pytest.raises(ValueError, match=message):
        preset("laptop", wrong)


def test_unknown_presets_and_unreadable_words_raise():
    with pytest.raises(ValueError, match="unknown preset 'laptp'; choose from gpu, laptop, paper, smoke"):
        preset("laptp")
    with pytest.raises(ValueError, match="cannot read 'lr'"):
        parse("lr 0.05")
    with pytest.raises(ValueError, match="seeds must be 1 or more"):
        config.seeds(Config(), 0)


def test_seeds_differ_in_nothing_else():
    assert [dataclasses.replace(c, seed=0) for c in config.seeds(Config(), 3)] == [Config()] * 3
    assert [c.seed for c in config.seeds(Config(seed=5), 3)] == [5, 6, 7]
