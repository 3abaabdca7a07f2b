"""Read and store the notice settings of users."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from uuid import UUID

from models.definitions import desk
from models.kernel import clock
from models.kernel.errors import Invalid
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.notice_settings import rules
from models.notice_settings.rules import DEFAULT_WAYS, Digest, Kind, NoticeSettings, QuietHours, Way
from models.notice_settings.tables import NoticeSettingsRow

# -- limits ----------------------------------------------------------------------------------------------------
remembered_s = 5.0  # for which a process remembers if anybody wants new work without a team; a notice may come so late


def of_user(user_id: UUID) -> NoticeSettings:
    """Return the settings of a user; the defaults if the user stored none."""
    row: NoticeSettingsRow | None = NoticeSettingsRow.get_or_none(NoticeSettingsRow.user_id == user_id)
    zone = desk.current().zone
    return NoticeSettings(desk_zone=zone) if row is None else _settings(row, zone)


def _settings(row: NoticeSettingsRow, desk_zone: str) -> NoticeSettings:
    """Return a row as settings. Kinds and ways that this release does not know are left out."""
    chosen = {Kind(kind): _ways(ways) for kind, ways in row.ways.items() if kind in set(Kind)}
    digest = {way: Digest(row.digest.get(way, Digest.none)) for way in Way}
    quiet = row.quiet_hours
    return NoticeSettings(
        ways={**DEFAULT_WAYS, **chosen},
        quiet_hours=None if quiet is None else QuietHours(quiet["begins"], quiet["ends"], tuple(quiet["days"])),
        digest=digest,
        digest_at=row.digest_at,
        time_zone=row.time_zone,
        desk_zone=desk_zone,
        follow_when_mentioned=row.follow_when_mentioned,
    )


def _ways(names: list[str]) -> frozenset[Way]:
    return frozenset(Way(name) for name in names if name in set(Way))


def store(user_id: UUID, settings: NoticeSettings) -> None:
    """Store the settings of a user. Joins the caller's transaction. Raises Invalid."""
    found = rules.problems(settings)
    if found:
        raise Invalid(found)
    quiet = settings.quiet_hours
    values: JsonObject = {
        "ways": {str(kind): sorted(ways) for kind, ways in settings.ways.items() if ways != DEFAULT_WAYS[kind]},
        "quiet_hours": None
        if quiet is None
        else {"begins": quiet.begins, "ends": quiet.ends, "days": list(quiet.days)},
        "digest": {str(way): str(digest) for way, digest in settings.digest.items()},
        "digest_at": settings.digest_at,
        "time_zone": settings.time_zone,
        "wants_work_without_team": bool(settings.ways[Kind.new_work]),
        "follow_when_mentioned": settings.follow_when_mentioned,
        "updated_at": clock.now(),
    }
    insert = NoticeSettingsRow.insert(user_id=user_id, **values)
    insert.on_conflict(conflict_target=[NoticeSettingsRow.user_id], update=values).execute()
    database.on_commit(_memory.forget)


def those_who_follow_when_mentioned(user_ids: Sequence[UUID]) -> set[UUID]:
    """Return those of the users who want notices of the tickets in which a note mentioned them."""
    query = NoticeSettingsRow.select(NoticeSettingsRow.user_id).where(
        NoticeSettingsRow.user_id.in_(list(user_ids)), NoticeSettingsRow.follow_when_mentioned
    )
    return {row["user_id"] for row in database.rows(query)} if user_ids else set()


def users_who_want_work_without_team() -> list[UUID]:
    """List the users who chose a way for new work; they get notices of new tickets that have no team."""
    query = NoticeSettingsRow.select(NoticeSettingsRow.user_id).where(NoticeSettingsRow.wants_work_without_team)
    return [row["user_id"] for row in database.rows(query.order_by(NoticeSettingsRow.user_id))]


class _Memory:
    """The cached answer to the question if anybody wants new work without a team. A new ticket must not pay for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found, self._until, self._generation = False, 0.0, 0

    def any(self) -> bool:
        with self._lock:
            generation = self._generation
            if time.monotonic() < self._until:
                return self._found
        asked_at = time.monotonic()
        found = bool(users_who_want_work_without_team())
        with self._lock:
            if generation == self._generation:
                self._found, self._until = found, asked_at + remembered_s
        return found

    def forget(self) -> None:
        with self._lock:
            self._generation += 1
            self._until = 0.0


_memory = _Memory()


def anybody_wants_work_without_team() -> bool:
    """Return True if a new ticket without a team is news to somebody. Each process reads it every `remembered_s`."""
    return _memory.any()


def forget() -> None:
    """Empty the cache, in tests that change databases."""
    _memory.forget()
