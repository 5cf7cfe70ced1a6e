"""What all tests share: results go to a folder of the test, never to the book's."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]


@pytest.fixture
def results(tmp_path, monkeypatch):
    """An empty folder of stored results."""
    monkeypatch.setenv("SIFTING_RESULTS", str(tmp_path / "results"))
    return tmp_path / "results"


@pytest.fixture
def python(results):
    """Start a Python process on the project, with the same folder of results."""

    def start(code: str, **keywords) -> subprocess.Popen:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        return subprocess.Popen(
            [sys.executable, "-c", code],
            env=environment,
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **keywords,
        )

    return start
