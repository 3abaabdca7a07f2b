"""Send raw mail through SES (API v2). SES gives the mail its own Message-ID, which replies refer to."""

from __future__ import annotations

import base64
import json

from models.channels.accounts import ChannelAccount
from models.kernel import clock
from models.kernel.settings import Settings
from models.ports.outbound import OutgoingMessage, SendOutcome, account_trouble, permanent, transient
from queues.channels.email.providers import documents, http, outgoing, sigv4
from queues.channels.email.providers.http import Answer
from queues.channels.email.writing.build import checked_address

# Errors by SES's own names (API v2, SendEmail). They come with 400, all alike.
_THROTTLED = {"TooManyRequestsException": 1.0, "ThrottlingException": 1.0, "LimitExceededException": 600.0}
_OF_THE_ACCOUNT = frozenset(
    {
        "AccountSuspendedException",
        "SendingPausedException",
        "MailFromDomainNotVerifiedException",
        "NotFoundException",
        # Common errors of AWS APIs about the key and its rights; most come with 403, some with 400.
        "AccessDeniedException",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "NotAuthorized",
        "OptInRequired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)


def send(message: OutgoingMessage, account: ChannelAccount, settings: Settings) -> SendOutcome:
    """POST /v2/email/outbound-emails, signed."""
    region = str(account.config.get("region") or "us-east-1")

    def request(raw: bytes) -> Answer:
        url = f"{outgoing.base_url(account, f'https://email.{region}.amazonaws.com')}/v2/email/outbound-emails"
        to, *copies = outgoing.recipients(message)
        destination = {"ToAddresses": [to], **({"CcAddresses": copies} if copies else {})}
        told = {
            "FromEmailAddress": checked_address(str(account.config["address"])).addr_spec,
            "Destination": destination,
            "Content": {"Raw": {"Data": base64.b64encode(raw).decode("ascii")}},
        }
        body = json.dumps(told).encode()
        given = sigv4.credentials(outgoing.api_key(account, settings))
        headers = sigv4.signed("POST", url, service="ses", region=region, body=body, given=given, at=clock.now())
        return http.call("POST", url, headers={**headers, "Content-Type": "application/json"}, body=body)

    def accepted(answer: Answer) -> SendOutcome:
        told = documents.text(answer.document().get("MessageId"))
        domain = "email.amazonses.com" if region == "us-east-1" else f"{region}.amazonses.com"
        ids = (message.external_id or "", f"<{told}@{domain}>") if told else (message.external_id or "",)
        return SendOutcome("accepted", external_id=message.external_id, external_ids=ids, provider_id=told or None)

    return outgoing.hand_over(message, account, request=request, accepted=accepted, refused=_refused)


def _refused(answer: Answer) -> SendOutcome | None:
    error = answer.headers.get("x-amzn-errortype") or documents.text(answer.document().get("__type"))
    name, text = error.partition(":")[0].rpartition("#")[2], http.error_text(answer, "message", "Message")
    if name in _THROTTLED:
        wait_s = answer.retry_after_s or _THROTTLED[name]
        return SendOutcome("throttled", text, retry_after_s=wait_s, pause_account=True)
    if name in _OF_THE_ACCOUNT or (name == "MessageRejected" and "not verified" in text):
        return account_trouble(text)
    if name == "RequestTimeTooSkewed":
        return transient(text)
    if name in ("MessageRejected", "BadRequestException"):
        return permanent(text)
    return None
