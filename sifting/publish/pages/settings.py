"""The page *Settings*: every field of Config, what it takes, its presets, and the chapters that read it."""

from html import escape

from sifting.config import GROUPS, Setting
from sifting.publish.reference import marked
from sifting.publish.settings import columns, members, notes, presets, readers, said, shown, takes


def settings_page() -> str:
    """Every setting, by what it belongs to. Its name after "config." is its anchor."""
    text = [
        "# Settings",
        'Every setting of a run, with its default. `make chapter=imp set="lr=0.05 widths=512,512"` changes some '
        "of them for one chapter, which refuses those that would change nothing in it. "
        "`make help field=lr` says the same as this page.",
    ]
    for group in GROUPS:
        text += [f"## {group.capitalize()}", *map(entry, members(group))]
    return "\n\n".join(text) + "\n"


def entry(setting: Setting) -> str:
    """One setting."""
    parts = {"takes": takes(setting), "presets": presets(setting.name), "note": notes(setting)}
    return "\n".join(
        [
            f'<div class="function" id="config.{setting.name}">',
            f'<p class="signature"><code>{setting.name} = {escape(shown(setting.default))}</code></p>',
            f"<p>{marked(setting.says[0].upper() + setting.says[1:])}.</p>",
            f"\n<pre>{marked(chr(10).join(columns(parts)))}</pre>",
            f"<p>Chapters: {said(readers(setting.name), link)}</p></div>",
        ]
    )


def link(chapter: str) -> str:
    """A link to a chapter."""
    return f'<a href="{chapter}.html">{chapter}</a>'
