"""Test our key for Resend."""

from __future__ import annotations

from models.channels.accounts import ChannelAccount
from models.kernel.settings import Settings
from queues.channel_port import Finding
from queues.channels.email.providers import documents, http, key_check, outgoing
from queues.channels.email.providers.http import Answer
from queues.channels.email.providers.resend.send import HOST


def test(account: ChannelAccount, settings: Settings) -> list[Finding]:
    """Call GET /domains. A key that may only send gets an error of its own."""
    receives = account.config.get("provider") == "resend"

    def own_finding(answer: Answer) -> Finding | None:
        if documents.text(answer.document().get("name")) != "restricted_api_key":
            return None
        if receives:
            return Finding(False, "Resend: the key may only send; receiving needs one with full access")
        return Finding(True, "Resend: the API takes our key, which may only send")

    def call() -> Answer:
        headers = {"Authorization": f"Bearer {outgoing.api_key(account, settings)}"}
        return http.call("GET", f"{outgoing.base_url(account, HOST)}/domains", headers=headers)

    return [key_check.finding_of("Resend", call, own_finding)]
