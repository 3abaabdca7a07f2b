"""Accounts of the demo with other keys, and a life cycle of the test's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from models.definitions import store
from models.kernel.storage import database
from tests.desk import Desk
from tests.models.inbound.dialogues import publish_wish

Change = Callable[..., None]


@pytest.fixture
def account(desk: Desk) -> Iterator[Change]:
    """Publish the demo's account with other keys."""

    def change(name: str, **keys: Any) -> None:
        with database.transaction():
            row = database.one("SELECT body, source FROM definitions WHERE name = :name", name=name)
            assert row is not None
            body = row["body"] if isinstance(row["body"], dict) else json.loads(row["body"])
            store.publish("channel", name, body | keys, source=row["source"], by="tests")
        store.forget()

    yield change
    store.forget()


def another_mailbox(name: str, address: str, **keys: Any) -> None:
    """Publish a mailbox like the demo's, with another name and address."""
    with database.connection(), database.transaction():
        row = database.one("SELECT body, source FROM definitions WHERE name = 'email.demo'")
        assert row is not None
        body = row["body"] if isinstance(row["body"], dict) else json.loads(row["body"])
        more = {"account": name, "address": address, "default": False} | keys
        store.publish("channel", f"email.{name}", body | more, source=row["source"], by="tests")
    store.forget()


@pytest.fixture
def publish(account: Change) -> Change:
    """Publish the life cycle of a wish, on which the demo's bot opens tickets."""

    def make(**submit: Any) -> None:
        publish_wish(**submit)
        account("telegram.demo", ticket_type="wish", workflow="wish")

    return make
