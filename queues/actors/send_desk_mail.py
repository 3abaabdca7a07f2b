"""The actor that sends the desk's own mail to a user. Each attempt has the same Message-ID."""

from __future__ import annotations

from functools import partial

from models.channels.accounts import ChannelAccount
from models.conversations import threading
from models.definitions import desk
from models.desk_mail import commands, links, texts
from models.desk_mail.tables import DeskMail
from models.kernel.storage import database
from models.ports.outbound import OutgoingMessage, SendOutcome
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import SendDeskMail
from queues.actor import Actor
from queues.outside import one_mail
from queues.settlement import Done, Failed, Settlement

# The page where the reader of a mail with a link goes.
_PAGES = {"invitation": "/password", "password_reset": "/password"}


def run(task: ClaimedTask, payload: SendDeskMail) -> Settlement:
    """Send the mail, unless it is sent or expired."""
    with database.connection():
        mail = commands.unsent(payload.mail_id)
        account = commands.system_account()
        if mail is None:
            return Done()
        if account is None:
            record = partial(_keep_error, mail, "no system account")
            return Failed("no e-mail account has `system: true`", record=record)
        message = _message(mail, account, task.attempts)
    return one_mail.send(task, account, message, partial(_record, mail))


def _message(mail: DeskMail, account: ChannelAccount, attempt_number: int) -> OutgoingMessage:
    values: dict[str, object] = {
        **mail.facts,
        "name": mail.name,
        "desk": account.config.get("display_name") or desk.current().desk,
    }
    if mail.link_id is not None:
        values["link"] = links.url(_PAGES[mail.kind], mail.link_id)
    subject, text = texts.subject_and_text(account, mail.kind, mail.locale, values)
    return OutgoingMessage(
        delivery_id=f"desk_mail:{mail.id}",
        attempt_number=attempt_number,
        address=mail.address,
        recipient_name=mail.name,
        body=text,
        body_format="text",
        subject=subject,
        external_id=threading.new_external_id(account, 0, mail.id, mark=links.message_mark(mail.id)),
        in_reply_to=None,
        references=(),
        automatic=True,
        ticket_number=0,
        reply_token=links.reply_token(mail.id),
        locale=mail.locale,
    )


def _record(mail: DeskMail, outcome: SendOutcome) -> None:
    if outcome.kind == "accepted":
        commands.record_sent(mail.id)
    else:
        commands.record_error(mail.id, f"{outcome.kind}: {outcome.detail}")


def _keep_error(mail: DeskMail, error: str) -> None:
    commands.record_error(mail.id, error)


ACTOR = Actor(run)
