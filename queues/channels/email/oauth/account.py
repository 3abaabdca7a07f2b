"""The key `oauth` of an e-mail account. It imports little, because the webhook function loads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from models.channels.files import Secret
from models.kernel.errors import FieldProblem
from queues.channels import account_keys

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
Protocol = Literal["imap", "smtp"]


class OAuth(msgspec.Struct, forbid_unknown_fields=True):
    """OAuth 2.0 in place of a password: `queues/channels/email/oauth/README.md`."""

    # Of the registered application; a service account has it in its key.
    client_id: Annotated[str, msgspec.Meta(max_length=500)] = ""
    # Gives the addresses and scopes of Microsoft 365 or Gmail.
    service: Literal["microsoft", "google"] | None = None
    # Microsoft: the id or a domain of the tenant.
    tenant: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9.-]{1,100}\Z")] | None = None
    grant: Literal["refresh_token", "client_credentials", "service_account"] = "refresh_token"
    client_secret: Secret | None = None
    # The first refresh token. Without it, `python -m scripts.channels authorize` stores one in the database.
    refresh_token: Secret | None = None
    # The JSON key of a service account, which may act for the mailboxes of its Google Workspace.
    service_account: Secret | None = None
    # The mailbox that logs in; default: the account's address.
    user: str | None = None
    mechanism: Literal["xoauth2", "oauthbearer"] = "xoauth2"
    # The protocols that log in by OAuth.
    use_for: Annotated[list[Protocol], msgspec.Meta(min_length=1)] = msgspec.field(
        default_factory=lambda: ["imap", "smtp"]
    )
    # Of another authorization server, or of a national cloud.
    token_url: str | None = None
    device_url: str | None = None
    authorize_url: str | None = None
    scopes: list[str] | None = None


def problems(oauth: OAuth, *, imap_url: bool, smtp_url: bool, imap: bool, smtp: bool) -> Iterator[FieldProblem]:
    """Find the problems of the key that its types do not express.

    `imap_url` and `smtp_url`: the account names its own servers. `imap` and `smtp`: the account uses these protocols.
    """
    yield from _service(oauth)
    yield from _addresses(oauth)
    yield from _grant(oauth)
    for protocol, used, named in (("imap", imap, imap_url), ("smtp", smtp, smtp_url)):
        if used and not named and (oauth.service is None or protocol not in oauth.use_for):
            yield FieldProblem(
                f".{protocol}_url", f"expected {{secret: name}}: `oauth` does not say which {protocol} server to use"
            )
    for protocol, used in (("imap", imap), ("smtp", smtp)):
        if not used and "use_for" in account_keys.given(oauth) and protocol in oauth.use_for:
            yield FieldProblem(".oauth.use_for", f"this account uses no {protocol}: remove it from the list")


_OF_GRANTS = {
    "refresh_token": frozenset({"client_id", "client_secret", "refresh_token", "device_url", "authorize_url"}),
    "client_credentials": frozenset({"client_id", "client_secret"}),
    "service_account": frozenset({"service_account"}),
}


def _grant(oauth: OAuth) -> Iterator[FieldProblem]:
    """Check the keys of the grant: those that it needs, and those that it does not use."""
    if oauth.grant != "service_account" and not oauth.client_id:
        yield FieldProblem(".oauth.client_id", f"expected the id of the registered application for {oauth.grant}")
    needed = {"client_credentials": "client_secret", "service_account": "service_account"}.get(oauth.grant)
    if needed is not None and getattr(oauth, needed) is None:
        yield FieldProblem(f".oauth.{needed}", f"expected {{secret: name}}: {oauth.grant} needs it")
    every = frozenset().union(*_OF_GRANTS.values())
    why = f"by `grant: {oauth.grant}`"
    yield from account_keys.unused(oauth, of=every, used=_OF_GRANTS[oauth.grant], why=why, at=".oauth")


def _service(oauth: OAuth) -> Iterator[FieldProblem]:
    if oauth.service == "microsoft" and oauth.tenant is None and oauth.token_url is None:
        yield FieldProblem(".oauth.tenant", "expected the id or a domain of the Microsoft tenant")
    if oauth.service != "microsoft" and oauth.tenant is not None:
        yield FieldProblem(".oauth.tenant", "only Microsoft has tenants: remove it, or set service: microsoft")
    if oauth.service == "google" and oauth.grant == "client_credentials":
        expected = "expected refresh_token or service_account"
        yield FieldProblem(".oauth.grant", f"Google has no client credentials for mailboxes; {expected}")
    if oauth.service is None and oauth.token_url is None:
        yield FieldProblem(".oauth.token_url", "expected the address of the authorization server, or a `service`")


def _addresses(oauth: OAuth) -> Iterator[FieldProblem]:
    for key in ("token_url", "device_url", "authorize_url"):
        url = getattr(oauth, key)
        if url is not None and not _is_safe(url):
            yield FieldProblem(f".oauth.{key}", "expected an https address (http is for this machine only)")


def _is_safe(url: str) -> bool:
    """Return True if secrets may travel to this address: by TLS, or within this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    )
