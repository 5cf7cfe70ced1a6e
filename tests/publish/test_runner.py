"""Runs of chapters: what is executed, what is skipped, what a reader is told when it fails."""

import errno
import os
import re
import signal
import socket
import subprocess
import sys
import time

import filelock
import nbformat
import numpy as np
import pytest

from sifting import __main__ as cli
from sifting import store
from sifting.config import PRESETS, Config, preset
from sifting.config import seeds as copies
from sifting.publish import asked, notebooks, pages, place, runner, sources, verify
from sifting.results.history import DamagedResult, History
from sifting.store import schedule

PARAMETERS = 'preset = "laptop"\nseeds = 3\ndevice = "auto"\noverrides = {}'


@pytest.fixture
def sifting(book, tmp_path, python):
    """Start the command line on that book, which plans nothing, with two cores.

    It has a session of its own, as from a terminal.
    """

    def start(*words):
        return python(
            "import pathlib, sys\n"
            "from sifting import __main__ as cli\n"
            "from sifting.publish import plans, runner, sources\n"
            f"here = pathlib.Path({str(tmp_path)!r})\n"
            "sources.CHAPTERS, runner.BOOK = here / 'chapters', here / 'book'\n"
            "plans.plan, runner.schedule.cores = lambda *_: {}, lambda: 2\n"
            f"sys.exit(cli.main({[*words]}))",
            start_new_session=True,
        )

    return start


def printed(page) -> str:
    return "".join(
        output.get("text", "") for cell in nbformat.read(page, 4).cells for output in cell.get("outputs", [])
    )


# --- what is run


def test_what_the_plan_lacks_is_told_computed_and_handed_to_the_chapter(book, capsys):
    assert runner.run_chapter("toy", preset="smoke", seeds=2, overrides={"lr": "0.5", "widths": "8,4"})
    assert [config.lr for config in book.computed] == [0.5, 0.5]
    assert printed(book.page) == "smoke 2 {'lr': 0.5, 'widths': [8, 4]}\n"
    assert pages.record(book.page)["preset"] == "smoke"
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("toy (smoke preset, 2 seeds): 2 results to compute, 10 levels; ")
    assert "drawing" in told[1] and len(told) == 2


def test_an_unchanged_chapter_is_skipped_and_a_changed_one_is_not(book):
    assert runner.run_chapter("toy", preset="smoke")
    before = book.page.read_bytes()
    assert not runner.run_chapter("toy", preset="smoke")
    assert book.page.read_bytes() == before
    book.write("print(1)")
    assert runner.run_chapter("toy", preset="smoke")  # the source
    assert runner.run_chapter("toy", preset="smoke", overrides={"lr": "0.2"})  # a parameter
    [config] = [config for config in book.computed if config.lr != 0.2][:1]
    assert runner.run_chapter("toy", preset="smoke")
    store.save("ticket", config, {"x": np.ones(5)}, book.made)
    assert runner.run_chapter("toy", preset="smoke")  # a result


def test_equal_inputs_give_equal_bytes(book):
    widget = "class W(anywidget.AnyWidget):\n    _esm = 'export default {}'"
    book.write(f"import anywidget, traitlets\n{widget}\nw = W()\nw")
    runner.run_chapter("toy", preset="smoke")
    before = book.page.read_bytes()
    assert b"widget-view+json" in before
    book.page.unlink()
    runner.run_chapter("toy", preset="smoke")
    assert book.page.read_bytes() == before


def test_the_largest_stored_preset_is_shown(book):
    assert asked.settle("toy", None, None, None)[::2] == ("laptop", 3)
    book("ticket", copies(preset("laptop"), 2))
    assert asked.settle("toy", None, None, None)[::2] == ("laptop", 2)
    book("ticket", copies(preset("gpu"), 1))
    assert asked.settle("toy", None, None, None)[::2] == ("gpu", 1)
    assert asked.settle("toy", None, 2, None)[::2] == ("laptop", 2)
    assert asked.settle("toy", "smoke", None, None)[::2] == ("smoke", 3)


# --- side by side


def meet(name, other):
    """A cell that goes on once that of the other chapter runs, too."""
    wait = f"while not os.path.exists('{other}'): time.sleep(0.01)"
    return f"import os, pathlib, time\npathlib.Path('{name}').touch()\n{wait}"


def test_chapters_drawn_at_once_give_the_bytes_of_one_after_another(book, monkeypatch, capsys):
    names, pages = ["here", "there", "toy"], {}
    book.write(meet("a", "b"), "print(preset)", name="here")
    book.write(meet("b", "a"), "import numpy\nnumpy.arange(3)", name="there")
    for cores in (2, 1):
        monkeypatch.setattr(schedule, "cores", lambda cores=cores: cores)
        runner.run_chapters(names, preset="smoke", seeds=1)
        pages[cores] = [(runner.BOOK / f"{name}.ipynb").read_bytes() for name in names]
        (runner.BOOK / "here.ipynb").unlink()
        (runner.BOOK / "there.ipynb").unlink()
    assert pages[2] == pages[1] and len(set(pages[1])) == 3
    here, there, toy = (f"{name}: drawing the page (smoke preset, 1 seed)" for name in names)
    told = [line for line in capsys.readouterr().out.splitlines() if "to compute" not in line]
    assert told == [here, there, toy, "toy: up to date", here, there]


def test_of_several_chapters_the_one_that_fails_is_named_and_what_is_being_drawn_is_finished(book, sifting):
    book.write(meet("a", "b"), "time.sleep(1)", name="finished")
    book.write(meet("b", "a"), "1 / 0", name="not")
    build = sifting("build")
    out, error = build.communicate(timeout=100)
    assert build.returncode == 1 and error.count("\n") == 1
    assert "chapters/not.ipynb, the cell that starts with '1 / 0': ZeroDivisionError" in error
    assert [line.partition(":")[0] for line in out.splitlines()] == ["finished", "not"]
    left = sorted(path.name for path in runner.BOOK.iterdir())
    assert left == ["finished.ipynb", "not.failed.ipynb"]


def test_kernels_of_linux_and_mac_are_reached_without_ports():
    assert notebooks.connection("/tmp/x").KernelManager == {"transport": "ipc", "ip": "/tmp/x/kernel"}
    assert not notebooks.connection("/tmp/" + 100 * "x"), "the path of a socket may not be so long"


# --- what goes wrong


@pytest.mark.parametrize(
    "words, status, message",
    [
        ("run imq", 2, "unknown chapter 'imq'; choose from toy"),
        ("run", 2, "name one chapter"),
        ("walk toy", 2, f"unknown command 'walk'; choose from {', '.join(sorted(cli.OPTIONS))}"),
        ("run toy preset=huge", 2, f"unknown preset 'huge'; choose from {', '.join(sorted(PRESETS))}"),
        (
            "run toy seed=3",
            2,
            f"unknown option 'seed' (did you mean seeds?); choose from {', '.join(sorted(cli.RUN))}",
        ),
        ("run toy seeds=three", 2, "seeds takes a whole number, not 'three'"),
        ("run toy seeds=0", 2, "seeds must be a whole number, 1 or more"),
        ("run toy seeds=-1", 2, "seeds must be a whole number, 1 or more"),
        ("run toy device=tpu", 2, "unknown device 'tpu'; choose from auto, cpu, cuda, mps"),
        ("run toy set=learning_rate=1", 2, "unknown parameter 'learning_rate'; choose from"),
        ("run toy set=lr=-1", 2, "lr must be between 0 and 1,000,000"),
        ("run toy set=prune_fraction=1", 2, "prune_fraction must be above 0 and below 1"),
        ("run toy fresh=yes", 2, "fresh takes 1 or 0, or is left out, not 'yes'"),
        ("build preset=smoke", 2, "preset: for one chapter only; name it, as: make chapter=imp"),
        ("verify toy", 2, "nothing is stored for toy"),
        ("verify toy preset= seeds= set= fresh=", 2, "nothing is stored for toy"),  # as make calls it
        ("verify toy seeds=3", 2, "seeds takes all, or is left out, not '3'"),
        (
            "verify",
            2,
            "name one chapter, as: make verify chapter=imp, or a stored result, as: make verify "
            "result=ticket-",
        ),
        ("verify tikcet-0123456789ab", 2, "is neither the name of a result, as ticket-0123456789ab, nor a"),
        ("verify imq", 2, "nor a chapter; choose from toy"),
        ("run toy seeds=1001", 2, "seeds must be at most 1,000, not 1,001"),
        ("compare a=toy-1 b=toy-2", 2, "unknown trial 'toy-1'; there is none"),
        ("serve port=99999", 2, "port must be 1 to 65535, not 99999"),
        ("serve port=abc", 2, "port takes a whole number, not 'abc'"),
        ("verify ticket-0123456789ab", 2, "neither the book nor a trial has a result"),
    ],
)
def test_a_mistake_is_told_in_one_line_with_the_choices(book, capsys, words, status, message):
    assert cli.main(words.split()) == status
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


@pytest.mark.parametrize("verb", cli.OPTIONS)
def test_a_command_is_explained_and_refuses_an_option_that_it_does_not_have(verb, capsys):
    options = ", ".join(sorted(cli.OPTIONS[verb]))
    assert cli.main([verb, "nonsense=1"]) == 2
    known = f"choose from {options}" if options else "there is none"
    assert capsys.readouterr().err == f"sifting: unknown option 'nonsense'; {known}\n"
    [told] = re.findall(rf"(?m)^{verb}\b.*(?:\n +.*)*", cli.__doc__)
    assert verb == "build" or all(f"{option}=" in told for option in cli.OPTIONS[verb])


def test_a_chapter_that_lacks_a_parameter_is_reported(book, capsys):
    book.write("print(1)", parameters='preset = "laptop"\nseeds = 3\nepochs = 4')
    assert cli.main(["run", "toy", "preset=smoke", "book=1"]) == 2
    assert (
        "chapters/toy.ipynb has no parameter device, overrides; it has preset, seeds, epochs"
        in capsys.readouterr().err
    )


def test_a_failing_cell_is_named_and_the_page_that_was_there_stays(book, capsys):
    assert cli.main(["run", "toy", "preset=smoke", "book=1"]) == 0
    before = book.page.read_bytes()
    book.write("1 / 0")
    capsys.readouterr()
    assert cli.main(["run", "toy", "preset=smoke", "book=1"]) == 1
    error = capsys.readouterr().err
    assert (
        error.count("\n") == 1
        and "chapters/toy.ipynb, the cell that starts with '1 / 0': ZeroDivisionError: division by zero"
        in error
    )
    assert book.page.read_bytes() == before
    assert sorted(path.name for path in book.page.parent.iterdir()) == ["toy.failed.ipynb", "toy.ipynb"]
    book.write("1 / 1")
    assert cli.main(["run", "toy", "preset=smoke", "book=1"]) == 0
    assert [path.name for path in book.page.parent.iterdir()] == ["toy.ipynb"]


@pytest.mark.parametrize(("encoding", "how"), [("utf-8", "rename it"), ("ascii", "set PYTHONUTF8=1, as: ")])
def test_a_folder_whose_name_cannot_be_read_is_named(book, monkeypatch, capsys, encoding, how):
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: encoding)
    monkeypatch.setenv("SIFTING_DATA", "/caf\udce9")
    assert cli.main(["run", "toy", "preset=smoke"]) == 2 and book.computed == []
    said = f"SIFTING_DATA, '/caf\\udce9', has letters that are not {encoding}; {how}"
    assert said in capsys.readouterr().err


def test_a_page_is_drawn_in_a_folder_with_any_letters_under_any_locale(tmp_path):
    """ASCII stands for all locales that are not UTF-8; the letters are in what is drawn and in its folder."""
    code = (
        "import sys; from matplotlib.figure import Figure; from sifting.publish.markup import embed\n"
        "from sifting.publish.page import _beside\n"
        "figure = Figure(); figure.add_subplot().set_title('Größe ≥ 1').set_url('Größe ≥ 1')\n"
        "_beside('x-y', figure)\n"
        "embed('x-y', figure, 'Größe', 'ñ'); print('Größe ≥ 1')"
    )
    (tmp_path / "été").mkdir()
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "utf-8"}
    environment = os.environ | plain | {"SIFTING_FIGURES": str(tmp_path / "été")}
    command = [sys.executable, "-c", code.encode("ascii", "backslashreplace").decode()]
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", cwd=sources.ROOT)
    assert done.stderr == "" and done.stdout == "Größe ≥ 1\n"
    assert sorted(file.name for file in (tmp_path / "été").iterdir()) == ["x-y.json", "x-y.svg"]
    assert 'href="Größe ≥ 1"' in (tmp_path / "été" / "x-y.svg").read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_written_is_named_before_anything_is_computed(book, monkeypatch, capsys):
    (runner.BOOK.parent / "file").touch()
    monkeypatch.setattr(runner, "BOOK", runner.BOOK.parent / "file")
    for words in (["run", "toy", "preset=smoke"], ["site"]):
        assert cli.main(words) == 1
        error = capsys.readouterr().err
        assert "/file: File exists: pages cannot be written there ($SIFTING_SITE names another" in error
    assert book.computed == []


def test_the_book_can_be_built_in_another_folder(tmp_path, monkeypatch, python):
    """Nothing is written where the package is, apart from what Python keeps of modules."""
    code = (
        "import os, sys\n"
        f"here, wrote = {str(sources.ROOT)!r}, []\n"
        "def watch(event, about):\n"
        "    if event == 'open' and isinstance(about[0], str) and about[2] & (os.O_WRONLY | os.O_RDWR):\n"
        "        wrote.append(os.path.abspath(about[0]))\n"
        "sys.dont_write_bytecode = True\n"
        "sys.addaudithook(watch)\n"
        "from sifting.publish import building, runner\n"
        "built = []\n"
        "def build(command, **_):\n"
        "    built.append(command[command.index('build') + 1])\n"
        "    runner.SITE.mkdir(parents=True, exist_ok=True)\n"
        "    return type('Done', (), {'returncode': 0})\n"
        "building.subprocess.run = build\n"
        "runner.site()\n"
        "print(built, [path for path in wrote if path.startswith(here)])\n"
    )
    home = tmp_path / "elsewhere"
    monkeypatch.setenv("SIFTING_SITE", str(home))
    for _ in range(2):
        out, error = python(code).communicate(timeout=100)
        assert out.splitlines()[-1] == f"[{str(home)!r}] []", error
        assert f"open {home}/_build/html/index.html" in out
    for name in ("_config.yml", "_build/toc.yml", "book/intro.md", "book/references.bib", "book/imp.ipynb"):
        assert (home / name).is_file()
    assert (home / "book/_static/sifting.css").is_file() and not (home / "book/results").exists()


def test_what_is_newer_here_is_brought_and_what_is_newer_there_stays(tmp_path, monkeypatch):
    here, there = tmp_path / "here", tmp_path / "there"
    for name in ("_config.yml", "book/a.md", "book/b.md", "book/results/x.npz", "book/imp.ipynb"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text("old")
        (here / name).chmod(0o444)
    monkeypatch.setattr(place, "ROOT", here)
    place.bring(there)
    assert {path.name for path in there.rglob("*.*")} == {"_config.yml", "a.md", "b.md"}
    (there / "book/a.md").write_text("made there")
    os.utime(here / "book/b.md", (time.time() + 9, time.time() + 9))
    (there / "book/b.md").write_text("older")
    place.bring(there)
    assert [(there / f"book/{name}.md").read_text() for name in "ab"] == ["made there", "old"]


def test_a_port_in_use_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(runner, "SITE", tmp_path)
    assert cli.main(["serve"]) == 2 and "make builds it" in capsys.readouterr().err
    (tmp_path / "index.html").touch()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert cli.main(["serve", f"port={port}"]) == 2
    assert f"port {port} cannot be had" in capsys.readouterr().err


def test_make_names_the_variables_that_there_are():
    done = subprocess.run(
        ["make", "-n", "help", "presett=smoke"], cwd=sources.ROOT, capture_output=True, text=True
    )
    assert done.returncode != 0 and "unknown presett; choose from chapter preset seeds" in done.stderr


@pytest.mark.parametrize(
    "words, said",
    [
        ("help preset=smoke", "make help does not take preset; it takes field"),
        ("port=80", "make book does not take port; it takes chapter preset seeds device set fresh cluster"),
        ("live chapter=imp", "make live does not take chapter; it takes port fresh"),
        ("compare a=x b=y port=80", "make compare does not take port; it takes a b"),
        ("bench preset=smoke", "make bench does not take preset; it takes peers"),
        ("test only=shop", "unknown room 'shop'; choose from bench cache config"),
        ("chapter=imp set=lr=1 seeds=2", ""),
        ("verify result=NAME device=cpu", ""),
        ("clean book fresh=1", ""),
    ],
)
def test_make_refuses_what_a_command_would_not_read(words, said):
    command = ["make", "-n", f"python={sys.executable}", *words.split()]
    done = subprocess.run(command, cwd=sources.ROOT, capture_output=True, text=True)
    assert said in done.stderr and (done.returncode != 0) == bool(said)


def test_every_variable_that_a_command_reads_is_listed_below_it():
    text = (sources.ROOT / "Makefile").read_text()
    options = re.search(r"^OPTIONS = (.*)", text, re.M)[1]
    for rule in re.findall(r"^[a-z]+:.*##.*\n(?:[#\t].*\n|ifeq.*\n|else\n|endif\n)*", text, re.M):
        listed, recipe = (re.findall(rf"^{mark}.*", rule, re.M) for mark in ("#:", "\t"))
        listed = "\n".join(listed)
        read = re.findall(r"\$\(([a-z]+)[):]", "\n".join(recipe).replace("$(OPTIONS)", options))
        for name in {*read} - {"room", "foreach", "error", "wildcard"}:
            assert f" {name}=" in listed, rule


def test_a_reader_that_has_enough_ends_the_writer_without_a_word(python):
    script = "import sys; from sifting import __main__ as cli; sys.exit(cli.main(['help', 'field=all']))"
    process = python(script)
    process.stdout.close()
    assert process.stderr.read() == "" and process.wait() == 128 + signal.SIGPIPE
    process.stdout = None  # for who ends it


def test_an_unreadable_notebook_is_named(book, capsys):
    (sources.CHAPTERS / "toy.ipynb").write_text("{")
    assert cli.main(["run", "toy", "preset=smoke", "book=1"]) == 1
    assert "chapters/toy.ipynb is not a notebook" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("seeds = 4  # n=4 as in the paper", 4),
        ("seeds = 4  # overrides = {}; preset = 'smoke'", 4),
        ("# seeds = 2\nseeds = 4", 4),
        ("seeds: int = 4", 4),
    ],
)
def test_comments_of_the_parameters_cell_are_not_read(book, line, value, capfd):
    cell = f'preset = "laptop"\n{line}\ndevice = "auto"\noverrides = {{}}  # e.g. lr=0.05, widths=[64]'
    book.write("print(preset, seeds, overrides)", parameters=cell)
    assert asked.settle("toy", "smoke", None, None)[2] == value
    assert runner.run_chapter("toy", preset="smoke", seeds=2)
    assert printed(book.page) == "smoke 2 {}\n" and capfd.readouterr().err == ""


def test_overrides_may_be_written_as_a_call_of_dict(book):
    overrides = 'dict(lr=0.05, widths=[64, 64], model="fcn")'
    book.write("print(1)", parameters=PARAMETERS.replace("{}", overrides))
    known = sources.parameters_of(sources.CHAPTERS / "toy.ipynb")
    assert known["overrides"] == {"lr": 0.05, "widths": [64, 64], "model": "fcn"}


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (
            PARAMETERS.replace('"laptop"', 'os.environ.get("P")'),
            "line 1 of their cell is not: preset = os.en",
        ),
        ("import os\n" + PARAMETERS, "line 1 of their cell is not: import os"),
        (PARAMETERS.replace("{}", "dict({}, **more)"), "line 4 of their cell is not: overrides = dict("),
        (PARAMETERS.replace("seeds = 3", "seeds = = 3"), "line 2 of their cell is not: seeds = = 3"),
        (PARAMETERS.replace("seeds = 3", "seeds, more = 3, 4"), "line 2 of their cell is not: seeds, more"),
        (
            PARAMETERS.replace("seeds = 3", "seeds = None"),
            "seeds must be a whole number, 1 or more, not None",
        ),
        (PARAMETERS.replace("seeds = 3", ""), "toy.ipynb has no parameter seeds; it has preset, device, ov"),
    ],
)
def test_parameters_that_cannot_be_read_are_named_before_anything_is_computed(book, capsys, cell, message):
    book.write("print(1)", parameters=cell)
    assert cli.main(["run", "toy", "preset=smoke"]) and message in capsys.readouterr().err
    with pytest.raises((ValueError, notebooks.BuildError)):
        runner.run_chapter("toy", preset="smoke", seeds=None if "None" in cell else 2)
    assert book.computed == []


def test_parameters_are_shown_again_only_where_they_are_not_those_of_the_chapter(book):
    def shown(preset):
        runner.run_chapter("toy", preset=preset)
        cells = nbformat.read(book.page, 4).cells
        [injected] = [cell for cell in cells if "injected-parameters" in cell.metadata.get("tags", [])]
        return "remove-cell" not in injected.metadata.tags

    assert shown("smoke") and not shown("laptop")


@pytest.mark.parametrize(
    "error, status, message",
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "/somewhere"),
            1,
            "/somewhere: No space left on device",
        ),
        (FileNotFoundError("photos are missing; fetch them"), 2, "photos are missing"),
        (DamagedResult("ticket-1.npz", "is damaged"), 2, "ticket-1.npz is damaged"),
        (ImportError("No module named 'torch'"), 2, "pip install -r requirements.txt"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 25600 bytes."),
            1,
            "more memory is needed, 25600 bytes at once, than is here",
        ),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.50 GiB."), 1, "needed, 2.50 GiB at once"),
        (MemoryError(), 1, "more memory is needed than is here"),
        (KeyboardInterrupt(), 130, "interrupted; finished levels are kept, run the same command to go on"),
        (
            ZeroDivisionError("division by zero"),
            1,
            "ZeroDivisionError: division by zero (SIFTING_DEBUG=1 shows where)",
        ),
    ],
)
def test_an_error_while_computing_is_told_in_one_line(book, monkeypatch, capsys, error, status, message):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(store, "load_or_run", fail)
    assert cli.main(["run", "toy", "preset=smoke", "book=1"]) == status
    text = capsys.readouterr().err
    assert message in text and text.count("\n") == 1
    assert not book.page.exists()


@pytest.mark.parametrize("names", [["toy"], ["here", "there", "toy"]])
def test_ctrl_c_ends_the_cells_that_run_and_leaves_no_half_page(book, sifting, tmp_path, names):
    for name in names:
        cell = (
            f"import os, pathlib, time\npathlib.Path('{name}').write_text(str(os.getpid()))\ntime.sleep(60)"
        )
        book.write(cell, name=name)
    build, notes = sifting("build"), [tmp_path / "chapters" / name for name in names[:2]]
    while not all(note.exists() and note.read_text() for note in notes):
        time.sleep(0.02)
    with pytest.raises(filelock.Timeout), filelock.FileLock(tmp_path / ".lock", timeout=0):
        pytest.fail("another command may draw, too")
    os.killpg(build.pid, signal.SIGINT)
    _, error = build.communicate(timeout=60)
    assert build.returncode == 130 and "interrupted" in error and error.count("\n") == 1
    assert list(runner.BOOK.iterdir()) == []
    for note in notes:
        with pytest.raises(ProcessLookupError):
            os.kill(int(note.read_text()), 0)


# --- verify


def result(seed=0, levels=4, **changes):
    removed = np.random.default_rng(seed).integers(1, levels + 2, (64, 48)).astype(np.uint8)
    removed[removed == levels + 1] = 255
    arrays = {
        "removed_at/linear.0.weight": removed,
        "trained/0/linear.0.bias": np.arange(4.0),
        "best_test_accuracy": np.array([0.3, 0.4]),
    }
    return arrays | changes


def test_a_result_agrees_with_itself():
    differences = verify.compare(result(), result())
    assert all(difference.identical for difference in differences) and verify.agrees(differences)


def test_random_masks_overlap_by_chance_and_do_not_agree():
    [mask] = [difference for difference in verify.compare(result(0), result(1)) if difference.overlap]
    index, chance = mask.overlap
    assert index == pytest.approx(chance, abs=0.05) and not verify.agrees([mask])


def test_overlap_is_the_jaccard_index():
    one, two = (np.array([[255, 255, 1, 1]], np.uint8), np.array([[255, 1, 255, 1]], np.uint8))
    assert verify.overlap(one, two) == (pytest.approx(1 / 3), pytest.approx(0.5 / 1.5))


@pytest.mark.parametrize("shift, fine", [(0.02, True), (0.04, False)])
def test_accuracies_may_differ_a_little_elsewhere(shift, fine):
    again = result(best_test_accuracy=np.array([0.3, 0.4 + shift]))
    assert verify.agrees(verify.compare(result(), again)) == fine


@pytest.mark.parametrize("name", result())
def test_a_missing_array_never_agrees(name):
    stored = result()
    lacking = {other: value for other, value in stored.items() if other != name}
    assert not verify.agrees(verify.compare(stored, lacking))
    assert not verify.agrees(verify.compare(stored, result(best_test_accuracy=np.zeros(3))))


def test_the_report_says_what_is_identical_and_how_far_apart_the_rest_is():
    again = result(1, **{"best_test_accuracy": np.array([0.3, 0.42])})
    lines = verify.report(verify.compare(result(0), again))
    assert lines[0].startswith("removed_at/linear.0.weight: overlap 0.")
    assert lines[1:] == ["best_test_accuracy: largest difference 0.02", "trained: identical"]


def test_a_chapter_that_plans_the_same_for_any_number_of_seeds_has_one(results, monkeypatch):
    wanted = [("components", Config())]
    monkeypatch.setattr(runner.plans, "planned", lambda name, base, count: wanted)
    assert asked.stored_seeds("statistics", Config()) == 0
    store.save("components", Config(), {"x": np.zeros(1)}, {"versions": {}, "commit": "0"})
    assert asked.stored_seeds("statistics", Config()) == 1


def test_verify_takes_the_stored_run_that_took_least_time(book):
    for seconds, config in (
        (5.0, Config()),
        (3.0, preset("laptop")),
        (4.0, preset("laptop", seed=1)),
    ):
        store.save("ticket", config, {"x": np.zeros(1)}, book.made | {"wall_seconds": seconds})
    assert [run.config for run in verify.smallest("toy")] == [preset("laptop")]
    assert [run.config.seed for run in verify.smallest("toy", every_seed=True)] == [0, 1]
    assert isinstance(verify.smallest("toy")[0], History)


@pytest.mark.parametrize("kind", ["shown", "anatomy"])
@pytest.mark.parametrize("engine", ["reference", "sparse 1.0 0.0 0.5 1.0"])
def test_a_run_is_verified_with_the_engine_that_made_it(results, capsys, kind, engine):
    """Another one rounds otherwise, and the one that is fastest differs from machine to machine."""
    tiny = preset("smoke", steps=10, rewind_step=2, levels=2, evaluations=2, train_images=500)
    stored = store.load_or_run(kind, [tiny], "cpu", engine=engine)[0]
    assert stored.engine == engine and verify.verify(stored.name, device="cpu")
    assert "reproduced (every bit)" in capsys.readouterr().out
    store.load_or_run("shown", [tiny], "cpu", fresh=True)  # "auto": other limits
    assert store.load("shown", tiny).engine not in ("reference", engine)


@pytest.mark.parametrize("kind", store.EXPERIMENTS)
def test_a_result_of_every_kind_is_verified_to_the_bit(results, capsys, kind):
    tiny = preset(
        "smoke", steps=6, rewind_step=1, levels=2, evaluations=1, train_images=500, labels="picture",
        clone="pixels", subsets=2, probe_images=20, cells=2, snapshots=2,
    )  # fmt: skip
    [stored] = store.load_or_run(kind, [tiny], "cpu", workers=1)
    assert verify.verify(stored.name, device="cpu") and "reproduced (every bit)" in capsys.readouterr().out


def test_an_override_that_changes_nothing_is_refused():
    with pytest.raises(ValueError, match="gain has no effect in dial, which sets or compares it by itself"):
        asked.settle("dial", "smoke", 1, {"gain": "5", "lr": "0.2"})
    assert asked.settle("dial", "smoke", 1, {"lr": "0.2", "gain": "0"})[1].lr == 0.2, (
        "0 is what gain is anyway"
    )


@pytest.mark.parametrize(
    ("terminal", "given", "seconds"), [(True, "", ""), (False, "", "30"), (False, "2", "2")]
)
def test_in_a_log_a_bar_is_written_seldom_if_nobody_says_how_often(terminal, given, seconds, monkeypatch):
    monkeypatch.setenv("TQDM_MININTERVAL", given)
    if not given:
        monkeypatch.delenv("TQDM_MININTERVAL")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    assert cli.main(["help"]) == 0
    assert os.environ.get("TQDM_MININTERVAL", "") == seconds
