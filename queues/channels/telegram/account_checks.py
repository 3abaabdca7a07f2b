"""Checks of a bot's file that its types do not express, for `scripts.defs check` and publishing."""

from __future__ import annotations

from collections.abc import Iterator

from models.kernel.errors import FieldProblem
from queues.channels import account_keys
from queues.channels.telegram.account import Account


def check(account: Account) -> Iterator[FieldProblem]:
    """Find a missing secret of the webhook, and keys that a bot without a webhook does not use."""
    if account.delivery == "webhook" and account.secret_token is None:
        yield FieldProblem(".secret_token", "expected {secret: name}: without it, anybody could post updates")
    used = {"secret_token", "path_id"} if account.delivery == "webhook" else set()
    yield from account_keys.unused(account, of={"secret_token", "path_id"}, used=used, why="with `delivery: polling`")
