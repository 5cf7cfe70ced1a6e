"""The line explorer: guess where the barrier between two networks is, then walk from one to the other."""

import numpy as np
import traitlets as t
from PIL import Image

from sifting.tables import surface
from sifting.tables.basics import interval
from sifting.widgets.explorer import Explorer, module, numbers, read_json, squeeze_json

MEASURES = {"accuracy": ("training accuracy", "%", 100), "loss": ("loss", "nats", 1)}


class LineExplorer(Explorer):
    """Drag a point along the line between two networks; where a barrier is, is shown after a guess.

    Build it with `from_groups`. Source: Anonymous 2021, section 4; barriers as tables.surface.barriers.
    """

    _esm = module("line_explorer")

    data = t.Bytes().tag(sync=True)  # JSON, deflated
    way = t.Int(0).tag(sync=True)  # positions among the conditions, the statistics and the measures
    statistics = t.Int(0).tag(sync=True)
    measure = t.Int(0).tag(sync=True)
    place = t.Int(0).tag(sync=True)  # of the point on the line
    guesses = t.Dict().tag(sync=True)  # "way/statistics" -> place of the barrier, -1: none, -2: only shown

    @classmethod
    def from_groups(cls, groups: dict, ask: str, statistics=("interpolated", "recomputed"), **state):
        """The explorer of the lines from the pretrained to the retrained networks of several conditions.

        groups : condition -> runs with lines; ask : the question; state : what to begin with
        """
        lines, heights = [], []
        for of, (_, _, scale) in MEASURES.items():
            found = [surface.between(groups, of=of)[kind] for kind in statistics]
            lines.append([[[numbers(side, 4) for side in interval(scale * rows.astype(float))]
                           for rows in kind.values()] for kind in found])  # fmt: skip
            heights.append(
                [[float(surface.height(rows, of).mean()) for rows in kind.values()] for kind in found]
            )
        return cls(
            data=squeeze_json(
                {
                    "ask": ask,
                    "ways": list(groups),
                    "statistics": list(statistics),
                    "measures": [list(each[:2]) for each in MEASURES.values()],
                    "lines": lines,  # measure, statistics, way, (mean, low, high), points
                    "heights": numbers(np.array(heights), 4),
                    "runs": sorted({len(runs) for runs in groups.values()}),
                }
            ),
            **state,
        )

    def picture(self) -> Image.Image:
        """Accuracy on all lines, a row each, black at 0 and white at 100 %: for hosts without widgets."""
        rows = np.array([line[0] for kind in read_json(self.data)["lines"][0] for line in kind])
        gray = np.rint(2.55 * rows).astype(np.uint8)
        return Image.fromarray(gray).resize((640, 40 * len(gray)), Image.Resampling.NEAREST)

    def __repr__(self):
        packed = read_json(self.data)
        return f"LineExplorer({len(packed['ways'])} ways; {len(packed['lines'][0][0][0][0])} points)"
