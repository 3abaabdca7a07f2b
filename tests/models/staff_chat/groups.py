"""A staff group of the demo's bot: its topics, and what its agents write there."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from models.definitions import store
from models.inbound import address_links
from models.kernel.storage import database
from models.ports.inbound import Command
from models.staff import addresses
from models.tickets.tables import Ticket
from queues.channels.telegram import staff as topics
from tests.desk import Desk
from tests.models.inbound.story import digits_in

GROUP = -1009


class Topics:
    """The requests about topics that the Bot API received."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.changed: list[tuple[str, str]] = []
        self._ids = itertools.count(11)

    def open_topic(self, account: Any, settings: Any, chat: str, name: str) -> str:
        self.opened.append(name)
        return f"{chat}/{next(self._ids)}"

    def close_topic(self, account: Any, settings: Any, address: str) -> None:
        self.changed.append(("close", address))

    def reopen_topic(self, account: Any, settings: Any, address: str) -> None:
        self.changed.append(("reopen", address))


@pytest.fixture
def group(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Topics]:
    """The demo's bot has a staff group; the agent Olga is linked with Telegram user 7001."""
    fake = Topics()
    for name in ("open_topic", "close_topic", "reopen_topic"):
        monkeypatch.setattr(topics, name, getattr(fake, name))
    with database.transaction():
        row = database.one("SELECT body, source FROM definitions WHERE name = 'telegram.demo'")
        assert row is not None
        body = row["body"] if isinstance(row["body"], dict) else json.loads(row["body"])
        body["staff"] = {"chat_id": GROUP}
        store.publish("channel", "telegram.demo", body, source=row["source"], by="tests")
    store.forget()
    with database.transaction():
        olga = desk.person("agent")
        user_id = UUID(str(olga.id))
        token = addresses.make_link(user_id)
    desk.receive(Command("start", token, "7001", "Olga", "7001", "7001"), channel="telegram")
    desk.run_due()
    with database.transaction():
        address_links.confirm_for_user(user_id, token, digits_in(desk.calls[-1].body))
    desk.run_due()
    desk.calls.clear()
    yield fake
    store.forget()


def posts(desk: Desk) -> list[tuple[str, str]]:
    """(address, text) of what was posted in the group, in order."""
    return [(c.address, c.body) for c in desk.sent if c.address.startswith(str(GROUP))]


def opened(desk: Desk) -> Ticket:
    desk.receive_telegram("It burns.", chat=42, name="Ada")
    desk.run_due()
    return desk.ticket()


def says(desk: Desk, text: str, *, user: int = 7001, topic: int = 11, **more: Any) -> dict[str, Any]:
    number = next(desk._numbers)
    update = {
        "update_id": number,
        "message": {
            "message_id": number,
            "date": 1,
            "chat": {"id": GROUP, "type": "supergroup", "is_forum": True},
            "from": {"id": user, "is_bot": False, "first_name": "Olga"},
            "message_thread_id": topic,
            "is_topic_message": True,
            "text": text,
            **more,
        },
    }
    event = desk.receive_raw("telegram", json.dumps(update).encode(), content_type="application/json")
    desk.run_due()
    return desk.inbox(event)
