"""The laboratory: its mathematics against the package's own, its files, and what a reader can do with it."""

import io
import json
import re
import shutil
import zipfile
import zlib

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

import sifting
from sifting import observables
from sifting.config import Config
from sifting.data import Dataset, Images, Split, small
from sifting.data.images import normalize_
from sifting.observables import locality
from sifting.pruning.plain import without_smallest
from sifting.pruning.prunable import integer_part
from sifting.results import masks
from sifting.training.models import FCN
from sifting.training.reference import Stepper
from sifting.widgets.explorer import HERE
from sifting.widgets.lab import Lab
from tests.pages import LOADER, page, watched

INPUTS, UNITS, CLASSES, BATCH, LR, MOMENTUM = 48, 10, 7, 20, 0.1, 0.9
MEASURE = "m.measure(mask, shape, compact, m.stream(seed))"
SHAPES = [(3, 12, 12), (1, 14, 14), (2, 5, 9)]


@pytest.fixture(scope="module")
def lab():
    return Lab.from_images(small.photographs(), small.digits())


@pytest.fixture(scope="module")
def js(browser):
    """Calls functions of a module, `m`. Arrays come back as lists; what is `typed` goes as a typed array."""
    page = browser.new_page()
    page.set_default_timeout(120_000)
    run = """async ([text, body, given]) => {
        const m = await import(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
        const read = (v) => (v?.kind ? globalThis[v.kind].from(v.values) : v);
        const plain = (v) => (ArrayBuffer.isView(v) || Array.isArray(v) ? Array.from(v, plain)
            : v && typeof v === "object"
                ? Object.fromEntries(Object.entries(v).map(([k, x]) => [k, plain(x)])) : v);
        const call = new Function("m", ...Object.keys(given), `return (async () => ${body})()`);
        return plain(await call(m, ...Object.values(given).map(read)));
    }"""
    engine = (HERE / "lab_engine.js").read_text(encoding="utf-8")

    def call(body, text=engine, **given):
        return page.evaluate(run, [text, body, given])

    yield call
    page.close()


def typed(values, kind="Uint8Array"):
    """An array as one of JavaScript's."""
    return {"kind": kind, "values": np.asarray(values).ravel().tolist()}


def some_masks(shape, density, units=UNITS, seed=0):
    """Masks with a center, so that they are local, and one without any input."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[1], : shape[2]]
    cy, cx = rng.uniform(0, shape[1], (units, 1, 1, 1)), rng.uniform(0, shape[2], (units, 1, 1, 1))
    scores = rng.exponential(np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 20) * np.ones((1, shape[0], 1, 1)))
    found = scores.reshape(units, -1) >= np.quantile(scores, 1 - density)
    found[-1] = False
    return found


# --- how local masks are


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("density", [0.7, 0.2, 0.05])
def test_lambda_and_displacements_are_those_of_the_library(js, shape, density):
    mask, blobs = some_masks(shape, density), locality.compact(*shape[1:]).tolist()
    found = js("m.localization(mask, shape, compact)", mask=typed(mask), shape=shape, compact=blobs)
    np.testing.assert_array_equal(
        np.reshape(found["S"], (2 * shape[1] - 1, -1)), locality.displacement_counts(mask, shape)[0].sum(0)
    )
    each = np.array(found["each"], float)
    np.testing.assert_allclose(each, locality.localization(mask, shape), rtol=1e-6, atol=1e-6)
    measured = js(MEASURE, mask=typed(mask), shape=shape, compact=blobs, seed=1)
    mine = sifting.measure(mask, shape)["mask"]
    assert measured["locality"] == pytest.approx(mine["locality"], abs=1e-6)
    assert measured["degrees"] == observables.connectivity.in_degree(mask).tolist()
    assert measured["kept"] == mask.sum()


def test_lambda_of_random_masks_is_nought_and_of_local_ones_beyond_them(js):
    blobs, far = locality.compact(12, 12).tolist(), []
    for seed in range(6):
        mask = some_masks((3, 12, 12), 0.1, 64, seed)
        local = js(MEASURE, mask=typed(mask), shape=(3, 12, 12), compact=blobs, seed=seed)
        scattered = locality.random_mask(mask, np.random.default_rng(seed))
        random = js(MEASURE, mask=typed(scattered), shape=(3, 12, 12), compact=blobs, seed=seed)
        assert local["locality"] > 5 * max(np.abs(local["random"]))
        far.append((random["locality"] - np.mean(random["random"])) / np.std(random["random"], ddof=1))
    assert np.abs(far).mean() < 2.5  # of a t of seven degrees of freedom it is 0.85


# --- images


def test_the_page_holds_little_and_nothing_is_lost(js, lab):
    assert lab.size < 1_500_000 and repr(lab) == "Lab(15 photographs, 4000 digits)"
    pictures = small.photographs()
    body = """(async () => {
        const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
        return m.canvas(new Uint8Array(await new Response(stream).arrayBuffer()), { side, channels });
    })()"""
    photographs = dict(lab.photographs)
    found = js(
        body, packed=typed(list(photographs["bytes"])), side=small.SIDE, channels=photographs["channels"]
    )
    expected = [np.broadcast_to(picture, (3, small.SIDE, small.SIDE)) for picture in pictures.values()]
    np.testing.assert_array_equal(found, np.ravel(expected))
    assert lab.picture().size == (400, 240)


def test_patches_to_test_on_share_no_pixel_with_those_to_train_on(js):
    side = 160
    train, test = js("m.windows(2, side)", side=side)
    seen = {}
    for name, split in (("train", train), ("test", test)):
        places, y = np.array(split["places"]), np.array(split["y"])
        seen[name] = np.zeros((2, side, side), bool)
        rows, left = np.divmod(places, side)
        picture, top = np.divmod(rows, 3 * side)
        half = side // 2
        assert ((top + 11) // half == top // half).all() and ((left + 11) // half == left // half).all()
        np.testing.assert_array_equal(y, 4 * picture + 2 * (top // half) + left // half)
        for dy, dx in np.ndindex(12, 12):
            seen[name][picture, top + dy, left + dx] = True
    assert not (seen["train"] & seen["test"]).any() and seen["test"].sum() > 1000
    assert len(train["y"]) > 100 * len(test["y"]) / 14


def test_images_are_normalized_as_those_of_the_book(js):
    x = np.random.default_rng(0).integers(0, 256, (4, INPUTS))
    x[1] = 77  # flat
    found = [js("m.normalize(x)", x=typed(row, "Float32Array")) for row in x]
    np.testing.assert_allclose(found, normalize_(torch.tensor(x).float()), atol=2e-6)


def test_clones_have_the_mean_and_the_covariance_of_a_class(js):
    rng = np.random.default_rng(0)
    x = rng.exponential(size=(400, 6)) @ rng.normal(size=(6, 6)) + rng.normal(size=6)
    labels = np.arange(400) % 2
    body = """{ const image = (n, into) => { into.set(x.subarray(6 * n, 6 * n + 6)); return into; };
        const [made] = m.clones({ y: labels, image }, [20000], 6, 2, m.stream(1)), one = new Float32Array(6);
        return [made.y, [...made.y.keys()].map((n) => Array.from(made.image(n, one)))]; }"""
    y, made = map(np.array, js(body, x=typed(x, "Float32Array"), labels=typed(labels, "Uint16Array")))
    for label in range(2):
        mine, copies = x[labels == label], made[y == label]
        sd = mine.std(0)
        np.testing.assert_allclose(copies.mean(0), mine.mean(0), atol=0.05 * sd.max())
        np.testing.assert_allclose(np.cov(copies.T), np.cov(mine.T), atol=0.06 * sd.max() ** 2)


def test_shuffled_pixels_can_be_put_back(js):
    values = np.arange(24)
    order = np.random.default_rng(0).permutation(12)
    shuffled = np.array(js("m.permute(values, order)", values=typed(values), order=order.tolist()))
    np.testing.assert_array_equal(shuffled.reshape(2, 12), values.reshape(2, 12)[:, order])
    back = js("m.permute(values, m.inverse(order))", values=typed(shuffled), order=order.tolist())
    np.testing.assert_array_equal(back, values)


# --- the network, beside the reference


def reference(weights, mask, x, y, batches):
    """Losses of the reference engine from these weights over these batches, and the weights after them."""
    config = Config(widths=(UNITS,), batch_norm="none", lr=LR, momentum=MOMENTUM, batch_size=BATCH)
    model = FCN([INPUTS, UNITS, CLASSES], "none")
    with torch.no_grad():
        for parameter, name in zip(model.parameters(), ("hidden", "biases", "head", "ends"), strict=True):
            parameter.copy_(torch.tensor(weights[name]).view_as(parameter))
    images = Images(torch.zeros(1, 3, 4, 4, dtype=torch.uint8), torch.zeros(1, dtype=torch.int64))
    split = Split(images, torch.zeros(1, dtype=torch.int64))
    data = Dataset("given", (3, 4, 4), CLASSES, split, split, split)
    stepper = Stepper(model, {"linear.0.weight": torch.tensor(mask)}, data, config)
    losses = []
    for places in batches:
        stepper.sums.zero_()
        stepper.step(torch.tensor(x[places]), torch.tensor(y[places]).long(), LR)
        losses.append(stepper.sums.tolist())
    return np.array(losses), dict(model.named_parameters())


@pytest.mark.parametrize("density", [1.0, 0.4, 0.05])
def test_fifty_steps_are_those_of_the_reference(js, density):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(300, INPUTS)).astype(np.float32), rng.integers(0, CLASSES, 300)
    mask = rng.random((UNITS, INPUTS)) < density
    mask[0] = density == 1  # a unit without inputs
    batches = rng.integers(0, 300, (50, BATCH))
    body = """{ const weights = m.initial(form.inputs, form.units, form.classes, 3), before = m.copy(weights);
        const net = new m.Network(weights, mask, form), losses = [];
        const size = form.inputs;
        const image = (n, into) => { into.set(x.subarray(n * size, (n + 1) * size)); return into; };
        const split = { y, image };
        for (const places of batches) { net.load(split, places); losses.push(net.step()); }
        return { before, losses, after: net.weights(), accuracy: net.accuracy(split) }; }"""
    form = {
        "inputs": INPUTS,
        "units": UNITS,
        "classes": CLASSES,
        "batch": BATCH,
        "lr": LR,
        "momentum": MOMENTUM,
    }
    found = js(
        body,
        x=typed(x, "Float32Array"),
        y=typed(y, "Uint16Array"),
        mask=typed(mask),
        batches=batches.tolist(),
        form=form,
    )
    losses, weights = reference(found["before"], mask, x, y, batches)
    np.testing.assert_allclose(np.array(found["losses"]), losses, rtol=1e-4, atol=1e-7)
    assert losses[-1, 0] < losses[0, 0]
    for name, parameter in zip(("hidden", "biases", "head", "ends"), weights.values(), strict=True):
        np.testing.assert_allclose(found["after"][name], parameter.detach().flatten(), atol=1e-5)
    hidden = np.reshape(found["after"]["hidden"], mask.shape)
    assert not hidden[~mask].any()
    scores = torch.relu(torch.tensor(x) @ weights["linear.0.weight"].T + weights["linear.0.bias"])
    scores = scores @ weights["linear.1.weight"].T + weights["linear.1.bias"]
    assert found["accuracy"] == pytest.approx(np.mean(scores.argmax(1).numpy() == y), abs=0.004)
    # the masks after one pruning, each from its own weights
    pruned = js(
        "m.prune(mask, m.CRITERIA.magnitude(w), 0.3)",
        mask=typed(mask),
        w=typed(found["after"]["hidden"], "Float32Array"),
    )
    theirs = without_smallest(weights, {"linear.0.weight": torch.tensor(mask)}, 0.3, "layer")[
        "linear.0.weight"
    ]
    np.testing.assert_array_equal(np.reshape(pruned, mask.shape), theirs)


@pytest.mark.parametrize("share", [0.1, 0.29, 0.3, 0.35, 0.5])
def test_as_many_weights_go_as_in_the_book_and_of_equal_ones_the_first(js, share):
    for count in (10, 100, 27648, 13549):
        assert js("m.integerPart(share, count)", share=share, count=count) == integer_part(share, count)
    mask, scores = np.ones(40, bool), np.repeat([2.0, 1.0, 1.0, 3.0], 10)
    found = js(
        "m.prune(mask, scores, share)", mask=typed(mask), scores=typed(scores, "Float32Array"), share=share
    )
    weights = {"linear.0.weight": torch.tensor(scores)}
    theirs = without_smallest(weights, {"linear.0.weight": torch.tensor(mask)}, share, "layer")
    np.testing.assert_array_equal(found, theirs["linear.0.weight"])


def test_initial_weights_are_glorots(js):
    weights = js("m.initial(432, 64, 60, 1)")
    assert np.std(weights["hidden"]) == pytest.approx((2 / 496) ** 0.5, rel=0.03)
    assert np.std(weights["head"]) == pytest.approx((2 / 124) ** 0.5, rel=0.05)
    assert abs(np.mean(weights["hidden"])) < 0.002 and not np.any(weights["biases"] + weights["ends"])
    assert weights != js("m.initial(432, 64, 60, 2)") and weights == js("m.initial(432, 64, 60, 1)")


# --- runs

RUN = """{ const settings = { ...m.DEFAULTS, steps: 150, levels: 5, share: 0.45, ...choice };
    const run = new m.Run(settings, m.dataset(settings, packed));
    while (!run.over) run.advance(1000);
    return run.levels.map(({ mask, weights, accuracy, measured, back, losses, how }) =>
        ({ mask, hidden: weights.hidden, accuracy, measured, back, losses, how })); }"""


@pytest.fixture(scope="module")
def packed(lab, js):
    """What the page holds, where the functions of the module find it."""
    inflated = {
        name: {**images, "bytes": typed(np.frombuffer(zlib.decompress(images["bytes"]), np.uint8))}
        for name, images in (("photographs", lab.photographs), ("digits", lab.digits))
    }
    body = """{ for (const images of Object.values(given))
            images.bytes = Uint8Array.from(images.bytes.values);
        globalThis.packed = given; return 0; }"""
    js(body, given=inflated)


@pytest.fixture(scope="module")
def runs(js, packed):
    """Levels of short runs, by what was chosen."""
    choices = {
        "as it is": {},
        "shuffled": {"images": "shuffled"},
        "once": {"criterion": "once", "steps": 50},
        "random": {"criterion": "random", "steps": 50, "rewind": False},
    }
    return {name: js(RUN, choice=choice) for name, choice in choices.items()}


def test_masks_are_nested_and_weights_outside_of_them_are_nought(runs):
    for levels in runs.values():
        kept = [np.array(level["mask"], bool) for level in levels]
        assert len(levels) == 6 and kept[0].all()
        for before, after in zip(kept, kept[1:]):
            assert (
                after.sum() == before.sum() - integer_part(0.45, int(before.sum()))
                and (before >= after).all()
            )
        assert not any(np.array(level["hidden"])[~mask].any() for level, mask in zip(levels, kept))
        assert all(
            len(level["losses"]) == 50 and level["losses"][-1] < level["losses"][0] for level in levels[:2]
        )


def test_criteria_rank_as_they_say(runs):
    for name, by in (("as it is", -2), ("once", 0)):
        levels = runs[name]
        last, before = (np.array(levels[n]["mask"], bool) for n in (-1, -2))
        sizes = np.abs(levels[by]["hidden"])
        assert sizes[before & ~last].max() <= sizes[last].min()


def test_locality_comes_of_the_images_and_of_the_criterion(runs):
    """Masks become local; if weights go at random, or pixels are shuffled, Lambda stays with random masks."""

    def beyond(measured):
        return (measured["locality"] - np.mean(measured["random"])) / np.std(measured["random"], ddof=1)

    assert beyond(runs["as it is"][-1]["measured"]) > 8
    assert max(abs(beyond(level["measured"])) for level in runs["random"][1:]) < 5
    shuffled = runs["shuffled"][-1]
    assert abs(beyond(shuffled["measured"])) < 5 < beyond(shuffled["back"]), (
        "put back in place, they are local"
    )


def test_going_back_and_on_is_as_if_it_had_not_been(js, packed):
    body = RUN.replace(
        "return run.levels", "run.goBack(3); while (!run.over) run.advance(1000); return run.levels"
    )
    choice = {"images": "digits", "steps": 40}
    assert js(body, choice=choice) == js(RUN, choice=choice)


def test_time_to_go_shrinks_with_the_weights(js, packed):
    body = """{ const settings = { ...m.DEFAULTS, images: "digits", steps: 40, levels: 3 };
        const run = new m.Run(settings, m.dataset(settings, packed)), found = [run.remaining()];
        let clock = 0;
        while (!run.over) {
            run.advance(10, () => clock += 1);
            if (!run.over) found.push(run.remaining());
        }
        return found; }"""
    found = js(body)
    assert found[0] is None or np.isnan(found[0])
    assert (np.diff(found[1:]) < 0.02 * found[1]).all() and 0 <= found[-1] < 0.1 * found[1]


# --- files and links


@pytest.fixture(scope="module")
def page_module(lab):
    return lab._esm


def a_run(levels=3, seed=0):
    rng = np.random.default_rng(seed)
    removed = rng.choice([1, 2, 255], (64, 432), p=[0.4, 0.3, 0.3]).astype(np.uint8)
    shape = (3, 12, 12)
    found = []
    for level in range(levels):
        mask = masks.at(removed, level)
        local = 0.0 if not level else sifting.measure(mask, shape)["mask"]["locality"]
        measured = {"kept": int(mask.sum()), "locality": local, "random": [0.0, 0.01]}
        found.append(
            {
                "level": level,
                "mask": typed(mask),
                "accuracy": 0.1 * level,
                "measured": measured,
                "how": {"seed": 1},
            }
        )
    return removed, {"shape": shape, "levels": found}


FIX = """const read = (level) => ({ ...level, mask: Uint8Array.from(level.mask.values) });
    const given = { ...run, levels: run.levels.map(read) };"""


def test_the_library_reads_what_a_reader_keeps(js, page_module):
    removed, run = a_run()
    blob = js(
        f"{{ {FIX} return new Uint8Array(await m.npz(given).arrayBuffer()); }}", text=page_module, run=run
    )
    stored = io.BytesIO(bytes(blob))
    assert zipfile.ZipFile(stored).testzip() is None
    stored.seek(0)
    kept = np.load(stored)
    read = json.loads(js(f"{{ {FIX} return m.json(given); }}", text=page_module, run=run))
    assert set(kept) == set(read) - {"settings"}
    for name in kept:
        np.testing.assert_allclose(kept[name], read[name])
    np.testing.assert_array_equal(kept["removed_at"], removed)
    numbers = sifting.measure(kept["removed_at"] > 2, kept["shape"])["mask"]
    assert numbers["locality"] == pytest.approx(kept["locality"][2], abs=1e-9)
    assert kept["density"][2] == pytest.approx(numbers["density"]) and kept["accuracy"][1] == pytest.approx(
        0.1
    )


def test_an_address_holds_the_settings_and_nonsense_is_left_out(js, page_module):
    given = {"images": "shuffled", "labels": "random", "criterion": "once", "rewind": False, "share": 0.45}
    given |= {"steps": 700, "levels": 5, "seed": 17}
    body = (
        "[m.address(given), m.settingsOf(m.address(given)), m.settingsOf(m.address(m.settingsOf('#lab?')))]"
    )
    text, read, standard = js(body, text=page_module, given=given)
    assert read == given and text.startswith("#lab?") and "seed=17" in text
    assert standard == js("m.DEFAULTS")
    odd = "#lab?images=cats&share=7&steps=abc&levels=3.4&seed=-2&rewind=maybe"
    assert js("m.settingsOf(odd)", text=page_module, odd=odd) == standard | {
        "share": 0.6,
        "levels": 3,
        "seed": 1,
    }
    assert js("m.settingsOf('#imp')", text=page_module) is None


# --- what a reader can do


@pytest.fixture(scope="module")
def site(tmp_path_factory, lab):
    folder = tmp_path_factory.mktemp("lab")
    shutil.copy(LOADER, folder)
    for name, widget in (
        ("lab", lab),
        ("small", Lab(photographs=lab.photographs, digits=lab.digits, small=True)),
    ):
        (folder / f"{name}.html").write_text(page(widget), encoding="utf-8")
    return folder


@pytest.fixture
def visit(browser, site):
    """Opens a page from disk; at the end nothing was asked of the network and no error logged."""
    contexts, pages = [], []

    def visit(name="lab.html", hash="#lab?images=digits&steps=200&levels=2", **options):
        contexts.append(browser.new_context(**{"viewport": {"width": 1000, "height": 900}, **options}))
        base = site.as_uri()
        pages.append(watched(contexts[-1].new_page(), base))
        page = pages[-1]
        page.set_default_timeout(60_000)
        page.goto(f"{base}/{name}{hash}")
        page.wait_for_selector(".anywidget-static[data-ready]")
        expect(page.locator(".mx-board").first).to_contain_text("patches to train on", timeout=60_000)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert [trouble for page in pages for trouble in page.trouble] == []


def finish(page):
    expect(page.locator(".mx-told")).to_contain_text("Done", timeout=120_000)


def test_it_trains_prunes_and_tells_by_keyboard_alone(visit):
    page = visit()
    expect(page.locator(".mx-status")).to_contain_text("tell handwritten digits apart")
    page.get_by_role("button", name="Start", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    finish(page)
    expect(page.locator(".mx-status")).to_contain_text("Level 2 of 2: 49 % of the weights are kept")
    expect(page.locator(".mx-status")).to_have_attribute("aria-live", "polite")
    slider = page.get_by_label("Level", exact=True)
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator(".mx-board .mx-title").first).to_contain_text("level 0, nothing is pruned yet")
    page.keyboard.press("End")
    before = page.locator(".mx-board canvas").first.get_attribute("aria-label")
    page.get_by_role("radio", name="weights").check()
    expect(page.locator(".mx-board canvas").first).not_to_have_attribute("aria-label", before)


def test_it_pauses_goes_on_and_back(visit):
    page = visit(hash="#lab?images=digits&steps=600&levels=2")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".mx-told")).to_contain_text("Level 1 of 2, step", timeout=120_000)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".mx-told")).to_contain_text("paused")
    page.wait_for_timeout(400)
    told = page.locator(".mx-told").inner_text()
    page.wait_for_timeout(600)
    assert page.locator(".mx-told").inner_text() == told
    page.get_by_role("button", name="Continue").click()
    finish(page)
    page.get_by_role("button", name="Back a level").click()
    expect(page.locator(".mx-status")).to_contain_text("Back at level 1")
    page.get_by_role("button", name="Continue").click()
    finish(page)


def test_two_runs_stand_side_by_side_and_a_link_names_one(visit, tmp_path):
    page = visit()
    page.get_by_role("button", name="Start", exact=True).click()
    finish(page)
    page.get_by_role("button", name="Keep to compare").click()
    page.get_by_role("combobox", name="Remove").select_option("random")
    page.get_by_role("button", name="Start over").click()
    expect(page.locator(".mx-told")).to_contain_text("Level")
    finish(page)
    titles = page.locator(".mx-board:visible .mx-title strong").all_inner_texts()
    assert (
        len(titles) == 2
        and "weights at random" in titles[0]
        and titles[1].startswith("Masks: handwritten digits")
    )
    assert page.locator(".mx-locality path.mx-curve").count() == 2
    page.get_by_role("link", name="Link to this run").click()
    assert page.evaluate("location.hash") == "#lab?images=digits&criterion=random&steps=200&levels=2"
    with page.expect_download() as download:
        page.get_by_role("button", name="Masks as .npz").click()
    download.value.save_as(tmp_path / download.value.suggested_filename)
    [file] = tmp_path.iterdir()
    with np.load(file) as stored:
        run = dict(stored)
    assert file.name == "lab-digits-1.npz" and run["shape"].tolist() == [1, 14, 14]
    mine = sifting.measure(run["removed_at"] > 2, run["shape"])["mask"]
    assert mine["locality"] == pytest.approx(run["locality"][2], abs=1e-6)
    shown = page.locator(".mx-board .mx-title").first.inner_text()
    assert float(re.search(r"Λ (−?[\d.]+)", shown)[1].replace("−", "-")) == pytest.approx(
        mine["locality"], abs=6e-4
    )


@pytest.mark.parametrize("name", ["lab.html", "small.html"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone(visit, name, scheme):
    page = visit(
        name, viewport={"width": 390, "height": 800}, color_scheme=scheme, has_touch=True, is_mobile=True
    )
    page.get_by_role("button", name="Start", exact=True).tap()
    expect(page.locator(".mx-told")).to_contain_text("Level")
    finish(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    edge = "document.querySelector('.mx').getBoundingClientRect().right"
    inside = f"(node) => node.getBoundingClientRect().right <= {edge}"
    assert page.evaluate(f"[...document.querySelectorAll('.mx *:not(option)')].every({inside})")
    page.add_script_tag(path=LOADER.parents[2] / "tests" / "axe.min.js")
    assert page.evaluate("axe.run()")["violations"] == []
    if name == "small.html":
        href = page.get_by_role("link", name="All controls").get_attribute("href")
        assert href == "lab.html#lab?images=digits&steps=200&levels=2"


def test_who_wants_little_motion_sees_one_picture_a_level(visit):
    page = visit(reduced_motion="reduce")
    page.get_by_role("button", name="Start", exact=True).click()
    finish(page)
    expect(page.locator(".mx-status")).to_contain_text("Level 2 of 2")
