"""The texts of the console in the reader's language, by gettext.

The English text is the key. Each room has its translations in `po/<language>.po`; they are compiled in memory at the
first page, so nothing has to be built. A request sets the language, and templates and modules translate by `gettext`.
"""

from __future__ import annotations

import gettext as standard
import io
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from functions.console.rooms import FOLDER, ROOMS
from models.definitions import desk
from models.kernel import imports, languages

# The languages of the console, by their own names. A language is complete, or it is not here.
LANGUAGES: Final[Mapping[str, str]] = {"en": "English", "ru": "Русский"}
_SOURCE: Final = "en"
_IN_SCRIPTS: Final = re.compile(r"""\bt\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")""")

_language: ContextVar[str] = ContextVar("console_language", default=_SOURCE)
_lock = threading.Lock()
_catalogues: dict[str, standard.NullTranslations] = {}
_of_scripts: dict[str, dict[str, str]] = {}


@contextmanager
def reading(language: str) -> Iterator[None]:
    """Translate into this language inside the block."""
    token = _language.set(language)
    try:
        yield
    finally:
        _language.reset(token)


def language() -> str:
    """Return the language of the current reader."""
    return _language.get()


def chosen(*wanted: str | None) -> str:
    """Return the first language of the console among the wanted tags, then the desk's languages, then English."""
    return chosen_without_desk(*wanted, *desk.current().languages)


def chosen_without_desk(*wanted: str | None) -> str:
    """Return the first language of the console among the wanted tags, then English."""
    for tag in wanted:
        if (found := languages.match(LANGUAGES, tag)) is not None:
            return found
    return _SOURCE


def accepted(header: str | None) -> list[str]:
    """Return the tags of an Accept-Language header in its order (RFC 9110, section 12.5.4)."""
    return [tag for part in (header or "")[:500].split(",") if languages.is_tag(tag := part.partition(";")[0].strip())]


def gettext(message: str, **values: Any) -> str:
    """Translate a text. `%(name)s` in it becomes the value of that name."""
    text = _catalogue(_language.get()).gettext(message)
    return text % values if values else text


def ngettext(one: str, many: str, number: int, **values: Any) -> str:
    """Translate a text with a number, in the plural form of the language; `%(num)s` is the number."""
    text = _catalogue(_language.get()).ngettext(one, many, number)
    return text % {"num": number, **values}


def marked(message: str) -> str:
    """Return the text unchanged. It marks a text that is translated where it is shown."""
    return message


def label(labels: Mapping[str, str] | None, otherwise: str) -> str:
    """Return the label of a definition in the reader's language, else a readable form of its name."""
    if labels:
        return desk.current().pick(labels, _language.get())
    return otherwise.replace("_", " ").replace("-", " ").capitalize()


def for_scripts() -> dict[str, str]:
    """Return the translations of the texts that scripts show, which are the arguments of `t(...)` in them."""
    tag = _language.get()
    if tag == _SOURCE:
        return {}
    if tag not in _of_scripts:
        catalogue = _catalogue(tag)
        _of_scripts[tag] = {text: catalogue.gettext(text) for text in script_texts()}
    return _of_scripts[tag]


def script_texts() -> list[str]:
    """Return the texts of all scripts."""
    sources = [
        path.read_text(encoding="utf-8") for room in ROOMS for path in sorted((FOLDER / room / "js").glob("*.js"))
    ]
    found = {one or other for source in sources for one, other in _IN_SCRIPTS.findall(source)}
    return sorted(text.replace("\\'", "'").replace('\\"', '"') for text in found)


def _catalogue(tag: str) -> standard.NullTranslations:
    found = _catalogues.get(tag)
    if found is None:
        with _lock:
            found = _catalogues.setdefault(tag, _compiled(tag))
    return found


def _compiled(tag: str) -> standard.NullTranslations:
    """Compile the rooms' translations into one catalogue."""
    if tag == _SOURCE:
        return standard.NullTranslations()
    imports.load("babel.messages.pofile", "babel.messages.mofile")
    from babel.messages.catalog import Catalog  # loaded at the first page in another language than English
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    whole = Catalog(locale=tag)
    for room in ROOMS:
        path = FOLDER / room / "po" / f"{tag}.po"
        if not path.exists():
            continue
        for message in read_po(io.BytesIO(path.read_bytes()), locale=tag):
            if message.id and not message.fuzzy:
                whole.add(message.id, message.string)
    compiled = io.BytesIO()
    write_mo(compiled, whole)
    compiled.seek(0)
    return standard.GNUTranslations(compiled)
