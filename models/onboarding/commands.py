"""Run the hand-shake of a new user, and repair those that are stuck."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from models.identity import activation, queries
from models.identity import commands as identity
from models.identity.queries import User
from models.kernel import clock, limits
from models.kernel.storage import database
from models.kernel.telemetry import logs
from models.ledger import accounts

log = logs.get("onboarding")


def create_user(email: str, name: str, password: str | None, role: str, locale: str | None = None, **more: Any) -> User:
    """Create a user who can be given work immediately, like `identity.commands.create_user` otherwise.

    For commands, which run where no worker may run yet.
    """
    with database.transaction():
        user = identity.create_user(email, name, password, role, locale, asks_for_account=False, **more)
        complete(user.id)
        return queries.get_user(user.id)


def complete(user_id: UUID) -> None:
    """Open the user's account and activate the user in one transaction; a repeat changes nothing.

    The tasks of the hand-shake that are still waiting find nothing to do.
    """
    with database.transaction():
        activation.activate(user_id, accounts.open_for(user_id, activates=False))


def stuck() -> list[UUID]:
    """List users who wait for their account longer than a working hand-shake takes."""
    since = clock.now() - timedelta(seconds=limits.activation_stuck_s)
    return activation.waiting(since=since, limit=limits.activation_repairs_max)


def repair() -> int:
    """Complete the stuck hand-shakes and return their number: lost or discarded tasks, users of an earlier program."""
    with database.connection():
        found = stuck()
    for user_id in found:
        complete(user_id)
        log.warning("user_activation_repaired", user_id=user_id)
    return len(found)
