"""What is told of settings on the command line and on their page, held against what chapters plan."""

import contextlib
import re
import subprocess
import sys

import pytest

from sifting import __main__, store
from sifting.config import FAMILIES, FIELDS, SETTINGS
from sifting.publish import pages, plans, settings, sources

ALL = settings.told("all")


@pytest.mark.parametrize("name", FIELDS)
def test_a_setting_is_told_with_its_default_its_choices_and_its_presets(name):
    setting, text = SETTINGS[name], settings.told(name)
    assert text.startswith(f"{name}: {setting.says}\n")
    assert (
        f"default     {settings.shown(setting.default)}\n" in text and f"belongs to  {setting.of}\n" in text
    )
    assert all(f"  {choice} " in text for choice in setting.choices) and setting.range in text
    assert all(line.rstrip() == line and len(line) <= settings.WIDTH for line in text.splitlines())
    assert len(re.findall(rf"(?m)^  {name} .*{re.escape(setting.says)}$", ALL)) == 1


@pytest.mark.parametrize("name", FIELDS)
def test_presets_that_agree_are_told_once(name):
    """Every family that reads the setting is in one line, in words from which its values are read again."""
    told = settings.presets(name)
    found = {family: words for families, words in told for family in families.split(", ")}
    setting = SETTINGS[name]
    read = {
        family: some
        for family, some in FAMILIES.items()
        if not any(setting.unread(vars(config)) for config in some.values())
    }
    assert len(told) == len(set(found.values())) and set(found) == set(read)
    for family, some in read.items():
        parts = re.findall(r"(\S+) \(([^)]+)\)", found[family])
        at = {place: value for value, places in parts for place in places.split(", ")}
        for place, config in some.items():
            assert settings.shown(getattr(config, name)) == at.get(place, found[family])


def test_presets_are_told_in_few_words():
    assert "0.02 (smoke, laptop, desk, gpu); 0.01 (paper)" in dict(settings.presets("lr")).values()


def test_a_misspelt_name_is_refused_with_the_likely_one_and_all():
    for wrong, likely in {
        "learning_rate": "lr",
        "trainimages": "train_images",
        "batchnorm": "batch_norm",
    }.items():
        with pytest.raises(ValueError, match=rf"'{wrong}' \(did you mean {likely}\?\); ") as error:
            settings.told(wrong)
        assert all(f" {name}," in str(error.value) for name in FIELDS)


def test_help_needs_no_torch(capsys):
    code = (
        "import sys; from sifting.__main__ import main; main(sys.argv[1:]); assert 'torch' not in sys.modules"
    )
    for name in ("all", "lr", "widths"):
        done = subprocess.run(
            [sys.executable, "-c", code, "help", f"field={name}"], capture_output=True, text=True
        )
        assert done.returncode == 0 and done.stdout == settings.told(name) + "\n", done.stderr
    assert __main__.main(["help"]) == 0 and "help [field=NAME|all]" in capsys.readouterr().out
    assert __main__.main(["help", "lr"]) == 2 and "help takes no names" in capsys.readouterr().err
    assert __main__.main(["help", "field=Lr"]) == 2 and "did you mean lr?" in capsys.readouterr().err


@pytest.mark.parametrize("name", FIELDS)
def test_a_chapter_reads_a_setting_that_can_be_set_in_it_with_effect(name):
    """What plans take is read, or refused before anything is computed."""
    for chapter in plans.GROUPS:
        usual = getattr(plans.base(chapter, "laptop"), name)
        taken = []
        for value in settings.others(SETTINGS[name], usual):
            with contextlib.suppress(ValueError):
                base = plans.base(chapter, "laptop", {name: value})
                taken += [config for _, config in plans.planned(chapter, base, 1)]
        if chapter in settings.readers(name):
            assert taken
        elif taken:
            with pytest.raises(ValueError, match=f"{name} has no effect on|classes="):
                store.check(taken)


# --- the page


def test_the_page_has_every_setting_once_and_leads_to_chapters():
    text = pages.settings_page()
    assert re.findall('id="config[.]([a-z_]+)"', text) == list(FIELDS)
    assert set(re.findall('href="([a-z]+)[.]html"', text)) <= set(sources.chapters())
    for name, setting in SETTINGS.items():
        entry = text.partition(f'id="config.{name}"')[2].partition("</div>")[0]
        assert all(f"<code>{choice}</code>: " in entry for choice in setting.choices)
        listed = set(re.findall('href="([a-z]+)[.]html"', entry))
        readers = set(settings.readers(name))
        told = entry.partition('<th scope="row">chapters</th><td>')[2]
        assert listed == (set(plans.GROUPS) - readers if told.startswith("all") else readers)
