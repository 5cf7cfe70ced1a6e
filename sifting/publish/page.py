"""How figures and statements get onto a page, in a live notebook and in the book, and are recorded there."""

import ast
import dataclasses
import json
import os
import pathlib

from sifting.config import FIELDS, Config, changed, images_of
from sifting.figures import beside, values
from sifting.figures.style import guesses, guessing, share, strangers
from sifting.publish import answers, catalog, claims, intervals, live, plans
from sifting.publish.markup import embed, grid
from sifting.publish.pages.outputs import TRIAL
from sifting.publish.settings import classes

FEW = 6  # results that are listed under a figure; more are folded away
PACKAGE = pathlib.Path(__file__).parents[1]


def open_chapter(
    chapter: str, preset: str, seeds: int, device: str = "auto", overrides: dict | None = None
) -> "Page":
    """The page of a chapter, with its results: stored ones are read, missing ones computed.

    Raises ValueError for names that there are not, with the choices, and for overrides without effect.
    """
    with live.opening(chapter, preset, seeds, overrides):
        base = plans.base(chapter, preset, overrides)
        return Page(preset, plans.results(chapter, base, seeds, device), chapter, base)


class Page:
    """The page of one chapter: what is shown on it was made at one preset from stored results.

    Every output carries in its metadata, under "sifting", what it shows; the pages Coverage and
    Claims are computed from that, and from nothing else.

    preset  : its name; base: its Config, with overrides
    results : (kind, group) -> runs, one a seed; groups : group -> its runs, of the first kind that it has
    runs    : those that figures are drawn from unless they say otherwise; default: all
    claims  : ID.NAME -> claim, of what has been tested
    """

    def __init__(self, preset: str, results: dict, chapter: str = "", base: Config | None = None):
        self.preset, self.results, self.chapter, self.base = preset, results, chapter, base
        self.groups = {}
        for (_, group), runs in results.items():
            self.groups.setdefault(group, runs)
        self.runs = sum(results.values(), [])
        self.claims = {}
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
        alt     : for those who do not see it; default: the caption, and what values.described says
        """
        _own(name)
        self.anchors.add(name)
        figure = draw(**options) if table is None else draw(table, **options)
        if other := strangers(figure):
            raise ValueError(
                f"{name} has other colors than the book for {', '.join(other)}; see style.METHODS"
            )
        if all(len(group) == 1 for group in self.groups.values()):
            caption = values.of_one(caption)
        caption += values.hollows(figure)
        stored, of = _beside(name, figure)
        runs = self.runs if runs is None else runs
        if guesses(figure):
            guessing(figure, map(classes, {images_of(run.config) for run in runs}))
        names = sorted({run.name for run in runs}) if table is not None else []
        function = f"{draw.__module__.removeprefix('sifting.')}.{draw.__name__}"
        made = f'drawn by <a href="reference.html#{function}">{function}</a>'
        if names:
            links = ", ".join(f'<a href="provenance.html#{run}">{run}</a>' for run in names)
            if len(names) > FEW:
                links = f"<details><summary>{len(names)} results</summary>{links}</details>"
            made += f" from {links}"
        self._publish(
            embed(name, figure, caption, made, alt, stored, of),
            f"{name}: {caption}",
            self._record(name, function, runs) | {"results": names},
        )

    def check(self, id: str, **effects) -> None:
        """Test statements on a figure, and show what became of them as one figure, a row a statement.

        id      : of the figure of the papers that they are about; for statements of our own a name with a
                  hyphen
        effects : name of the statement in the catalog -> the effect in every seed, or a dict of arguments of
                  claims.check
        """
        tested = []
        for name, effect in effects.items():
            how = effect if isinstance(effect, dict) else {"values": effect}
            tested.append(claims.check(catalog.statement(id, name), **how))
        key = intervals.key() * (not self.claims)
        anchor = id * (tested[0].statement.own and id not in self.anchors)
        self.anchors |= {anchor} - {""}
        self.claims |= {claim.statement.key: claim for claim in tested}
        where = self._where(self.runs)
        made = f'<a href="provenance.html">{" · ".join(filter(None, where.values()))}</a>'
        shown = [intervals.row(claim, made) for claim in tested]
        self._publish(
            key + intervals.listed(shown, f"Statements tested on {id}", anchor),
            "\n".join(map(str, tested)),
            {"claims": [claim.record | where for claim in tested]},
        )

    def settings(self, group: str = "", name: str = "", caption: str = "") -> None:
        """Show, field by field, where the settings here differ from those of the paper.

        The paper's are known as far as it or its code tells them.
        What no run of the page has is left out: the chapter sets it by itself, or does not need it.

        group : whose first run is compared with the same at the paper's preset; default: what the plan is
                made of
        name  : the ID of a table of the papers that this is, which shows what both share, too, where it is
                not the default
        """
        config, paper = self.base, plans.base(self.chapter, "paper")
        if group:
            config, paper = self.groups[group][0].config, plans.in_paper(self.chapter, group)
        shared = set(changed(paper)) if name else set()
        runs = [run.config for run in self.runs] or [config]
        used = {
            field for field in FIELDS if any(getattr(run, field) == getattr(config, field) for run in runs)
        }
        paper, here = dataclasses.asdict(paper), dataclasses.asdict(config)
        if here["dataset"] != paper["dataset"]:
            paper["train_images"] = "all"  # of other datasets than photos
        if here["dataset"] not in ("photos", "fields"):  # images have the size and the number that they have
            here |= {field: paper[field] for field in ("train_images", "image_size")}
        rows = [
            [field, _words(paper[field]), _words(here[field])]
            for field in here
            if here[field] != paper[field] and field in used or field in shared
        ]
        caption = caption or f"Settings that differ from the paper ({self.preset} preset)"
        self.table(["field", "at the paper preset", "here"], rows, caption, name, "publish.page.Page")

    def measures(self, rows: list[dict], densities) -> None:
        """Show measures of locality with their errors and controls, from tables.locality.measures."""
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
        caption = (
            "Measures of locality: mean over seeds, its standard deviation over seeds and its standard error "
            "over the units of the first run, and means of two controls"
        )
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

        name : the ID of a table of the papers, which is then recorded as reproduced
        made : the function that made it
        runs : the stored results behind it, where they are not all of the page's
        """
        label, anchor = (f"<strong>{name}.</strong> ", f' id="{name}"') if name else ("", "")
        self.anchors |= {name} - {""}
        self._publish(
            grid(head, rows, caption, label, anchor),
            "\n".join(" | ".join(row) for row in [head, *rows]),
            self._record(name, made, self.runs if runs is None else runs) if name else {"table": caption},
        )

    def note(self, text: str) -> None:
        """A sentence with computed numbers, in Markdown."""
        live.publish({"text/markdown": text, "text/plain": text}, {})

    def answer(self, overrides: str, figure: str, says: str = "", of: str = "") -> None:
        """Show the answer to an exercise, or how to find it: see answers.shown."""
        self._publish(*answers.shown(self, overrides, figure, says, of), {"answer": overrides})

    def source(self, *names: str) -> None:
        """Show the code of functions, as pruning.plain.imp, taken from their files."""
        code = "\n\n\n".join(source_of(name) for name in names)
        live.publish(
            {"text/markdown": f"```python\n{code}\n```", "text/plain": code}, {"sifting": {"source": names}}
        )

    def glue(self, **values) -> None:
        """Numbers and words that the text of this and of other pages can name."""
        from myst_nb import glue

        for name, value in values.items():
            glue(name, value, display=False)

    def mark(self, name: str, widget, caption: str) -> None:
        """Show an explorer as a figure of the papers, and record it under that ID."""
        live.remember(widget)
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
        live.publish({"text/html": page, "text/plain": plain}, {"sifting": record})


def _beside(name: str, figure) -> tuple[str, str]:
    """Keep the curves of a figure beside it, and draw those that are kept in $SIFTING_BESIDE behind it.

    returns : the figure that lies there, as SVG, and what it is of, in words; or nothing, twice
    """
    if folder := os.environ.get("SIFTING_FIGURES"):
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        curves = json.dumps(beside.kept_of(figure))
        (pathlib.Path(folder) / f"{name}.json").write_text(curves, encoding="utf-8")
        if numbers := values.table(figure):
            (pathlib.Path(folder) / f"{name}.csv").write_text(numbers, encoding="utf-8")
    if folder := os.environ.get("SIFTING_BESIDE"):
        drawn, kept = (pathlib.Path(folder) / f"{name}.{kind}" for kind in ("svg", "json"))
        if not kept.exists():
            return "", ""
        page = pathlib.Path(folder).name
        of = f"trial {page.removeprefix(TRIAL)}" if page.startswith(TRIAL) else "the book"
        beside.draw_behind(figure, json.loads(kept.read_text(encoding="utf-8")), of)
        return drawn.read_text(encoding="utf-8"), of
    return "", ""


def source_of(name: str) -> str:
    """The source of a public function or class, as observables.locality.localization, without importing it.

    Raises ValueError where there is none.
    """
    *path, last = name.split(".")
    file = PACKAGE.joinpath(*path).with_suffix(".py")
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    for node in ast.parse(text).body:
        if getattr(node, "name", "") == last:
            return ast.get_source_segment(text, node)
    raise ValueError(f"no function {name}")


def _own(name: str) -> bool:
    """Whether a figure is ours. Raises ValueError where it should be the papers' and is not."""
    if name not in catalog.FIGURES and "-" not in name:
        raise ValueError(
            f"no figure of the papers has the ID {name!r}; names of our own have a hyphen, as imp-locality"
        )
    return name not in catalog.FIGURES


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
