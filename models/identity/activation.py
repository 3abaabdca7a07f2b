"""The activation of users: a user can be given work as soon as the ledger has opened the user's account.

Registering publishes `user_created` and asks the ledger for an account. The ledger publishes `account_opened`, and this
module activates the user. Signing in needs no account. Each step is idempotent, so repeats and any order are harmless.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from models.events import history
from models.events.commands import SYSTEM
from models.events.desk_payloads import UserActivated
from models.identity import queries
from models.identity.tables import UserRow
from models.kernel import clock
from models.kernel.errors import NotFound, TransientFailure
from models.kernel.storage import database


def activate(user_id: UUID, account_id: UUID) -> None:
    """Let the user be given work; a user who can be given work already stays unchanged. Joins the caller's transaction.

    Raises TransientFailure for a user who is not visible yet, because the account may be opened first.
    """
    try:
        user = queries.lock_user(user_id)
    except NotFound as error:
        raise TransientFailure(f"the user {user_id} is not there yet") from error
    if user.ready_at is not None:
        return
    now = clock.now()
    UserRow.update(ready_at=now).where(UserRow.id == user_id).execute()
    history.append("user", user_id, [UserActivated(account_id=account_id)], actor=SYSTEM, at=now)


def waiting(*, since: datetime, limit: int) -> list[UUID]:
    """List active users who have waited for their account since before this time, oldest first."""
    query = UserRow.select(UserRow.id).where(UserRow.active, UserRow.ready_at.is_null(), UserRow.created_at < since)
    return [row["id"] for row in database.rows(query.order_by(UserRow.created_at, UserRow.id).limit(limit))]
