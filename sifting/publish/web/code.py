"""The code of a page, folded, stands below what it shows."""

from docutils import nodes


def gather(doctree: nodes.document) -> None:
    """Move the folded code of every cell below its output; code that shows nothing joins that of the next.

    A page of MyST-NB has a fold above each output, and one for each cell that only prepares the next.
    """
    before = None  # the fold of the cell before, where that shows nothing
    for cell in [one for one in doctree.findall(nodes.container) if one.get("nb_element") == "cell_code"]:
        if not cell.children:
            cell.parent.remove(cell)
            continue
        fold = next((one for one in cell.children if "above-input" in one.get("classes", ())), None)
        if fold is not None:
            if before is not None and _neighbors(before.parent, cell):
                fold.insert(0, before.children)
                cell.parent.remove(before.parent)
            cell.remove(fold)
            cell.append(fold)
        before = fold if fold is not None and len(cell.children) == 1 else None


def _neighbors(first: nodes.Node, second: nodes.Node) -> bool:
    """Whether one node stands directly before another."""
    return first.parent is second.parent and second.parent.index(second) == second.parent.index(first) + 1
