"""Test the token of our Postmark server."""

from __future__ import annotations

from models.channels.accounts import ChannelAccount
from models.kernel.settings import Settings
from queues.channel_port import Finding
from queues.channels.email.providers import http, key_check, outgoing
from queues.channels.email.providers.http import Answer
from queues.channels.email.providers.postmark.send import HOST


def test(account: ChannelAccount, settings: Settings) -> list[Finding]:
    """GET /server."""

    def call() -> Answer:
        headers = {
            "X-Postmark-Server-Token": outgoing.api_key(account, settings),
            "Accept": "application/json",
        }
        return http.call("GET", f"{outgoing.base_url(account, HOST)}/server", headers=headers)

    return [key_check.finding_of("Postmark", call, key_check.nothing_more)]
