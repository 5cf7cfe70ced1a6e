"""Starts JupyterLab on the copies of the chapters: in the book's dress, without news, asking nobody."""

import json
import os
import pathlib
import shutil
import socket
import sys

from sifting import store
from sifting.publish import contents, live, place, runner
from sifting.publish.live import copies
from sifting.publish.notebooks import KERNEL
from sifting.publish.sources import ROOT
from sifting.store.files import TRIALS

FOLDER = place.HOME / "live"
STYLES = ROOT / "book" / "_static" / "sifting.css", pathlib.Path(__file__).with_name("lab.css")
FEW = 5  # names that are told one by one
# how the style of the site is said in JupyterLab
SAME = {
    'html[data-theme="light"]': 'body[data-jp-theme-light="true"]',
    'html[data-theme="dark"]': 'body[data-jp-theme-light="false"]',
    "html {": "body {",
    ".bd-article": ".jp-RenderedHTMLCommon",
}
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": False,
    },
    "@jupyterlab/docmanager-extension:plugin": {"defaultViewers": {"markdown": "Markdown Preview"}},
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},  # anchors, and find on a page
}
ABSENT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Not built</title>
<style>body {{ font: 1.1rem/1.6 system-ui; margin: 3rem auto; max-width: 34em;
color-scheme: light dark }}</style>
<h1>The site is not built yet</h1><p><code>make</code> builds it, with the page <em>{}</em>; then start
<code>make live</code> again.</p></html>
"""


def start(port: int | None = None, fresh: bool = False) -> None:
    """Write the copies, say what became of them, and become JupyterLab.

    port  : default: the first free one from 8888 on
    fresh : begin anew; what the reader changed is put aside

    Raises ValueError for a port that cannot be had.
    """
    if port is not None:
        check_port(port)
    place.check_writable(FOLDER)
    for line in told(copies.write(FOLDER, fresh)):
        print(line)
    words = command(dress(FOLDER / ".jupyter"), port)
    sys.stdout.flush()
    os.execve(words[0], words, os.environ | surroundings())


def told(made: list[copies.Copy]) -> list[str]:
    """What a reader should know of the copies, in lines."""
    by = {state: [copy.file for copy in made if copy.state == state] for state in ("renewed", "behind")}
    lines = [f"the chapters are in {FOLDER}"]
    if by["renewed"]:
        some = ", ".join(by["renewed"]) if len(by["renewed"]) <= FEW else f"{len(by['renewed'])} of them"
        lines.append(f"written anew, since the chapters have changed or been drawn: {some}")
    lines += [
        f"{file}: the chapter has changed; your copy, which you changed, stays; make live fresh=1 begins anew"
        for file in by["behind"]
    ]
    if not (runner.SITE / "index.html").exists():
        lines.append("the site is not built: links to its pages say so; make builds it")
    if _is_root():
        lines.append("you are root, as in a container: JupyterLab is told that this is meant (--allow-root)")
    return lines


def dress(folder: pathlib.Path) -> pathlib.Path:
    """Write to a folder the settings and the style of JupyterLab, and pages in the place of missing ones."""
    shutil.rmtree(folder / "site", ignore_errors=True)
    for place_ in ("settings", "custom", "site/book", "workspaces"):
        (folder / place_).mkdir(parents=True, exist_ok=True)
    (folder / "settings" / "overrides.json").write_text(json.dumps(SETTINGS, indent=1), encoding="utf-8")
    (folder / "custom" / "custom.css").write_text(style(), encoding="utf-8")
    for page in ["intro", *contents.pages()]:
        if not (runner.SITE / "book" / f"{page}.html").exists():
            (folder / "site" / "book" / f"{page}.html").write_text(ABSENT.format(page), encoding="utf-8")
    return folder


def style() -> str:
    """The style of the site, said for JupyterLab, and what is JupyterLab's alone."""
    site, lab = (path.read_text(encoding="utf-8") for path in STYLES)
    for there, here in SAME.items():
        site = site.replace(there, here)
    return site + lab


def command(folder: pathlib.Path, port: int | None = None) -> list[str]:
    """What starts JupyterLab. folder : of `dress`."""
    options = {
        "ServerApp.root_dir": str(FOLDER),
        "LabApp.default_url": f"/lab/tree/{copies.INDEX}",
        "LabApp.app_settings_dir": str(folder / "settings"),
        "LabApp.workspaces_dir": str(folder / "workspaces"),
        "LabApp.custom_css": "True",
        "ServerApp.tornado_settings": str({"static_custom_path": [str(folder / "custom")]}),
        "ServerApp.extra_static_paths": str([str(runner.SITE), str(folder / "site")]),
        "LabApp.news_url": "None",
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.extension_manager": "readonly",
        "KernelManager.transport_encryption": "auto",  # or every kernel says that others could listen
        "Application.log_level": "ERROR",  # but where to go is said
    }
    if port is not None:
        options |= {"ServerApp.port": str(port), "ServerApp.port_retries": "0"}
    words = [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in options.items())]
    return words + ["--allow-root"] * _is_root()


def surroundings() -> dict[str, str]:
    """The environment of JupyterLab and its kernels: results are stored with those of trials."""
    return KERNEL | {live.SWITCH: "1", "SIFTING_RESULTS": str(store.root() / TRIALS)}


def check_port(port: int) -> None:
    """Raise ValueError where nothing can listen at that port of this machine."""
    if not 0 < port < 65536:
        raise ValueError(f"port must be 1 to 65535, not {port}")
    with socket.socket() as found:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind(("127.0.0.1", port))
        except OSError as error:
            raise ValueError(
                f"port {port} cannot be had ({error.strerror}); another, as: make live port={port + 1}"
            ) from None


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
