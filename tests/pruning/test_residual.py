"""Networks of the fourth part: schedule, sparse starts, channels that are no more."""

import copy
import dataclasses

import pytest
import torch
from torch import nn

from sifting import cache, config, data
from sifting.pruning import tickets
from sifting.pruning.criteria import Cut, prune, saliency
from sifting.pruning.prunable import norms, prunable, with_norms
from sifting.pruning.run import Run, snapshot_steps
from sifting.results.masks import at
from sifting.training import engines, models
from sifting.training.reference import generator, learning_rate, train

SHAPE = (3, 8, 8)


def smoke(**fields):
    return config.preset("smoke", family="resnet20", **fields)


def build(name="resnet20", **fields):
    return models.build(smoke(model=name, **fields), SHAPE, 15, torch.Generator().manual_seed(0))


def images(count=20):
    return torch.randn(count, 192, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("name", "weights"),
    [("resnet20", 432 + 6 * 2304 + 4608 + 5 * 9216 + 18432 + 5 * 36864 + 960), ("vanilla", 75_120)],
)
def test_networks_have_as_many_weights_as_the_paper_says(name, weights):
    model = build(name, width=1)
    assert sum(w.numel() for w in model.parameters() if w.ndim > 1) == weights


def test_resnet20_is_the_formula():
    model, x = build().eval(), images()
    for norm in (layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)):
        (
            nn.init.uniform_(norm.weight),
            nn.init.uniform_(norm.running_mean),
            nn.init.uniform_(norm.running_var, 0.5, 2),
        )
    expected = torch.relu(model.norm1(model.conv1(x.view(-1, *SHAPE))))
    for block in model.blocks:
        inner = block.conv2(torch.relu(block.norm1(block.conv1(expected))))
        short = expected[:, :, :: block.stride, :: block.stride]
        zeros = torch.zeros(len(x), block.more, *short.shape[2:])
        expected = torch.relu(torch.cat([short, zeros], 1) + block.norm2(inner))
    assert torch.allclose(model(x), model.fc(expected.mean((2, 3))), atol=1e-5)
    assert [block.stride for block in model.blocks] == [1, 1, 1, 2, 1, 1, 2, 1, 1]


def test_a_channel_without_weights_adds_nothing_and_is_as_good_as_not_there():
    """Removing an inner channel of a block is the same as a block that never had it."""
    model = build().eval()
    block = model.blocks[0]
    with torch.no_grad():
        for norm in (block.norm1, block.norm2):
            norm.bias.fill_(0.3)
    masks = {
        name: torch.ones_like(value, dtype=torch.bool)
        for name, value in model.named_parameters()
        if value.ndim == 4
    }
    masks["blocks.0.conv1.weight"][1] = masks["blocks.0.conv2.weight"][2] = False
    cut = copy.deepcopy(model)
    with torch.no_grad():
        for name, mask in with_norms(cut, masks).items():
            cut.get_parameter(name).mul_(mask)
    x = torch.rand(5, 4, 8, 8)
    inner = torch.relu(block.norm1(block.conv1(x)))
    left = [0, 2, 3]
    added = block.norm2(nn.functional.conv2d(inner[:, left], block.conv2.weight[:, left], padding=1))
    added[:, 2] = 0  # and in the sum, nothing is added to this channel
    assert torch.allclose(cut.blocks[0](x), torch.relu(x + added), atol=1e-6)


def test_norms_of_convolutions_and_of_nothing_else():
    model = build()
    assert norms(model)["blocks.3.conv2.weight"] == "blocks.3.norm2" and len(norms(model)) == 19
    assert norms(build("vanilla")) == {}
    names = prunable(model, biases=True, head=True)
    assert "conv1.bias" not in names and names[-2:] == ["fc.weight", "fc.bias"]


def test_slimming_removes_the_channels_with_the_smallest_scales_of_all_layers():
    model, draw = build(), torch.Generator().manual_seed(2)
    with torch.no_grad():
        for norm in norms(model).values():
            nn.init.uniform_(model.get_parameter(f"{norm}.weight"), -1, 1, generator=draw)
    masks = {
        name: torch.ones_like(model.get_parameter(name), dtype=torch.bool) for name in prunable(model, False)
    }
    new = prune(masks, saliency("slimming", Cut(model, masks)), 0.2, "global")
    gone = {name: ~mask.flatten(1).any(1) for name, mask in new.items()}
    scale = {name: model.get_parameter(f"{norms(model)[name]}.weight").abs() for name in new}
    assert sum(int(some.sum()) for some in gone.values()) == int(0.2 * sum(map(len, gone.values())))
    assert max(scale[n][gone[n]].max() for n in new if gone[n].any()) <= min(
        scale[n][~gone[n]].min() for n in new
    )
    assert all((mask.flatten(1).all(1) | gone[name]).all() for name, mask in new.items())


def test_a_layer_that_loses_its_last_channel_ends_nothing():
    found = list(tickets.find(smoke(criterion="slimming", prune_fraction=0.95, levels=3)))
    assert len(found) == 4 and all((record["train_loss"] == record["train_loss"]).all() for record in found)
    empty = [
        name
        for name, levels in found[-1].items()
        if name.startswith("removed_at/") and not at(levels, 3).any()
    ]
    assert empty, "some layer has lost all of its channels"


def test_the_rate_drops_at_half_and_at_three_quarters_of_the_steps():
    base = smoke(steps=8, lr=0.1)
    rates = [learning_rate(base, step) for step in range(1, 9)]
    assert rates == pytest.approx([0.1] * 4 + [0.01] * 2 + [0.001] * 2)
    assert learning_rate(dataclasses.replace(base, schedule="constant"), 8) == 0.1


def test_training_with_drops_is_torch_with_its_own_scheduler():
    base = smoke(steps=8, replacement=True)
    images_ = data.load(base)
    ours, theirs = build(), build()
    train(ours, {}, images_, base)
    optimizer = torch.optim.SGD(theirs.parameters(), base.lr, base.momentum, weight_decay=base.weight_decay)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [4, 6])
    draw = generator(base, "batches", 0)
    theirs.train()
    for _ in range(8):
        x, y = images_.train.batch(torch.randint(len(images_.train), (base.batch_size,), generator=draw))
        optimizer.zero_grad()
        nn.functional.cross_entropy(theirs(x), y).backward()
        optimizer.step()
        scheduler.step()
    for name, value in ours.named_parameters():
        assert torch.allclose(value, theirs.get_parameter(name), atol=1e-6), name


def test_retraining_is_as_long_as_it_is_asked_for_and_at_the_rates_of_its_treatment(monkeypatch):
    asked = []
    usual = engines.Settled.train
    monkeypatch.setattr(
        engines.Settled, "train", lambda engine, *rest: asked.append(rest[3]) or usual(engine, *rest)
    )
    for treatment in ("finetune", "lr-rewind"):
        list(tickets.find(smoke(treatment=treatment, levels=1, seed=len(asked))))
    rates = [[learning_rate(one, 1), learning_rate(one, one.steps), one.steps] for one in asked]
    assert rates[0] == rates[2] == pytest.approx([0.1, 0.001, 8])
    assert rates[1] == pytest.approx([0.001, 0.001, 4]) and rates[3] == pytest.approx([0.1, 0.001, 4])


def test_new_weights_behind_the_same_mask_are_those_of_another_initialization():
    [data_] = [data.load(smoke())]
    run = Run(smoke(treatment="reinit", levels=1), data_, "cpu")
    before = {name: value.clone() for name, value in run.model.named_parameters()}
    run.prepare()
    run._pause(0)
    run.conclude({name: [0.5] for name in ("train_loss", "train_accuracy", "val_accuracy", "test_accuracy")})
    masks = run._masks(1)
    run.prepare()
    for name in masks:
        assert not torch.equal(run.model.get_parameter(name), before[name])
        assert torch.equal(run._masks(1)[name], masks[name])


@pytest.mark.parametrize("share", [0.5, 0.25])
def test_a_sparse_start_keeps_exact_numbers_and_the_variance(share):
    base = smoke(width=1, start_density=share, levels=0)
    run = Run(base, data.load(base), "cpu")
    for name, mask in run._masks(0).items():
        kept = run.model.get_parameter(name).detach()[mask]
        assert len(kept) == round(share * mask.numel())
        if mask.numel() > 9000:  # He: 2 / (inputs that are left)
            assert kept.var() * share * mask[0].numel() == pytest.approx(2, rel=0.1)
    assert not run.prepare().masks["conv1.weight"].all()


def test_weights_that_were_never_there_stay_away():
    records = list(tickets.find(smoke(start_density=0.5, levels=1)))
    for level, record in enumerate(records):
        for name, levels in record.items():
            if name.startswith("removed_at/"):
                trained = record["trained/" + name.removeprefix("removed_at/")]
                assert not trained[~at(levels, level)].any()
    before, after = (at(record["removed_at/conv1.weight"], n) for n, record in enumerate(records))
    assert after.sum() < before.sum() == round(0.5 * before.size)


def test_runs_that_begin_alike_train_their_dense_network_once_to_the_same_bits(monkeypatch):
    counted = []
    usual = engines.Settled.train
    monkeypatch.setattr(
        engines.Settled, "train", lambda engine, *rest: counted.append(rest[4]) or usual(engine, *rest)
    )
    one, other = (
        smoke(criterion="slimming", levels=1),
        smoke(criterion="magnitude", levels=1, treatment="finetune"),
    )
    first, second = list(tickets.find(one)), list(tickets.find(other))
    assert counted == [0, 1, 1]
    cache.remembered.clear()
    for record, again in zip(second, tickets.find(other), strict=True):
        assert record.keys() == again.keys()
        assert all((record[name] == again[name]).all() for name in record)
    assert (first[0]["trained/fc.weight"] == second[0]["trained/fc.weight"]).all()


def test_snapshots_are_the_networks_on_the_way():
    record = next(tickets.find(smoke(snapshots=4)))
    steps = sorted({int(name.split("/")[1]) for name in record if name.startswith("snapshot/")})
    assert steps == [0, 2, 4, 6] == snapshot_steps(smoke(snapshots=4))
    assert (record["snapshot/0/conv1.weight"] == record["rewind/conv1.weight"]).all()
    short = next(tickets.find(smoke(snapshots=1)))
    assert (record["trained/conv1.weight"] == short["trained/conv1.weight"]).all(), "looking changes nothing"


def test_engines_that_cannot_train_it_are_refused_before_anything_is_computed():
    for engine, fields, why in (
        ("replicas", {"schedule": "constant"}, "replicas trains models fcn, .*, vanilla, not resnet20"),
        ("replicas", {"model": "vanilla"}, "replicas trains with schedule constant, not drops"),
        ("sparse", {}, "sparse trains model fcn, not resnet20"),
    ):
        with pytest.raises(ValueError, match=f"the engine {why}; choose auto or reference"):
            tickets.check(smoke(**fields), engine)
    with pytest.raises(ValueError, match="criterion slimming is for model resnet20, not vanilla"):
        tickets.check(smoke(model="vanilla", criterion="slimming"))
    with pytest.raises(ValueError, match="batch_norm has no effect on model resnet20"):
        tickets.check(smoke(batch_norm="none"))
    with pytest.raises(ValueError, match="min_alive must be 0 where the last level alone is measured"):
        tickets.check(smoke(probed="last", min_alive=0.1))
