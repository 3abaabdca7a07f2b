"""Does Mailgun know our key and our sending domain?"""

from __future__ import annotations

from models.channels.accounts import ChannelAccount
from models.kernel.settings import Settings
from queues.channel_port import Finding
from queues.channels.email.providers import documents, http, key_check, outgoing
from queues.channels.email.providers.http import Answer
from queues.channels.email.providers.mailgun.send import host_of


def test(account: ChannelAccount, settings: Settings) -> list[Finding]:
    """GET /v3/domains/<domain>."""
    domain = account.config.get("domain")
    if not domain:
        return []

    def own_finding(answer: Answer) -> Finding | None:
        state = documents.text(documents.part(answer.document().get("domain")).get("state"))
        if answer.status == 404:
            return Finding(False, f"Mailgun: there is no domain {domain} (in this region)")
        if answer.ok and state not in ("", "active"):
            return Finding(False, f"Mailgun: the domain {domain} is {state}")
        return None

    def call() -> Answer:
        key = outgoing.api_key(account, settings)
        return http.call("GET", f"{host_of(account)}/v3/domains/{domain}", basic=("api", key))

    return [key_check.finding_of("Mailgun", call, own_finding)]
