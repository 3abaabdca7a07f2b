"""Test our key for SES, and whether the account may send."""

from __future__ import annotations

from models.channels.accounts import ChannelAccount
from models.kernel import clock
from models.kernel.settings import Settings
from queues.channel_port import Finding
from queues.channels.email.providers import http, key_check, outgoing, sigv4
from queues.channels.email.providers.http import Answer


def test(account: ChannelAccount, settings: Settings) -> list[Finding]:
    """GET /v2/email/account; a key that only reads the bucket is not asked to send."""
    if account.config.get("outbound") != "ses":
        return []
    region = str(account.config.get("region") or "us-east-1")

    def own_finding(answer: Answer) -> Finding | None:
        document = answer.document()
        if answer.ok and document.get("SendingEnabled") is False:
            return Finding(False, "SES: sending is paused for this account")
        if answer.ok and document.get("ProductionAccessEnabled") is False:
            return Finding(
                True,
                "SES: takes our key; the account is in the sandbox and writes to verified addresses only",
            )
        return None

    def call() -> Answer:
        url = f"{outgoing.base_url(account, f'https://email.{region}.amazonaws.com')}/v2/email/account"
        given = sigv4.credentials(outgoing.api_key(account, settings))
        headers = sigv4.signed("GET", url, service="ses", region=region, body=b"", given=given, at=clock.now())
        return http.call("GET", url, headers=headers)

    return [key_check.finding_of("SES", call, own_finding)]
