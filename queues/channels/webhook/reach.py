"""Tests and instructions for a webhook account. A test sends nothing, because the service would
take it for an answer.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from models.channels.accounts import ChannelAccount
from models.kernel import addresses
from models.kernel.errors import NestorError
from models.kernel.settings import Settings
from queues.channel_port import Finding, webhook_url
from queues.channels.webhook.config import of
from queues.channels.webhook.send import may_be_private
from queues.outside import safe_http


def test(account: ChannelAccount, settings: Settings) -> list[Finding]:
    """Check that every credential exists, and that the answer's server has an address that may be called."""
    findings = []
    for name in sorted(set(_credentials(account.config))):
        try:
            settings.secret(name)
        except NestorError as error:
            findings.append(Finding(False, error.message))
    if not findings:
        findings.append(Finding(True, "every credential that the file names is there"))
        findings.append(_reply(account, settings))
    return findings


def setup(account: ChannelAccount, settings: Settings, *, public_url: str) -> list[Finding]:
    """Return what the operator enters at the service."""
    config = of(account)
    auth = config.auth
    proof = {
        "hmac": f"a signature ({auth.algorithm}, {auth.encoding}) over {auth.signed} in {auth.header}",
        "bearer": f"the token in {auth.header or 'Authorization: Bearer'}",
        "basic": "user and password",
        "none_but_path": "nothing but the address, which is a secret",
    }[auth.kind]
    return [
        Finding(True, f"enter at the service: POST {webhook_url(account, settings, public_url=public_url)}"),
        Finding(True, f"it proves itself by {proof}; the body is {config.body}"),
    ]


def _credentials(value: Any) -> Iterator[str]:
    """Yield the names of all credentials in the file."""
    if isinstance(value, Mapping):
        if isinstance(value.get("secret"), str):
            yield value["secret"]
        for one in value.values():
            yield from _credentials(one)
    elif isinstance(value, list):
        for one in value:
            yield from _credentials(one)


def _reply(account: ChannelAccount, settings: Settings) -> Finding:
    reply = of(account).reply
    if reply is None:
        return Finding(True, "nothing can be answered there: the file has no `reply`")
    url = reply.url.partition("{{")[0] if isinstance(reply.url, str) else settings.secret(reply.url.secret)
    problem = _url_problem(url, settings)
    if problem is not None:
        return Finding(False, f"reply.url: {problem}")
    return Finding(True, f"the answer's server {urlsplit(url).hostname} has an address that may be called")


def _url_problem(url: str, settings: Settings) -> str | None:
    """Return why the URL may not be called, or None."""
    private = may_be_private(url, settings)
    if (problem := addresses.url_problem(url, private=private)) is not None:
        return problem
    parts = urlsplit(url)
    try:
        found = safe_http.look_up(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    except (OSError, socket.gaierror):
        return f"the name {parts.hostname} has no address"
    if not private and not all(addresses.is_public(address) for _, address in found):
        return f"{parts.hostname} is in a private network; WEBHOOKS_PRIVATE=true allows those"
    return None
