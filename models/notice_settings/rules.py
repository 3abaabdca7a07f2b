"""Rules about notices: kinds, ways, defaults, and the instant at which a notice is due. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum, auto
from typing import Final

from models.kernel.errors import FieldProblem
from models.sla import working_time
from models.sla.working_time import DAYS, Calendar, Day

DEFAULT_DIGEST_AT: Final = "08:00"
_TIME: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_HOUR: Final = timedelta(hours=1)


class Kind(StrEnum):
    """The kinds of notices. A user chooses the ways for each kind."""

    new_work = auto()  # a ticket without an assignee came to the user's team
    assigned = auto()  # somebody else gave the user a ticket
    mentioned = auto()  # a note names the user
    breached = auto()  # a promised time passed
    side_answer = auto()  # a third party answered in a side conversation that the user started
    followed_message = auto()  # somebody wrote to or from the requester in a ticket that the user follows
    followed_note = auto()  # a note was added to a ticket that the user follows
    followed_state = auto()  # a ticket that the user follows moved to another state
    woken = auto()  # the snooze of the user's ticket, or of one that the user follows, ended
    send_failed = auto()  # a reply did not reach its reader
    life_cycle = auto()  # a rule of a life cycle writes to the user (`notify`)
    desk = auto()  # the desk itself needs a person: a customer held back, a webhook switched off


class Way(StrEnum):
    """The ways of a notice in addition to the list: the user's mail address, and the chat that the user connected."""

    mail = auto()
    chat = auto()


class Digest(StrEnum):
    """The times at which notices leave: each one at once, or collected on each full hour (UTC) or once a day."""

    none = auto()
    hourly = auto()
    daily = auto()


# A mail for each new ticket, or for each note and step of a followed one, would be noise, so these are opt-in. A chat
# is opt-in, because its provider reads along.
_OPT_IN: Final = frozenset({Kind.new_work, Kind.followed_note, Kind.followed_state})
DEFAULT_WAYS: Final[Mapping[Kind, frozenset[Way]]] = {
    kind: frozenset() if kind in _OPT_IN else frozenset({Way.mail}) for kind in Kind
}


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The local times at which no notice leaves: from `begins` to `ends` each day, and all day on `days`.

    `begins` may be later than `ends`: the quiet time then lasts over midnight.
    """

    begins: str
    ends: str
    days: tuple[Day, ...] = ()


@dataclass(frozen=True, slots=True)
class NoticeSettings:
    """The choices of one user.

    `follow_when_mentioned`: a ticket in which a note mentioned the user gives notices like one that the user follows.
    """

    ways: Mapping[Kind, frozenset[Way]] = field(default_factory=lambda: DEFAULT_WAYS)
    quiet_hours: QuietHours | None = None
    digest: Mapping[Way, Digest] = field(default_factory=lambda: dict.fromkeys(Way, Digest.none))
    digest_at: str = DEFAULT_DIGEST_AT
    time_zone: str | None = None
    desk_zone: str = "UTC"
    follow_when_mentioned: bool = False

    @property
    def zone(self) -> str:
        """The user's time zone, else the desk's."""
        return self.time_zone or self.desk_zone


def problems(settings: NoticeSettings) -> list[FieldProblem]:
    """List everything that is wrong with settings."""
    found = []
    if not working_time.is_zone(settings.zone):
        found.append(_problem("/time_zone", "a zone of the IANA database such as Europe/Berlin", settings.zone))
    if not _TIME.fullmatch(settings.digest_at):
        found.append(_problem("/digest_at", "a time such as 08:00", settings.digest_at))
    quiet = settings.quiet_hours
    if quiet is None:
        return found
    times = {"begins": quiet.begins, "ends": quiet.ends}
    bad = [name for name, text in times.items() if not _TIME.fullmatch(text)]
    found.extend(_problem(f"/quiet_hours/{name}", "a time such as 20:00", times[name]) for name in bad)
    if not bad and quiet.begins == quiet.ends:
        found.append(_problem("/quiet_hours/ends", "another time than `begins`", quiet.ends))
    if set(quiet.days) >= set(DAYS):
        found.append(_problem("/quiet_hours/days", "at least one day without quiet", "all seven"))
    return found


def _problem(path: str, expected: str, found: str) -> FieldProblem:
    return FieldProblem(path, f"expected {expected}, found {found[:40]!r}")


def due_at(settings: NoticeSettings, way: Way, now: datetime) -> datetime:
    """Return the instant at which a notice that is written now leaves by this way.

    The digest of the user decides first. Quiet hours then move the instant to their end.
    """
    return after_quiet(settings, _digest_instant(settings, way, now))


def _digest_instant(settings: NoticeSettings, way: Way, now: datetime) -> datetime:
    digest = settings.digest[way]
    if digest is Digest.none:
        return now
    if digest is Digest.hourly:
        return working_time.next_full_hour(settings.zone, now)
    # An hour and not a moment, so that a day on which the clock skips the moment has a digest as well.
    hour = f"{settings.digest_at}-{_hour_after(settings.digest_at)}"
    daily = Calendar(settings.zone, {day: [hour] for day in DAYS})
    instant = working_time.next_open(daily, now)
    return instant if instant > now else working_time.next_open(daily, now + _HOUR)


def _hour_after(text: str) -> str:
    hours, _, minutes = text.partition(":")
    return "24:00" if hours == "23" else f"{int(hours) + 1:02d}:{minutes}"


def after_quiet(settings: NoticeSettings, at: datetime) -> datetime:
    """Return the instant itself, or the end of the quiet time in which it lies."""
    quiet = settings.quiet_hours
    if quiet is None:
        return at
    hours = [f"{quiet.ends}-{quiet.begins}"]
    if quiet.begins < quiet.ends:
        hours = [f"00:00-{quiet.begins}", f"{quiet.ends}-24:00"]
    week: dict[Day, list[str]] = {day: [] if day in quiet.days else _not_empty(hours) for day in DAYS}
    return working_time.next_open(Calendar(settings.zone, week), at)


def _not_empty(hours: list[str]) -> list[str]:
    return [one for one in hours if one != "00:00-00:00"]
