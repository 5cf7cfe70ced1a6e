"""Where a figure can be cut: a phone shows its panels one below another, with labels that can be read."""

import math

import matplotlib
from matplotlib.axes import Axes
from matplotlib.legend import Legend
from matplotlib.text import Text
from matplotlib.transforms import Bbox

PHONE = 336 / 96  # inches that a picture has in the width of a phone of 390 pixels
LEAST = 6  # points, 8 pixels: labels that can be read
GAP, EDGE = 0.07, 0.03  # inches of white at the sides of a piece, above and below it


def cut(figure) -> list[list[float]]:
    """The pieces of a figure, in the order of reading.

    returns : of every piece the least scale at which its labels can be read, 1 as it is drawn; x, y, width
              and height, in shares of the picture, from its top left corner; and, where it shares labels at
              the left with another piece, their x and width, and the share of the piece that is below them

    A piece is cut no further where it is narrow enough for a phone; a panel alone is never cut. A legend of
    all panels comes first, and is cut between its columns.
    """
    figure.draw_without_rendering()
    whole = figure.get_tightbbox().padded(matplotlib.rcParams["savefig.pad_inches"])
    parts = [part for part in (*figure.axes, *figure.legends, *figure.texts) if part.get_visible()]
    boxes = [(_box(part), part) for part in parts]

    def fits(piece: list) -> bool:
        start, spine, _ = _side(piece, boxes)
        return (_around(piece).width + spine - start) * _scale(piece) <= PHONE

    if fits(boxes):
        return [_shares(boxes, boxes, whole)]
    legends = [part for _, part in boxes if isinstance(part, Legend)]
    below = [one for one in boxes if one[1] not in legends]
    pieces = [piece for legend in legends for piece in _columns(legend, fits)] + _pieces(below, fits)
    return [_shares(piece, boxes, whole) for piece in pieces]


def _box(part) -> Bbox:
    """What an artist takes of the figure with all its words, in inches."""
    return part.get_tightbbox().transformed(part.figure.dpi_scale_trans.inverted())


def _around(piece: list) -> Bbox:
    return Bbox.union([box for box, _ in piece])


def _scale(piece: list) -> float:
    """The least scale at which the smallest words of a piece can be read; at most 1."""
    words = [text for _, part in piece for text in part.findobj(Text) if text.get_visible()]
    return min(1, LEAST / min((text.get_fontsize() for text in words if text.get_text()), default=LEAST))


def _split(parts: list, axis: int) -> list[list]:
    """Parts in groups with white between them, from left to right (axis 0) or from above (1)."""
    sign, groups, reached = 1 - 2 * axis, [], -float("inf")
    ends = [sorted((sign * box.min[axis], sign * box.max[axis])) for box, _ in parts]
    for (start, end), part in sorted(zip(ends, parts), key=lambda one: one[0]):
        if start >= reached:
            groups.append([])
        groups[-1].append(part)
        reached = max(reached, end)
    return groups


def _pieces(parts: list, fits) -> list[list]:
    """Parts in pieces that fit, where white lets them be cut so far.

    Columns are kept whole where that can be, since what shares an axis stands one below another. Panels of
    several rows that all have a title and numbers of their own are read row by row.
    """
    if fits(parts) or len(parts) == 1:
        return [parts]
    columns, rows = _split(parts, 0), _split(parts, 1)
    if len(columns) > 1 < len(rows) and all(_alone(part) for _, part in parts):
        return [panel for row in rows for panel in _split(row, 0)]
    if len(columns) > 1:
        return _joined([piece for column in columns for piece in _pieces(column, fits)], fits)
    rows = _joined(rows, lambda some: len(_split(some, 0)) > 1)
    if len(rows) == 1:
        return [parts]
    pieces = [piece for row in rows for piece in _pieces(row, fits)]
    return _joined(pieces, lambda some: not fits(some) and len(_split(some, 0)) == 1)


def _alone(part) -> bool:
    """Whether a panel says by itself what it shows, and at which numbers."""
    return (
        isinstance(part, Axes)
        and bool(part.get_title())
        and any(label.get_visible() and label.get_text() for label in part.get_xticklabels())
    )


def _columns(legend: Legend, fits) -> list[list]:
    """A legend in pieces that fit, between its columns: few, and each of as many columns."""
    whole, columns = _box(legend), []
    for column in legend._legend_handle_box.get_children():
        sides = _box(column).intervalx
        columns.append((Bbox.from_extents(sides[0], whole.y0, sides[1], whole.y1), column))
    ways = [[[(whole, legend)]]]
    for count in range(2, len(columns) + 1):
        most = -(-len(columns) // count)
        ways.append([columns[first : first + most] for first in range(0, len(columns), most)])
    return next((pieces for pieces in ways if all(map(fits, pieces))), ways[-1])


def _joined(groups: list[list], fit) -> list[list]:
    """Groups next to each other joined where each of them is fit, and what is joined is, too."""
    found = groups[:1]
    for group in groups[1:]:
        if fit(found[-1]) and fit(group) and fit(found[-1] + group):
            found[-1] = found[-1] + group
        else:
            found.append(group)
    return found


def _side(piece: list, boxes: list) -> tuple[float, float, float]:
    """Left, right and lower end, in inches, of labels that a piece shares with a panel that is not in it."""
    inside = [ax for _, ax in piece if isinstance(ax, Axes)]
    named = [
        (box, ax)
        for box, ax in boxes
        if isinstance(ax, Axes) and ax not in inside and any(_labels(ax, other) for other in inside)
    ]
    if not named:
        return 0.0, 0.0, 0.0
    inches = named[0][1].figure.dpi_scale_trans.inverted()
    spine = min(ax.get_window_extent().transformed(inches).x0 for _, ax in named)
    low = min(ax.yaxis.get_tightbbox().transformed(inches).y0 for _, ax in named)
    return min(box.x0 for box, _ in named) - GAP, spine, low


def _shares(piece: list, boxes: list, whole: Bbox) -> list[float]:
    """What `cut` says of a piece."""
    box = _padded(piece, boxes, whole)
    found = [_scale(piece), (box.x0 - whole.x0) / whole.width, (whole.y1 - box.y1) / whole.height]
    found += [box.width / whole.width, box.height / whole.height]
    start, spine, low = _side(piece, boxes)
    if spine:
        found += [
            (start - whole.x0) / whole.width,
            (spine - start) / whole.width,
            (low - box.y0) / box.height,
        ]
    return [round(float(value), 4) for value in found]


def _padded(piece: list, boxes: list, whole: Bbox) -> Bbox:
    """The box of a piece with white around it, which ends with the picture, or half way to another part.

    Words of an SVG are some hundredths of an inch wider than measured here, where letters stand on pixels.
    """
    box = _around(piece)
    wide = Bbox.intersection(box.padded(GAP, EDGE), whole)
    near = box.padded(2 * GAP, 2 * EDGE)
    others = [other for other, _ in boxes if other.overlaps(near) and not box.overlaps(other)]
    x = (
        [other.x1 for other in others if other.x1 <= box.x0],
        [other.x0 for other in others if other.x0 >= box.x1],
    )
    y = (
        [other.y1 for other in others if other.y1 <= box.y0],
        [other.y0 for other in others if other.y0 >= box.y1],
    )
    return Bbox.from_extents(
        max(wide.x0, (max(x[0], default=-math.inf) + box.x0) / 2),
        max(wide.y0, (max(y[0], default=-math.inf) + box.y0) / 2),
        min(wide.x1, (min(x[1], default=math.inf) + box.x1) / 2),
        min(wide.y1, (min(y[1], default=math.inf) + box.y1) / 2),
    )


def _labels(ax: Axes, other: Axes) -> bool:
    """Whether the labels at the left of an axes are those of another one in its row, which has none."""
    (low, high), (bottom, top) = ax.get_position().intervaly, other.get_position().intervaly
    in_row = min(high, top) - max(low, bottom) > (top - bottom) / 2
    if (
        not in_row
        or ax.get_position().x0 >= other.get_position().x0
        or _numbered(other)
        or other.get_ylabel()
    ):
        return False
    shared = other in ax.get_shared_y_axes().get_siblings(ax)
    return _numbered(ax) if shared else bool(ax.get_ylabel()) and not _numbered(ax)


def _numbered(ax: Axes) -> bool:
    """Whether numbers or names stand at the left of an axes."""
    return ax.axison and any(label.get_visible() and label.get_text() for label in ax.get_yticklabels())
