"""What a reader does before an answer is shown, a cell of a chapter each: `predict.curve(...)` and others."""

from sifting.widgets.curve_explorer import CurveExplorer
from sifting.widgets.line_explorer import LineExplorer
from sifting.widgets.which_explorer import WhichExplorer

curve = CurveExplorer.from_rows
conditions = CurveExplorer.from_conditions
line = LineExplorer.from_groups
which = WhichExplorer.from_tables
