"""The package as it is installed: light to import, with all of its files, and usable from anywhere."""

import pathlib
import re
import shutil
import subprocess
import sys
import tomllib

import pytest

import sifting
from sifting.config import place

ROOT = place.checkout()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NEEDS = [*PROJECT["project"]["dependencies"], *sum(PROJECT["project"]["optional-dependencies"].values(), [])]


def tracked(*folders):
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *folders],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.split("\n") if name and (ROOT / name).exists()]


def python(code, **how):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, **how)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder that the package is installed into from what is tracked, without what it needs."""
    copy, site = tmp_path_factory.mktemp("clone"), tmp_path_factory.mktemp("site")
    for file in [*tracked("sifting"), *tracked("pyproject.toml", "README.md", "LICENSE", "LICENSE-text")]:
        target = copy / file.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-deps", "--no-index"]
    subprocess.run(
        [*pip, "--no-build-isolation", "--quiet", "--target", site, copy], check=True, capture_output=True
    )
    return site


def test_importing_it_is_light_and_so_is_asking_what_it_has():
    heavy = {"torch", "numpy", "scipy", "matplotlib", "anywidget"}
    done = python(
        f"import sys, sifting; dir(sifting), sifting.__version__; assert not {heavy} & {{*sys.modules}}"
    )
    assert done.returncode == 0, done.stderr


def test_reading_notebooks_builds_no_grammar_of_addresses():
    done = python("import sys; from sifting.publish import page, runner; assert 'lark' not in sys.modules")
    assert done.returncode == 0, done.stderr


def test_every_name_is_where_it_is_said_to_be():
    for name in sifting.FROM:
        assert getattr(sifting, name).__doc__ and name in dir(sifting)
    with pytest.raises(AttributeError, match=f"no attribute 'mesure'; it has .*{[*sifting.FROM][0]}"):
        sifting.mesure  # noqa: B018


def test_what_the_project_needs_is_what_is_pinned():
    pins = dict(re.findall(r"(?m)^([\w.-]+)==([\w.]+)", (ROOT / "requirements.txt").read_text()))
    needs = {re.match(r"[\w-]+", need)[0]: re.findall(r"(>=|<)(\d+)", need) for need in NEEDS}
    assert sorted(needs) == sorted(pins) and len(needs) == len(NEEDS)
    for name, bounds in needs.items():
        major = int(re.match(r"\d+", pins[name])[0])
        assert all(major >= int(n) if sign == ">=" else major < int(n) for sign, n in bounds), name


def test_versions_of_the_project_and_of_python_stand_once():
    assert f"version: {sifting.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["project"]["requires-python"] == ">=3.11,<3.13"
    assert "((3, 11), (3, 12))" in (ROOT / "Makefile").read_text()


def test_all_files_of_the_package_are_installed(installed):
    files = {path.relative_to(ROOT) for path in tracked("sifting")}
    there = {path.relative_to(installed) for path in (installed / "sifting").rglob("*") if path.is_file()}
    assert files == {path for path in there if path.suffix != ".pyc"}


def test_an_installed_package_works_from_another_folder_and_writes_there(installed, tmp_path):
    code = (
        "import pathlib, sifting\n"
        "from sifting import store\n"
        "from sifting.data import archives\n"
        "from sifting.store.provenance import commit\n"
        "from sifting.__main__ import main\n"
        f"assert pathlib.Path(sifting.__file__).is_relative_to({str(installed)!r})\n"
        "here = pathlib.Path.cwd()\n"
        "assert store.root() == here / 'sifting-results' and archives.folder() == here / 'data'\n"
        "assert commit() == f'sifting {sifting.__version__}'\n"
        "assert main(['help']) == 0 and main(['build']) == 2\n"
    )
    surroundings = {"PYTHONPATH": str(installed), "PATH": "", "HOME": str(tmp_path)}
    done = python(code, cwd=tmp_path, env=surroundings)
    assert done.returncode == 0, done.stderr
    assert "chapters are in its repository" in done.stderr
    assert not list(pathlib.Path(tmp_path).iterdir()), "nothing is written before anything is computed"
