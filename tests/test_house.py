"""The rules of the house, held against the code: rooms, chapters, docstrings, pins, commands."""

import ast
import functools
import pathlib
import re
import subprocess
import sys
from importlib import metadata

import nbformat
import pytest

from sifting.publish import fingerprint, house
from sifting.publish.house import PACKAGE, ROOMS, imported, modules, room_of

ROOT = PACKAGE.parent
FILES = sorted(PACKAGE.rglob("*.py"))
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
READING = [room for room in ROOMS if not house.needs_torch(room)]  # rooms that read and draw


# --- rooms


def test_every_file_belongs_to_a_room_on_the_map():
    assert {room_of(path) for path in FILES} - {"__init__", "__main__"} == set(ROOMS)
    assert all(modules(room) for room in ROOMS)


def test_contributors_see_the_plan_of_the_house():
    assert house.plan() in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_the_house_has_fifteen_names_and_no_arrow_back_up():
    assert re.fullmatch(
        r"1[0-6] names at the top, \d+ rooms, ([0-4]\d|50) arrows between them, no circle, 0 back up",
        house.numbers(),
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_rooms_above_it(path):
    room = room_of(path)
    if room in ROOMS:
        above = set(ROOMS[: ROOMS.index(room) + 1])
        assert imported(path) <= above, f"{room} stands above {', '.join(sorted(imported(path) - above))}"


def test_reading_and_drawing_need_no_torch():
    """Import every module of those rooms where torch cannot be imported."""
    assert set(READING) >= {
        "config",
        "results",
        "store",
        "observables",
        "tables",
        "figures",
        "widgets",
        "publish",
    }
    paths = [path for room in READING for path in modules(room)] + [PACKAGE / "__main__.py"]
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths
    ]
    refuse = (
        "import sys\n\ndef refuse(name, *_):\n"
        "  if name == 'torch': raise ImportError('torch is not to be needed')\n"
        "sys.meta_path.insert(0, type('No', (), {'find_spec': refuse}))\n"
    )
    code = refuse + "\n".join(f"import {name}" for name in names)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_can_be_read_in_one_sitting(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_what_is_public_says_what_it_does(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    silent = [] if ast.get_docstring(tree) else [path.name]
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            inside = node.body if isinstance(node, ast.ClassDef) else []
            for item in [node, *inside]:
                public = isinstance(item, (ast.FunctionDef, ast.ClassDef)) and not item.name.startswith("_")
                silent += [item.name] if public and not ast.get_docstring(item) else []
    assert silent == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_text_is_read_and_written_as_utf_8_whatever_the_locale(path):
    """Files, and what other programs say; not what is opened as bytes."""
    silent = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            given = {word.arg for word in node.keywords}
            modes = {node.value for node in ast.walk(node) if isinstance(node, ast.Constant)} & {"rb", "wb"}
            pixels = ast.unparse(node.func) == "Image.open"
            text = name in ("read_text", "write_text") or name == "open" and not modes and not pixels
            if (text or given & {"text", "universal_newlines"}) and "encoding" not in given:
                silent.append(ast.unparse(node))
    assert silent == []


@functools.cache
def reached():
    """(module, name) of all definitions that a chapter or a test reaches; every chapter is run by a test."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests").rglob("*.py"))]
    for path in CHAPTERS:
        cells = nbformat.read(path, 4).cells
        texts.append("\n".join(cell.source for cell in cells if cell.cell_type == "code"))
    return {place for text in texts for place in fingerprint.reached(text)}


@pytest.mark.parametrize("room", ["observables", "tables", "figures", "widgets"])
def test_what_is_measured_and_drawn_is_in_a_chapter_or_a_test(room):
    public = [
        (module.name, name)
        for module in fingerprint.modules().values()
        if module.name.split(".")[1:2] == [room]
        for name, nodes in module.definitions.items()
        if isinstance(nodes[0], (ast.FunctionDef, ast.ClassDef)) and not name.startswith("_")
    ]
    assert public and [".".join(place) for place in public if place not in reached()] == []


# --- chapters


@pytest.fixture(params=CHAPTERS, ids=lambda path: path.stem)
def chapter(request):
    return nbformat.read(request.param, 4)


def test_a_chapter_has_no_outputs_and_one_parameters_cell(chapter):
    code = [cell for cell in chapter.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert all(cell.metadata.get("tags") for cell in code), "they say whether their code is folded"
    [parameters] = [cell for cell in code if "parameters" in cell.metadata.get("tags", [])]
    assert [node.targets[0].id for node in ast.parse(parameters.source).body] == [
        "preset",
        "seeds",
        "device",
        "overrides",
    ]
    assert (
        set(chapter.metadata) <= {"kernelspec", "language_info"}
        and chapter.metadata.kernelspec.name == "python3"
    )


def test_a_chapter_calls_and_does_not_compute(chapter):
    logic = (ast.FunctionDef, ast.ClassDef, ast.For, ast.While, ast.If, ast.Try, ast.Lambda)
    for cell in chapter.cells:
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= 12, cell.source
            assert not [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, logic)], (
                cell.source
            )


def test_a_chapter_types_no_number_that_it_can_compute(chapter):
    """Text on our results uses glue; a percentage with decimals is a number that was copied."""
    for cell in chapter.cells:
        if cell.cell_type == "markdown":
            assert not re.search(r"(?<![`\w.])\d+\.\d+ ?%", cell.source), cell.source


# --- what a newcomer meets


def test_every_package_that_is_imported_is_required():
    pins = re.findall("(?m)^([A-Za-z0-9._-]+)==", (ROOT / "requirements.txt").read_text())
    provided, found = metadata.packages_distributions(), set()
    for path in [*FILES, *(ROOT / "tests").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found |= (
                {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"sifting", "", "tests"}
            )
    named = {pin.lower().replace("_", "-") for pin in pins}
    lacking = {
        name for name in found if not named & {d.lower().replace("_", "-") for d in provided.get(name, [])}
    }
    assert lacking == set()


def test_every_package_is_pinned():
    lines = [line.partition("#")[0].strip() for line in (ROOT / "requirements.txt").read_text().splitlines()]
    pins = [line for line in lines if line and not line.startswith("-c")]
    constraints = [
        line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and line[0] != "#"
    ]
    assert len({line.partition("==")[0].lower() for line in pins}) == len(pins), "a package stands there once"
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[\w.]+", line) for line in [*pins, *constraints])
    assert {line.lower() for line in pins} <= {line.lower().replace("_", "-") for line in constraints}


def test_commands_that_the_texts_name_are_in_the_makefile():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    variables = set(re.findall(r"^([a-z]+) *:=", makefile, re.MULTILINE))
    for name in ("README.md", "CONTRIBUTING.md", "book/intro.md"):
        blocks = re.findall(r"```(?:bash|sh)\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)
        inline = re.findall(r"`(make[^`]*)`", (ROOT / name).read_text(encoding="utf-8"))
        for line in [*inline, *"\n".join(blocks).splitlines()]:
            words = re.sub(r'"[^"]*"', "x", line.partition("#")[0]).split()
            if words[:1] == ["make"]:
                for word in words[1:]:
                    assert word.partition("=")[0] in (variables if "=" in word else targets), (
                        f"{name}: {line}"
                    )


def test_make_help_lists_every_command():
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True).stdout
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^\.PHONY: (.*)", makefile, re.MULTILINE)[0].split():
        assert f"make {target}" in listed or target == "packages"


def test_continuous_integration_calls_the_test_command():
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith("make test")
    assert "make test" in (ROOT / "README.md").read_text()


def test_what_git_is_told_to_ignore_is_not_in_it():
    command = ["git", "ls-files", "--cached", "--ignored", "--exclude-standard"]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split() == []


def test_clean_removes_all_that_is_made_of_the_book():
    made = [
        line for line in (ROOT / ".gitignore").read_text().splitlines() if re.match(r"book/.*\.md$", line)
    ]
    clean = re.search(r"^clean:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    assert made and [name for name in made if name not in clean.split()] == []


def test_no_machine_path_is_left_in_the_repository():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    texts = [
        ROOT / name
        for name in listed
        if name.endswith((".py", ".md", ".ipynb", ".yml", ".toml", ".txt", ".css", "Makefile"))
    ]
    for path in texts:
        if path.exists() and path.name != pathlib.Path(__file__).name:
            assert not re.search(r"/(root|home|work)/", path.read_text(encoding="utf-8")), path
