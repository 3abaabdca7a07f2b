"""The mail services whose addresses need not be configured.

Sources: https://developers.google.com/gmail/imap/xoauth2-protocol and Microsoft's page "Authenticate an IMAP, POP or
SMTP connection using OAuth" (the address is in README.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Service:
    """The addresses and scopes of a mail service."""

    title: str
    token_url: str
    # RFC 8628; empty: the service has no device flow for mail.
    device_url: str = ""
    # RFC 6749 section 4.1; empty: the service has none, or another flow is used.
    authorize_url: str = ""
    # Of a person's consent.
    scopes: tuple[str, ...] = ()
    # Of client credentials; empty: the service has none for mailboxes.
    client_scopes: tuple[str, ...] = ()
    # Further parameters of the consent's address.
    consent_parameters: Mapping[str, str] = field(default_factory=dict)
    imap_url: str = ""
    smtp_url: str = ""


def microsoft(tenant: str) -> Service:
    """Return Microsoft 365 for the accounts of a tenant."""
    base = f"https://login.microsoftonline.com/{tenant}/oauth2/v2.0"
    return Service(
        "Microsoft",
        token_url=f"{base}/token",
        device_url=f"{base}/devicecode",
        scopes=(
            "https://outlook.office.com/IMAP.AccessAsUser.All",
            "https://outlook.office.com/SMTP.Send",
            # Without it, Microsoft gives no refresh token.
            "offline_access",
        ),
        client_scopes=("https://outlook.office365.com/.default",),
        imap_url="imaps://outlook.office365.com",
        smtp_url="smtp://smtp.office365.com:587",
    )


def google() -> Service:
    """Return Gmail and Google Workspace. Google's device flow allows no scope of mail."""
    return Service(
        "Google",
        token_url="https://oauth2.googleapis.com/token",  # noqa: S106 -- an address
        authorize_url="https://accounts.google.com/o/oauth2/v2/auth",
        scopes=("https://mail.google.com/",),
        # Without them, Google gives a refresh token at the first consent only.
        consent_parameters={"access_type": "offline", "prompt": "consent"},
        imap_url="imaps://imap.gmail.com",
        smtp_url="smtp://smtp.gmail.com:587",
    )
