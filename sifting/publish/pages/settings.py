"""The page *Settings*: every field of Config, what it takes, its presets, and the chapters that read it."""

from html import escape

from sifting.config import GROUPS, Setting
from sifting.publish.reference import marked
from sifting.publish.settings import Line, known, members, shown


def settings_page() -> str:
    """Every setting, by what it belongs to. Its name after "config." is its anchor."""
    text = [
        "# Settings",
        'Every setting of a run, with its default. `make chapter=imp set="lr=0.05 widths=512,512"` changes '
        "some of them for one chapter, which refuses those that would change nothing in it. "
        "`make help field=lr` tells the same of one setting.",
    ]
    for group in GROUPS:
        text += [f"## {group.capitalize()}", *map(entry, members(group))]
    return "\n\n".join(text) + "\n"


def entry(setting: Setting) -> str:
    """One setting."""
    rows = [
        f'<tr><th scope="row">{title}</th><td>{"<br>".join(map(line, lines))}</td></tr>'
        for title, lines in known(setting, link).items()
    ]
    return "\n".join(
        [
            f'<div class="function" id="config.{setting.name}">',
            f'<p class="signature"><code>{setting.name} = {escape(shown(setting.default))}</code></p>',
            f"<p>{marked(setting.says[0].upper() + setting.says[1:])}.</p>",
            f'<table class="settings"><tbody>{"".join(rows)}</tbody></table></div>',
        ]
    )


def line(one: Line) -> str:
    """A line and its head."""
    head, words = one
    return f"<code>{escape(head)}</code>: {marked(words)}" if head else words


def link(chapter: str) -> str:
    """A link to a chapter."""
    return f'<a href="{chapter}.html">{chapter}</a>'
