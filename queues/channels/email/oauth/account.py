"""The key `oauth` of an e-mail account. It imports little, because the webhook function loads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from models.channels.files import Secret
from models.kernel.errors import FieldProblem
from queues.channels.account_keys import given

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
Protocol = Literal["imap", "smtp"]


class OAuth(msgspec.Struct, forbid_unknown_fields=True):
    """OAuth 2.0 in place of a password: `queues/channels/email/oauth/README.md`."""

    client_id: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    # Gives the addresses and scopes of Microsoft 365 or Gmail.
    service: Literal["microsoft", "google"] | None = None
    # Microsoft: the id or a domain of the tenant.
    tenant: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9.-]{1,100}\Z")] | None = None
    grant: Literal["refresh_token", "client_credentials"] = "refresh_token"
    client_secret: Secret | None = None
    # The first refresh token. Without it, `python -m scripts.channels authorize` stores one in the database.
    refresh_token: Secret | None = None
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
    if oauth.grant == "client_credentials":
        if oauth.client_secret is None:
            yield FieldProblem(".oauth.client_secret", "expected {secret: name}: client credentials need a secret")
        if oauth.refresh_token is not None:
            yield FieldProblem(".oauth.refresh_token", "client credentials use no refresh token: remove it")
    for protocol, used, named in (("imap", imap, imap_url), ("smtp", smtp, smtp_url)):
        if used and not named and (oauth.service is None or protocol not in oauth.use_for):
            yield FieldProblem(
                f".{protocol}_url", f"expected {{secret: name}}: `oauth` does not say which {protocol} server to use"
            )
    for protocol, used in (("imap", imap), ("smtp", smtp)):
        if not used and "use_for" in given(oauth) and protocol in oauth.use_for:
            yield FieldProblem(".oauth.use_for", f"this account uses no {protocol}: remove it from the list")


def _service(oauth: OAuth) -> Iterator[FieldProblem]:
    if oauth.service == "microsoft" and oauth.tenant is None and oauth.token_url is None:
        yield FieldProblem(".oauth.tenant", "expected the id or a domain of the Microsoft tenant")
    if oauth.service != "microsoft" and oauth.tenant is not None:
        yield FieldProblem(".oauth.tenant", "only Microsoft has tenants: remove it, or set service: microsoft")
    if oauth.service == "google" and oauth.grant == "client_credentials":
        yield FieldProblem(".oauth.grant", "Google has no client credentials for mailboxes; expected refresh_token")
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
