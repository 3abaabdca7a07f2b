"""Test the key by which files are fetched from Brevo."""

from __future__ import annotations

from models.channels.accounts import ChannelAccount
from models.kernel.settings import Settings
from queues.channel_port import Finding
from queues.channels.email.providers import http, key_check, outgoing
from queues.channels.email.providers.brevo.fetch import HOST
from queues.channels.email.providers.http import Answer


def test(account: ChannelAccount, settings: Settings) -> list[Finding]:
    """GET /v3/account."""

    def call() -> Answer:
        headers = {"api-key": outgoing.api_key(account, settings)}
        return http.call("GET", f"{outgoing.base_url(account, HOST)}/v3/account", headers=headers)

    return [key_check.finding_of("Brevo", call, key_check.nothing_more)]
