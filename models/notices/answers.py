"""The notice that a mail of the desk carried, for an answer to that mail, and the answers that were taken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from models.kernel import clock
from models.kernel.storage import database
from models.notice_settings.rules import Kind, Way
from models.notices.composing import ANSWERS, AnswerKind
from models.notices.tables import Notice, NoticeAnswer, NoticeDelivery


@dataclass(frozen=True, slots=True)
class Answered:
    """The notice of an answered mail.

    `becomes` is the effect that the mail announced; None for a digest and for a notice that takes no answer. `text` is
    what the notice says, by which a quote of it is recognised. `rule`: the rule that made the notice.
    """

    user_id: UUID
    ticket_id: UUID | None
    becomes: AnswerKind | None
    text: str
    handed_over_at: datetime
    rule: str


def of_mail(mail_id: UUID) -> Answered | None:
    """Return the notice that a mail carried, or None for a mail of another kind or one that is long forgotten."""
    query = (
        NoticeDelivery.select(
            NoticeDelivery.user_id, NoticeDelivery.created_at, Notice.ticket_id, Notice.kind, Notice.text, Notice.rule
        )
        .join(Notice, on=Notice.id == NoticeDelivery.notice_id)
        .where(NoticeDelivery.batch_id == mail_id, NoticeDelivery.way == Way.mail, NoticeDelivery.state != "withheld")
    )
    rows = database.rows(query.order_by(NoticeDelivery.id))
    if not rows:
        return None
    row = rows[0]
    kind: Kind = row["kind"]
    becomes = ANSWERS.get(kind) if len(rows) == 1 and row["ticket_id"] is not None else None
    return Answered(row["user_id"], row["ticket_id"], becomes, row["text"], row["created_at"], row["rule"])


def record_bounce(mail_id: UUID) -> None:
    """Store that the mail of a notice came back. Joins the caller's transaction. A mail of another kind has none."""
    came_back = NoticeDelivery.update(state="failed", error="the mail came back")
    came_back.where(NoticeDelivery.batch_id == mail_id, NoticeDelivery.state == "sent").execute()


def taken_by(external_id: str) -> UUID | None:
    """Return the mail whose answer this message was taken as before, for example from another mailbox of the desk."""
    found = database.rows(NoticeAnswer.select(NoticeAnswer.mail_id).where(NoticeAnswer.external_id == external_id))
    return found[0]["mail_id"] if found else None


def record(mail_id: UUID, external_id: str, ticket_id: UUID, message_id: UUID) -> None:
    """Store that an answer was taken. Joins the caller's transaction."""
    NoticeAnswer.insert(
        mail_id=mail_id,
        external_id=external_id,
        ticket_id=ticket_id,
        message_id=message_id,
        created_at=clock.now(),
    ).execute()
