"""The numbers of the page *How fast*, as tables to unfold. No torch."""

from sifting.publish.markup import grid

REFERENCE = '<a href="reference.html#figures.speed.{0}">figures.speed.{0}</a>'  # a link to what drew a figure
HEADS = {  # column of a table in bench.json -> its head on the page; the order is that of the columns
    "size": "network",
    "level": "level",
    "width": "units a layer",
    "replicas": "runs",
    "side": "pixels a side",
    "inputs": "inputs",
    "units": "units",
    "density": "weights kept",
    "steps": "steps",
    "reference": "reference, ms",
    "products": "bare products, ms",
    "plain": "plain loop, ms",
    "lightning": "Lightning, ms",
    "sparse": "sparse engine, ms",
    "kept": "compiled loops, ms",
    "dense_intensity": "reference, FLOP/byte",
    "sparse_intensity": "sparse engine, FLOP/byte",
    "kept_intensity": "compiled loops, FLOP/byte",
    "dense_rate": "reference, GFLOP/s",
    "sparse_rate": "sparse engine, GFLOP/s",
    "kept_rate": "compiled loops, GFLOP/s",
    "kept_share": "with kept weights",
    "blas": "product by BLAS, GFLOP/s",
    "peak": "fastest product, GFLOP/s",
    "cache": "cache, GB/s",
    "main_memory": "main memory, GB/s",
    "uniform": "uniform masks, ms",
    "together": "together, ms",
    "locality": "S(d), ms",
    "localization": "localization, ms",
    "images": "images",
    "cavity": "four products, ms",
    "one_by_one": "one by one, ms",
    "seconds": "a run, s",
    "answer": "longest wait, ms",
    "memory": "memory, MB",
    "share_of_products": "products / reference",
    "times_plain": "plain / reference",
    "ratio": "times faster",
}


def numbers(rows: list[dict], title: str) -> str:
    """All numbers of a table, to unfold."""
    columns = [name for name in HEADS if name in rows[0]]
    cells = [[_cell(name, row[name]) for name in columns] for row in rows]
    table = grid([HEADS[name] for name in columns], cells, title)
    return f"<details><summary>All numbers</summary>\n{table}\n</details>"


def _cell(name: str, value) -> str:
    """A value with three significant digits or more; a density in percent."""
    if isinstance(value, float):
        value = 100 * value if name == "density" else value
        return (f"{value:,.0f}" if value >= 1000 else f"{value:.3g}") + " %" * (name == "density")
    return f"{value:,}" if isinstance(value, int) else value


def sized(rows: list[dict]) -> list[tuple[str, list[dict]]]:
    """The rows of each network, with its name."""
    return [
        (size, [row for row in rows if row["size"] == size])
        for size in dict.fromkeys(row["size"] for row in rows)
    ]
