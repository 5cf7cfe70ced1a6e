"""The panel at the head of a chapter in JupyterLab: it says what a run takes, runs, and shows what came out.

A run is `make chapter=` itself, in a process of its own: the kernel stays free, Stop is as Ctrl-C, what is
finished is kept, and what comes out is a trial.
"""

import asyncio
import contextlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator

import anywidget
import nbformat
import traitlets as t
from IPython.display import display

from sifting.config import SETTINGS
from sifting.publish import asked, runner, trials
from sifting.publish.forecast import forecast
from sifting.publish.live import SWITCH, knobs, markdown
from sifting.publish.pages.tried import arguments, page_of, said

BAR = re.compile(r"(?P<what>.*?): +(?P<percent>\d+)%\|.*?\| *(?P<words>.*)")  # of tqdm


class Panel(anywidget.AnyWidget):
    """What is chosen, what it takes, and what came of it.

    facts   : see knobs.facts; trials : see knobs.stored
    values  : field -> what is typed; cell : a cell of parameters with what is chosen
    said    : what a run takes, or what is wrong; ready : it can be run; looks : how often that was said
    done    : share of what is being computed, -1 where that is not known; doing : it, in words
    results : of the last run: see results_of; figure : name of the one that is shown
    """

    _esm, _css = knobs.script(), knobs.style()
    facts = t.Dict().tag(sync=True)
    trials = t.List().tag(sync=True)
    live = t.Bool(True).tag(sync=True)
    preset = t.Unicode().tag(sync=True)
    seeds = t.Int(1).tag(sync=True)
    values = t.Dict().tag(sync=True)
    said = t.Unicode().tag(sync=True)
    wrong = t.Bool(False).tag(sync=True)
    ready = t.Bool(False).tag(sync=True)
    looks = t.Int(0).tag(sync=True)
    running = t.Bool(False).tag(sync=True)
    done = t.Float(-1).tag(sync=True)
    doing = t.Unicode().tag(sync=True)
    cell = t.Unicode().tag(sync=True)
    results = t.Dict().tag(sync=True)
    figure = t.Unicode().tag(sync=True)

    def __init__(self, chapter: str):
        with trials.of_the_book():
            facts = knobs.facts(chapter)
        facts["fields"] = [knobs.field(SETTINGS[name]) for name in facts["fields"]]
        super().__init__(facts=facts, trials=trials_of(chapter), **facts["own"])
        self.chapter, self.process, self.loop = chapter, None, None
        with contextlib.suppress(RuntimeError):  # there is none but in a kernel
            self.loop = asyncio.get_running_loop()
        self.observe(lambda _: self.look(), ["preset", "seeds", "values"])
        self.on_msg(lambda _, message, __: {"run": self.run, "stop": self.stop}[message["do"]]())
        self.look()

    def __repr__(self):
        return f"Panel({self.chapter!r})"

    @property
    def settings(self) -> dict:
        """Preset, seeds, and overrides: the fields that are to have another value than at the preset.

        Raises ValueError for a value that a field cannot have.
        """
        at = next(one["at"] for one in self.facts["presets"] if one["name"] == self.preset)
        typed = {name: SETTINGS[name].read(text) for name, text in self.values.items() if text.strip()}
        other = {name: value for name, value in typed.items() if value != SETTINGS[name].read(at[name])}
        return {"preset": self.preset, "seeds": self.seeds, "overrides": other}

    def look(self) -> None:
        """Say what a run would take, or what is wrong with what is chosen."""
        try:
            chosen = self.settings
            with trials.of_the_book():
                asked.check(self.chapter, **chosen)
                own = asked.settle(self.chapter, None, None, None)
                preset, base, seeds = asked.settle(self.chapter, *chosen.values())
            with trials.apart():
                words = str(forecast(self.chapter, base, seeds))
            cell = {"preset": preset, "seeds": seeds, "device": "auto", "overrides": chosen["overrides"]}
            self.cell = "\n".join(f"{name} = {value!r}" for name, value in cell.items())
            same = (preset, base, seeds) == own
            self.said = "These are the settings of the book; its results are below." if same else words
            self.wrong, self.ready = False, not same
        except (ValueError, FileNotFoundError) as error:
            self.said, self.wrong, self.ready = str(error), True, False
        self.looks += 1

    def run(self) -> None:
        """Begin to compute and to draw, where nothing hinders it."""
        if self.running or not self.ready:
            return
        chosen = self.settings
        fields = {field: list(v) if isinstance(v, tuple) else v for field, v in chosen["overrides"].items()}
        record = {"chapter": self.chapter} | chosen | {"overrides": fields}
        with trials.of_the_book():
            environment = {name: value for name, value in os.environ.items() if name != SWITCH}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sifting", "run", self.chapter, *arguments(record)],
            env=environment | {"PYTHONUNBUFFERED": "1", "SIFTING_BESIDE": "", "TQDM_MININTERVAL": "0.5"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.running, self.done, self.doing, self.results, self.stopped = True, -1, "begins", {}, False
        threading.Thread(target=self._follow, args=[record], daemon=True).start()

    def stop(self) -> None:
        """Stop a run as Ctrl-C does: finished levels are kept."""
        if self.running:
            self.doing, self.stopped = "stops", True
            self.process.terminate()

    def _follow(self, record: dict) -> None:
        """Say how far a run is, until it ends; then what came out."""
        for line in lines(self.process.stdout):
            if bar := BAR.fullmatch(line):
                self.done, self.doing = int(bar["percent"]) / 100, f"{bar['what']}: {bar['words']}"
            else:
                self.done, self.doing = -1, line
        if self.process.wait() and self.stopped:
            self.doing = "stopped; what is finished is kept, and Run goes on"
        elif self.process.returncode == 0:
            self.doing = ""
            self.results = results_of(record)
            self.trials = trials_of(self.chapter)
        self.running = False
        if self.loop:  # where other code of the kernel runs: it must not meet another folder of results
            self.loop.call_soon_threadsafe(self.look)


def panel(chapter: str) -> None:
    """Open the panel of a chapter."""
    display(Panel(chapter))


def trials_of(chapter: str) -> list[dict]:
    """The stored trials of a chapter, with links to the site."""
    return knobs.stored(chapter, runner.BOOK, markdown.SITE)


def lines(stream) -> Iterator[str]:
    """What a process says, line by line; the states of a progress bar are lines, too."""
    rest = b""
    while piece := stream.read1():
        *whole, rest = re.split(rb"[\r\n]+", rest + piece)
        yield from (text for line in whole if (text := line.decode(errors="replace").strip()))
    if text := rest.decode(errors="replace").strip():
        yield text


def results_of(record: dict) -> dict:
    """What the page of a trial shows: said, page (its address), statements (a table), figures; as HTML."""
    page = page_of(trials.name_of(record))
    notebook = nbformat.read(runner.BOOK / f"{page}.ipynb", 4)
    shown = [
        (output.metadata["sifting"], output.data["text/html"])
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "figure" in output.get("metadata", {}).get("sifting", {})
    ]
    statements = next((cell.source for cell in notebook.cells if cell.id == "trial-statements"), "")
    figures = [
        {"name": made["figure"], "title": title(made["figure"], html), "html": markdown.on_site(html)}
        for made, html in shown
        if "<figure" in html or "<table" in html
    ]
    return {
        "said": said(record),
        "page": f"{markdown.SITE}{page}.html",
        "statements": statements,
        "figures": figures,
    }


def title(name: str, html: str) -> str:
    """A figure in a few words: its name, and how its caption begins."""
    caption = re.search(r"<figcaption><strong>.*?</strong> (.*?) <span", html, re.S)
    words = re.sub(r"<.*?>|&\w+;", "", caption[1]) if caption else ""
    return f"{name}: {words[:60].rstrip()}" + "\N{HORIZONTAL ELLIPSIS}" * (len(words) > 60) if words else name
