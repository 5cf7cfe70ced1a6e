"""What is long in widgets: once in the site, and read again from disk as it was."""

import json
import shutil
import types

import numpy as np
from ipywidgets import embed
from playwright.sync_api import expect

from sifting.publish.web import shared
from sifting.widgets import predict
from tests.pages import LOADER, page, watched

ROWS = {"density": np.geomspace(1, 0.01, 400), "test": np.random.default_rng(0).random((2, 400))}


def curves(count):
    return [predict.curve(ROWS, "test", f"Question {n}?") for n in range(count)]


def states(widgets):
    return embed.dependency_state(widgets, drop_defaults=False)


def texts(folder):
    found = {}
    for path in (folder / shared.FOLDER).glob("*.js"):
        begin, _, text = path.read_text(encoding="utf-8").partition(" = ")
        assert path.stem in begin
        found[path.stem] = json.loads(text.removesuffix(";\n"))
    return found


def test_long_texts_and_bytes_stand_once_and_are_what_they_were(tmp_path):
    whole = json.loads(json.dumps(states(curves(2))))
    found = json.loads(json.dumps(shared.apart(whole, tmp_path)))
    stored = texts(tmp_path)
    assert len(json.dumps(found)) < 0.1 * len(json.dumps(whole))
    assert (
        len({entry["state"]["_esm"]["shared"] for entry in found.values() if "_esm" in entry["state"]}) == 1
    )
    for model, entry in found.items():
        for key, value in entry["state"].items():
            said = stored[value["shared"]] if isinstance(value, dict) and "shared" in value else value
            assert said == whole[model]["state"][key]
        for mine, theirs in zip(entry["buffers"], whole[model].get("buffers", ()), strict=True):
            assert mine["path"] == theirs["path"]
            assert (mine.get("data") or stored[mine["shared"]]) == theirs["data"]


def test_a_page_reads_it_from_disk(browser, tmp_path):
    widgets = curves(2)
    text = page(*widgets)
    begin, _, rest = text.partition('state+json">')
    script = types.SimpleNamespace(
        attributes={
            "type": "application/vnd.jupyter.widget-state+json",
            "body": json.dumps({"state": states(widgets)}),
        }
    )
    shared.on_page([types.SimpleNamespace(attributes={}), script], tmp_path)
    assert len(script.attributes["body"]) < 0.1 * len(rest)
    end = rest[rest.index("</script>") :]
    (tmp_path / "page.html").write_text(
        f'{begin}state+json">{script.attributes["body"]}{end}', encoding="utf-8"
    )
    shutil.copy(LOADER, tmp_path)
    with browser.new_context() as context:
        tab = watched(context.new_page(), "file:")
        tab.goto((tmp_path / "page.html").as_uri())
        expect(tab.locator(".mx-curve-explorer")).to_have_count(2)  # else the first is the last, for a moment
        expect(tab.locator(".mx-draw svg").last).to_be_visible()
        tab.get_by_role("button", name="Just show me").last.click()
        expect(tab.locator(".mx-status").last).to_contain_text("a mean of 2 runs")
        assert tab.trouble == []
        for path in (tmp_path / shared.FOLDER).glob("*.js"):
            path.unlink()
        tab.goto((tmp_path / "page.html").as_uri())
        expect(tab.locator(".widget-static-note").first).to_contain_text("could not be drawn")


def test_what_no_page_loads_is_removed(tmp_path):
    static, book = tmp_path / "_static", tmp_path / "book"
    book.mkdir()
    kept, _ = (shared.apart({"model": {"state": {"_esm": letter * 5000}}}, static) for letter in "ab")
    (book / "page.html").write_text(json.dumps(kept), encoding="utf-8")
    assert len(texts(static)) == 2
    shared.tidy(tmp_path)
    assert [*texts(static).values()] == ["a" * 5000]
