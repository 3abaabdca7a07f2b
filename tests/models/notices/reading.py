"""Helpers of the tests of notices."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from models.identity import queries as identity
from models.identity.queries import User
from models.kernel.storage import database
from models.notice_settings import commands as notice_settings
from models.notice_settings.rules import DEFAULT_WAYS, Digest, Kind, NoticeSettings, QuietHours, Way
from models.notices import planning
from models.ticket_actions import commands as tickets
from models.tickets.tables import Ticket
from tests.desk import Desk


def user(desk: Desk, role: str = "agent") -> User:
    """The seeded user of a role."""
    with database.connection():
        return identity.get_user(UUID(str(desk.person(role).id)))


def choose(
    desk: Desk,
    role: str = "agent",
    *,
    ways: dict[Kind, set[Way]] | None = None,
    quiet: QuietHours | None = None,
    digest: Digest = Digest.none,
    zone: str = "UTC",
) -> None:
    """Store the settings of a seeded user: `ways` replaces the defaults of these kinds."""
    chosen = {**DEFAULT_WAYS, **{kind: frozenset(value) for kind, value in (ways or {}).items()}}
    settings = NoticeSettings(chosen, quiet, dict.fromkeys(Way, digest), time_zone=zone)
    desk.command(planning.store_settings, user(desk, role).id, settings)
    notice_settings.forget()


def assign(desk: Desk, ticket: Ticket, role: str = "agent", *, by: str = "manager") -> None:
    """Give a ticket to a seeded user, by another one."""
    desk.command(tickets.assign, ticket.id, user(desk, role).id, actor=desk.person(by))


def mails_to(desk: Desk, role: str = "agent") -> list[Any]:
    """The mails that a seeded user got, in order."""
    return [sent for sent in desk.notices_sent if sent.channel == "email" and sent.address == f"{role}@example.test"]


def listed(desk: Desk, role: str = "agent") -> list[dict[str, Any]]:
    """The notices in a seeded user's list, oldest first."""
    return desk.rows("SELECT * FROM notices WHERE user_id = :id ORDER BY id", id=user(desk, role).id)


def ways(desk: Desk, role: str = "agent") -> list[tuple[str, str, str | None]]:
    """Way, state and error of the deliveries of a seeded user's notices, in order."""
    rows = desk.rows("SELECT * FROM notice_deliveries WHERE user_id = :id ORDER BY id", id=user(desk, role).id)
    return [(row["way"], row["state"], row["error"]) for row in rows]
