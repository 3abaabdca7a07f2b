"""Update the translations of the console: python -m scripts.translations [--check]

Reads the texts of each room (templates, modules and scripts), and writes them with their translations into the room's
`po/<language>.po`, in alphabetical order, so that two changes rarely touch the same line. A text that a room uses no
more is removed. `--check` writes nothing and fails when a file would change or a translation is missing.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

from functions.console.frame import texts
from functions.console.rooms import FOLDER, ROOMS
from models.kernel.open_json import JsonObject
from scripts import _cli

_SOURCE = "en"
# Functions that take a text: `_` and `gettext`, `ngettext`, `marked`, and `t` of scripts.
_KEYWORDS: JsonObject = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "marked": None,
    "t": None,
}
_METHODS = {".html": "jinja2", ".py": "python", ".js": "javascript"}


def used(room: str) -> Iterator[Any]:
    """Return the texts that a room uses: a text, or a pair of singular and plural."""
    for path in sorted((FOLDER / room).rglob("*")):
        method = _METHODS.get(path.suffix)
        if method is None:
            continue
        keywords = _KEYWORDS if path.suffix == ".js" else {k: v for k, v in _KEYWORDS.items() if k != "t"}
        options = {"encoding": "utf-8", "silent": "false", "trimmed": "false"}
        with path.open("rb") as file:
            for _line, message, _comments, _context in extract(method, file, keywords=keywords, options=options):
                if message:
                    yield message


def fresh(room: str, language: str) -> Catalog:
    """Return the room's catalogue: every text in use, with the translation that its file has."""
    path = file_of(room, language)
    old = read_po(io.BytesIO(path.read_bytes()), locale=language) if path.exists() else Catalog(locale=language)
    made = Catalog(locale=language, fuzzy=False)
    for message in sorted(set(used(room)), key=str):
        known: Message | None = old.get(message if isinstance(message, str) else message[0])
        flags = {flag for flag in (known.flags if known is not None else ()) if flag == "fuzzy"}
        made.add(message, known.string if known is not None else None, flags=flags)
    return made


def written(catalogue: Catalog) -> bytes:
    """Return the file of a catalogue, without a header that every change would touch."""
    out = io.BytesIO()
    write_po(out, catalogue, width=0, omit_header=True, no_location=True, sort_output=True)
    plural = f"Plural-Forms: {catalogue.plural_forms}"
    head = f'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"{plural}\\n"\n\n'
    return head.encode() + out.getvalue()


def file_of(room: str, language: str) -> Path:
    """Return the file of a room's translations."""
    return FOLDER / room / "po" / f"{language}.po"


def problems(catalogue: Catalog) -> list[str]:
    """Return the texts without a complete translation, and those whose translation nobody has looked at."""
    found = []
    for message in catalogue:
        if not message.id:
            continue
        parts = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if message.fuzzy or not all(parts):
            found.append(str(message.id))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.translations", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when something is missing")
    options = parser.parse_args()
    missing = 0
    for language in (tag for tag in texts.LANGUAGES if tag != _SOURCE):
        for room in ROOMS:
            catalogue, path = fresh(room, language), file_of(room, language)
            content = written(catalogue)
            is_new = not path.exists() or path.read_bytes() != content
            if is_new and options.check:
                print(f"{path}: run python -m scripts.translations", file=sys.stderr)
                missing += 1
            elif is_new:
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)
            for text in problems(catalogue):
                print(f"{path}: no translation of {text}", file=sys.stderr)
                missing += 1
    return 1 if missing else 0


if __name__ == "__main__":
    _cli.end(main)
