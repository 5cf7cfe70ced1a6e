"""Writes the page *How fast* from what `make bench` measured. No torch.

Every number on it is computed from bench.json, but those in held.QUOTED.
"""

import json
import pathlib

from sifting import figures
from sifting.config import PRESETS
from sifting.figures.speed import times
from sifting.figures.style import share
from sifting.publish.markup import embed, grid
from sifting.publish.pages.held import peers, roofline
from sifting.publish.pages.measured import REFERENCE, numbers, sized

NOISE = 0.05  # of a ratio
MACHINE = {
    "device": "processor",
    "threads": "threads",
    "torch": "PyTorch",
    "python": "Python",
    "product": "product of two matrices of 512 × 512, ms",
}


def speed_page(file: pathlib.Path) -> str:
    """How fast: a paragraph, a figure and all numbers of every table in `file`.

    Where a table is lacking, the page says how to measure it.
    Raises ValueError for a table without a column that it needs, naming the column, and the command that
    measures anew.
    """
    measured = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    text = [
        "# How fast",
        "The same command, `make bench`, measures all that stands here, on a machine that should be idle. "
        "What is compared takes turns, and the medians are shown, in milliseconds. A run on the CPU "
        "computes on one thread, and so does this. A step is one optimizer step, the drawing of its batch "
        "included. *Times faster* is always the time of the reference loop over that of the other: below 1, "
        "the other is slower. Two measurements of the same step differ by some percent, so a ratio within "
        f"{NOISE} of 1 is no difference.",
    ]
    if machine := measured.get("machine"):
        cells = [[head, str(machine[name])] for name, head in MACHINE.items() if name in machine]
        text += [grid(["property", "value"], cells, "The machine")]
    else:
        text += ["Which machine that was is not known: `make bench` measures anew."]
    for name, (title, section) in SECTIONS.items():
        text += [f"## {title}"]
        try:
            rows = measured.get(name)
            text += [*section(rows), numbers(rows, title)] if rows else [LACKING.get(name, NOT_YET + ".")]
        except KeyError as error:
            raise ValueError(f"{file}: {name} lacks {error}; measure anew: make bench") from None
    return "\n\n".join(text) + "\n"


def _drawn(name: str, caption: str, rows: list[dict], *columns) -> str:
    """The figure of a table; columns : see figures.speed.cost."""
    made = f"drawn by {REFERENCE.format('cost')} from what <code>make bench</code> measured"
    return embed(f"speed-{name}", figures.speed.cost(rows, *columns), caption, made)


def _faster(row: dict) -> str:
    return f"{times(row['ratio'])} as fast"


def _slower(rows: list[dict], where) -> str:
    """Where the ratio is below 1, in words. where(row) : words."""
    slow = [f"{where(row)} ({times(row['ratio'])})" for row in rows if row["ratio"] < 1 - NOISE]
    return f"It is slower at {', '.join(slow)}." if slow else "It is nowhere slower."


def loops(rows: list[dict]) -> list[str]:
    """What a step consists of, and what a loop from the libraries takes."""
    found = "\n".join(
        f"- {row['size']}: the products alone take {share(row['share_of_products'])} of the time of a step "
        f"of the reference loop, and the plain loop takes {times(row['times_plain'])} as long as that step."
        for row in rows
    )
    return [
        "A step with dense products cannot be faster than these. The *plain loop* is what one would write "
        "with the libraries alone: `DataLoader`, `torch.nn.utils.prune`, `SGD`. Neither loop depends on the "
        "density, and nor do the products: all multiply zeros. The networks are those of Pellegrini and "
        "Biroli (PB), of Redman et al. (RD), and of the `laptop` preset.",
        found,
    ]


def density(rows: list[dict]) -> list[str]:
    """The sparse engine by density."""
    found = "\n".join(
        f"- {size}: at {share(mine[-1]['density'])} a step is {_faster(mine[-1])} as that of the reference "
        "loop. " + _slower(mine, lambda row: share(row["density"]))
        for size, mine in sized(rows)
    )
    return [
        "The sparse engine computes with the kept weights alone, in layers where that is faster, and leaves "
        "out what has died. Pruning leaves some units with many inputs and others with none, and so do the "
        "masks here; under *uniform* masks every weight is kept with the same odds.",
        found,
        _drawn(
            "density",
            "A step by density, under masks as uneven as pruning leaves them. Numbers: how many times as "
            "fast the sparse engine is.",
            rows,
            "density",
            "reference",
            "sparse",
            ("uniform",),
        ),
    ]


def kernels(rows: list[dict]) -> list[str]:
    """The engine of compiled loops beside the sparse one, and what limits both."""
    found = "\n".join(
        f"- {size}: "
        + ", ".join(f"at {share(row['density'])} {_faster(row)}" for row in mine)
        + f" as the reference loop, and {times(mine[-1]['sparse'] / mine[-1]['kept'])} as the sparse engine "
        f"at {share(mine[-1]['density'])}. " + _slower(mine, lambda row: share(row["density"]))
        for size, mine in sized(rows)
    )
    return [
        "The engine `kept` does the same by loops that are compiled for kept weights alone, and multiplies "
        "whole layers by the faster of two libraries. It trains what is computed anew.",
        found,
        _drawn(
            "kernels",
            "A step by density. Numbers: how many times as fast the engine kept is.",
            rows,
            "density",
            "reference",
            "kept",
            ("sparse",),
        ),
    ]


def width(rows: list[dict]) -> list[str]:
    """The cost of a step by width."""
    first, last = rows[0], rows[-1]
    return [
        f"From {first['width']:,} to {last['width']:,} units in every hidden layer, else the laptop preset "
        f"with its batches of {PRESETS['laptop'].batch_size:,} images, a step of the reference loop takes "
        f"{times(last['reference'] / first['reference'])} as long, and its bare products "
        f"{times(last['products'] / first['products'])}. Under masks of density {share(last['density'])}, "
        f"the sparse engine takes {times(last['sparse'] / first['sparse'])} as long, and at the largest "
        f"width it is {_faster(last)} as the reference loop. "
        + _slower(rows, lambda row: f"{row['width']:,} units"),
        _drawn(
            "width",
            f"A step by width, under masks of density {share(last['density'])}. Numbers: how many times as "
            "fast the sparse engine is.",
            rows,
            "width",
            "reference",
            "sparse",
            ("products",),
        ),
    ]


def levels(rows: list[dict]) -> list[str]:
    """What a whole run costs, level by level."""
    seconds = {name: sum(row["steps"] * row[name] for row in rows) / 1000 for name in ("reference", "sparse")}
    run, count = rows[0]["run"], sum(row["steps"] for row in rows)
    last, ratio = rows[-1], seconds["reference"] / seconds["sparse"]
    slower = _slower(rows, lambda row: f"level {row['level']}")
    return [
        f"How much cheaper does a whole run get? The masks are those of <code>{run}</code>, a stored run of "
        f"the laptop preset. Its {len(rows)} levels have {count:,} steps: {seconds['reference']:.0f} s of "
        f"the reference loop, {seconds['sparse']:.0f} s of the sparse engine, which is {times(ratio)} as "
        f"fast. At the last level, where {share(last['density'])} of the weights are left, it is "
        f"{_faster(last)}. {slower} Not counted: pruning, and measuring accuracy.",
        _drawn(
            "levels",
            "A step at every level of a stored run, under its own masks. Numbers: how many times as fast "
            "the sparse engine is.",
            rows,
            "level",
            "reference",
            "sparse",
        ),
    ]


def replicas(rows: list[dict]) -> list[str]:
    """Several runs as one stack."""
    found = "\n".join(
        f"- {size}: {mine[-1]['replicas']} runs together are {_faster(mine[-1])}. "
        + _slower(mine, lambda row: f"{row['replicas']} run{'s' * (row['replicas'] > 1)}")
        for size, mine in sized(rows)
    )
    return [
        "Runs that differ in their seeds can be trained together, as one stack of batched products. It is "
        "meant for a GPU, where it saves launching small kernels. Here it is on a CPU, beside as many "
        "single runs, one after another.",
        found,
        _drawn(
            "replicas",
            "A step of all runs. Numbers: how many times as fast it is to train them together.",
            rows,
            "replicas",
            "single",
            "together",
        ),
    ]


def locality(rows: list[dict]) -> list[str]:
    """The cost of the observables of locality."""
    small, large = rows[0], rows[-1]
    alike = [row for row in rows if row["inputs"] == large["inputs"]]
    words = ", ".join(f"{row['locality']:,.0f} ms at {share(row['density'])}" for row in alike)
    return [
        f"The counts of pairs S(d) are exact and made by Fourier transform. For {large['units']:,} units "
        f"with {large['inputs']:,} inputs each, they take {words}. From {small['inputs']:,} to "
        f"{large['inputs']:,} inputs, which is {times(large['inputs'] / small['inputs'])} as many, S(d) "
        f"takes {times(large['locality'] / small['locality'])} as long, and localization "
        f"{times(large['localization'] / small['localization'])}."
    ]


def cavity(rows: list[dict]) -> list[str]:
    """The cost of cavity scores."""
    large = rows[-1]
    return [
        "The cavity scores of all weights of a layer, without pruning, from four matrix products in double "
        f"precision. For {large['units']:,} units with {large['inputs']:,} inputs each and "
        f"{large['images']:,} images they take {large['cavity'] / 1000:.1f} s. One weight after another, by "
        "taking its term away and measuring the kurtosis anew, it would take "
        f"{large['one_by_one'] / 1000:,.0f} s, or {times(large['ratio'])} as long (from the time for one "
        "weight)."
    ]


def laboratory(rows: list[dict]) -> list[str]:
    """The laboratory in a browser."""
    [row] = rows
    return [
        "In headless Chromium, a run of [the laboratory](lab.ipynb) with its own settings takes "
        f"{row['seconds']:.0f} s from the press of the button to the last level, measurements included. "
        f"Meanwhile the page answers after {row['answer']:.0f} ms at the latest, and has "
        f"{row['memory']:,.0f} MB of memory at most, its worker included."
    ]


NOT_YET = "Not measured yet: `make bench` does"
LACKING = {
    "levels": f"{NOT_YET}, once `make chapter=imp preset=laptop` has stored the run.",
    "peers": "Not measured yet: `make bench peers=1` does.",
}
SECTIONS = {  # table of bench.json -> title, function(rows) -> paragraphs
    "loops": ("Beside bare products and a plain loop", loops),
    "density": ("Density", density),
    "kernels": ("Compiled loops", kernels),
    "roofline": ("What limits a step", roofline),
    "peers": ("Beside other libraries, on a small network", peers),
    "width": ("Width", width),
    "levels": ("A whole run, level by level", levels),
    "replicas": ("Replicas", replicas),
    "locality": ("Locality", locality),
    "cavity": ("Cavity scores", cavity),
    "laboratory": ("In a browser", laboratory),
}
