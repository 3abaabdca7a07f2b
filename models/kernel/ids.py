"""Identifiers: UUIDv7 (RFC 9562), made in the program so that related rows can be written in one statement."""

from __future__ import annotations

import secrets
from uuid import UUID

import uuid_utils


def new_id() -> UUID:
    """A fresh UUIDv7; sorts by creation time, but ids are compared, never parsed for time."""
    return UUID(int=uuid_utils.uuid7().int)


def parse_id(text: str) -> UUID | None:
    """The UUID written as `text`, or None when it is not one (a path part a caller typed)."""
    if len(text) not in (32, 36):
        return None
    try:
        return UUID(text)
    except ValueError:
        return None


def secret_token(bytes_of_entropy: int = 32) -> str:
    """An unguessable URL-safe token."""
    return secrets.token_urlsafe(bytes_of_entropy)
