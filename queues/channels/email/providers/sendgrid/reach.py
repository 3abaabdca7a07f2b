"""May our key at SendGrid send mail?"""

from __future__ import annotations

from models.channels.accounts import ChannelAccount
from models.kernel.settings import Settings
from queues.channel_port import Finding
from queues.channels.email.providers import documents, http, key_check, outgoing
from queues.channels.email.providers.http import Answer
from queues.channels.email.providers.sendgrid.send import host_of


def test(account: ChannelAccount, settings: Settings) -> list[Finding]:
    """GET /v3/scopes."""

    def own_finding(answer: Answer) -> Finding | None:
        if answer.ok and "mail.send" not in documents.texts(answer.document().get("scopes")):
            return Finding(False, "SendGrid: the API key has no permission to send mail (mail.send)")
        return None

    def call() -> Answer:
        key = outgoing.api_key(account, settings)
        return http.call("GET", f"{host_of(account)}/v3/scopes", headers={"Authorization": f"Bearer {key}"})

    return [key_check.finding_of("SendGrid", call, own_finding)]
