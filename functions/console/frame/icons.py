"""The icons of the console: strokes of one width on a grid of 16, drawn for it (icons.svg).

A page holds the symbols that it uses, so no icon needs a request, and icons take the colour of the text around them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from functions.console.rooms import FOLDER
from models.kernel import imports

_SYMBOL = re.compile(r'<symbol id="([^"]+)" (viewBox="[^"]+")>(.*?)</symbol>', re.DOTALL)


@cache
def known() -> dict[str, str]:
    """Return the symbol of each icon by name."""
    text = (FOLDER / "frame" / "icons.svg").read_text(encoding="utf-8")
    return {name: f'<symbol id="i-{name}" {box}>{shape}</symbol>' for name, box, shape in _SYMBOL.findall(text)}


def symbols(names: Iterable[str]) -> str:
    """Return the symbols of these icons for a page. Raises KeyError for an unknown icon."""
    markup = imports.load("markupsafe").Markup
    found: str = markup("".join(known()[name] for name in sorted(names)))
    return found
