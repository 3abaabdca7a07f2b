"""Hand our mail to Mailgun as it is (`messages.mime`); it keeps our Message-ID."""

from __future__ import annotations

from models.channels.accounts import ChannelAccount
from models.kernel.settings import Settings
from models.ports.outbound import OutgoingMessage, SendOutcome, account_trouble, permanent
from queues.channels.email.providers import documents, http, outgoing
from queues.channels.email.providers.http import Answer

_HOSTS = {"eu": "https://api.eu.mailgun.net"}
_HOST = "https://api.mailgun.net"
_TO_INVALID = "'to' parameter is not a valid address"
# Answers with 400 about our domain or sender address, in lower case.
_OF_THE_ACCOUNT = (
    "'from' parameter is not a valid address",
    "is not allowed to send",
    "sandbox subdomains are for test",
)


def send(message: OutgoingMessage, account: ChannelAccount, settings: Settings) -> SendOutcome:
    """POST /v3/<domain>/messages.mime, with the API key."""

    def request(raw: bytes) -> Answer:
        return http.call(
            "POST",
            f"{host_of(account)}/v3/{account.config.get('domain')}/messages.mime",
            basic=("api", outgoing.api_key(account, settings)),
            fields={"to": ", ".join(outgoing.recipients(message))},
            files={"message": ("message.eml", raw, "message/rfc822")},
        )

    def accepted(answer: Answer) -> SendOutcome:
        told = documents.bracketed(documents.text(answer.document().get("id")))
        return SendOutcome("accepted", external_id=message.external_id, provider_id=told or None)

    return outgoing.hand_over(message, account, request=request, accepted=accepted, refused=_refused)


def host_of(account: ChannelAccount) -> str:
    """Mailgun's API of the account's region."""
    return outgoing.base_url(account, _HOSTS.get(str(account.config.get("region") or ""), _HOST))


def _refused(answer: Answer) -> SendOutcome | None:
    """Read a refusal. Mailgun answers 400 for an invalid address, 401 for a key and 404 for a domain; an operator
    corrects the last two.
    """
    text = http.error_text(answer, "message")
    if answer.status == 400 and _TO_INVALID in text:
        return permanent(text, suppress="Mailgun says that it is no address")
    if answer.status == 400 and any(words in text.lower() for words in _OF_THE_ACCOUNT):
        return account_trouble(text)
    return None
