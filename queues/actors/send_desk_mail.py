"""The actor that sends the desk's own mail to a user. Each attempt has the same Message-ID."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from models.channels.accounts import ChannelAccount
from models.conversations import threading
from models.definitions import desk
from models.desk_mail import commands, links, texts
from models.desk_mail.tables import DeskMail
from models.kernel.storage import database
from models.notices import composing, planning
from models.notices.composing import Content
from models.ports.outbound import OutgoingMessage, SendOutcome
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import SendDeskMail
from queues.actor import Actor
from queues.outside import one_mail
from queues.settlement import Done, Failed, Settlement

# The page where the reader of a mail with a link goes.
_PAGES = {"invitation": "/password", "password_reset": "/password"}
# The page of a requester's link works without a script, so the token is in its path and not behind `#`.
_PAGES_BY_PATH = {"portal_link": "/portal/links"}


# The text of a notice by the effect of an answer to it.
_NOTICES = {"reply": "notice_reply", "note": "notice_note", None: "notice"}


@dataclass(frozen=True, slots=True)
class Words:
    """The kind of a mail's text, its reader's address and language, and the values that are filled in."""

    kind: str
    address: str
    locale: str
    values: Mapping[str, object]


def run(task: ClaimedTask, payload: SendDeskMail) -> Settlement:
    """Send the mail, unless it is sent or expired. Notices of tickets that the user no longer sees are withheld."""
    content: Content | None = None
    with database.connection():
        mail = commands.unsent(payload.mail_id)
        account = commands.system_account()
        if mail is None:
            return Done()
        words = Words(mail.kind, mail.address, mail.locale, mail.facts)
        if mail.kind == planning.MAIL_KIND and mail.user_id is not None:
            content = composing.of_batch(mail.id, mail.user_id)
            if not content.items:
                return Done(partial(_withhold, mail, content))
        if account is None:
            record = partial(_keep_error, mail, "no system account")
            return Failed("no e-mail account has `system: true`", record=record)
        if content is not None:
            words = _of_notices(content, account)
        message = _message(mail, words, account, task.attempts)
    return one_mail.send(task, account, message, partial(_record, mail, content))


def _of_notices(content: Content, account: ChannelAccount) -> Words:
    """Return the words of a notice, or of a digest of several."""
    user, first = content.user, content.items[0]
    if len(content.items) > 1:
        listed = "\n\n".join("\n".join(part for part in (one.text, one.title) if part) for one in content.items)
        return Words("notice_digest", user.email, user.locale, {"count": len(content.items), "details": listed})
    headline = f"{first.number}: {first.title}" if first.number else _desk_name(account)
    values = {
        "headline": headline,
        "text": first.text,
        "details": "\n\n".join(part for part in (first.title, first.excerpt) if part),
    }
    return Words(_NOTICES[content.answer], user.email, user.locale, values)


def _desk_name(account: ChannelAccount) -> str:
    return str(account.config.get("display_name") or desk.current().desk)


def _message(mail: DeskMail, words: Words, account: ChannelAccount, attempt_number: int) -> OutgoingMessage:
    values: dict[str, object] = {**words.values, "name": mail.name, "desk": _desk_name(account)}
    if mail.link_id is not None:
        values["link"] = _link(mail.kind, mail.link_id)
    subject, text = texts.subject_and_text(account, words.kind, words.locale, values)
    return OutgoingMessage(
        delivery_id=f"{'user_notice' if mail.kind == planning.MAIL_KIND else 'desk_mail'}:{mail.id}",
        attempt_number=attempt_number,
        address=words.address,
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
        locale=words.locale,
    )


def _link(kind: str, link_id: UUID) -> str:
    by_path = _PAGES_BY_PATH.get(kind)
    return links.url(_PAGES[kind], link_id) if by_path is None else links.url_by_path(by_path, link_id)


def _record(mail: DeskMail, content: Content | None, outcome: SendOutcome) -> None:
    if outcome.kind == "accepted":
        commands.record_sent(mail.id)
        if content is not None:
            composing.record(content, state="sent")
        return
    error = f"{outcome.kind}: {outcome.detail}"
    commands.record_error(mail.id, error)
    if content is not None and outcome.kind == "permanent":
        composing.record(content, state="failed", error=outcome.detail)


def _withhold(mail: DeskMail, content: Content) -> None:
    composing.record(content, state="withheld")
    commands.record_error(mail.id, "withheld: nothing is left to send")


def _keep_error(mail: DeskMail, error: str) -> None:
    commands.record_error(mail.id, error)


def _give_up(task: ClaimedTask, payload: SendDeskMail, reason: str) -> None:
    """Fail the notices of a mail that is given up. Another mail has no notices."""
    composing.give_up(payload.mail_id, reason)


ACTOR = Actor(run, _give_up)
