"""Sign-in, refresh and sign-out of users.

`sign_in` and `refresh` open their own transactions, unlike other commands. The effects of a failure (a used rate-limit
slot, an event, a revoked session) must be committed although the request fails. In addition, argon2 must not run while
rows are locked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from models.audit import callers
from models.desk_mail import commands as desk_mail
from models.events import desk_payloads, history
from models.events.commands import SYSTEM, Actor
from models.identity import passwords, queries, rules
from models.identity.rules import RefreshVerdict
from models.identity.sign_in import devices, refresh_tokens, sign_in_limits, tokens
from models.identity.sign_in.tokens import SessionEnded, TokenPair
from models.identity.tables import Session, UserRow
from models.kernel import clock, limits
from models.kernel import settings as process_settings
from models.kernel.errors import Unauthenticated
from models.kernel.ids import new_id
from models.kernel.settings import Settings
from models.kernel.storage import database
from models.kernel.storage.batch import Batch
from models.kernel.storage.table import RowView
from models.kernel.telemetry import logs
from models.tasks import rates

log = logs.get("identity")
_NO_SESSION = UUID(int=0)
_STATE = RowView(rules.SessionState, Session)


class SignInFailed(Unauthenticated):
    """The e-mail address or the password is wrong."""

    code = "sign_in_failed"


@dataclass(frozen=True, slots=True)
class ProvenPassword:
    """The result of a password check: the password was right, and nothing is written yet."""

    user_id: UUID
    seen_hash: str = field(repr=False)
    new_hash: str = field(repr=False)
    buckets: list[rates.Bucket] = field(repr=False)


def sign_in(email: str, password: str, *, client: str, settings: Settings | None = None) -> TokenPair:
    """Open a session by the password alone. `client` is the caller's network address. Raises like `prove_password`.

    It asks for no second factor.
    """
    proof = prove_password(email, password, client=client)
    with database.transaction():
        name = accept(proof)
        return start(proof.user_id, name, client=client, settings=settings)


def prove_password(email: str, password: str, *, client: str) -> ProvenPassword:
    """Check a password. `client` is the caller's network address.

    Raises SignInFailed with the same message after the same time for an unknown address, a deactivated user and a wrong
    password. Raises TooManyRequests, without a password check, after too many failures (sign_in_limits.py).
    """
    assert not database.in_transaction(), "a failed sign-in is recorded although its request fails"
    email = rules.normalise_email(email)
    found, device = _find(email), devices.presented(process_settings.current())
    known = device if device is not None and found is not None and device.user_id == found["id"] else None
    buckets = sign_in_limits.of_attempt(email, client, known)
    sign_in_limits.take(buckets)  # before the check, or every guess of a parallel burst would be checked
    if known is None:
        sign_in_limits.slow_down(email)
    kept_hash = found["password_hash"] if found is not None and found["active"] else None
    if not passwords.matches(password, kept_hash):
        _record_failure(found, email, client)
        raise SignInFailed()
    assert found is not None, "nobody's hash matches nothing"
    assert kept_hash is not None, "nobody's hash matches nothing"
    new_hash = passwords.make_hash(password) if passwords.is_outdated(kept_hash) else kept_hash
    return ProvenPassword(found["id"], kept_hash, new_hash, buckets)


def accept(proof: ProvenPassword) -> str:
    """Lock the user's row, return the slots of the attempt, and return the user's name.

    Joins the caller's transaction. Raises SignInFailed if the user changed while the password was checked.
    """
    user = database.one("SELECT name, active, password_hash FROM users WHERE id = :id FOR_UPDATE", id=proof.user_id)
    if user is None or not user["active"] or user["password_hash"] != proof.seen_hash:
        raise SignInFailed()  # the slot stays used
    if proof.new_hash != proof.seen_hash:
        database.execute("UPDATE users SET password_hash = :hash WHERE id = :id", hash=proof.new_hash, id=proof.user_id)
    rates.give_back(proof.buckets)
    return str(user["name"])


def start(user_id: UUID, name: str, *, client: str, settings: Settings | None = None) -> TokenPair:
    """Open a session of a user who has proved who they are. The caller has locked the user's row."""
    settings = settings or process_settings.current()
    session_id, now = new_id(), clock.now()
    refresh_token = refresh_tokens.first(session_id, settings)
    _report_new_device(user_id, client, settings)
    device_id, device_token = devices.issue(user_id, settings)
    rows = Batch()
    rows.insert(
        "sessions",
        {
            "id": session_id,
            "user_id": user_id,
            "refresh_hash": tokens.fingerprint(refresh_token),
            "created_at": now,
            "refreshed_at": now,
            "expires_at": rules.session_end(now),
            "client": client[: limits.client_chars_max],
            "user_agent": callers.current().user_agent,
            "device_id": device_id,
            "last_seen_at": now,
            "authenticated_at": now,
        },
    )
    signed_in = desk_payloads.SignedIn(session_id=session_id, client=client[: limits.client_chars_max])
    history.append("user", user_id, [signed_in], actor=Actor("user", str(user_id), name), at=now, with_rows=rows)
    return TokenPair(tokens.access_token(user_id, session_id, settings), refresh_token, device_token)


def _report_new_device(user_id: UUID, client: str, settings: Settings) -> None:
    """Tell the user about a sign-in on an unknown device; the first sign-in of all is no news."""
    device = devices.presented(settings)
    if device is not None and device.user_id == user_id:
        return
    if database.one("SELECT id FROM sessions WHERE user_id = :id LIMIT 1", id=user_id) is not None:
        desk_mail.notify("new_device", queries.get_user(user_id), {"network": sign_in_limits.network(client)})


def record_failure(user_id: UUID, *, client: str) -> None:
    """Record that somebody could not sign in as this user. The caller has locked the user's row."""
    failed = desk_payloads.SignInFailed(client=client[: limits.client_chars_max])
    history.append("user", user_id, [failed], actor=SYSTEM, at=clock.now())


def refresh(refresh_token: str, *, settings: Settings | None = None) -> TokenPair:
    """Exchange a refresh token for the next pair of tokens; the end of the session does not move.

    Raises SessionEnded, or Unauthenticated for a token that this desk did not issue. A token that was exchanged longer
    than `limits.refresh_repeat_s` ago ends the session. Two parties hold that token, and the desk cannot tell which of
    them is the thief.
    """
    assert not database.in_transaction(), "a stolen token's session is ended although its request fails"
    settings = settings or process_settings.current()
    session_id = refresh_tokens.session_of(refresh_token)
    if session_id is None:
        raise Unauthenticated("this is not a refresh token of this desk; sign in again")
    with database.transaction():
        verdict, user_id, next_token = _exchange(session_id, refresh_token, settings)
    if user_id is None or verdict is RefreshVerdict.unknown:
        raise Unauthenticated("this is not a refresh token of this desk; sign in again")
    if verdict is RefreshVerdict.reused:
        log.warning("refresh_token_reused", session_id=session_id, user_id=user_id)
        raise SessionEnded("the refresh token was used before, so the session has been ended; sign in again")
    if verdict is RefreshVerdict.ended:
        raise SessionEnded()
    return TokenPair(tokens.access_token(user_id, session_id, settings), next_token, "")


def sign_out(session_id: UUID) -> None:
    """End a session; a session that has ended stays unchanged. Joins the caller's transaction."""
    with database.transaction():
        user = _lock_user_of(session_id)
        if user is not None:
            actor = Actor("user", str(user["id"]), user["name"])
            end(session_id, user["id"], actor=actor, reason="signed_out")


def revoke_all(user_id: UUID, *, but: UUID | None = None) -> int:
    """End all sessions of a user, or all but one, and return their number.

    The caller has locked the user's row and writes the reason to the event log.
    """
    return int(
        database.execute(
            "UPDATE sessions SET revoked_at = :now WHERE user_id = :id AND revoked_at IS NULL AND expires_at > :now"
            " AND id <> :kept",
            id=user_id,
            kept=but or _NO_SESSION,
            now=clock.now(),
        ).rowcount
    )


def _find(email: str) -> database.Row | None:
    if rules.email_problems(email):
        return None  # no user has it, and the database may refuse its characters
    with database.connection():
        return _known("SELECT id, password_hash, active FROM users WHERE email = :email", email=email)


def _known(statement: str, **values: Any) -> database.Row | None:
    row = database.one(statement, values)
    return None if row is None else UserRow.converted(row)


def _record_failure(found: database.Row | None, email: str, client: str) -> None:
    """Record the failure in the user's history.

    For an unknown address, do the same work and commit, so that the response time does not reveal that it is unknown.
    """
    with database.transaction():
        user_id = found["id"] if found is not None else new_id()
        database.one("SELECT id FROM users WHERE id = :id FOR_UPDATE", id=user_id)
        if found is not None:
            record_failure(user_id, client=client)
        else:
            history.next_sequence("user", user_id)
        sign_in_limits.count_failure(email)


def _exchange(session_id: UUID, token: str, settings: Settings) -> tuple[RefreshVerdict, UUID | None, str]:
    """Judge the token, apply the verdict, and return the verdict, the user id and the next token.

    The next token is empty unless the verdict is current or repeated.
    """
    user = _lock_user_of(session_id)
    row = database.one(f"SELECT {_STATE.selected()} FROM sessions WHERE id = :id", id=session_id)
    if user is None or row is None:
        return RefreshVerdict.unknown, None, ""
    user_id, now = user["id"], clock.now()
    session = _STATE.read(row)
    token_hash, genuine = tokens.fingerprint(token), refresh_tokens.is_genuine(token, settings)
    verdict = rules.judge_refresh(session, token_hash, genuine=genuine, now=now, idle_s=settings.session_idle_s)
    if verdict is RefreshVerdict.reused:
        end(session_id, user_id, actor=SYSTEM, reason="refresh_token_reused")
    if verdict not in (RefreshVerdict.current, RefreshVerdict.repeated):
        return verdict, user_id, ""
    next_token = refresh_tokens.successor(token, settings)
    next_hash = tokens.fingerprint(next_token)
    if verdict is RefreshVerdict.current:
        database.execute(
            "UPDATE sessions SET refresh_hash = :next, previous_hash = :previous, refreshed_at = :now WHERE id = :id",
            next=next_hash,
            previous=token_hash,
            now=now,
            id=session_id,
        )
    elif next_hash != session.refresh_hash:  # SECRET_KEY changed between the two exchanges
        return RefreshVerdict.ended, user_id, ""
    return verdict, user_id, next_token


def _lock_user_of(session_id: UUID) -> database.Row | None:
    """Lock and return the row of the session's user, or return None for an unknown session.

    The user's row is the lock of all sessions of the user.
    """
    return _known(
        "SELECT id, name FROM users WHERE id = (SELECT user_id FROM sessions WHERE id = :id) FOR_UPDATE",
        id=session_id,
    )


def end(session_id: UUID, user_id: UUID, *, actor: Actor, reason: str) -> None:
    """End a session and record the reason. The caller has locked the user's row."""
    now = clock.now()
    ended = database.execute(
        "UPDATE sessions SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL", now=now, id=session_id
    )
    if ended.rowcount == 1:
        signed_out = desk_payloads.SignedOut(session_id=session_id, reason=reason)
        history.append("user", user_id, [signed_out], actor=actor, at=now)
