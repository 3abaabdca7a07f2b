"""/v1/me/sessions and /v1/users/{user}/sessions: where a user is signed in, and the end of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from functions.http.operations import Answer, AnyCall, Call, Operations
from functions.views import pages
from models.identity import queries, roles
from models.identity.rules import Permission
from models.identity.sign_in import session_list
from models.kernel import limits
from models.kernel.errors import Conflict
from models.kernel.storage import database

operations = Operations()


class SessionShown(msgspec.Struct):
    """An open session. `last_used_at` is exact to a minute; `authenticated_at` is the last proof of the password."""

    id: UUID
    client: str | None
    user_agent: str | None
    created_at: datetime
    last_used_at: datetime
    authenticated_at: datetime
    expires_at: datetime
    current: bool


class SessionList(msgspec.Struct):
    """The open sessions of a user, newest first."""

    items: list[SessionShown]


class SessionsEnded(msgspec.Struct):
    """The number of sessions that were ended."""

    sessions_ended: int


class Proof(msgspec.Struct, forbid_unknown_fields=True):
    """The password of the caller."""

    password: Annotated[str, msgspec.Meta(max_length=limits.password_chars_max)]


def _listed(user_id: UUID, current: UUID | None) -> Answer:
    items = [
        SessionShown(
            one.id,
            one.client,
            one.user_agent,
            one.created_at,
            one.used_at,
            one.authenticated_at or one.created_at,
            one.expires_at,
            one.id == current,
        )
        for one in session_list.of_user(user_id)
    ]
    return Answer(SessionList(items))


def _own_session(call: AnyCall) -> UUID:
    if call.caller.session_id is None:
        raise Conflict("An API key has no sessions.")
    return call.caller.session_id


@operations.add(
    "GET",
    "/v1/me/sessions",
    summary="List your sessions",
    unlocked=True,
    answers={200: SessionList},
    problems=(409,),
)
def list_own_sessions(call: Call) -> Answer:
    """Newest first."""
    return _listed(call.caller.id, _own_session(call))


@operations.add(
    "DELETE",
    "/v1/me/sessions",
    summary="End your other sessions",
    answers={200: SessionsEnded},
    unlocked=True,
    problems=(409,),
)
def end_other_sessions(call: Call) -> Answer:
    """The current session stays."""

    own = _own_session(call)
    with database.transaction():
        return Answer(SessionsEnded(session_list.end_all(call.caller.id, but=own, actor=call.caller.actor)))


@operations.add(
    "DELETE",
    "/v1/me/sessions/{session}",
    summary="End one of your sessions",
    answers={204: None},
    unlocked=True,
    problems=(404, 409),
)
def end_own_session(call: Call) -> Answer:
    """Its tokens are rejected immediately."""

    _own_session(call)
    with database.transaction():
        session_list.end(call.caller.id, pages.id_of(call.params["session"], "session"), actor=call.caller.actor)
    return Answer(status=204)


@operations.add(
    "POST",
    "/v1/auth/reauthentication",
    summary="Prove your password again",
    body=Proof,
    answers={204: None},
    unlocked=True,
    problems=(403, 409, 429),
)
def reauthenticate(call: Call[Proof]) -> Answer:
    """Sensitive operations need a proof that is at most 15 minutes old: a sign-in, or this operation."""
    session_list.reauthenticate(call.caller.id, _own_session(call), call.body.password)
    return Answer(status=204)


@operations.add(
    "GET",
    "/v1/users/{user}/sessions",
    summary="List a user's sessions",
    needs=Permission.users_manage,
    answers={200: SessionList},
    problems=(404,),
)
def list_sessions_of_user(call: Call) -> Answer:
    """Newest first."""
    user = queries.get_user(pages.id_of(call.params["user"], "user"))
    return _listed(user.id, call.caller.session_id)


@operations.add(
    "DELETE",
    "/v1/users/{user}/sessions",
    summary="End a user's sessions",
    needs=Permission.users_manage,
    answers={200: SessionsEnded},
    problems=(404,),
)
def end_sessions_of_user(call: Call) -> Answer:
    """The caller must have all rights of the user."""
    user = queries.get_user(pages.id_of(call.params["user"], "user"))
    rights = roles.rights_of(user.role)
    if rights is not None:
        roles.check_covers(call.caller, rights)
    return Answer(SessionsEnded(session_list.end_all(user.id, actor=call.caller.actor)))
