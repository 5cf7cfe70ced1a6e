"""The built site from disk in Firefox, which is told what to do by WebDriver BiDi."""

import json
import os
import re
import shutil
import subprocess
import time

import pytest

websocket = pytest.importorskip("websocket")
FIREFOX = next(
    filter(None, map(shutil.which, (os.environ.get("FIREFOX", ""), "firefox-esr", "firefox"))), None
)
pytestmark = pytest.mark.skipif(FIREFOX is None, reason="Firefox is not installed")

VIEWS = "document.querySelectorAll('script[type$=\"widget-view+json\"]').length"
DRAWN = "document.querySelectorAll('.anywidget-static[data-ready]').length"
LOOKED_AT = {  # page -> what must be there, which is true in the end
    "book/intro.html": f"{DRAWN} === 1",
    "book/lab.html": f"{DRAWN} === 1",
    "book/imp.html": "document.querySelectorAll('.mx-thumbs canvas').length > 8",
    "book/basins.html": "document.querySelector('.mx-line-explorer .mx-chart svg')",
    "book/clones.html": "document.querySelectorAll('.mx-pick canvas').length > 3",
    "book/surface.html": "document.querySelector('.mx-plane canvas')",
    "book/cavity.html": "document.querySelector('mjx-container svg')",
    "book/claims.html": "document.querySelector('.choices select')",
    "search.html?q=pruning": "document.querySelectorAll('#search-results li a').length > 1",
}
KEYS = {"Enter": "\ue007", "ArrowRight": "\ue014", "ArrowUp": "\ue013"}


class Firefox:
    """A tab of a Firefox; `trouble` lists errors of its pages.

    Source: WebDriver BiDi, https://w3c.github.io/webdriver-bidi
    """

    def __init__(self, address: str):
        self.socket = websocket.create_connection(f"{address}/session", timeout=120, suppress_origin=True)
        self.number, self.trouble = 0, []
        self.send("session.new", capabilities={})
        self.send("session.subscribe", events=["log.entryAdded", "network.fetchError"])
        self.tab = self.send("browsingContext.getTree")["contexts"][0]["context"]

    def send(self, method: str, **parameters) -> dict:
        """The result of a command. Raises AssertionError where there is an error."""
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while (said := json.loads(self.socket.recv())).get("id") != self.number:
            self._hear(said)
        assert said["type"] == "success", said
        return said["result"]

    def _hear(self, event: dict) -> None:
        about = event.get("params", {})
        if event.get("method") == "network.fetchError":
            self.trouble.append(f"failed: {about['request']['url']}")
        elif about.get("level") == "error":
            self.trouble.append(f"error: {about['text']}")

    def open(self, address: str) -> None:
        self.trouble.clear()
        self.send("browsingContext.navigate", context=self.tab, url="about:blank", wait="complete")
        self.send("browsingContext.navigate", context=self.tab, url=address, wait="complete")

    def evaluate(self, code: str):
        """What an expression is, as JSON."""
        found = self.send(
            "script.evaluate",
            expression=f"Promise.resolve({code}).then(JSON.stringify)",
            target={"context": self.tab},
            awaitPromise=True,
        )
        assert found["type"] == "success", found
        return json.loads(found["result"].get("value") or "null")

    def wait(self, code: str, seconds: float = 100) -> None:
        """Until an expression is true."""
        until = time.monotonic() + seconds
        while not self.evaluate(f"!!({code})"):
            assert time.monotonic() < until, f"waited in vain for {code}: {self.trouble}"
            time.sleep(0.1)

    def _act(self, kind: str, actions: list[dict], **parameters) -> None:
        source = {"type": kind, "id": kind, "actions": actions, **parameters}
        self.send("input.performActions", context=self.tab, actions=[source])

    def press(self, *keys: str) -> None:
        for key in (KEYS.get(key, key) for key in keys):
            self._act("key", [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}])

    def click(self, element: str) -> None:
        """A click of the mouse on what an expression finds, once it stays where it is."""
        x, y = self.evaluate(f"""(async () => {{
            const frames = async n => {{ while (n--) await new Promise(requestAnimationFrame) }};
            for (let last; ; await frames(10)) {{
                const e = {element};
                e.scrollIntoView({{ block: "center", behavior: "instant" }});
                const box = e.getBoundingClientRect();
                const here = [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)];
                if (`${{here}}` === last && e.contains(document.elementFromPoint(...here))) return here;
                last = `${{here}}`;
            }}
        }})()""")
        down, up = ({"type": f"pointer{way}", "button": 0} for way in ("Down", "Up"))
        move = {"type": "pointerMove", "x": x, "y": y}
        self._act("pointer", [move, down, up], parameters={"pointerType": "mouse"})


@pytest.fixture(scope="module")
def firefox(tmp_path_factory):
    home = tmp_path_factory.mktemp("firefox")
    log = home / "log"
    command = [FIREFOX, "--headless", "--no-remote", "--profile", home, "--remote-debugging-port", "0"]
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, env=os.environ | {"HOME": str(home)})
    try:
        until = time.monotonic() + 120
        while not (found := re.search(r"listening on (ws://\S+)", log.read_text(encoding="utf-8"))):
            assert process.poll() is None and time.monotonic() < until, log.read_text(encoding="utf-8")
            time.sleep(0.2)
        tab = Firefox(found[1])
        yield tab
        tab.socket.close()
    finally:
        process.terminate()
        process.wait()


def named(button: str) -> str:
    """The first button of that name that is seen, as an expression."""
    return (
        f"[...document.querySelectorAll('button')].find(e => e.textContent === {button!r} && e.offsetParent)"
    )


@pytest.mark.parametrize("name", LOOKED_AT)
def test_a_page_is_whole_and_reports_no_error(firefox, site, name):
    firefox.open(f"{site.as_uri()}/{name}")
    firefox.wait(LOOKED_AT[name])
    firefox.wait(f"{DRAWN} === {VIEWS}")
    assert firefox.evaluate("document.querySelectorAll('.widget-static-note').length") == 0
    assert firefox.trouble == []


def test_a_prediction_is_drawn_by_keys_and_opens_the_answer(firefox, site):
    firefox.open(f"{site.as_uri()}/book/imp.html")
    firefox.wait("document.querySelector('.mx-draw svg')")
    firefox.evaluate("document.querySelector('.mx-draw').focus()")
    firefox.press("ArrowRight", "ArrowUp")
    firefox.wait("document.querySelector('.mx-guess')")
    assert not firefox.evaluate("document.querySelector('details.folded').open")
    firefox.click(named("Show"))
    firefox.wait(
        "document.querySelector('.mx-draw .mx-answer') && document.querySelector('details.folded').open"
    )
    assert firefox.trouble == []


def test_a_statement_opens_by_click_and_claims_are_chosen(firefox, site):
    firefox.open(f"{site.as_uri()}/book/claims.html")
    firefox.wait("document.querySelector('.choices select')")
    firefox.click("document.querySelector('.ledger .claim summary')")
    firefox.wait("document.querySelector('.ledger .claim details').open")
    assert firefox.trouble == []


def test_the_search_finds_from_the_keyboard(firefox, site):
    firefox.open(f"{site.as_uri()}/search.html")
    firefox.wait("document.querySelector('main input[type=search]')")
    firefox.evaluate("document.querySelector('main input[type=search]').focus()")
    firefox.press(*"kurtosis", "Enter")
    firefox.wait("document.querySelector('#search-results li a')")
    assert firefox.trouble == []


def test_the_laboratory_trains_all_levels(firefox, site):
    """What is waited for stays: a level takes half a second, in which a busy machine may not look."""
    firefox.open(f"{site.as_uri()}/book/lab.html#lab?images=digits&steps=200&levels=2")
    start = "document.querySelector('.mx-play[aria-label=Start]')"
    firefox.wait(start)
    firefox.click(start)
    firefox.wait("/^Done in/.test(document.querySelector('.mx-told').textContent)")
    assert firefox.evaluate("document.querySelector('.mx-status').textContent").startswith("Level 2 of 2: ")
    assert firefox.trouble == []


def test_on_a_phone_panels_of_a_figure_stand_one_below_another(firefox, site):
    firefox.send("browsingContext.setViewport", context=firefox.tab, viewport={"width": 390, "height": 844})
    firefox.open(f"{site.as_uri()}/book/basins.html")
    firefox.evaluate("document.querySelector('.stack').scrollIntoView()")
    firefox.wait("[...document.querySelector('.stack').querySelectorAll('img')].every(e => e.naturalWidth)")
    rows = "[...document.querySelector('.stack').querySelectorAll('.beside')]"
    high = f"{rows}.map(row => [...row.children].map(crop => crop.offsetHeight))"
    assert all(max(row) - min(row) <= 1 for row in firefox.evaluate(high))
    assert firefox.evaluate("document.documentElement.scrollWidth") <= 390
    firefox.send("browsingContext.setViewport", context=firefox.tab, viewport=None)
    assert firefox.trouble == []
