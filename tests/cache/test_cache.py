"""What is kept for the next process, and where."""

import os
import pathlib
import pwd
import subprocess
import sys
import tempfile

import numpy as np
import pytest

from sifting import cache


def nobody(number):
    raise KeyError(number)


@pytest.fixture(params=["nobody", "nowhere"])
def homeless(request, tmp_path, monkeypatch):
    """A process as in a container: its user is on no list, or has a home that is not there."""
    monkeypatch.delenv("SIFTING_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path / "not there"))  # and set again after the test
    if request.param == "nobody":
        monkeypatch.delenv("HOME")
        monkeypatch.setattr(pwd, "getpwuid", nobody)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_who_has_no_home_has_one_in_the_temporary_folder_and_is_told_so_once(homeless, tmp_path, capsys):
    assert tmp_path in cache.folder().parents and cache.folder() == cache.folder()
    assert np.array_equal(cache.array("some/thing", lambda: np.arange(3)), range(3))
    assert [file.name for file in cache.folder().rglob("*.npy")] == ["thing.npy"]
    error = capsys.readouterr().err
    assert str(tmp_path) in error and "$HOME" in error and error.count("\n") == 1


def test_processes_that_it_starts_have_the_same_home(homeless):
    here = cache.folder()
    code = "from sifting import cache; print(cache.folder())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")
    assert (done.stdout, done.stderr) == (f"{here}\n", "")


def test_who_has_a_home_keeps_it(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("SIFTING_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.folder() == pathlib.Path(tmp_path) / ".cache" / "sifting"
    assert os.environ["HOME"] == str(tmp_path) and capsys.readouterr().err == ""


def test_a_home_in_the_temporary_folder_that_somebody_else_may_write_to_is_not_taken(homeless, tmp_path):
    (tmp_path / "others").mkdir()
    (tmp_path / f"sifting-{os.getuid()}").symlink_to(tmp_path / "others")
    home = pathlib.Path(cache.folder()).parents[1]
    assert home.parent == tmp_path and home.stat().st_mode & 0o777 == 0o700
    assert not [*(tmp_path / "others").iterdir()] and not home.is_symlink()
