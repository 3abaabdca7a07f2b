"""Write the desk's own mails. Commands join the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from models.channels import accounts
from models.channels.accounts import ChannelAccount
from models.desk_mail.tables import DeskMail
from models.desk_mail.texts import TEXTS
from models.kernel import clock, limits
from models.kernel.errors import Conflict
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.kernel.telemetry import logs
from models.tasks import commands as tasks
from models.tasks.payloads import SendDeskMail

log = logs.get("desk_mail")


class NoSystemAccount(Conflict):
    """No e-mail account has `system: true`, so the desk cannot send its own mail."""

    code = "no_system_account"


def system_account() -> ChannelAccount | None:
    """Return the enabled e-mail account that carries the desk's own mail, or None."""
    marked = (one for one in accounts.every() if one.config.get("system") is True)
    return next((one for one in marked if one.config.get("enabled") is not False), None)


def require_system_account() -> ChannelAccount:
    """Return the account that carries the desk's own mail. Raises NoSystemAccount."""
    account = system_account()
    if account is None:
        raise NoSystemAccount()
    return account


def send(
    kind: str,
    *,
    address: str,
    name: str,
    locale: str,
    user_id: UUID | None,
    facts: Mapping[str, str | int] | None = None,
    link_id: UUID | None = None,
    expires_at: datetime | None = None,
    mail_id: UUID | None = None,
) -> UUID | None:
    """Send a mail of this kind to a user after the commit; returns its id, or None without a system account.

    `expires_at`: the mail is of no use later, and is then not sent. `mail_id`: the id that the caller chose. Joins the
    caller's transaction.
    """
    assert kind in TEXTS, f"a mail of the kind {kind} has no text"
    assert database.in_transaction(), "a mail belongs to the change that it reports"
    if system_account() is None:
        log.warning("desk_mail_without_account", kind=kind)
        return None
    mail_id, now = mail_id or new_id(), clock.now()
    DeskMail.insert(
        id=mail_id,
        kind=kind,
        user_id=user_id,
        address=address,
        name=name,
        locale=locale,
        facts=dict(facts or {}),
        link_id=link_id,
        created_at=now,
        expires_at=expires_at or now + timedelta(seconds=limits.desk_notice_s),
    ).execute()
    tasks.enqueue(SendDeskMail(mail_id=mail_id))
    return mail_id


class Reader(Protocol):
    """The user who gets a mail."""

    @property
    def id(self) -> UUID: ...
    @property
    def email(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def locale(self) -> str: ...


def notify(kind: str, user: Reader, facts: Mapping[str, str | int] | None = None) -> None:
    """Tell a user about a change of the account, if the desk can send mail. Joins the caller's transaction."""
    send(kind, address=user.email, name=user.name, locale=user.locale, user_id=user.id, facts=facts)


def unsent(mail_id: UUID) -> DeskMail | None:
    """Return the mail if it is neither sent nor expired."""
    mail: DeskMail | None = DeskMail.get_or_none(
        DeskMail.id == mail_id, DeskMail.sent_at.is_null(), DeskMail.expires_at > clock.now()
    )
    return mail


def record_sent(mail_id: UUID) -> None:
    """Mark the mail sent; a repeat changes nothing."""
    DeskMail.update(sent_at=clock.now(), error=None).where(DeskMail.id == mail_id, DeskMail.sent_at.is_null()).execute()


def record_error(mail_id: UUID, error: str) -> None:
    """Keep the reason why the mail was not sent yet."""
    DeskMail.update(error=error[: limits.error_chars_max]).where(DeskMail.id == mail_id).execute()
