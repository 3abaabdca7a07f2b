"""The console's languages are complete, and its scripts stay small."""

from __future__ import annotations

import gzip
from collections import defaultdict

import pytest

from functions.console.frame import assets, icons, texts
from functions.console.rooms import FOLDER, ROOMS
from scripts import translations

OTHERS = [tag for tag in texts.LANGUAGES if tag != "en"]
SCRIPT_LINES_MAX = 250
SCRIPTS_BYTES_MAX = 40 * 1024
SCRIPTS_LINES_MAX = 3_000


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("room", ROOMS)
def test_every_text_of_a_room_is_translated(room: str, language: str) -> None:
    """Run `python -m scripts.translations`, and translate what it names."""
    catalogue = translations.fresh(room, language)
    path = translations.file_of(room, language)

    assert translations.problems(catalogue) == []
    assert not list(catalogue) or path.read_bytes() == translations.written(catalogue)


@pytest.mark.parametrize("language", OTHERS)
def test_a_text_of_two_rooms_has_one_translation(language: str) -> None:
    """The rooms share a catalogue, so the last room would win."""
    found: dict[str, set[str]] = defaultdict(set)
    for room in ROOMS:
        for message in translations.fresh(room, language):
            if message.id:
                found[str(message.id)].add(str(message.string))

    assert {text: many for text, many in found.items() if len(many) > 1} == {}


def test_a_number_has_the_plural_form_of_its_language() -> None:
    one, many = "Try again in %(num)s second.", "Try again in %(num)s seconds."

    with texts.reading("ru"):
        shown = [texts.ngettext(one, many, number) for number in (1, 3, 5, 21)]

    assert [text.split()[-1] for text in shown] == ["секунду.", "секунды.", "секунд.", "секунду."]


def test_scripts_are_small() -> None:
    scripts = [path for room in ROOMS for path in (FOLDER / room / "js").glob("*.js")]
    lines = {path.name: path.read_text(encoding="utf-8").count("\n") for path in scripts}

    assert {name: count for name, count in lines.items() if count > SCRIPT_LINES_MAX} == {}
    assert sum(lines.values()) <= SCRIPTS_LINES_MAX
    assert sum(len(gzip.compress(path.read_bytes(), 9)) for path in scripts) <= SCRIPTS_BYTES_MAX


def test_files_have_an_address_of_their_release_and_every_icon_that_a_template_names_exists() -> None:
    known = assets.files()

    assert known.address("console.css") == f"/static/{known.release}/console.css"
    assert {"inbox", "s-new", "s-open", "s-wait", "s-done"} <= icons.known().keys()
    templates = [path for room in ROOMS for path in (FOLDER / room / "templates").glob("*.html")]
    sources = {path.name: path.read_text(encoding="utf-8") for path in templates}
    inline = [name for name, source in sources.items() if " style=" in source or " onclick=" in source]
    assert inline == []
