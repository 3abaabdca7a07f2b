"""A mailbox of a real Dovecot, and the demo account reading it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from models.channels import accounts
from models.channels.accounts import ChannelAccount
from models.kernel.storage import database
from tests.desk import Desk
from tests.services.dovecot import DovecotServer, Mailbox


@pytest.fixture
def mailbox(imap_server: DovecotServer, monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    imap_server.start()  # after a test that stopped it
    made = imap_server.new_mailbox()
    monkeypatch.setenv("NESTOR_SECRET_TEST_IMAP_URL", made.url)
    return made


def reading(account: ChannelAccount, server: DovecotServer, **config: Any) -> ChannelAccount:
    """The account as one that reads its mailbox by IMAP."""
    keys = {"provider": "imap", "imap_url": {"secret": "test_imap_url"}, "imap_ca_file": str(server.ca_file)}
    return dataclasses.replace(account, config={**account.config, **keys, **config})


@pytest.fixture
def account(desk: Desk, imap_server: DovecotServer) -> ChannelAccount:
    with database.connection():
        return reading(accounts.find("email", "demo"), imap_server)
