"""The explorers: what Python packs, what JavaScript computes, what a reader can do with it."""

import dataclasses
import itertools
import json
import re
import shutil
import subprocess
import sys
import zlib

import matplotlib
import numpy as np
import pytest
from ipywidgets import IntSlider, embed
from playwright.sync_api import expect
from scipy import stats

from sifting import observables, widgets
from sifting.config import Config
from sifting.publish import sources
from sifting.results import masks
from sifting.tables import basics, hierarchy
from sifting.widgets import (
    CavityExplorer,
    MaskExplorer,
    SimilarityExplorer,
    SurfaceExplorer,
    TreeExplorer,
    predict,
)
from sifting.widgets.explorer import HERE, Explorer, module
from sifting.widgets.mask_explorer import effective_removed_at, most_connected
from tests.pages import LOADER, page, watched

PAGE_BYTES = 3_000_000


@dataclasses.dataclass
class Toy:
    """A history whose first-layer masks have a center, which in-degrees and S(d) show."""

    removed: list
    trained: np.ndarray  # (levels + 1, units, inputs)
    config: Config
    name: str = "ticket-toy"

    @classmethod
    def make(cls, channels=3, side=8, widths=(48, 32, 24), levels=6, prune_fraction=0.35, seed=0):
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[:side, :side]
        cy, cx = rng.uniform(0, side, (2, widths[0], 1, 1, 1))
        bump = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / side) * rng.exponential(4, (widths[0], 1, 1, 1))
        scores = [(bump * np.ones((channels, 1, 1))).reshape(widths[0], -1)]
        scores += [
            rng.exponential(1, (above, 1)) * np.ones(below) for below, above in itertools.pairwise(widths)
        ]
        removed = []
        for score in scores:
            score = score + rng.normal(size=score.shape)
            share = np.argsort(np.argsort(score, axis=None)).reshape(score.shape) / score.size
            kept = (1 - prune_fraction) ** np.arange(1, levels + 1)
            level = 1 + (1 - share[..., None] <= kept).sum(-1)
            removed.append(np.where(level > levels, masks.NEVER, level).astype(np.uint8))
        trained = rng.normal(size=(levels + 1, *removed[0].shape)).astype(np.float32)
        trained *= removed[0] > np.arange(levels + 1)[:, None, None]
        return cls(removed, trained, Config(image_size=side, widths=widths, levels=levels))

    levels = property(lambda self: len(self.trained) - 1)
    layers = property(lambda self: len(self.removed))

    def removed_at(self, layer=1):
        return self.removed[layer - 1]

    outcome = property(lambda self: self.levels)

    def __getitem__(self, name):
        assert name == "shape"
        return np.array(
            [self.removed[0].shape[1] // self.config.image_size**2, *[self.config.image_size] * 2]
        )

    def mask(self, level, layer=1):
        return masks.at(self.removed[layer - 1], level)

    def effective(self, level, layer=1):
        return masks.effective(*(self.mask(level, n) for n in range(1, layer + 1)))

    def weights(self, level, layer=1):
        if layer > 1:
            return np.random.default_rng(layer).normal(size=self.removed[layer - 1].shape) * self.mask(
                level, layer
            )
        return self.trained[level]

    def density(self, level):
        return sum((r > level).sum() for r in self.removed) / sum(r.size for r in self.removed)

    def accuracy(self, split="val", when="best"):
        return 0.3 + 0.1 * np.sin(np.arange(self.levels + 1) / 2)


@pytest.fixture(scope="module")
def toy():
    return Toy.make()


def array(blob, dtype):
    return np.frombuffer(zlib.decompress(blob), dtype)


# --- what Python packs


def test_masks_and_degrees_survive_packing(toy):
    run = MaskExplorer.from_history(toy).runs[0]
    for number, stored in enumerate(run["layers"], 1):
        removed = array(stored["removed_at"], np.uint8).reshape(stored["units"], -1)
        degrees = array(stored["degrees"], "<u2").reshape(toy.levels + 1, -1)
        for level in range(toy.levels + 1):
            below = [masks.at(toy.removed_at(n), level) for n in range(1, number + 1)]
            np.testing.assert_array_equal(masks.at(removed, level), masks.effective(*below)[stored["shown"]])
            np.testing.assert_array_equal(degrees[level], observables.connectivity.in_degree(below[-1]))


def test_weights_survive_packing_to_half_a_step(toy):
    run = MaskExplorer.from_history(toy).runs[0]
    shown = run["layers"][0]["shown"]
    steps, scales = array(run["weights"], np.int8), array(run["scales"], "<f4").reshape(toy.levels + 1, -1)
    assert len(steps) == sum(int(masks.at(toy.removed_at(), level).sum()) for level in range(toy.levels + 1))
    for level in range(toy.levels + 1):
        kept = masks.at(toy.removed_at(), level)[shown]
        weights = np.zeros(kept.shape)
        weights[kept], steps = steps[: kept.sum()], steps[kept.sum() :]
        error = np.abs(weights * scales[level][:, None] - toy.weights(level)[shown])
        assert (error <= 0.5001 * scales[level][:, None]).all()


def test_effective_removed_at_is_the_max_min_product():
    rng = np.random.default_rng(1)
    outer, inner = rng.integers(1, 9, (5, 7), np.uint8), rng.integers(1, 9, (7, 11), np.uint8)
    expected = [[max(min(outer[i, k], inner[k, j]) for k in range(7)) for j in range(11)] for i in range(5)]
    np.testing.assert_array_equal(effective_removed_at(outer, inner), expected)


def test_equal_runs_give_equal_bytes():
    first, second = (
        embed.dependency_state([MaskExplorer.from_history(Toy.make())], drop_defaults=False) for _ in range(2)
    )
    explorer = [
        next(m for m in state.values() if m["model_module"] == "anywidget") for state in (first, second)
    ]
    # names the model of its box, which is new each time; papermill's names are made stable
    for state in explorer:
        state["state"].pop("layout")
    assert json.dumps(explorer[0]) == json.dumps(explorer[1])
    assert repr(MaskExplorer.from_history(Toy.make())) == "MaskExplorer(ticket-toy; 3 layers, level 6)"


def test_a_few_units_are_a_sample_and_the_most_connected(toy):
    stored = MaskExplorer.from_history(toy, units=20, gallery=8).runs[0]["layers"][0]
    everyone = MaskExplorer.from_history(toy, gallery=8).runs[0]["layers"][0]["shown"]
    assert len(stored["shown"]) == 20 and sorted(everyone) == list(range(48))
    assert stored["shown"][:8] == everyone[:8]
    degrees = np.array([masks.at(toy.removed_at(), level).sum(1) for level in range(toy.levels + 1)])
    left_out = np.setdiff1d(np.arange(48), stored["shown"])
    assert degrees[-1][left_out].max() <= np.sort(degrees[-1][stored["shown"][8:]]).min()
    assert len(array(stored["degrees"], "<u2")) == 48 * (toy.levels + 1)  # the histogram has them all
    assert (np.diff(degrees[-1][most_connected(degrees)]) <= 0).all()


@pytest.mark.parametrize(
    "side, widths, levels", [(16, (256, 256), 12), (32, (1024, 1024, 1024), 16)], ids=["laptop", "gpu"]
)
def test_the_page_stays_small(side, widths, levels):
    toy = Toy.make(3, side, widths, levels, 0.3)
    explorer = MaskExplorer.from_history(toy)
    assert explorer.size < PAGE_BYTES - len(explorer._esm) - len(explorer._css)
    assert len(explorer.runs[0]["layers"][0]["shown"]) >= 128


def test_several_runs_share_the_page():
    runs = [Toy.make(3, 16, (256, 64), 12, 0.3, seed) for seed in range(3)]
    explorer = MaskExplorer.from_runs(runs, names=["real", "shuffled", "noise"])
    assert explorer.size < PAGE_BYTES
    with pytest.raises(ValueError, match="shape"):
        MaskExplorer.from_runs([runs[0]], shape=(1, 16, 16))
    with pytest.raises(ValueError, match="13 levels, but 3 accuracies"):
        MaskExplorer.from_history(runs[0], accuracy=[0.1, 0.2, 0.3])


def test_picture_shows_the_most_connected_mask_first(toy):
    explorer = MaskExplorer.from_history(toy, level=3)
    picture, mask = (
        np.array(explorer.picture()),
        masks.at(toy.removed_at(), 3)[explorer.unit].reshape(3, 8, 8),
    )
    scale = picture.shape[1] // 80
    np.testing.assert_array_equal(
        picture[scale : 9 * scale : scale, scale : 9 * scale : scale], 255 * mask.transpose(1, 2, 0)
    )
    data, _ = explorer._repr_mimebundle_()
    assert {"image/png", "text/plain", "application/vnd.jupyter.widget-view+json"} <= set(data)


@pytest.mark.parametrize("name", widgets.__all__)
def test_an_explorer_has_its_script_its_picture_and_a_chapter(name):
    kind = getattr(widgets, name)
    assert issubclass(kind, Explorer) and kind.picture is not getattr(Explorer, "picture", None)
    stem = kind.__module__.rpartition(".")[2]
    assert kind._esm == module(stem) and "export default" in kind._esm
    ways = [
        f"predict.{way}(" for way, made in vars(predict).items() if getattr(made, "__self__", None) is kind
    ]
    texts = [path.read_text(encoding="utf-8") for path in sources.CHAPTERS.glob("*.ipynb")]
    assert any(way in text for text in texts for way in [f"{name}.from_", *ways])


def test_every_explorer_is_brought_to_the_surface():
    found = {path.stem for path in HERE.glob("*_explorer.py")}
    assert found == {getattr(widgets, name).__module__.rpartition(".")[2] for name in widgets.__all__}
    assert found == {path.stem for path in HERE.glob("*_explorer.js")}


def test_widgets_need_no_torch():
    code = "import sys, sifting.widgets; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=LOADER.parents[2])


# --- the page, as myst-nb writes it


@pytest.fixture(scope="module")
def site(tmp_path_factory, toy):
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(LOADER, folder)
    explorer = MaskExplorer.from_history(toy)
    runs = MaskExplorer.from_runs(
        [toy, Toy.make(levels=4, seed=1)], names=["first", "second"], gallery=20, units=20
    )
    (folder / "index.html").write_text(page(explorer))
    (folder / "two.html").write_text(
        page(explorer, IntSlider(3), runs, views=[explorer, explorer, IntSlider(3), runs])
    )
    both = TreeExplorer.from_runs([toy, Toy.make(levels=8, seed=1)], names=["first", "second"], gallery=10)
    (folder / "tree.html").write_text(page(both))
    (folder / "similarity.html").write_text(page(SimilarityExplorer.from_tables(similarity_table(), level=2)))
    (folder / "surface.html").write_text(page(SurfaceExplorer.from_tables(surface_table(), cycle=2)))
    (folder / "cavity.html").write_text(page(CavityExplorer.from_tables(*cavity_tables(), removed=2)))
    (folder / "gray.html").write_text(page(MaskExplorer.from_history(Toy.make(1, 12, (30,)), weights=False)))
    return folder


@pytest.fixture(scope="module")
def server(site, serve):
    return serve(site)


@pytest.fixture
def visit(browser, site):
    """Opens a page of the site; at the end nothing was asked of the network and no error logged."""
    contexts, pages = [], []

    def visit(name="index.html", base=None, says="At level", **options):
        base = base or site.as_uri()
        contexts.append(browser.new_context(**{"viewport": {"width": 1000, "height": 900}, **options}))
        pages.append(watched(contexts[-1].new_page(), base))
        page = pages[-1]
        page.goto(f"{base}/{name}")
        page.wait_for_selector(".anywidget-static[data-ready]")
        expect(page.locator(".mx-status").first).to_contain_text(says)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert [trouble for page in pages for trouble in page.trouble] == []


def pixels(page, selector):
    """What a canvas shows: (height, width, 4)."""
    found = page.evaluate(
        """selector => { const c = document.querySelector(selector);
        return [c.height, c.width, [...c.getContext("2d").getImageData(0, 0, c.width, c.height).data]] }""",
        selector,
    )
    return np.array(found[2], np.uint8).reshape(found[0], found[1], 4)


def status(page):
    return page.locator(".mx-status").first


# --- what JavaScript computes, against NumPy


RUN = """async ([esm, body, given]) => {
    const m = await import(URL.createObjectURL(new Blob([esm], { type: "text/javascript" })));
    const plain = (v) => (ArrayBuffer.isView(v) || Array.isArray(v) ? Array.from(v, plain) : v);
    const run = new Function("m", ...Object.keys(given), `return (async () => ${body})()`);
    return plain(await run(m, ...Object.values(given)));
}"""


@pytest.fixture(scope="module")
def js(browser):
    """Calls a function that the module exports; arrays come back as lists."""
    page = browser.new_page()

    def call(body, **arguments):
        return page.evaluate(RUN, [MaskExplorer._esm, body, arguments])

    return call


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 7, 11), (3, 32, 32)])
@pytest.mark.parametrize("density", [0, 0.05, 1])
def test_displacements_are_the_autocorrelation(js, shape, density):
    kept = np.random.default_rng(0).random(np.prod(shape)) < density
    found = np.array(js("m.displacements(kept, shape)", kept=kept.astype(int).tolist(), shape=shape))
    size = 2 * shape[1] - 1, 2 * shape[2] - 1
    power = np.abs(np.fft.fft2(kept.reshape(shape), s=size)) ** 2
    by_fft = np.fft.fftshift(np.fft.ifft2(power.sum(0)).real)
    np.testing.assert_allclose(found.reshape(size), by_fft, atol=1e-9)
    np.testing.assert_array_equal(
        found.reshape(size), observables.locality.displacement_counts(kept[None], shape)[0][0]
    )


@pytest.mark.parametrize(
    "n, p", [(12, 0.3), (768, 0.0139), (3072, 0.5), (3072, 0.9999), (10, 0.0), (10, 1.0)]
)
def test_binomial(js, n, p):
    np.testing.assert_allclose(
        js("m.binomial(n, p)", n=n, p=p), stats.binom.pmf(np.arange(n + 1), n, p), rtol=1e-8, atol=1e-300
    )


def test_histogram(js):
    values = np.random.default_rng(0).integers(3, 60, 500)
    found = js("m.histogram(values, 3, 4, 15)", values=values.tolist())
    np.testing.assert_array_equal(found, np.histogram(values, np.arange(3, 67, 4))[0])


def test_viridis(js):
    x = np.linspace(0, 1, 101)
    found = js("x.map(m.viridis)", x=x.tolist())
    np.testing.assert_allclose(found, 255 * matplotlib.colormaps["viridis"](x)[:, :3], atol=5)


def test_ticks(js):
    assert js("m.ticks(0, 1, 5)") == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert js("m.ticks(31.2, 42.4, 5)") == [32, 34, 36, 38, 40, 42]


@pytest.mark.parametrize("first, last, count", [(-3, 27.5, 11), (-0.31, 0.29, 7), (-1200, 5400, 2)])
def test_cells(js, first, last, count):
    middles = np.linspace(first, last, count)
    low, high, found = js(
        "{ const c = m.cells(ends, n); return [c.low, c.high, [...Array(n).keys()].map(c.middle)]; }",
        ends=[first, last],
        n=count,
    )
    np.testing.assert_allclose(found, middles, atol=1e-9)
    step = middles[1] - middles[0]
    np.testing.assert_allclose([low, high], [first - step / 2, last + step / 2])
    values = np.random.default_rng(0).uniform(low - step, high + step, 50)
    nearest = js("values.map(m.cells(ends, n).nearest)", ends=[first, last], n=count, values=values.tolist())
    np.testing.assert_array_equal(nearest, np.abs(values[:, None] - middles).argmin(1))
    words = js("values.map(m.cells(ends, n).words)", ends=[first, last], n=count, values=[*values, -1e-12])
    read = [float(word.replace("−", "-")) for word in words]
    np.testing.assert_allclose(read, [*values, 0], atol=max(step / 20, 0.5))
    assert "−" not in words[-1]


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 7, 11)])
def test_localization_is_that_of_the_library(js, shape):
    rng = np.random.default_rng(2)
    y, x = np.mgrid[: shape[1], : shape[2]]
    centers = rng.uniform(0, 1, (12, 2)) * shape[1:]
    near = np.exp(-((y - centers[:, :1, None]) ** 2 + (x - centers[:, 1:, None]) ** 2) / 9)[:, None]
    masks_ = (rng.random((12, *shape)) < near).reshape(12, -1)
    masks_[3] = False  # a unit without inputs, and one with too few
    masks_[4, 5:] = False
    found = js("m.localization(masks, shape)", masks=masks_.astype(int).tolist(), shape=shape)
    local = observables.locality.localization(masks_, shape)
    assert found == pytest.approx(np.nanmean(local), rel=1e-9) and found > 0.2
    assert js("m.localization(masks, shape)", masks=[masks_[3].astype(int).tolist()] * 2, shape=shape) is None
    moved = np.array(
        js(
            "masks.map((v) => m.moved(v, m.shuffled(n)))",
            masks=masks_.astype(int).tolist(),
            n=int(np.prod(shape[1:])),
        )
    )
    np.testing.assert_array_equal(moved.sum(1), masks_.sum(1))
    same = observables.locality.localization(moved.astype(bool), shape)
    shuffled = js("m.localization(masks, shape)", masks=moved.tolist(), shape=shape)
    assert shuffled == pytest.approx(np.nanmean(same), rel=1e-9) and abs(shuffled) < found / 3


def test_a_shuffle_is_one_permutation_for_all_channels(js):
    places = js("m.shuffled(64)")
    assert sorted(places) == list(range(64)) and places != list(range(64)) and js("m.shuffled(64)") == places
    values = np.arange(192)
    moved = np.array(js("m.moved(values, m.shuffled(64))", values=values.tolist())).reshape(3, 64)
    np.testing.assert_array_equal(moved, values.reshape(3, 64)[:, places])


def test_edges_are_gradients_on_a_torus(js):
    field = np.random.default_rng(3).normal(size=(5, 8))
    dx, dy = ((np.roll(field, -1, axis) - np.roll(field, 1, axis)) / 2 for axis in (1, 0))
    found = js("m.edges(values, 5, 8)", values=field.ravel().tolist())
    np.testing.assert_allclose(np.reshape(found, (5, 8)), np.hypot(dx, dy), rtol=1e-6)


def test_javascript_reads_what_python_packed(js, toy):
    """Masks, weights and orders, at every level, of every layer, restricted to some units."""
    run = MaskExplorer.from_history(toy, units=20, gallery=8).runs[0]
    packed = {**run, "layers": [dict(layer) for layer in run["layers"]]}
    for owner in (packed, *packed["layers"]):
        owner.update({key: list(value) for key, value in owner.items() if isinstance(value, bytes)})
    for level in (0, 3, toy.levels):
        found = js(
            """{ const bytes = ["removed_at", "degrees", "weights", "scales"];
            const fill = (owner) => Object.fromEntries(Object.entries(owner).map(([key, value]) =>
                [key, bytes.includes(key) ? Uint8Array.from(value) : value]));
            const run = await m.unpack({ ...fill(packed), layers: packed.layers.map(fill) });
            const slots = [...run.layers[0].shown.keys()];
            return [run.layers.map((layer) => layer.shown.map((_, slot) => m.maskAt(layer, slot, level))),
                slots.map((slot) => m.weightsAt(run, slot, level)),
                ["level", "last", "random"].map((order) => m.ranking(run.layers[0], level, order))]; }""",
            packed=packed,
            level=level,
        )
        kept, weights, (now, last, random) = found
        for number, layer in enumerate(run["layers"], 1):
            below = [masks.at(toy.removed_at(n), level) for n in range(1, number + 1)]
            np.testing.assert_array_equal(kept[number - 1], masks.effective(*below)[layer["shown"]])
        shown = run["layers"][0]["shown"]
        np.testing.assert_allclose(weights, toy.weights(level)[shown], atol=0.02)
        assert not np.array(weights)[~masks.at(toy.removed_at(), level)[shown]].any()
        degrees = np.array([masks.at(toy.removed_at(), n)[shown].sum(1) for n in range(toy.levels + 1)])
        assert (np.diff(degrees[level][now]) <= 0).all() and (np.diff(degrees[-1][last]) <= 0).all()
        assert sorted(now) == sorted(last) == random == list(range(20))


# --- what a reader can do


def test_it_opens_at_the_last_level_on_the_most_connected_unit(visit, toy, server):
    for base in (None, server):
        page = visit(base=base)
        unit = most_connected(
            np.array([masks.at(toy.removed_at(), n).sum(1) for n in range(toy.levels + 1)])
        )[0]
        degree = masks.at(toy.removed_at(), toy.levels)[unit].sum()
        expect(status(page)).to_contain_text("level 6 of 6")
        expect(status(page)).to_contain_text(f"Unit {unit} of layer 1 keeps {degree} of its 192 inputs")
        mask = masks.at(toy.removed_at(), 6)[unit].reshape(3, 8, 8).transpose(1, 2, 0)
        np.testing.assert_array_equal(pixels(page, ".mx-mask canvas")[..., :3], 255 * mask)
        weights = toy.weights(6)[unit].reshape(3, 8, 8).transpose(1, 2, 0)
        shade = 127.5 * (1 + weights / np.abs(weights).max())
        np.testing.assert_allclose(pixels(page, ".mx-weights canvas")[..., :3], shade, atol=2)
        pairs = pixels(page, ".mx-pairs canvas")
        assert pairs.shape == (15, 15, 4) and pairs[7, 7, 3] == 0 and (pairs[..., 3] == 0).sum() == 1


def test_the_level_slider_moves_everything(visit):
    page = visit()
    places = ".mx-thumbs canvas", ".mx-mask canvas", ".mx-weights canvas", ".mx-pairs canvas"
    before = [pixels(page, place).tobytes() for place in places]
    charts = [page.inner_html(place) for place in (".mx-degrees .mx-chart", ".mx-accuracy .mx-chart")]
    page.get_by_label("Level", exact=True).focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(status(page)).to_contain_text("level 4 of 6")
    assert all(pixels(page, place).tobytes() != old for place, old in zip(places, before, strict=True))
    assert [page.inner_html(place) for place in (".mx-degrees .mx-chart", ".mx-accuracy .mx-chart")] != charts
    page.keyboard.press("Home")
    expect(status(page)).to_contain_text("At level 0 of 6, 100 % of the weights are left")
    assert (pixels(page, ".mx-mask canvas") == 255).all()  # the dense network


def test_play_starts_over_advances_and_pauses(visit):
    page = visit(reduced_motion="reduce")
    page.wait_for_timeout(900)
    expect(status(page)).to_contain_text("level 6")  # nothing moves by itself
    page.get_by_role("button", name="Play").click()
    expect(status(page)).to_contain_text("level 2")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play")).to_be_focused()
    text = status(page).inner_text()
    page.wait_for_timeout(1500)
    assert status(page).inner_text() == text
    page.get_by_label("Level", exact=True).focus()
    page.keyboard.press("Space")
    expect(status(page)).to_contain_text("level 6", timeout=9000)
    expect(page.get_by_role("button", name="Play")).to_be_visible()  # stops at the end


def test_units_by_keyboard_and_mouse(visit):
    page = visit()
    gallery, unit = page.get_by_role("listbox"), page.locator(".mx-unit .mx-value")
    columns = int(gallery.evaluate("node => getComputedStyle(node).getPropertyValue('--mx-columns')"))
    gallery.focus()
    for key, rank in [
        ("ArrowRight", 2),
        ("ArrowDown", 2 + columns),
        ("ArrowUp", 2),
        ("ArrowLeft", 1),
        ("PageDown", 41),
        ("End", 48),
        ("Home", 1),
    ]:
        page.keyboard.press(key)
        expect(unit).to_have_text(f"{rank} of 48")
        expect(page.locator(".mx-thumbs [aria-selected=true]:visible")).to_have_count(1)
    page.locator(".mx-thumbs > div").nth(5).click()
    expect(unit).to_have_text("6 of 48")
    number = page.locator(".mx-thumbs [aria-selected=true]:visible").get_attribute("aria-label").split(",")[0]
    expect(status(page)).to_contain_text(number)
    page.get_by_label("Level", exact=True).press("ArrowLeft")
    expect(status(page)).to_contain_text(number)  # the unit stays, its rank may not
    page.get_by_label("Unit", exact=True).fill("45")
    expect(page.locator(".mx-gallery .mx-title")).to_contain_text("41–48 of 48 units")


def test_layers_weights_and_orders(visit, toy):
    page = visit()
    thumb = pixels(page, ".mx-thumbs canvas").tobytes()
    page.get_by_role("radio", name="weights").check()
    page.wait_for_timeout(100)
    assert pixels(page, ".mx-thumbs canvas").tobytes() != thumb
    page.get_by_role("radio", name="3").check()
    expect(status(page)).to_contain_text("of layer 3 keeps")
    expect(page.get_by_role("radio", name="weights")).to_be_disabled()
    why = page.locator("label", has=page.get_by_role("radio", name="weights"))
    expect(why).to_have_attribute("title", re.compile("Weights are shown in layer 1"))
    expect(status(page)).to_contain_text("the test accuracy is")
    unit = int(status(page).inner_text().split("Unit ")[1].split()[0])
    mask = masks.effective(*(masks.at(toy.removed_at(n), 6) for n in (1, 2, 3)))[unit]
    np.testing.assert_array_equal(
        pixels(page, ".mx-mask canvas")[..., :3], 255 * mask.reshape(3, 8, 8).transpose(1, 2, 0)
    )
    page.get_by_label("Order").select_option("random")
    drawn = np.random.default_rng(0).permutation(24)
    expect(status(page)).to_contain_text(f"Unit {drawn[0]} of layer 3")


def test_shuffled_pixels_scatter_masks_and_leave_degrees(visit, toy):
    page = visit()
    kept = page.locator(".mx-degrees svg").get_attribute("aria-label")
    mask, place = pixels(page, ".mx-mask canvas"), ".mx-mask canvas"
    local = np.nanmean(observables.locality.localization(toy.mask(6), (3, 8, 8)))
    expect(status(page)).to_contain_text("The mean Λ of the units shown is")

    def said():
        return float(status(page).inner_text().rsplit(" is ", 1)[1].rstrip(".").replace("−", "-"))

    assert said() == pytest.approx(local, abs=0.001)
    page.get_by_role("radio", name="shuffled").check()
    expect(status(page)).to_contain_text("All units see the pixels in the same random order")
    assert page.locator(".mx-degrees svg").get_attribute("aria-label") == kept
    scattered = pixels(page, place)
    assert (scattered != mask).any() and (np.sort(scattered, None) == np.sort(mask, None)).all()
    assert abs(said()) < local / 3
    page.get_by_role("radio", name="as they are").check()
    expect(status(page)).not_to_contain_text("random order")
    np.testing.assert_array_equal(pixels(page, place), mask)


def test_the_curve_is_a_way_to_choose_a_level(visit):
    page = visit()
    box = page.locator(".mx-accuracy circle").nth(2).bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 30)
    expect(status(page)).to_contain_text("level 2")


def test_several_views_and_runs(visit):
    page = visit("two.html")
    expect(page.get_by_role("note")).to_contain_text("needs a running kernel")
    expect(page.locator(".mx")).to_have_count(3)
    page.get_by_label("Level", exact=True).nth(0).fill("1")
    expect(page.locator(".mx-status").nth(1)).to_contain_text("level 1")  # two views, one model
    expect(page.locator(".mx-status").nth(2)).to_contain_text("level 6")
    page.get_by_label("Run").select_option("second")
    expect(page.locator(".mx-status").nth(2)).to_contain_text("level 4 of 4")
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((node) => node.id)")
    assert len(ids) == len(set(ids))


def test_gray_images_without_weights(visit):
    page = visit("gray.html")
    seen = pixels(page, ".mx-mask canvas")
    assert seen.shape == (12, 12, 4) and (seen[..., 0] == seen[..., 2]).all()
    expect(page.get_by_role("radio", name="weights")).to_be_disabled()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone(visit, scheme):
    page = visit(viewport={"width": 360, "height": 740}, color_scheme=scheme, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    edge = "document.querySelector('.mx').getBoundingClientRect().right"
    inside = f"(node) => node.getBoundingClientRect().right <= {edge}"
    assert page.evaluate(f"[...document.querySelectorAll('.mx *:not(option)')].every({inside})")
    page.locator(".mx-thumbs > div").nth(9).tap()
    expect(page.locator(".mx-unit .mx-value")).to_have_text("10 of 48")
    slider = page.get_by_label("Level", exact=True)
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    page.touchscreen.tap(box["x"] + 0.35 * box["width"], box["y"] + box["height"] / 2)
    expect(status(page)).to_contain_text("level 2")
    dark = page.evaluate("getComputedStyle(document.querySelector('.mx')).color").startswith("rgb(255")
    assert dark == (scheme == "dark")


@pytest.mark.parametrize("width", [360, 480, 700, 900, 1000])
@pytest.mark.parametrize("dots", [1, 2])
def test_pixels_of_a_mask_are_whole_pixels_of_the_screen(visit, width, dots):
    page = visit(viewport={"width": width, "height": 800}, device_scale_factor=dots)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ratios = page.evaluate("""[...document.querySelectorAll(".mx canvas")].map((c) =>
        c.getBoundingClientRect().width * devicePixelRatio / c.width)""")
    assert min(ratios) >= 2
    np.testing.assert_allclose(ratios, np.rint(ratios), atol=0.01)


# --- the tree explorer


def test_a_tree_is_packed_with_the_strongest_inputs_of_every_unit(toy):
    explorer = TreeExplorer.from_runs([toy], gallery=10, fan=4)
    [run] = explorer.runs
    assert explorer.path == run["top"][:1] == [
        int(basics.local_units(toy, 6, 1, 3)[0])
    ] and explorer.shape == [3, 8, 8]
    for number, stored in enumerate(run["layers"][1:], 2):
        feeders, strengths = (
            array(stored["feeders"], "<u2").reshape(-1, 4),
            array(stored["strengths"], "<f4").reshape(-1, 4),
        )
        for unit, below in enumerate(hierarchy.feeders(toy, 6, number, 4)):
            assert feeders[unit].tolist() == [*below, *[65535] * (4 - len(below))]
            np.testing.assert_allclose(
                strengths[unit, : len(below)], toy.weights(6, number)[unit, below], rtol=1e-6
            )
    mask = toy.effective(6, 3)[run["top"][0]].reshape(3, 8, 8)
    picture = np.array(explorer.picture())
    scale = picture.shape[1] // (8 * 10)
    np.testing.assert_array_equal(
        picture[scale : 9 * scale : scale, scale : 9 * scale : scale], 255 * mask.transpose(1, 2, 0)
    )
    assert (
        "image/png" in explorer._repr_mimebundle_()[0]
        and repr(explorer) == "TreeExplorer(ticket-toy; 3 layers)"
    )


def test_a_tree_without_any_path_is_refused(toy):
    cut = Toy.make()
    cut.removed[2] = np.ones_like(cut.removed[2])
    with pytest.raises(ValueError, match="no input reaches any unit of layer 3 of ticket-toy at level 6"):
        TreeExplorer.from_runs([cut])


def test_the_tree_of_a_large_network_fits_on_a_page():
    big = Toy.make(3, 32, (1024, 1024, 1024), 16, 0.3)
    explorer = TreeExplorer.from_runs([big])
    assert explorer.size < PAGE_BYTES - len(explorer._esm) - len(explorer._css)


def row(page, layer):
    return page.get_by_role("listbox", name=f"Units of layer {layer}")


def number(locator):
    return int(locator.get_attribute("aria-label").split(",")[0].removeprefix("Unit "))


def path(page):
    """The units chosen in layers 3, 2 and 1."""
    return [number(row(page, layer).locator("[aria-selected=true]:visible")) for layer in (3, 2, 1)]


def check_path(page, toy, units):
    """Whether the explorer shows these units: their masks, and below each its strongest inputs."""
    assert path(page) == units
    for place, (layer, unit) in enumerate(zip((3, 2, 1), units)):
        mask = toy.effective(toy.levels, layer)[unit].reshape(3, 8, 8).transpose(1, 2, 0)
        shown = pixels(page, f".mx-step:nth-child({place + 1}) canvas")[..., :3]
        np.testing.assert_array_equal(shown, 255 * mask)
        if layer > 1:
            fed = [number(option) for option in row(page, layer - 1).locator("[role=option]:visible").all()]
            assert fed == hierarchy.feeders(toy, toy.levels, layer, 5)[unit].tolist()


def test_a_tree_is_walked_by_mouse_and_keyboard(visit, toy):
    page = visit("tree.html", says="reach unit")
    top = basics.local_units(toy, 6, 10, 3).tolist()
    third, second = ([row.tolist() for row in hierarchy.feeders(toy, 6, layer, 5)] for layer in (3, 2))
    check_path(page, toy, [top[0], third[top[0]][0], second[third[top[0]][0]][0]])
    place = next(n for n, unit in enumerate(top) if n and len(third[unit]) > 1)
    unit = top[place]
    row(page, 3).locator("[role=option]").nth(place).click()
    expect(status(page)).to_contain_text(f"reach unit {unit} of layer 3")
    check_path(page, toy, [unit, third[unit][0], second[third[unit][0]][0]])
    row(page, 2).focus()
    page.keyboard.press("ArrowRight")
    other = third[unit][1]
    expect(status(page)).to_contain_text(f"Unit {other} of layer 2")
    check_path(page, toy, [unit, other, second[other][0]])
    page.keyboard.press("Tab")
    expect(row(page, 1)).to_be_focused()
    page.keyboard.press("End")
    expect(status(page)).to_contain_text(f"Unit {second[other][-1]} of layer 1")
    check_path(page, toy, [unit, other, second[other][-1]])


def test_a_tree_shows_weights_and_other_runs(visit):
    page = visit("tree.html", says="reach unit")
    before = (
        pixels(page, ".mx-step:nth-child(3) canvas").tobytes(),
        pixels(page, ".mx-step:nth-child(2) canvas").tobytes(),
    )
    page.get_by_role("radio", name="weights").check()
    page.wait_for_timeout(100)
    after = (
        pixels(page, ".mx-step:nth-child(3) canvas").tobytes(),
        pixels(page, ".mx-step:nth-child(2) canvas").tobytes(),
    )
    assert after[0] != before[0] and after[1] == before[1]
    text = status(page).inner_text()
    page.get_by_label("Run").select_option("second")
    expect(status(page)).not_to_have_text(text)


@pytest.mark.parametrize("width", [360, 390, 700, 1000])
def test_a_tree_fits_the_screen(visit, width):
    page = visit(
        "tree.html", says="reach unit", viewport={"width": width, "height": 800}, device_scale_factor=2
    )
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    edge = "document.querySelector('.mx').getBoundingClientRect().right"
    inside = f"(node) => node.getBoundingClientRect().right <= {edge}"
    assert page.evaluate(f"[...document.querySelectorAll('.mx *:not(option)')].every({inside})")
    ratios = page.evaluate("""[...document.querySelectorAll(".mx canvas")]
        .map((c) => [c.getBoundingClientRect().width * devicePixelRatio, c.width])
        .filter(([shown]) => shown).map(([shown, drawn]) => shown / drawn)""")
    assert min(ratios) >= 4
    np.testing.assert_allclose(ratios, np.rint(ratios), atol=0.01)


# --- the cavity explorer


def cavity_tables(levels=3, units=3):
    """What tables.cavity.scores and probes.gaussianity.example would find."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(2, levels + 1, levels + 1)) * 20
    scores[:, np.tri(levels + 1, k=-1, dtype=bool)] = np.nan
    removed_at = rng.integers(1, levels + 2, (units, 3, 8, 8))
    removed_at[1][removed_at[1] == 2] = 1  # a unit of which nothing goes at level 2
    inputs = np.full((units, 2 * (levels + 1)), -1)
    for unit in range(units):
        for level in range(1, levels + 2):
            mine = np.flatnonzero(removed_at[unit] == level)
            inputs[unit, 2 * level - 2 : 2 * level] = mine[[0, -1]] if len(mine) else -1
    counts = rng.integers(0, 500, (*inputs.shape, 12))
    example = {
        "units": np.array([7, 40, 13][:units]),
        "removed_at": removed_at,
        "kurtosis": np.array([3.5, 2.5, 4.25][:units]),
        "edges": np.linspace(-6, 6, 13),
        "before": counts[:, 0],
        "inputs": inputs,
        "scores": np.where(inputs < 0, np.nan, rng.normal(size=inputs.shape) / 100),
        "without": np.where(inputs < 0, np.nan, 3 + rng.random(inputs.shape)),
        "counts": counts,
        "every": rng.normal(size=(units, 192)) / 100,
    }
    return {"score": scores}, example


def test_the_cavity_explorer_shows_what_it_was_given(visit):
    _, example = cavity_tables()
    page = visit("cavity.html", says="without its weight")
    # the second unit, the weights that are never removed, the one with the lowest score
    page.get_by_role("option", name="Unit 13").click()
    slider = page.get_by_role("slider", name="Weights")
    slider.focus()
    page.keyboard.press("End")
    page.get_by_role("radio", name="lowest score").check()
    channel, y, x = np.unravel_index(example["inputs"][2, 7], (3, 8, 8))
    color = ("red", "green", "blue")[channel]
    expect(status(page)).to_contain_text(
        f"Unit 13: without its weight for the {color} pixel at {x}, {y}, never removed"
    )
    expect(status(page)).to_contain_text(f"from 4.250 to {example['without'][2, 7]:.3f}")
    shown = pixels(page, ".mx-frame canvas")[..., :3]
    kept = np.where(example["removed_at"][2] == 4, 235, 30).transpose(1, 2, 0)
    box, ring = (page.locator(f".mx-frame {part}").bounding_box() for part in ("canvas", ".mx-marker"))
    assert (ring["x"] - box["x"]) / box["width"] * 8 == pytest.approx(x, abs=0.05)
    assert (ring["y"] - box["y"]) / box["height"] * 8 == pytest.approx(y, abs=0.05)
    np.testing.assert_array_equal(shown, kept)
    assert page.locator(".mx-follow circle").count() == 3, "before any pruning, and after two levels"
    assert page.locator(".mx-cut .mx-bar").count() == (example["before"][2] > 0).sum()


def test_any_weight_can_be_taken_out(visit):
    _, example = cavity_tables()
    page = visit("cavity.html", says="without its weight")
    box = page.locator(".mx-frame canvas").bounding_box()
    page.mouse.click(box["x"] + 2.5 / 8 * box["width"], box["y"] + 5.5 / 8 * box["height"])
    expect(status(page)).to_contain_text("pixel at 2, 5")
    page.get_by_role("radio", name="blue").check()
    page.locator(".mx-any").focus()
    for key, (x, y) in {
        "ArrowRight": (3, 5),
        "ArrowUp": (3, 4),
        "ArrowDown": (3, 5),
        "ArrowLeft": (2, 5),
    }.items():
        page.keyboard.press(key)
        expect(status(page)).to_contain_text(f"blue pixel at {x}, {y}")
        place = 2 * 64 + 8 * y + x
        score, at = example["every"][0, place], example["removed_at"][0].ravel()[place]
        when = "never removed" if at == 4 else f"removed at level {at}"
        if place in example["inputs"][0]:
            continue  # its histogram is stored, and its own score of this toy
        without = 3.5 * (1 + score)  # more than 3: the score is the relative change
        expect(status(page)).to_contain_text(f"{when}, its kurtosis goes from 3.500 to {without:.3f}: score")
        assert page.locator(".mx-cut .mx-random").count() == 0, "the histogram is not stored"
    page.get_by_role("option", name="Unit 13").click()
    expect(page.get_by_role("radio", name="highest score")).to_be_checked()


def test_the_cavity_explorer_says_where_there_is_no_such_weight(visit):
    page = visit("cavity.html", says="without its weight")
    page.get_by_role("listbox", name="Units").focus()
    page.keyboard.press("ArrowRight")
    expect(status(page)).to_have_text("Unit 40 has no weight that is removed at level 2.")
    expect(page.locator(".mx-cut .mx-chart")).to_be_hidden()


@pytest.mark.parametrize("width", [360, 700, 1000])
@pytest.mark.parametrize(
    "name, says", [("cavity", "without its weight"), ("similarity", "distance"), ("surface", "away")]
)
def test_an_explorer_fits_the_screen(visit, name, says, width):
    page = visit(f"{name}.html", says=says, viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    edge = "document.querySelector('.mx').getBoundingClientRect().right + 1"
    inside = f"(node) => node.getBoundingClientRect().right <= {edge}"
    assert page.evaluate(f"[...document.querySelectorAll('.mx *:not(option)')].every({inside})")


def test_the_cavity_explorer_is_small_and_has_a_picture():
    explorer = CavityExplorer.from_tables(*cavity_tables())
    assert explorer.size < 50_000
    assert explorer.picture().width >= 600
    assert repr(explorer) == "CavityExplorer(3 units; 3 levels)"


# --- the similarity explorer


def similarity_table(levels=3):
    """What similarity.all_pairs would find of three methods.

    There are two convolutions, and a layer with too many weights to show.
    """
    rng = np.random.default_rng(0)
    shapes = [(4, 2, 3, 3), (5, 8, 1, 1), (120, 400)]
    distance = rng.random((levels, 3, 3, 3))
    distance = distance + distance.swapaxes(2, 3)
    distance[:, :, range(3), range(3)] = 0
    dead = np.zeros((levels + 1, 3), bool)
    dead[2:, 2] = True
    return {
        "methods": ["L1", "hybrid", "random"],
        "layers": ["conv1", "conv2", "fc1"],
        "distance": distance / 2,
        "chance": np.full(distance.shape, 0.9),
        "accuracy": rng.random((levels + 1, 3)),
        "dead": dead,
        "removed_at": [
            [rng.choice([1, 2, 3, 255], shape).astype(np.uint8) for _ in range(3)] for shape in shapes
        ],
    }


def test_the_similarity_explorer_shows_what_it_was_given(visit):
    table = similarity_table()
    page = visit("similarity.html", says="distance")
    page.get_by_role("combobox", name="Orange").select_option("random")
    distance, accuracy = table["distance"][1, 0, 0, 2], table["accuracy"][2]
    expect(status(page)).to_contain_text(f"Level 2, conv1: distance {distance:.2f}, by chance 0.90.")
    last = f"random: test accuracy at the last step {100 * accuracy[2]:.3g} %, dead."
    expect(status(page)).to_contain_text(last)
    shown = pixels(page, ".mx-overlap canvas")[..., :3]  # kernels of 3 x 3 with a gap behind, outputs across
    one, other = (table["removed_at"][0][n] > 2 for n in (0, 2))
    for output, place, y, x in np.ndindex(4, 2, 3, 3):
        a, b = one[output, place, y, x], other[output, place, y, x]
        color = [[(186, 194, 201), (234, 88, 12)], [(59, 110, 246), (13, 118, 110)]][int(a)][int(b)]
        assert tuple(shown[4 * place + y, 4 * output + x]) == color
    page.get_by_role("radio", name="fc1").check()
    expect(page.locator(".mx-why")).to_have_text("fc1 has too many weights to show.")
    expect(page.locator(".mx-why")).to_be_visible()
    expect(page.locator(".mx-overlap canvas")).to_be_hidden()


def test_a_click_into_the_matrix_chooses_a_pair(visit):
    page = visit("similarity.html", says="distance")
    box = page.locator(".mx-matrix canvas").bounding_box()
    # second row, third column
    page.mouse.click(box["x"] + box["width"] * 0.83, box["y"] + box["height"] * 0.5)
    expect(page.get_by_role("combobox", name="Blue")).to_have_value("1")
    expect(page.get_by_role("combobox", name="Orange")).to_have_value("2")
    cells = pixels(page, ".mx-matrix canvas")[..., :3]  # level 2, where the third method is dead
    assert (cells[:, 2] == (186, 194, 201)).all() and (cells[0, 1] != cells[0, 2]).any()
    table = similarity_table()["distance"][1, 0]
    assert f"hybrid and random: {table[1, 2]:.2f}, by chance 0.90" == page.get_attribute(
        ".mx-matrix canvas", "title"
    )
    page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    expect(status(page)).not_to_contain_text("distance")  # of a method to itself nothing is to be said
    expect(status(page)).to_contain_text("hybrid: test accuracy at the last step")


def test_the_similarity_explorer_is_small_and_has_a_picture():
    explorer = SimilarityExplorer.from_tables(similarity_table())
    assert explorer.size < 20_000
    assert explorer.picture().width == 640
    assert repr(explorer) == "SimilarityExplorer(3 methods; 3 layers; 3 levels)"


# --- the surface explorer


def surface_table(ways=3, cycles=3, rows=7, columns=9):
    """Planes through three networks, as tables would find them.

    Wp and Wr are close by or far apart, and one run ends after two cycles.
    """
    rng = np.random.default_rng(0)
    x = np.linspace(-6, 30, columns) * np.linspace(0.6, 1, cycles)[:, None] * np.ones((ways, 1, 1))
    y = np.linspace(-0.9, 1.2, rows) * np.array([1, 9, 30])[:ways, None, None] * np.ones((cycles, 1))
    points = np.zeros((ways, cycles, 3, 2))
    points[:, :, 1:, 0] = x[:, :, [-3]]
    points[:, :, 2, 1] = [[0.01], [4.5], [22]][:ways]
    table = {
        "ways": ["weights, fine-tuned", "weights, rate rewound", "channels, rate rewound"][:ways],
        "statistics": ["interpolated", "recomputed", "frozen"],
        "accuracy": rng.random((ways, cycles, 3, rows, columns)),
        "x": x,
        "y": y,
        "points": points,
        "own": rng.random((ways, cycles, 3, 3)),
        "share": 0.7 ** np.arange(1, cycles + 1) * np.ones((ways, 1)),
    }
    table["accuracy"][0, 1, 0, 5, 2] = np.nan
    for name in ("accuracy", "x", "y", "points", "own", "share"):
        table[name][ways - 1, 2:] = np.nan
    return table


def read(page):
    """What the explorer says: network, coordinates, accuracy and distance from W*."""
    found = re.search(
        "at (?:(W[*pr]), )?x = (.*), y = (.*) the accuracy is (.*) %; W[*] is (.*) away",
        status(page).inner_text(),
    )
    name, *numbers = found.groups()
    return name, *[float(word.replace("−", "-")) for word in numbers]


def check_cell(page, row, column, way=0, cycle=2, statistics=0):
    """Whether the explorer says what the table has of this cell."""
    table = surface_table()
    name, x, y, accuracy, distance = read(page)
    assert accuracy / 100 == pytest.approx(
        table["accuracy"][way, cycle - 1, statistics, row, column], abs=0.001
    )
    columns, rows, points = (table[axis][way, cycle - 1] for axis in ("x", "y", "points"))
    place, expected = np.array([columns[column], rows[row]]), None
    for network, point in zip(("W*", "Wp", "Wr"), points):
        if (abs(columns - point[0]).argmin(), abs(rows - point[1]).argmin()) == (column, row):
            place, expected = point, network
    assert name == expected
    assert [x, y] == pytest.approx(place, abs=0.06)
    assert distance == pytest.approx(np.linalg.norm(place - points[0]), abs=0.06)


def middle_of(page, row, column, rows=7, columns=9):
    """Where the middle of a cell is on the screen."""
    box = page.locator(".mx-plane canvas").bounding_box()
    x, y = (column + 0.5) / columns, 1 - (row + 0.5) / rows
    return box["x"] + box["width"] * x, box["y"] + box["height"] * y


def plane(page):
    return page.get_by_role("application")


def test_planes_survive_packing_to_half_a_step():
    table = surface_table()
    explorer = SurfaceExplorer.from_tables(table, way=1, statistics=2)
    assert (explorer.way, explorer.cycle, explorer.statistics) == (1, 3, 2)
    stored, given = array(explorer.accuracy, "<u2"), table["accuracy"].ravel()
    np.testing.assert_array_equal(stored == 65_535, np.isnan(given))
    np.testing.assert_allclose(stored[stored < 65_535] / 10_000, given[stored < 65_535], atol=0.5001e-4)
    data = json.loads(zlib.decompress(explorer.data))
    for name in ("points", "own", "share"):
        np.testing.assert_allclose(np.array(data[name], float), table[name], atol=1e-6)
    assert explorer.size < 10_000
    assert repr(explorer) == "SurfaceExplorer(3 ways; 3 cycles; 7 x 9 cells)"
    full = surface_table(cycles=5, rows=31, columns=31)
    assert SurfaceExplorer.from_tables(full).size < 100_000, "of noise, which does not shrink"


def test_the_picture_of_a_plane_has_its_lowest_row_below():
    picture = SurfaceExplorer.from_tables(surface_table(), cycle=2).picture()
    gray, alpha = np.moveaxis(np.array(picture.resize((9, 7), 0)), 2, 0)[:, ::-1]
    known = alpha > 0
    assert not known[5, 2] and known.sum() == 62
    np.testing.assert_allclose(gray[known] / 255, surface_table()["accuracy"][0, 1, 0][known], atol=0.002)


@pytest.mark.parametrize(
    "state, message",
    [
        ({"way": 3}, "no way 3; choose from 0 .weights, fine-tuned., 1 .* 2 .channels, rate rewound.$"),
        ({"way": -1}, "no way -1"),
        ({"cycle": 0}, "cycle must be 1 to 3, not 0"),
        ({"cycle": 4}, "cycle must be 1 to 3, not 4"),
        ({"statistics": 3}, "no statistics 3; choose from 0 .interpolated., 1 .recomputed., 2 .frozen."),
    ],
)
def test_what_there_is_not_is_no_plane_to_begin_with(state, message):
    with pytest.raises(ValueError, match=message):
        SurfaceExplorer.from_tables(surface_table(), **state)


@pytest.mark.parametrize(
    "change, message",
    [
        (
            {"own": np.zeros((3, 3, 3, 2))},
            "own must be .ways, cycles, statistics, 3. = .3, 3, 3, 3., not .3, 3, 3, 2.",
        ),
        ({"x": np.zeros((3, 3, 7))}, "x must be .ways, cycles, columns. = .3, 3, 9., not .3, 3, 7."),
        ({"ways": ["one"]}, "accuracy must be .* = .1, 3, 3, 7, 9., not .3, 3, 3, 7, 9."),
        ({"accuracy": np.zeros((7, 9))}, "accuracy must be .* = .3, 9, 3, rows, columns., not .7, 9."),
        ({"accuracy": np.full((3, 3, 3, 7, 9), 93.0)}, r"accuracy must lie in \[0, 1\]"),
        ({"y": -surface_table()["y"]}, "y must rise in even steps"),
        ({"x": np.exp(surface_table()["x"])}, "x must rise in even steps"),
    ],
)
def test_arrays_of_a_plane_that_do_not_agree_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        SurfaceExplorer.from_tables(surface_table() | change)


def test_an_empty_table_of_planes_is_refused():
    with pytest.raises(
        ValueError, match="the table lacks ways, statistics, accuracy, x, y, points, own, share"
    ):
        SurfaceExplorer.from_tables({})
    for empty in ({"ways": 0}, {"cycles": 0}, {"rows": 1}, {"columns": 1}):
        [[axis, count]] = empty.items()
        with pytest.raises(ValueError, match=f"nothing to show of {count} {axis}"):
            SurfaceExplorer.from_tables(empty_table(**empty))


def empty_table(ways=3, cycles=3, rows=7, columns=9):
    """A table cut to so many of each."""
    table = surface_table()
    table["ways"] = table["ways"][:ways]
    for name in ("accuracy", "x", "y", "points", "own", "share"):
        table[name] = table[name][:ways, :cycles]
    table["accuracy"] = table["accuracy"][..., :rows, :columns]
    return table | {"x": table["x"][..., :columns], "y": table["y"][..., :rows]}


def test_the_surface_explorer_shows_what_it_was_given(visit):
    table = surface_table()
    page = visit("surface.html", says="away")
    nearest = np.abs(table["y"][0, 1] - table["points"][0, 1, 2, 1]).argmin()
    check_cell(page, nearest, 6)  # that of Wr
    shown, accuracy = pixels(page, ".mx-plane canvas")[::-1, :, :3], table["accuracy"][0, 1, 0]
    known = ~np.isnan(accuracy)
    assert tuple(shown[5, 2]) == (186, 194, 201) and (~known).sum() == 1
    colors = 255 * matplotlib.colormaps["viridis"](accuracy)[..., :3]
    np.testing.assert_allclose(shown[known], colors[known], atol=6)
    expect(page.get_by_text("not known", exact=True)).to_be_visible()
    said = page.locator(".mx-facts").inner_text()
    for share in [*table["own"][0, 1, 0], table["share"][0, 1]]:
        assert f"{100 * share:#.3g} %" in said
    page.get_by_label("Pruned").select_option("weights, rate rewound")
    expect(page.get_by_text("not known", exact=True)).to_be_hidden()
    before = status(page).inner_text()
    page.get_by_role("radio", name="frozen").check()
    expect(status(page)).not_to_have_text(before)  # it is drawn a frame later
    check_cell(page, np.abs(table["y"][1, 1] - 4.5).argmin(), 6, way=1, statistics=2)


def test_a_cell_is_read_under_the_mouse_and_chosen_by_click_and_arrows(visit):
    page = visit("surface.html", says="away")
    before = status(page).inner_text()
    page.mouse.move(*middle_of(page, 1, 7))
    check_cell(page, 1, 7)
    page.mouse.move(5, 5)
    expect(status(page)).to_have_text(before)  # the mouse alone chooses nothing
    page.mouse.click(*middle_of(page, 4, 3))
    page.mouse.move(5, 5)
    expect(status(page)).not_to_have_text(before)
    check_cell(page, 4, 3)
    expect(plane(page)).to_be_focused()
    page.mouse.move(*middle_of(page, 2, 8))  # where it rests while arrows move the chosen cell
    for key, row, column in [
        ("ArrowUp", 5, 3),
        ("ArrowLeft", 5, 2),
        ("ArrowDown", 4, 2),
        ("ArrowRight", 4, 3),
        ("End", 4, 8),
        ("ArrowRight", 4, 8),
        ("PageUp", 6, 8),
        ("Home", 6, 0),
        ("PageDown", 0, 0),
    ]:
        page.keyboard.press(key)
        page.wait_for_timeout(150)
        if (row, column) == (5, 2):
            expect(status(page)).to_contain_text("the accuracy is not known; W* is")
        else:
            check_cell(page, row, column)


def test_the_chosen_cell_stays_while_cycles_and_statistics_change(visit):
    page = visit("surface.html", says="away")
    page.mouse.click(*middle_of(page, 2, 2))
    page.mouse.move(5, 5)
    canvas = ".mx-plane canvas"
    seen = {pixels(page, canvas).tobytes()}
    page.get_by_role("button", name="Next cycle").click()
    expect(status(page)).to_contain_text("Cycle 3:")
    check_cell(page, 2, 2, cycle=3)
    seen.add(pixels(page, canvas).tobytes())
    expect(page.get_by_role("button", name="Next cycle")).to_have_attribute("aria-disabled", "true")
    page.get_by_role("slider", name="Cycle").focus()
    page.keyboard.press("Home")
    expect(status(page)).to_contain_text("Cycle 1:")
    check_cell(page, 2, 2, cycle=1)
    seen.add(pixels(page, canvas).tobytes())
    page.get_by_role("radio", name="recomputed").check()
    page.wait_for_timeout(100)
    check_cell(page, 2, 2, cycle=1, statistics=1)
    seen.add(pixels(page, canvas).tobytes())
    assert len(seen) == 4
    page.get_by_role("button", name="Previous cycle").click(force=True)  # it says that it is disabled
    page.wait_for_timeout(100)
    expect(status(page)).to_contain_text("Cycle 1:")


def test_a_run_that_ended_has_no_plane(visit):
    page = visit("surface.html", says="away")
    page.get_by_label("Pruned").select_option("channels, rate rewound")
    page.get_by_role("button", name="Next cycle").click()
    expect(status(page)).to_have_text("The run ended before cycle 3.")
    expect(plane(page)).to_be_hidden()
    assert page.locator(".mx-facts b").all_inner_texts() == ["–"] * 4
    page.get_by_role("button", name="Previous cycle").click()
    expect(plane(page)).to_be_visible()


@pytest.mark.parametrize("way", range(3))
@pytest.mark.parametrize("width", [360, 1000])
def test_the_names_of_the_three_networks_can_be_read(visit, way, width):
    """None covers another, nor leaves the plane, where Wp and Wr are one point, too."""
    page = visit("surface.html", says="away", viewport={"width": width, "height": 800})
    page.get_by_label("Pruned").select_option(str(way))
    page.wait_for_timeout(100)
    names = page.locator(".mx-label")
    assert names.all_text_contents() == ["W*", "Wp", "Wr"]
    boxes = [name.bounding_box() for name in names.all()]
    for a, b in itertools.combinations(boxes, 2):
        across = min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"])
        along = min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"])
        assert min(across, along) <= 0
    whole = page.locator(".mx-plane canvas").bounding_box()
    for box in boxes:
        assert whole["x"] <= box["x"] and box["x"] + box["width"] <= whole["x"] + whole["width"]
        assert whole["y"] <= box["y"] and box["y"] + box["height"] <= whole["y"] + whole["height"]
    dots = page.locator(".mx-network")
    for dot, point in zip(dots.all(), surface_table()["points"][way, 1], strict=True):
        box = dot.bounding_box()
        ends = [surface_table()[name][way, 1][[0, -1]] for name in ("x", "y")]
        across, along = ((v - a) / (b - a) for v, (a, b) in zip(point, ends, strict=True))
        left, above = middle_of(page, 6 * along, 8 * across)
        assert box["x"] + box["width"] / 2 == pytest.approx(left, abs=1)
        assert box["y"] + box["height"] / 2 == pytest.approx(above, abs=1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_finger_chooses_a_cell_and_axe_finds_nothing(visit, scheme):
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = visit("surface.html", says="away", color_scheme=scheme, **phone)
    plane(page).scroll_into_view_if_needed()
    page.touchscreen.tap(*middle_of(page, 6, 1))
    page.wait_for_timeout(100)
    check_cell(page, 6, 1)
    page.add_script_tag(path=LOADER.parents[2] / "tests" / "axe.min.js")
    assert page.evaluate("axe.run()")["violations"] == []
