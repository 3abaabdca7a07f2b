"""The words of the desk's own notices, in the language of the reader. Needs a connection for the desk's definition."""

from __future__ import annotations

from models.channels import texts
from models.definitions import desk
from models.desk_mail.notice_texts import PREFIX, TEXTS


def text(name: str, locale: str | None, **values: object) -> str:
    """Return a text in the language of its reader, else in the desk's, else in English."""
    current = desk.current()
    known = {**TEXTS[name], **current.texts.get(PREFIX + name, {})}
    return texts.filled(known[current.tag_for(known, locale, *current.languages, "en")], values)


def is_known(name: str) -> bool:
    """Return True if the desk has a text of this name."""
    return name in TEXTS
