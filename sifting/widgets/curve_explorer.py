"""The curve explorer: the reader draws what to expect, and then sees what is stored."""

import numpy as np
import traitlets as t
from PIL import Image, ImageDraw

from sifting.tables.basics import interval
from sifting.widgets.explorer import Explorer, module, numbers, read_json, squeeze_json

ROOM = 1.4  # how far the axis reaches on each side of the anchor, over the farthest value from it
AXES = {  # x -> its name, how a place is said, whether it is a share, whether its axis is logarithmic
    "density": ("weights kept", "at {} of the weights", True, True),
    "weights taken out": ("weights taken out", "without {} of the weights", True, True),
    "share": ("channels pruned", "with {} of the channels pruned", True, False),
    "t": ("share of the way", "at {} of the way", False, False),
}
INK, SHADE, PAPER = (10, 108, 128), (190, 219, 225), (255, 255, 255)  # of the picture


class CurveExplorer(Explorer):
    """Draw the curve that you expect; then see the stored one, with its interval, over yours.

    What is stored is on no axis and in no text before the reader asks for it. Build it with `from_rows`.
    """

    _esm = module("curve_explorer")

    data = t.Bytes().tag(sync=True)  # JSON, deflated
    guess = t.List().tag(sync=True)  # of the reader, a value or None for every x; empty: nothing yet
    shown = t.Bool(False).tag(sync=True)  # whether what is stored is

    @classmethod
    def from_rows(
        cls, rows: dict, y: str, ask: str, x: str = "density", given: dict | None = None, **options
    ):
        """The explorer of one curve of a table.

        rows    : name -> array: x (points,), numbers, and y (runs, points)
        y       : the array to be drawn
        ask     : the question
        x       : the array along it, one of AXES or any other
        given   : name -> rows of the same form that are shown from the beginning
        options : label, what y is called; default: its name
                  percent, whether y are shares, shown in percent; unit, what is said of them, as points
                  anchor, the place of the point that is given; default: the first; None: none is
                  log, whether the axis of y is logarithmic; most, what y can be at most
                  each, what the mean is over; default: runs

        Points without a value in every run are left out; with fewer than two others, the page says that
        there is nothing to draw.
        """
        beside = {
            name: (other[x], np.asarray(other[y], float).mean(0)) for name, other in (given or {}).items()
        }
        columns = np.asarray(rows[y], float).T
        return cls(
            data=_packed(
                list(rows[x]),
                columns,
                ask,
                AXES.get(x, (x, f"at {x} = {{}}", False, False)),
                beside,
                **{"label": y} | options,
            )
        )

    @classmethod
    def from_conditions(cls, values: dict, ask: str, x: str, **options):
        """The explorer of one number of several conditions, side by side.

        values  : condition -> (runs,); x : what the conditions are; ask, options : as of `from_rows`
        """
        columns = [np.asarray(each, float) for each in values.values()]
        return cls(
            data=_packed(list(map(str, values)), columns, ask, (x, "for {}", False, False), {}, **options)
        )

    def picture(self) -> Image.Image:
        """The stored curve, its interval shaded: for hosts without widgets, where nothing can be drawn."""
        packed = read_json(self.data)
        wide, tall = 640, 300
        image = Image.new("RGB", (wide, tall), PAPER)
        if not packed["xs"]:
            return image
        pen, (bottom, top) = ImageDraw.Draw(image), packed["range"]
        bend = np.log if packed["y"]["log"] else np.asarray

        def points(values):
            share = (bend(np.clip(values, bottom, top)) - bend(bottom)) / (bend(top) - bend(bottom))
            xs = np.linspace(20, wide - 20, len(values))
            return [(float(x), float(tall - 20 - (tall - 60) * s)) for x, s in zip(xs, share)]

        if None not in packed["low"]:
            pen.polygon([*points(packed["low"]), *points(packed["high"])[::-1]], fill=SHADE)
        pen.line(points(packed["mean"]), fill=INK, width=3)
        pen.text((20, 8), f"{packed['y']['label']} by {packed['x']['label']}", fill=(0, 0, 0))
        return image

    def __repr__(self):
        packed = read_json(self.data)
        return f"CurveExplorer({packed['y']['label']}; {len(packed['xs'])} points)"


def _packed(
    xs: list,
    columns,
    ask: str,
    along: tuple,
    given: dict,
    label: str,
    percent: bool = False,
    unit: str = "",
    anchor: int | None = 0,
    log: bool = False,
    most: float = np.inf,
    each: str = "runs",
) -> bytes:
    """What an explorer shows, as the page stores it.

    xs : (points,), numbers or names; columns : (runs,) of every point; given : name -> its own xs, and values
    """
    columns = [(100 if percent else 1) * column for column in columns]
    kept = [
        n for n, column in enumerate(columns) if np.isfinite(column).all() and (column.mean() > 0 or not log)
    ]
    if len(kept) < 2:
        return squeeze_json({"ask": ask, "y": {"label": label}, "xs": []})
    place = None if anchor is None else int(np.abs(np.array(kept) - anchor % len(columns)).argmin())
    mean, low, high = np.array([interval(columns[n]) for n in kept]).T
    given = {name: (on, (100 if percent else 1) * line) for name, (on, line) in given.items()}
    name, said, share, logarithmic = along
    words = isinstance(xs[0], str)
    ends = axis(mean, [line for _, line in given.values()], place, min(most, 100) if percent else most, log)

    def places(some):
        return some if words else numbers(100**share * np.asarray(some, float), 6)

    return squeeze_json(
        {
            "ask": ask,
            "y": {"label": label, "unit": unit or "%" * percent, "log": log},
            "x": {"label": name, "said": said, "unit": "%" if share else "", "log": logarithmic},
            "xs": places([xs[n] for n in kept]),
            "anchor": place,
            "mean": numbers(mean, 6),
            "low": numbers(low, 6),
            "high": numbers(high, 6),
            "given": [[each, places(on), numbers(line, 6)] for each, (on, line) in given.items()],
            "each": each,
            "runs": sorted({len(columns[n]) for n in kept}),
            "range": numbers(np.array(ends), 9),
        }
    )


def axis(mean, beside: list, anchor: int | None, most: float, log: bool) -> tuple[float, float]:
    """Ends of the axis of y: as far above the anchor as below it, so that it tells no direction.

    It does not go below 0 where no value does, nor beyond the most that y can be.
    """
    values = np.concatenate([mean, *beside])
    values = values[np.isfinite(values) & ((values > 0) | (not log))]
    if log:
        middle = np.log(values).mean() if anchor is None else np.log(mean[anchor])
        half = ROOM * np.abs(np.log(values) - middle).max() or 1.0
        return float(np.exp(middle - half)), float(np.exp(middle + half))
    middle = (values.min() + values.max()) / 2 if anchor is None else mean[anchor]
    half = ROOM * np.abs(values - middle).max() or abs(middle) or 1.0
    low, high = middle - half, middle + half
    step = 10 ** np.floor(np.log10(high - low)) / 4
    low, high = np.floor(low / step) * step, np.ceil(high / step) * step
    return float(max(low, 0.0) if values.min() >= 0 else low), float(min(high, max(most, values.max())))
