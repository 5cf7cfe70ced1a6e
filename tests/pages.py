"""Pages with widgets, as myst-nb writes them, and what goes wrong on any page."""

import json
import pathlib

from ipywidgets import embed

LOADER = pathlib.Path(__file__).parents[1] / "book" / "_static" / "anywidget-static.js"


def page(*widgets, views=None):
    """Widget state and views as myst-nb writes them, and the loader of the book."""
    state = embed.dependency_state(widgets, drop_defaults=False)
    tag = '<script type="application/vnd.jupyter.widget-{}+json">{}</script>'
    shown = "\n".join(tag.format("view", json.dumps({"model_id": w.model_id})) for w in views or widgets)
    stored = tag.format("state", embed.escape_script(json.dumps({"state": state})))
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Masks</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<style>:root {{ color-scheme: light dark }}</style><script defer src="anywidget-static.js"></script></head>
<body><main><h1>Masks</h1>{shown}</main>{stored}</body></html>"""


def watched(tab, home):
    """The tab, with the list `trouble`: of requests to elsewhere than `home`, of failures, and of errors."""
    tab.trouble = trouble = []
    own = home, "blob:", "data:"
    tab.on("request", lambda r: r.url.startswith(own) or trouble.append(f"outside: {r.url}"))
    tab.on("requestfailed", lambda r: trouble.append(f"failed: {r.url}"))
    tab.on("response", lambda r: r.status >= 400 and trouble.append(f"{r.status}: {r.url}"))
    tab.on("pageerror", lambda e: trouble.append(f"error: {e}"))
    tab.on("console", lambda m: m.type == "error" and trouble.append(f"console: {m.text}"))
    return tab
