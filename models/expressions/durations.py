"""Durations as people write them in definitions: `90s`, `15m`, `1h30m`, `3d`, `2w`."""

from __future__ import annotations

import re

_UNITS_S = {"w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}
_TEXT = re.compile(r"^(?:(\d{1,6})w)?(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s)?$")
duration_s_max = 10 * 366 * 86_400  # no promise or timer reaches further than ten years


def parse_duration(text: str | int) -> int:
    """Seconds of a duration; a bare number is seconds. `d` is 24 hours of the clock, in working time too: write hours
    there.

    Raises ValueError with what was expected.
    """
    if isinstance(text, int) and not isinstance(text, bool):
        seconds = text
    else:
        match = _TEXT.match(text) if isinstance(text, str) and text else None
        if match is None or not any(match.groups()):
            raise ValueError(f"expected a duration such as 90s, 15m, 1h30m, 3d or 2w, found {str(text)[:40]!r}")
        seconds = sum(int(count) * unit for count, unit in zip(match.groups(), _UNITS_S.values(), strict=True) if count)
    if not 0 <= seconds <= duration_s_max:
        raise ValueError(f"expected a duration of at most ten years, found {str(text)[:40]!r}")
    return seconds


def compact(seconds: int) -> str:
    """Return the shortest text that `parse_duration` reads as this many seconds."""
    parts, rest = [], seconds
    for name, unit in _UNITS_S.items():
        count, rest = divmod(rest, unit)
        if count:
            parts.append(f"{count}{name}")
    return "".join(parts) or "0s"


def words(seconds: int) -> str:
    """Return a duration for people: `1 h 30 min`."""
    names = {"w": "weeks", "d": "days", "h": "h", "m": "min", "s": "s"}
    parts = re.findall(r"(\d+)([a-z])", compact(seconds))
    return " ".join(
        f"{count} {names[unit] if count != '1' else names[unit].rstrip('s') or 's'}" for count, unit in parts
    )
