"""Checks of a mailbox's file that its types do not express, for `scripts.defs check` and publishing.

The folder of a provider (`providers/<provider>/`) names the keys that only this provider reads.
"""

from __future__ import annotations

from collections.abc import Iterator

from models.kernel.errors import FieldProblem
from queues.channels import account_keys
from queues.channels.email import providers
from queues.channels.email.account import Account
from queues.channels.email.oauth.account import problems as oauth_problems
from queues.channels.email.providers.described import shipped
from queues.channels.email.providers.described.checks import problems as description_problems
from queues.channels.email.providers.described.description import SECRETS


def check(account: Account) -> list[FieldProblem]:
    """Find the keys that the account's providers need and its file lacks."""
    wanted = [
        (account.provider, "inbound_needs", "takes mail in by"),
        (account.outbound, "outbound_needs", "sends by"),
    ]
    problems = []
    for provider, needs, doing in wanted:
        for alternatives in _needs(account, provider, needs):
            if not any(getattr(account, key) for key in alternatives):
                keys = " or ".join(alternatives)
                problems.append(FieldProblem(f".{alternatives[0]}", f"an account that {doing} {provider} needs {keys}"))
    if account.description is not None:
        problems += description_problems(account.description, ".description")
    return [*problems, *_together(account), *_unused(account)]


def _together(account: Account) -> list[FieldProblem]:
    """Find keys that need other keys."""
    problems = []
    if account.provider == "ses" and account.bucket:
        lacking = [key for key in ("api_key", "region") if not getattr(account, key)]
        problems += [FieldProblem(f".{key}", f"reading mails from a bucket needs {key}") for key in lacking]
    if account.oauth is not None:
        problems += oauth_problems(
            account.oauth,
            imap_url=account.imap_url is not None,
            smtp_url=account.smtp_url is not None,
            imap=account.provider == "imap",
            smtp=account.outbound == "smtp",
        )
    return problems


def _unused(account: Account) -> Iterator[FieldProblem]:
    """Find the keys that neither the inbound nor the outbound provider reads."""
    why = f"by an account that takes mail in by {account.provider} and sends by {account.outbound}"
    return account_keys.unused(account, of=_OF_PROVIDERS, used=_used(account), why=why)


def _used(account: Account) -> set[str]:
    used = _keys(account, account.provider, "inbound") | _keys(account, account.outbound, "outbound")
    if account.outbound not in _WITHOUT_FOLDER:
        # Its receipts come to the account's address as well.
        used |= _keys(account, account.outbound, "inbound") - {"bucket", "trust_provider_headers"}
    if account.provider == "ses" and account.bucket:
        used |= {"api_key", "region", "api_url"}
    if account.provider != "imap" or account.outbound not in _WITHOUT_FOLDER:
        used.add("path_id")
    if account.authserv_ids:
        # `channels test --probe` sends its mail by SMTP.
        used |= {"smtp_url", "smtp_ca_file"}
    return used


def _keys(account: Account, provider: str, side: str) -> set[str]:
    """Return all keys that a provider reads on one side."""
    needed = {key for alternatives in _needs(account, provider, f"{side}_needs") for key in alternatives}
    if provider in _WITHOUT_FOLDER:
        return needed | _USED_WITHOUT_FOLDER[provider]
    further: frozenset[str] = getattr(providers.declared(provider), f"{side}_uses")
    return needed | further


def _needs(account: Account, provider: str, needs: str) -> tuple[tuple[str, ...], ...]:
    if provider in _WITHOUT_FOLDER:
        return _WITHOUT_FOLDER[provider]
    if provider in providers.with_description():
        return ((SECRETS[shipped.shipped(provider).auth.kind],),)
    if provider == providers.DESCRIBED and account.description is not None:
        return (("description",), (SECRETS[account.description.auth.kind],))
    found: tuple[tuple[str, ...], ...] = getattr(providers.declared(provider), needs)
    return found


_WITHOUT_FOLDER: dict[str, tuple[tuple[str, ...], ...]] = {
    "imap": (("imap_url", "oauth"),),
    "smtp": (("smtp_url", "oauth"),),
}
_USED_WITHOUT_FOLDER: dict[str, set[str]] = {
    "imap": {"imap_folder", "imap_idle", "imap_junk", "imap_ca_file"},
    "smtp": {"smtp_ca_file", "dkim", "null_sender_for_automatic"},
}
# Keys that only some providers read; the other keys are read for every account.
_OF_PROVIDERS = frozenset(
    {
        "description",
        "bearer",
        "basic",
        "path_id",
        "signing_key",
        "api_key",
        "topic_arns",
        "bucket",
        "imap_url",
        "oauth",
        "imap_folder",
        "imap_idle",
        "imap_junk",
        "imap_ca_file",
        "replay_window_s",
        "trust_provider_headers",
        "smtp_url",
        "smtp_ca_file",
        "region",
        "domain",
        "dkim",
        "null_sender_for_automatic",
        "api_url",
    }
)
