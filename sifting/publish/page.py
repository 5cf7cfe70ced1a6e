"""How figures and claims get onto a page, in a live notebook and in the book, and are recorded there."""

import base64
import dataclasses
import html
import io
import math
import os
import pathlib
import re

from IPython.display import publish_display_data

from sifting.config import FIELDS, PRESETS, Config, changed
from sifting.figures.style import SMALL, share
from sifting.publish import claims
from sifting.publish.catalog import FIGURES

FEW = 6  # results that are listed under a figure; more are folded away
SMOKE = "Made at the smoke preset, which tests that every step runs: nothing below is a result."


class Page:
    """The page of one chapter: what is shown on it was made at one preset from stored results.

    Every output carries in its metadata, under "sifting", what it shows; the pages Coverage and
    Claims are computed from that, and from nothing else.
    """

    def __init__(self, preset: str, runs: list):
        self.preset = preset
        self.runs = list(runs)
        self.anchors = set()  # names that links on other pages can lead to

    def show(
        self, name: str, draw, table, caption: str, runs: list | None = None, alt: str = "", **options
    ) -> None:
        """Draw a figure: draw(table, **options), a function of sifting.figures.

        name    : its ID in the papers, PB1a, or for one of our own a name with a hyphen; also its
                  anchor, and its file name under $SIFTING_FIGURES
        table   : what it draws; None for a sketch
        caption : what to see, HTML
        runs    : the stored results behind it, where they are not all of the page's
        alt     : for those who do not see it; default: the caption
        """
        _own(name)
        self.anchors.add(name)
        figure = draw(**options) if table is None else draw(table, **options)
        runs = self.runs if runs is None else runs
        names = sorted({run.name for run in runs}) if table is not None else []
        function = f"figures.{draw.__name__}"
        made = f'drawn by <a href="reference.html#{function}">{function}</a>'
        if names:
            links = ", ".join(f'<a href="provenance.html#{run}">{run}</a>' for run in names)
            if len(names) > FEW:
                links = f"<details><summary>{len(names)} results</summary>{links}</details>"
            made += f" from {links}"
        self._publish(
            embed(name, figure, caption, made, alt),
            f"{name}: {caption}",
            self._record(name, function, runs) | {"results": names},
        )

    def check(self, id: str, statement: str, paper: str, effect: str, values, **options) -> claims.Claim:
        """Test a statement (claims.check), show the verdict beside the paper's own value, and return the claim.

        id : of the figure of the papers that it is about; for a statement of our own a name with a hyphen
        """
        claim = claims.check(id, statement, paper, effect, values, **options)
        style = claim.verdict.replace(" ", "-")
        anchor = f' id="{id}"' if _own(id) and id not in self.anchors else ""
        self.anchors.add(id)
        self._publish(
            f'<div class="claim {style}"{anchor}><p><span class="verdict">{claim.verdict}</span> {html.escape(statement)}</p>'
            f"<dl><dt>the paper</dt><dd>{html.escape(paper)}</dd>"
            f"<dt>here</dt><dd>{html.escape(effect)}: <strong>{claim.ours}</strong> "
            f"<small>to hold: {claim.wanted}</small></dd></dl></div>",
            f"{claim.verdict}: {statement} Paper: {paper}. Here: {effect}: {claim.ours}",
            {
                "claim": {name: _finite(value) for name, value in dataclasses.asdict(claim).items()}
                | {"verdict": claim.verdict, "ours": claim.ours, "wanted": claim.wanted}
                | self._where(self.runs)
            },
        )
        return claim

    def settings(
        self, config: Config, paper: Config = PRESETS["paper"], name: str = "", caption: str = ""
    ) -> None:
        """Show, field by field, where `config` differs from the preset of the paper's settings, as far as it or its code tells them.

        What no run of the page has as `config` says is left out: the chapter sets it by itself, or does not need it.

        name : the ID of a table of the papers that this is, which shows what both share, too, where it is not the default
        """
        if self.preset == "smoke":
            self._publish(f'<p class="warning">{SMOKE}</p>', SMOKE, {"note": SMOKE})
        chosen = set(changed(paper)) if name else set()
        runs = [run.config for run in self.runs] or [config]
        used = {
            field for field in FIELDS if any(getattr(run, field) == getattr(config, field) for run in runs)
        }
        paper, here = dataclasses.asdict(paper), dataclasses.asdict(config)
        if here["dataset"] != paper["dataset"]:
            paper["train_images"] = "all"  # of other datasets than photos
        if here["dataset"] != "photos":
            here["train_images"] = paper["train_images"]
        rows = [
            [field, _words(paper[field]), _words(here[field])]
            for field in here
            if here[field] != paper[field] and field in used or field in chosen
        ]
        self.table(
            ["field", "at the paper preset", "here"],
            rows,
            caption or f"Settings that differ from the paper ({self.preset} preset)",
            name,
            "page.Page",
        )

    def measures(self, rows: list[dict], densities) -> None:
        """Show measures of locality with their errors and controls, from tables.measures."""
        kinds = {
            "value": "mean over seeds", "seeds": "± over seeds", "units": "± over units",
            "random": "random pruning", "shuffled": "pixels shuffled",
        }  # fmt: skip
        cells = [
            [
                row["name"],
                share(density),
                *(f"{row[kind][n]:z.3f}".replace("nan", "–").replace("-", "−") for kind in kinds),
            ]
            for row in rows
            for n, density in enumerate(densities)
        ]
        caption = "Measures of locality: standard deviation over seeds, standard error over the units of the first run, means of controls"
        self.table(["measure", "weights kept", *kinds.values()], cells, caption)

    def table(
        self,
        head: list[str],
        rows: list[list[str]],
        caption: str,
        name: str = "",
        made: str = "",
        runs: list | None = None,
    ) -> None:
        """Show a table of words; the first column names the rows.

        name : the ID of a table of the papers, which is then recorded as reproduced; made: the function that made it; runs: the
               stored results behind it, where they are not all of the page's
        """
        label, anchor = (f"<strong>{name}.</strong> ", f' id="{name}"') if name else ("", "")
        self._publish(
            grid(head, rows, caption, label, anchor),
            "\n".join(" | ".join(row) for row in [head, *rows]),
            self._record(name, made, self.runs if runs is None else runs) if name else {"table": caption},
        )

    def note(self, text: str) -> None:
        """A sentence with computed numbers, in Markdown."""
        publish_display_data({"text/markdown": text, "text/plain": text})

    def mark(self, name: str, widget, caption: str) -> None:
        """Show an explorer as a figure of the papers, and record it under that ID."""
        self._publish(
            f'<p class="sifting-caption" id="{name}"><strong>{name}.</strong> {caption}</p>',
            f"{name}: {caption}",
            self._record(name, f"widgets.{type(widget).__name__}", self.runs),
        )

    def _record(self, name: str, function: str, runs: list) -> dict:
        results = sorted({run.name for run in runs})
        return {
            "figure": name,
            "own": _own(name),
            "function": function,
            "results": results,
            **self._where(runs),
        }

    def _where(self, runs: list) -> dict:
        return {"preset": self.preset, "dataset": runs[0].config.dataset if runs else None}

    @staticmethod
    def _publish(page: str, plain: str, record: dict) -> None:
        publish_display_data({"text/html": page, "text/plain": plain}, {"sifting": record})


def embed(name: str, figure, caption: str, made: str, alt: str = "") -> str:
    """A figure as HTML, with its anchor, its caption, and who made it; and as a file, see Page.show."""
    text = svg(figure)
    if folder := os.environ.get("SIFTING_FIGURES"):
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        (pathlib.Path(folder) / f"{name}.svg").write_text(text)
    source = base64.b64encode(text.encode()).decode()
    return (
        f'<figure class="sifting-figure" id="{name}"><div class="scroll" tabindex="0" role="region" aria-label="{name}">'
        f'<img class="{_room(figure)}" alt="{html.escape(alt or caption, quote=True)}" '
        f'src="data:image/svg+xml;base64,{source}"></div>'
        f'<figcaption><strong>{name}.</strong> {caption} <span class="made">{made}</span></figcaption></figure>'
    )


def grid(head: list[str], rows: list[list[str]], caption: str, label: str = "", anchor: str = "") -> str:
    """A table of words as HTML; the first column names the rows. label, anchor : HTML before the caption, of the table."""
    top = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in head)
    body = "".join(
        f'<tr><th scope="row">{html.escape(first)}</th>{"".join(f"<td>{_on_one_line(html.escape(cell))}</td>" for cell in rest)}</tr>'
        for first, *rest in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{html.escape(caption, quote=True)}">'
        f'<table class="settings"{anchor}><caption><span>{label}{html.escape(caption)}</span></caption>'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _on_one_line(cell: str) -> str:
    """The cell of a table where no line ends between a number and its error or unit."""
    return re.sub(r"(?<=\d) (?=[±%])|(?<=±) ", "\N{NO-BREAK SPACE}", cell)


def _own(name: str) -> bool:
    """Whether a figure is ours and not the papers'. Raises ValueError where it should be theirs and is not."""
    if name not in FIGURES and "-" not in name:
        raise ValueError(
            f"no figure of the papers has the ID {name!r}; names of our own have a hyphen, as imp-locality"
        )
    return name not in FIGURES


def _room(figure) -> str:
    """The class of a picture: one with words or numbers to be read is wider than a phone, unless it is drawn small."""
    read = any(ax.axison and (ax.get_xticks().size or ax.get_xlabel()) for ax in figure.axes)
    return "small" if figure.get_figwidth() <= SMALL else "wide" if read else "narrow"


def _finite(value):
    """What JSON can hold: None for what is not finite."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _words(value) -> str:
    return (
        " × ".join(map(str, value))
        if isinstance(value, tuple)
        else f"{value:,}"
        if isinstance(value, int) and not isinstance(value, bool)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


def svg(figure) -> str:
    """A figure as SVG text; equal figures give equal text."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None}, facecolor="white")
    return buffer.getvalue()
