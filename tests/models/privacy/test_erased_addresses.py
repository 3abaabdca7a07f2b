"""The memory of erased addresses outlives a rotated key, and an erasure touches no other channel's address."""

from __future__ import annotations

import dataclasses
import secrets
from datetime import timedelta

import pytest

from models.events.commands import SYSTEM
from models.inbox import erased_addresses
from models.kernel import clock, settings
from models.kernel.storage import database
from models.privacy import erasure
from models.requesters import commands as requesters
from models.requesters import links
from tests.desk import Desk

OLD_KEY = secrets.token_urlsafe(48)


def test_an_erased_address_is_known_while_the_key_is_rotated(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    received_at = clock.now() - timedelta(minutes=1)
    now_used = settings.current()
    old = dataclasses.replace(now_used, secret_key=OLD_KEY)
    rotated = dataclasses.replace(now_used, secret_keys_accepted=OLD_KEY)
    # given an address that was erased before the rotation
    with monkeypatch.context() as patch:
        patch.setattr(settings, "current", lambda: old)
        desk.command(erased_addresses.remember, "email", "ada@over.test")

    with monkeypatch.context() as patch, database.connection():
        patch.setattr(settings, "current", lambda: rotated)
        assert erased_addresses.erased_since("email", ["Ada@over.test"], received_at)
        assert not erased_addresses.erased_since("email", ["ada@over.test", "jo@over.test"], received_at)
        assert not erased_addresses.erased_since("email", [], received_at)


def test_a_link_that_another_channel_opened_keeps_its_address(desk: Desk) -> None:
    # given two people with the same address in two channels, and a link of the second one
    ada = desk.command(requesters.find_or_create, "telegram", "7", name="Ada")
    jo = desk.command(requesters.find_or_create, "email", "jo@over.test", name="Jo")
    for channel in ("telegram", "webhook"):
        token = desk.command(links.make, jo.id, made_by="Olga")
        assert desk.command(links.open_link, token, channel=channel, address="7") is not None

    desk.command(erasure.erase, ada.id, actor=SYSTEM)

    rows = desk.rows("SELECT asked_channel, asked_address FROM requester_links")
    assert {row["asked_channel"]: row["asked_address"] for row in rows} == {"telegram": None, "webhook": "7"}
