"""A merge of requesters remembers the values that it gave to the kept one."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return ["ALTER TABLE requester_merges ADD COLUMN filled {json} NOT NULL DEFAULT '{{}}'"]
