"""Names of browsers that people recognise, from the header User-Agent."""

from __future__ import annotations

import re
from typing import Final

# The first match counts: each later browser also names the ones before it.
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Version", "Safari"),
)
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def name_of(user_agent: str | None) -> str:
    """Return browser and system, such as "Firefox 140, Linux"; an empty text when neither is known."""
    text = user_agent or ""
    browser = next(
        (f"{name} {found[1]}" for word, name in _BROWSERS if (found := re.search(rf"{word}/(\d+)", text)) is not None),
        "",
    )
    system = next((name for word, name in _SYSTEMS if word in text), "")
    return ", ".join(part for part in (browser, system) if part) or text[:60]
