"""Signatures of mails."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        """CREATE TABLE signatures (owner_kind text NOT NULL, owner text NOT NULL, texts {json} NOT NULL,
        body_format text NOT NULL, version integer NOT NULL, updated_at {instant} NOT NULL,
        PRIMARY KEY (owner_kind, owner))""",
    ]
