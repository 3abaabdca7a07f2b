"""Recovery codes: ten codes on paper, each of which replaces the second factor once."""

from __future__ import annotations

import secrets
from uuid import UUID

from models.credentials.tables import RecoveryCode
from models.events import desk_payloads, history
from models.events.commands import Actor
from models.identity.sign_in import tokens
from models.kernel import clock, limits

# Crockford's base 32, without the letters that people confuse. A code has 120 bits: a fast hash is enough from 112 bits
# on (OWASP ASVS 5.0.0, requirement 6.5.2).
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_GROUPS, _GROUP_CHARS = 6, 4
_LOOKALIKES = str.maketrans({"o": "0", "i": "1", "l": "1", "-": None, " ": None})


def replace_all(user_id: UUID, *, actor: Actor) -> list[str]:
    """Make ten new codes; the earlier ones end. The caller has locked the user's row."""
    codes = [_new() for _ in range(limits.recovery_codes)]
    now = clock.now()
    RecoveryCode.delete().where(RecoveryCode.user_id == user_id).execute()
    rows = [{"user_id": user_id, "code_hash": _hash(code), "created_at": now} for code in codes]
    RecoveryCode.insert_many(rows).execute()
    created = desk_payloads.RecoveryCodesCreated(count=len(codes))
    history.append("user", user_id, [created], actor=actor, at=now)
    return codes


def use(user_id: UUID, code: str) -> bool:
    """Use up a code; returns False for a wrong or used one. Joins the caller's transaction."""
    this = (RecoveryCode.user_id == user_id) & (RecoveryCode.code_hash == _hash(code)) & RecoveryCode.used_at.is_null()
    return bool(RecoveryCode.update(used_at=clock.now()).where(this).execute())


def left(user_id: UUID) -> int:
    """Count the usable codes of a user."""
    return int(RecoveryCode.select().where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_null()).count())


def delete_all(user_id: UUID) -> None:
    """Delete the codes of a user without a second factor. Joins the caller's transaction."""
    RecoveryCode.delete().where(RecoveryCode.user_id == user_id).execute()


def _new() -> str:
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_CHARS)) for _ in range(_GROUPS))
    return "-".join(groups)


def _hash(code: str) -> str:
    return tokens.fingerprint(code.strip().lower().translate(_LOOKALIKES))
