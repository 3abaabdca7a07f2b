"""Test the logins of a mailbox, and tell the operator which settings to enter at the provider."""

from __future__ import annotations

from models.channels.accounts import ChannelAccount
from models.kernel.errors import NestorError
from models.kernel.settings import Settings
from queues.channel_port import Finding, webhook_url
from queues.channels.email import providers
from queues.channels.email.writing import smtp
from queues.channels.email.writing.build import BadAddress, checked_address
from queues.channels.email.writing.relay import BadUrl, relay_of


def test(account: ChannelAccount, settings: Settings) -> list[Finding]:
    """Test that each credential exists, and try the SMTP and IMAP logins and the API keys of the account."""
    findings = _credentials(account, settings)
    findings += _sending(account)
    if account.config.get("outbound", "smtp") == "smtp":
        findings.append(_smtp(account, settings))
    if account.config.get("provider") == "imap":
        findings.append(_imap(account, settings))
    for check in providers.key_checks(account):
        findings += check.test(account, settings)
    return findings


def _sending(account: ChannelAccount) -> list[Finding]:
    """Say how mail leaves an account whose provider only takes mail in: a description in YAML does not send."""
    provider, outbound = str(account.config.get("provider", "raw")), str(account.config.get("outbound", "smtp"))
    if provider != providers.DESCRIBED and provider not in providers.with_description():
        return []
    server = f"; for {provider}, `smtp_url` names its SMTP server" if outbound == "smtp" else ""
    return [Finding(True, f"{provider} only takes mail in; mail leaves by {outbound}{server}")]


def _credentials(account: ChannelAccount, settings: Settings) -> list[Finding]:
    findings = []
    for key, value in sorted(account.config.items()):
        if isinstance(value, dict) and list(value) == ["secret"]:
            try:
                account.credential(key, settings)
            except NestorError as error:
                findings.append(Finding(False, f"{key}: {error.message}"))
    return findings or [Finding(True, "every credential that the file names is there")]


def _smtp(account: ChannelAccount, settings: Settings) -> Finding:
    try:
        relay = relay_of(account, settings)
        ours = checked_address(str(account.config.get("address", "")))
    except NestorError as error:
        return Finding(False, f"SMTP: {error.message}")
    except (BadUrl, BadAddress) as error:
        return Finding(False, f"SMTP: {error}")
    try:
        outcome = smtp.test_relay(relay, helo=ours.domain)
    except NestorError as error:
        return Finding(False, f"SMTP: {error.message}")
    if outcome.kind == "accepted":
        logged_in = relay.user or relay.bearer is not None
        return Finding(True, "SMTP: the relay took our login" if logged_in else "SMTP: the relay talks to us")
    return Finding(False, f"SMTP: {outcome.detail}")


def _imap(account: ChannelAccount, settings: Settings) -> Finding:
    """Log in and open the folder read-only, so that unseen mails stay unseen."""
    from queues.channels.email.imap.mailbox import Mailbox, server_of

    folder = str(account.config.get("imap_folder") or "INBOX")
    try:
        with Mailbox(server_of(account, settings)) as mailbox:
            found = mailbox.select(folder, readonly=True)
    except NestorError as error:
        return Finding(False, f"IMAP: {error.message}")
    return Finding(True, f"IMAP: {folder} has {found.messages} mails")


def setup(account: ChannelAccount, settings: Settings, *, public_url: str) -> list[Finding]:
    """Say which settings to enter at the provider, then test the logins. Changes nothing at the provider."""
    provider = str(account.config.get("provider", "raw"))
    if provider == "imap":
        instruction = Finding(True, "mail is read by IMAP; nothing has to be set up")
    else:
        url = webhook_url(account, settings, public_url)
        instruction = Finding(
            True,
            f"let {provider} post mail to {url} (queues/channels/email/providers/{provider}/README.md says how)",
        )
    outbound = str(account.config.get("outbound", "smtp"))
    events = []
    if outbound in providers.names() and outbound != provider:
        url = f"{webhook_url(account, settings, public_url)}?provider={outbound}"
        events = [Finding(True, f"let {outbound} post what becomes of our mails to {url}")]
    return [instruction, *events, *test(account, settings)]
