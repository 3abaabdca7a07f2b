"""Answers by mail to notices: an agent's proved answer becomes a reply or a note, any other changes nothing.

The token of the mail says which notice is answered and is known to its reader only. It is not enough: the author must
be proved to be that reader, who must still be active and allowed to write in the ticket. The proof must cover the
header that names the notice, because whoever has a signed mail of an agent can send it again with other headers. The
mail must be dated after the notice, arrive within days, and have a Message-ID that was not taken before. The mail says
what an answer to it becomes, so the agent knows who reads it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from models.channels.accounts import ChannelAccount
from models.desk_mail import links
from models.events.commands import Actor
from models.identity import queries as identity
from models.identity import roles
from models.identity.queries import User
from models.identity.rules import normalise_email
from models.kernel import clock
from models.kernel.errors import NestorError, is_final
from models.kernel.storage.advisory_lock import advisory_lock
from models.kernel.telemetry import logs
from models.notices import answers, texts
from models.notices import commands as notices
from models.notices import limits as notice_limits
from models.notices.answers import Answered
from models.ports.inbound import InboundMessage
from models.tasks import rates
from models.ticket_actions import answering
from models.tickets import merged, queries
from models.visibility import sight
from models.visibility.sight import Sight

log = logs.get("notice_answers")

_RULE = "answer_refused"
# A parser's words for a mail without its own: "[no text]", "[2 attachments, no text]".
_PLACEHOLDER = re.compile(r"\[[^\[\]\n]*\]")


@dataclass(frozen=True, slots=True)
class Taken:
    """The result of an answer: a reason for people who read the inbox, the ticket, and the message if there is one."""

    reason: str
    ticket_id: UUID | None = None
    message_id: UUID | None = None


def take(account: ChannelAccount, parsed: InboundMessage, mail_id: UUID) -> Taken | None:
    """Write an agent's answer to a notice into its ticket. Joins the caller's transaction.

    Returns None for an answer to a mail that was no notice. A refused answer changes nothing; the reader of the notice
    gets a notice of it once a day, except for automatic answers.
    """
    notice = answers.of_mail(mail_id)
    if notice is None:
        return None
    if parsed.automatic is not None:
        return Taken("an automatic answer to a notice")
    user = identity.get_user(notice.user_id)
    refused = _refusal(parsed, notice, mail_id, user)
    if refused is not None:
        return _refuse(notice, user, refused, texts.text(refused, user.locale))
    assert notice.ticket_id is not None, "an answer to a notice without a ticket is refused"
    external_id = parsed.external_id
    assert external_id is not None, "an answer without a Message-ID is refused"
    advisory_lock(f"notice_answer:{external_id}")
    earlier = answers.taken_by(external_id)
    if earlier == mail_id:
        return Taken("the same answer to a notice came before", notice.ticket_id)
    if earlier is not None:
        return _refuse(notice, user, "answer_repeated", texts.text("answer_repeated", user.locale))
    if rates.take([_answers_of(user)]) > 0.0:
        return _refuse(notice, user, "answer_too_many", texts.text("answer_too_many", user.locale))
    # The ticket of the notice may be merged by now.
    ticket_id = merged.id_of_target(notice.ticket_id)
    if not sight.sees_id(Sight.of_user(user), ticket_id):
        return _refuse(notice, user, "answer_no_right", texts.text("answer_no_right", user.locale))
    try:
        message_id = _write(account, parsed, notice, ticket_id, user)
    except NestorError as error:
        if not is_final(error):
            raise
        return _refuse(notice, user, error.code, error.message)
    answers.record(mail_id, external_id, ticket_id, message_id)
    return Taken(f"{user.name} answered a notice; it became a {notice.becomes}", ticket_id, message_id)


def _refusal(parsed: InboundMessage, notice: Answered, mail_id: UUID, user: User) -> str | None:
    """Return the name of the reason why an answer changes nothing, or None. The author's proof is asked first."""
    proof = parsed.proof
    if proof is None or proof.grade != "proved" or proof.source != "from":
        return "answer_unjudged" if proof is not None and proof.grade == "unjudged" else "answer_not_proved"
    if normalise_email(parsed.author_address) != user.email:
        return "answer_other_address"
    if not _is_named_by_proof(parsed, mail_id):
        return "answer_not_covered"
    if not user.active or not roles.works_on_tickets(user.role):
        return "answer_no_right"
    if not sight.sees_id(Sight.of_user(user), notice.ticket_id):
        return "answer_no_right"
    if notice.becomes is None:
        return "answer_to_no_ticket"
    return _time_refusal(parsed, notice) or _content_refusal(parsed, notice)


def _is_named_by_proof(parsed: InboundMessage, mail_id: UUID) -> bool:
    """Return True if the proof of the author covers a header that names the answered notice."""
    covers = () if parsed.proof is None else parsed.proof.covers
    references = parsed.references[:1] if "references" in covers else ()
    return links.answered_mail(references, parsed.reply_token if "token" in covers else None) == mail_id


def _time_refusal(parsed: InboundMessage, notice: Answered) -> str | None:
    """Return the reason if the notice or the mail is too old, or the mail says neither when nor which it is."""
    now = clock.now()
    if now - notice.handed_over_at > timedelta(seconds=notice_limits.notice_answer_s):
        return "answer_expired"
    if parsed.external_id is None or parsed.sent_at is None or not parsed.is_dated:
        return "answer_undated"
    skew = timedelta(seconds=notice_limits.answer_clock_tolerance_s)
    if parsed.sent_at < notice.handed_over_at - skew:
        return "answer_before_notice"
    if not -skew <= now - parsed.sent_at <= timedelta(seconds=notice_limits.answer_on_its_way_s):
        return "answer_stale"
    return None


def _content_refusal(parsed: InboundMessage, notice: Answered) -> str | None:
    words = [line for line in parsed.body.splitlines() if line.strip() and not line.lstrip().startswith(">")]
    if not words or _PLACEHOLDER.fullmatch(parsed.body.strip()):
        return "answer_empty"
    if any(not (one.inline or one.hidden) for one in parsed.attachments):
        return "answer_with_files"
    if _bare(notice.text) in _bare(parsed.body):
        # The quote was not recognised, and may show the requester what was written to the agent.
        return "answer_with_quote"
    return None


def _bare(text: str) -> str:
    return " ".join(text.replace(">", " ").split())


def _write(account: ChannelAccount, parsed: InboundMessage, notice: Answered, ticket_id: UUID, user: User) -> UUID:
    actor = Actor("user", str(user.id), user.name)
    body = parsed.body.strip()
    details = {"said_in": f"{account.channel}.{account.name}", "said_as": parsed.external_id}
    if notice.becomes == "reply":
        return answering.reply(ticket_id, body, actor=actor, details=details)
    return answering.note(ticket_id, body, actor=actor, details=details)


def _refuse(notice: Answered, user: User, code: str, reason: str) -> Taken:
    """Log the refusal, and tell the reader of the notice, at most once a day.

    An answer to such a notice causes no other one: a program that answers every mail would get mail without end.
    """
    log.warning("notice_answer_refused", code=code, user_id=user.id, ticket_id=notice.ticket_id)
    bucket = rates.Bucket(f"answer_refused:{user.id}", notice_limits.answer_refused_notice_every_s)
    if user.active and notice.rule != _RULE and rates.take([bucket]) == 0.0:
        number = queries.find(str(notice.ticket_id)).number if notice.ticket_id is not None else "-"
        text = texts.text("answer_refused", user.locale, number=number, reason=reason)
        notices.add_for_users([user.id], rule=_RULE, text=text)
    said = texts.text(code, "en") if texts.is_known(code) else reason
    return Taken(f"an answer to a notice that was not taken: {said}")


def _answers_of(user: User) -> rates.Bucket:
    return rates.Bucket(
        f"notice_answers:{user.id}", notice_limits.notice_answer_every_s, notice_limits.notice_answers_burst
    )
