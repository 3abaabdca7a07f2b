"""Tables of the ledger."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, Table


class Account(Table):
    """An account. `kind` is `user`: the account of a person who works at the desk.

    `owner_id` references no table, because a request for an account may arrive before its owner is visible.
    """

    id = IdField(primary_key=True)
    kind = peewee.TextField()
    owner_id = IdField()
    opened_at = InstantField()

    class Meta:
        table_name = "accounts"
