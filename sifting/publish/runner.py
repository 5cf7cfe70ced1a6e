"""Runs chapters: computes what plans lack, has notebooks executed, builds the site."""

import contextlib
import functools

import filelock

from sifting import store
from sifting.config import Config, choose
from sifting.publish import answers, asked, building, normal, pages, place, plans, sources, trials
from sifting.publish.fingerprint import fingerprint
from sifting.publish.forecast import forecast
from sifting.publish.notebooks import execute
from sifting.publish.sources import PARAMETERS
from sifting.store import expected, pools, schedule

BOOK, SITE = place.HOME / "book", place.HOME / "_build" / "html"
PLACE = f"its page, once the site is built: {SITE}/book/{{}}.html"


@contextlib.contextmanager
def alone():
    """This process alone writes the book, for as long as the block runs; another is waited for."""
    place.check_writable(BOOK)
    lock = filelock.FileLock(BOOK.parent / ".lock", fallback_to_soft=False)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        print("another process writes the book: waiting for it", flush=True)
        lock.acquire()
    try:
        place.bring(place.HOME)
        yield
    finally:
        lock.release()


def run(name: str, book: bool = False, **options) -> None:
    """Draw the page of a chapter; at other settings than those of the book a page of its own, see trials.

    book    : the page of the book itself is to have these settings
    options : those of `compute`
    """
    if name in sources.guides():
        draw_guides([name], options.get("fresh", False))
        return
    choose("chapter", name, sources.chapters())
    own = asked.settle(name, None, None, None)
    mine = asked.settle(name, *map(options.get, ("preset", "seeds", "overrides")))
    if book or mine == own:
        _tell_of_replacing(name, mine[1], book, **options)
        run_chapter(name, **options)
        return
    with trials.wanted([store.path(*result).stem for result in plans.planned(name, *mine[1:])]):
        with trials.apart():
            record = compute(name, **options)
        if asked.stored_seeds(name, own[1]):
            run_chapter(name)  # what the trial stands beside
        trial = trials.name_of(record)
        with trials.apart():
            draw([record | {"page": trials.page_of(trial)}], options.get("fresh", False))
    print(PLACE.format(trials.page_of(trial)))
    print(f"beside another trial: make compare a={trial} b=OTHER; to remove it: make forget trial={trial}")


def _tell_of_replacing(name: str, base: Config, book: bool, fresh=False, engine="auto", **_) -> None:
    """Say where stored results of the book are replaced.

    Raises ValueError where they are by those of an engine that was asked for, and that is not meant to be.
    """
    if fresh and asked.stored_seeds(name, base):
        if engine != "auto" and not book:
            raise ValueError(f"engine={engine} fresh=1 would replace the book's results; if so, say book=1")
        print(f"{name}: its results are computed anew, and replace those that are stored", flush=True)


def compare(one: str, other: str) -> None:
    """Draw a page of one trial beside another, where else it stands beside the book."""
    pair = trials.pair(one, other, BOOK)
    with trials.apart():
        draw([pair])
    print(PLACE.format(pair["page"]))


def forget(trial: str = "all", chapter: str = "") -> None:
    """Remove a trial, or "all", of a chapter or of all, with pages and results, and say so."""
    if chapter:
        choose("chapter", chapter, sources.chapters())
    gone = trials.forget(BOOK, trial, chapter)
    for name in gone:
        print(f"{name}: forgotten")
    if not gone:
        print(f"there are no trials{f' of {chapter}' * bool(chapter)}")


def answer(trial: str) -> None:
    """Keep a trial, or "all", in small, as the answer to the exercise that asks for it, and say where."""
    kept = answers.keep(trial, BOOK)
    for path in kept:
        print(f"{path}: {path.stat().st_size:,} bytes")
    if not kept:
        print("there is no trial that an exercise asks for")


def run_chapter(name: str, **options) -> bool:
    """`run_chapters` of one; returns whether there was anything to do."""
    return bool(run_chapters([name], **options))


def run_chapters(names: list[str], **options) -> list[dict]:
    """Compute what chapters lack, with the options of `compute`; then draw what is out of date.

    returns : records of the chapters that were drawn, see `draw`
    """
    return draw([compute(name, **options) for name in names], options.get("fresh", False))


def compute(
    name: str,
    preset: str | None = None,
    seeds: int | None = None,
    device: str = "auto",
    overrides: dict | None = None,
    fresh: bool = False,
    cluster: str | None = None,
    engine: str = "auto",
) -> dict:
    """Compute what a chapter lacks.

    preset    : default: the largest one of which everything is stored, else laptop
    seeds     : default: as many as are stored, else as the chapter says
    device    : a name in config.DEVICES
    overrides : fields of config.Config to replace
    fresh     : compute even what is stored
    cluster   : address of a Dask scheduler, as tcp://host:8786, whose workers compute
    engine    : what trains, a name in engines.ENGINES, or auto
    returns   : what its page is to be made with: chapter, its parameters, and a stamp of everything behind it

    Raises ValueError for unknown names (with the choices), and for a chapter without these parameters;
    OSError where its page cannot be written.
    """
    asked.check(name, preset, seeds, device, overrides, engine, cluster)
    place.check_writable(BOOK)
    preset, base, seeds = asked.settle(name, preset, seeds, overrides)
    ahead = forecast(name, base, seeds, fresh, cluster)
    if ahead.lacking:
        print(f"{name} ({_how(preset, seeds)}): {ahead}{_then()}", flush=True)
    plans.results(name, base, seeds, device, fresh=fresh, cluster=cluster, engine=engine)
    for result in plans.planned(name, base, seeds):
        store.load(*result).check()
    fields = {field: getattr(base, field) for field in overrides or {}}
    fields = {field: list(value) if isinstance(value, tuple) else value for field, value in fields.items()}
    parameters = {"preset": preset, "seeds": seeds, "device": device, "overrides": fields}
    results = [
        f"{group} {store.path(kind, config).name} {pages.sha256(store.path(kind, config))}"
        for (kind, group), configs in plans.plan(name, base, seeds).items()
        for config in configs
    ]
    stamp = fingerprint(sources.path(name), parameters, results + answers.stamps(sources.path(name)))
    names = sorted({store.path(*result).stem for result in plans.planned(name, base, seeds)})
    return {"stamp": stamp, "chapter": name, "results": names, **parameters}


@alone()
def draw(records: list[dict], fresh: bool = False) -> list[dict]:
    """Execute chapters to book/NAME.ipynb, side by side, a process a core.

    Equal inputs give equal bytes.

    records : of `compute`; those that are as the page says are left out, unless `fresh`
    returns : those that were executed

    Raises BuildError where a cell fails: the page that was there before stays as it was, pages that are being
    drawn are finished, and no other is begun.
    """
    due = []
    for record in records:
        if fresh or record["stamp"] != pages.record(BOOK / f"{_page_name(record)}.ipynb").get("stamp"):
            due.append(record)
        else:
            print(f"{_page_name(record)}: up to date", flush=True)
    width = min(schedule.cores(), len(due))
    with pools.Processes(width, pools.obey) if width > 1 else pools.Here() as pool:
        pools.each(pool, map(_page, due))
    return due


@alone()
def draw_guides(names: list[str], fresh: bool = False) -> None:
    """Execute guides that are out of date, or all of these. Raises BuildError where a cell fails."""
    for name in names:
        source, page = sources.guide(name), BOOK / f"{name}.ipynb"
        record = {"stamp": fingerprint(source, {}, [])}
        if fresh or record != pages.record(page):
            print(f"{name}: drawing the page", flush=True)
            execute(source, page, {}, record)


def _page(record: dict) -> tuple:
    """The task of drawing a page; says that it begins."""
    name, page = record["chapter"], _page_name(record)
    print(f"{page}: drawing the page ({_how(record['preset'], record['seeds'])})", flush=True)
    parameters = {key: record[key] for key in PARAMETERS}
    task = execute, sources.path(name), BOOK / f"{page}.ipynb", parameters, record
    if page == name:
        return *task, None, functools.partial(normal.headed, record=record)
    other = trials.page_of(record["beside"]) if "beside" in record else name
    finish = functools.partial(trials.finish, record=record, stored=BOOK / f"{other}.ipynb")
    return *task, BOOK / "figures" / other, finish


def _then() -> str:
    """What comes after what is computed, in words: the site took so long when it was last built."""
    return ", ".join(filter(None, ["; then its page, and the site", expected.duration(building.took(SITE))]))


def _how(preset: str, seeds: int) -> str:
    return f"{preset} preset, {seeds} seed{'s' * (seeds > 1)}"


def _page_name(record: dict) -> str:
    """The name of the page that a record is of: that of the chapter, or of a trial."""
    return record.get("page", record["chapter"])


def build() -> None:
    """Execute every chapter that is out of date, at its defaults, and build the site."""
    run_chapters(sources.chapters())
    draw_guides(sources.guides())
    site()


@alone()
def site() -> None:
    """Build the site around the executed chapters, see `building.build`."""
    building.build(BOOK, SITE)
