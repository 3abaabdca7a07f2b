"""The sender: carries an answer to the service by one HTTP request, as the account's file says."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from models.channels.accounts import ChannelAccount
from models.kernel import addresses
from models.kernel.errors import ConfigurationError, NestorError, is_final
from models.kernel.open_json import JsonObject
from models.kernel.settings import Settings
from models.kernel.text import clean, one_line
from models.ports.outbound import (
    OutgoingMessage,
    SendOutcome,
    accepted,
    account_trouble,
    misconfigured,
    permanent,
    transient,
    unknown,
)
from models.tasks.rates import Bucket
from queues.channels import http_status
from queues.channels.webhook import ids, limits
from queues.channels.webhook.account import Reply, SecretHeader
from queues.channels.webhook.config import of
from queues.channels.webhook.parse import unscoped
from queues.described import expressions, texts
from queues.outside import safe_http

_CONTENT_TYPES = {"json": "application/json", "form": "application/x-www-form-urlencoded"}


def send(message: OutgoingMessage, account: ChannelAccount, settings: Settings) -> SendOutcome:
    """Send the answer with `Idempotency-Key: <delivery id>`.

    Outcomes: a `success` status is accepted, 429 is throttled, a `retry` status is transient, a status about the
    account (401, 403, 404, a redirect ...) is transient and shown at the account, another status is permanent, and no
    answer is unknown.
    """
    try:
        reply = of(account).reply
        if reply is None:
            return permanent("this account's file has no `reply`: nothing can be answered there")
        if message.attachments and "attachments" not in _names(reply.body):
            return permanent("the answer has files, and this account's `reply.body` has no {{ attachments }}")
        lookup = texts.in_values(_values(message))
        url = _url(reply, lookup, settings)
        headers = _headers(reply, message, lookup, settings)
        content = _content(reply, lookup)
    # Nothing was sent in either case.
    except ConfigurationError as error:
        return misconfigured(error)
    except NestorError as error:
        return permanent(error.message) if is_final(error) else transient(error.message)
    try:
        answer = safe_http.call(
            reply.method,
            url,
            headers=headers,
            body=content,
            private=may_be_private(url, settings),
            total_s=reply.timeout_s,
            body_bytes_max=limits.response_bytes_max,
        )
    except (safe_http.AddressRefused, safe_http.NotReached) as error:
        # The operator can allow a refused address.
        return transient(error.message)
    except safe_http.NoAnswer as error:
        return unknown(error.message)
    return _outcome(reply, answer, message)


def may_be_private(url: str, settings: Settings) -> bool:
    """Return True if a URL may lead into our own network: the operator allows it, or it is the demo's sandbox."""
    sandbox = settings.sandbox_url
    return settings.webhooks_private or (bool(sandbox) and url.startswith(f"{sandbox.rstrip('/')}/"))


def buckets(account: ChannelAccount, address: str) -> list[Bucket]:
    """Return the account's rate limit (`rate_per_s`), if any."""
    rate = of(account).rate_per_s
    return [] if rate is None else [Bucket(f"webhook:{account.name}", 1.0 / rate, max(1, int(rate)))]


def _outcome(reply: Reply, answer: safe_http.Reply, message: OutgoingMessage) -> SendOutcome:
    if answer.status in reply.success:
        document = _document(answer.body)
        if reply.refused_when and expressions.holds(reply.refused_when, document):
            return permanent("the service took the request and refused the message (`reply.refused_when`)")
        found = "" if reply.id_path is None else expressions.text(reply.id_path, document)
        thread = (*message.references, *filter(None, [message.in_reply_to]))
        return accepted(ids.scoped_answer(message.address, found, thread))
    detail = f"the service answered {answer.status}"
    if answer.status == 429:
        return SendOutcome("throttled", detail, retry_after_s=answer.retry_after_s() or 5.0)
    if answer.status in reply.retry:
        return transient(detail, retry_after_s=answer.retry_after_s())
    if http_status.concerns_account(answer.status):
        return account_trouble(f"{detail}: check the account's `reply`")
    return permanent(detail)


def _document(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _values(message: OutgoingMessage) -> JsonObject:
    return {
        "text": clean(message.body),
        "subject": message.subject,
        "format": message.body_format,
        "address": unscoped(message.address),
        "conversation": unscoped(message.address),
        "recipient_name": message.recipient_name,
        "delivery_id": message.delivery_id,
        "attempt": message.attempt_number,
        "ticket_number": message.ticket_number,
        "in_reply_to": None if message.in_reply_to is None else ids.unscoped(message.in_reply_to),
        "automatic": message.automatic,
        "locale": message.locale,
        "author_name": message.author_name,
        "attachments": _Files(message),
    }


class _Files(list[JsonObject]):
    """The message's files, with their bytes in base64."""

    def __init__(self, message: OutgoingMessage) -> None:
        super().__init__(
            {
                "filename": one.filename,
                "content_type": one.content_type,
                "size_bytes": one.size_bytes,
                "content": base64.b64encode(one.read()).decode(),
            }
            for one in message.attachments
        )


def _names(body: Any) -> set[str]:
    """Return the names of all values that a body uses."""
    if isinstance(body, str):
        return texts.names(body)
    parts = body.values() if isinstance(body, dict) else body if isinstance(body, list) else ()
    return set().union(*(_names(one) for one in parts))


def _url(reply: Reply, lookup: texts.Lookup, settings: Settings) -> str:
    if not isinstance(reply.url, str):
        url = settings.secret(reply.url.secret)
        if (wrong := addresses.url_problem(url, private=True)) is not None:
            raise ConfigurationError(f"the credential {reply.url.secret}: {wrong}")
        return url
    return texts.fill(reply.url, lookup, encode=lambda one: quote(one, safe=""))


def _headers(reply: Reply, message: OutgoingMessage, lookup: texts.Lookup, settings: Settings) -> Mapping[str, str]:
    told = {"content-type": _CONTENT_TYPES[reply.body_format], "idempotency-key": message.delivery_id}
    for name, one in reply.headers.items():
        if isinstance(one, SecretHeader):
            told[name.lower()] = one.prefix + settings.secret(one.secret)
        else:
            told[name.lower()] = texts.fill(one, lookup, encode=_header_value)
    return told


def _header_value(text: str) -> str:
    """Return one line of ASCII: a line break would begin another header."""
    return one_line(text, 500).encode("ascii", "replace").decode()


def _content(reply: Reply, lookup: texts.Lookup) -> bytes:
    filled = texts.filled(reply.body, lookup)
    if reply.body_format == "form":
        return urlencode({name: texts.as_text(one) for name, one in filled.items()}).encode("ascii")
    return json.dumps(filled, ensure_ascii=False).encode("utf-8", "replace")
