"""Sections of the page *How fast*: our loops held against a machine and other libraries. No torch."""

from sifting import figures
from sifting.figures.speed import times
from sifting.figures.style import share
from sifting.publish.markup import embed
from sifting.publish.pages.measured import REFERENCE, sized

# how many times as long a step of open_lth's loop took as one of ours
QUOTED = {"date": "29 November 2026", "density": 0.05, "kept": 14.8, "reference": 3.1}


def roofline(rows: list[dict]) -> list[str]:
    """What limits a step, dense and of kept weights alone."""

    def reached(rate, ceiling, what):
        other = "" if rate > ceiling / 2 else "; most of its time goes elsewhere"
        return f"{share(rate / ceiling)} of what {what}{other}"

    def limit(row):
        fetched = row["cache"] * row["kept_intensity"]
        ceiling, what = min((fetched, "the cache can deliver"), (row["peak"], "the faster product does"))
        return (
            f"  - At {share(row['density'])} it does {row['kept_rate']:.0f} billion, with "
            f"{row['kept_intensity']:.3g} a byte: {reached(row['kept_rate'], ceiling, what)}. Of its "
            f"operations, {share(row['kept_share'])} are with weights that are kept."
        )

    found = "\n".join(
        f"- {size}: the reference loop does {mine[0]['dense_rate']:.0f} billion operations a second, "
        f"{reached(mine[0]['dense_rate'], mine[0]['blas'], 'a bare product by `torch.mm` does')}. The faster "
        "of the two products that the engine `kept` may use does "
        f"{times(mine[0]['peak'] / mine[0]['blas'])} as many. The engine `kept`:\n"
        + "\n".join(map(limit, mine))
        for size, mine in sized(rows)
    )
    made = "drawn by " + REFERENCE.format("roofline") + " from what <code>make bench</code> measured"
    caption = (
        "Operations a second by operations a byte. Lines: what the arithmetic, the cache and the memory of "
        "one thread allow. Numbers: weights kept."
    )
    return [
        "A dense product uses a number many times once it is in a register. In a pruned layer, every two "
        "operations fetch a number of four bytes that no other weight of the unit uses: half an operation a "
        "byte, so that the limit is how fast the cache delivers. The last layer is whole at every density, "
        "and so are others where that is faster. Operations with zeros count, and bytes are counted as the "
        "loops fetch them: of a whole layer every array once for each product, of a pruned one a row of the "
        "batch for each kept weight. No weight takes part in the images, the batch norm and the loss, which "
        "take time, too.",
        found,
        embed("speed-roofline", figures.speed.roofline(rows), caption, made),
    ]


def peers(rows: list[dict]) -> list[str]:
    """Loops of other libraries, on a small network."""

    def beside(row, name):
        return f"{times(row[name] / row['kept'])} as long"

    def said(row):
        lightning = (
            f", and Lightning's `Trainer` with its `ModelPruning` {beside(row, 'lightning')}"
            if "lightning" in row
            else "; Lightning was not measured, for it could not be installed"
        )
        return (
            f"{row['size']}, {share(row['density'])} of the weights kept: beside a step of the engine "
            "`kept`, one of a loop of `DataLoader` and `torch.nn.utils.prune` takes "
            f"{beside(row, 'plain')}{lightning}. "
            f"Our reference loop takes {beside(row, 'reference')}."
        )

    quoted = (
        f"Measured once, on {QUOTED['date']}, and not by this command: the loop of open_lth, which draws "
        "image after image by its `DataLoader` from PIL and multiplies all weights by their masks. A step on "
        f"LeNet-300-100 with 784 inputs, batch 128, density {share(QUOTED['density'])}, took "
        f"{times(QUOTED['kept'])} as long as one of the engine `kept`, and {times(QUOTED['reference'])} as "
        "long as one of our reference loop. It was written down from open_lth's own files, since the "
        "repository could not be fetched there; all loops ran on one thread, in turns of some steps each."
    )
    return [
        "The network, the images, the batches and the number of threads are the same for all, and "
        "`make bench peers=1` measures them. All but the engines `sparse` and `kept` multiply by zeros.",
        *map(said, rows),
        quoted,
    ]
