"""Sessions as their users see them: list, end one or all, and prove the password again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from models.events import desk_payloads, history
from models.events.commands import Actor
from models.identity import own_password, queries, rules
from models.identity.sign_in import sessions
from models.identity.tables import Session
from models.kernel import clock, settings
from models.kernel.errors import NotFound
from models.kernel.storage import database
from models.kernel.storage.table import RowView


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that has not ended. `client` is the network address at the sign-in."""

    id: UUID
    client: str | None
    user_agent: str | None
    created_at: datetime
    refreshed_at: datetime
    expires_at: datetime
    last_seen_at: datetime | None
    authenticated_at: datetime | None

    @property
    def used_at(self) -> datetime:
        return rules.last_use(self.last_seen_at, self.refreshed_at)


_VIEW = RowView(OpenSession, Session)


def of_user(user_id: UUID) -> list[OpenSession]:
    """List the open sessions of a user, newest first."""
    now, idle_s = clock.now(), settings.current().session_idle_s
    query = Session.select(*_VIEW.fields).where(
        Session.user_id == user_id, Session.revoked_at.is_null(), Session.expires_at > now
    )
    found = _VIEW.all(query.order_by(Session.created_at.desc(), Session.id.desc()))
    return [one for one in found if (now - one.used_at).total_seconds() < idle_s]


def end(user_id: UUID, session_id: UUID, *, actor: Actor) -> None:
    """End one session of a user. Raises NotFound for a session of somebody else. Joins the caller's transaction."""
    queries.lock_user(user_id)
    if session_id not in {one.id for one in of_user(user_id)}:
        raise NotFound(f"there is no open session {session_id}")
    sessions.end(session_id, user_id, actor=actor, reason="ended")


def end_all(user_id: UUID, *, but: UUID | None = None, actor: Actor) -> int:
    """End all sessions of a user, or all but one, and return their number. Joins the caller's transaction."""
    queries.lock_user(user_id)
    ended = sessions.revoke_all(user_id, but=but)
    if ended:
        happened = [desk_payloads.SessionsEnded(sessions_ended=ended)]
        history.append("user", user_id, happened, actor=actor, at=clock.now())
    return ended


def reauthenticate(user_id: UUID, session_id: UUID, password: str) -> None:
    """Note that the user proved the password now, which sensitive operations ask for.

    Opens its own transactions. Raises WrongPassword or TooManyRequests.
    """
    own_password.check(user_id, password)
    with database.transaction():
        database.execute(
            "UPDATE sessions SET authenticated_at = :now WHERE id = :id AND user_id = :user AND revoked_at IS NULL",
            now=clock.now(),
            id=session_id,
            user=user_id,
        )
