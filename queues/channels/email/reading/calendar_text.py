"""The summary of a calendar invitation (RFC 5545): title, time, place, organiser. The file itself is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from models.kernel import limits
from models.kernel.text import one_line
from queues.channels.email import limits as mime_limits

_FOLD = re.compile(r"\r?\n[ \t]")
_LINE = re.compile(r"([A-Za-z-]{1,40})((?:;[^:\"]*(?:\"[^\"]*\"[^:\"]*)*)?):(.*)")
_PARAMETER = re.compile(r";([A-Za-z-]{1,30})=(\"[^\"]{0,300}\"|[^;:]{0,300})")
_ESCAPED = re.compile(r"\\(.)")
_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)?(Z)?)?")
_METHODS = {
    "REQUEST": "Invitation",
    "CANCEL": "Cancelled",
    "REPLY": "Answer to an invitation",
    "COUNTER": "Proposal of another time",
}


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """The first event of a calendar file; its times are in the file's zone: "2026-11-16 09:15 Europe/Berlin"."""

    method: str
    summary: str
    start: str
    end: str
    location: str
    organizer: str

    def as_json(self) -> dict[str, str]:
        names = ("method", "summary", "start", "end", "location", "organizer")
        return {name: value for name in names if (value := str(getattr(self, name)))} | {"text": self.text()}

    def text(self) -> str:
        """Return the summary as lines for people."""
        when = f"{self.start} - {self.end}" if self.end else self.start
        rows = (("When", when), ("Where", self.location), ("Organiser", self.organizer))
        head = f"{_METHODS.get(self.method, 'Calendar event')}: {self.summary or 'without a title'}"
        return "\n".join([head, *(f"{label}: {value}" for label, value in rows if value)])


def calendar_event(text: str, *, method: str = "") -> CalendarEvent | None:
    """Read the first event; None when there is none. `method` is the Content-Type's, for a file without METHOD."""
    found: dict[str, str] = {}
    depth = 0
    for name, parameters, value in _lines(text[: mime_limits.calendar_chars_max]):
        if name == "METHOD" and not depth:
            method = value
        elif name in ("BEGIN", "END"):
            was, depth = depth, _depth(depth, name, value)
            if was and not depth:
                break
        elif depth == 1:
            found.setdefault(name, _value(name, parameters, value))
    if not found:
        return None
    return CalendarEvent(
        one_line(method, 20).upper(),
        *(found.get(name, "") for name in ("SUMMARY", "DTSTART", "DTEND", "LOCATION", "ORGANIZER")),
    )


def _lines(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield the name, the parameters and the value of each unfolded line."""
    for line in _FOLD.sub("", text).splitlines():
        match = _LINE.match(line)
        if match is not None:
            yield match[1].upper(), match[2], match[3].strip()


def _depth(depth: int, name: str, value: str) -> int:
    """Return the depth of components after a BEGIN or END; the event or task itself has depth 1."""
    if name == "END":
        return max(0, depth - 1)
    return depth + (depth > 0 or value.upper() in ("VEVENT", "VTODO"))


def _value(name: str, parameters: str, value: str) -> str:
    named = {key.upper(): content.strip('"') for key, content in _PARAMETER.findall(parameters)}
    if name in ("DTSTART", "DTEND"):
        return _instant(value, named.get("TZID", ""))
    if name == "ORGANIZER":
        address = re.sub(r"(?i)^mailto:", "", value)
        return one_line(f"{named['CN']} <{address}>" if named.get("CN") else address, limits.name_chars_max)
    text = _ESCAPED.sub(lambda escaped: " " if escaped[1] in "nN" else escaped[1], value)
    return one_line(text, limits.ticket_title_chars_max)


def _instant(value: str, zone: str) -> str:
    # The time is not converted; it is shown in the zone of the file.
    match = _DATE.match(value)
    if match is None:
        return one_line(value, 40)
    year, month, day, hour, minute, _, utc = match.groups()
    try:
        read = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), tzinfo=UTC)
    except ValueError:
        return one_line(value, 40)
    if hour is None:
        return f"{read:%Y-%m-%d}"
    return one_line(f"{read:%Y-%m-%d %H:%M} {'UTC' if utc else zone}", 80)
