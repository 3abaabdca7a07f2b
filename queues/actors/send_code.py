"""The actor that mails the code by which a person proves an address. A repeat carries the same code
and does no harm.
"""

from __future__ import annotations

from functools import partial
from uuid import UUID

from models.channels import accounts, texts
from models.conversations import threading
from models.kernel import clock
from models.kernel.storage import database
from models.ports.outbound import OutgoingMessage, SendOutcome
from models.requesters import codes, commands, queries
from models.requesters.tables import RequesterCode
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import SendCode
from queues.actor import Actor
from queues.outside import one_mail
from queues.settlement import Done, Failed, Settlement


def run(task: ClaimedTask, payload: SendCode) -> Settlement:
    """Send the code, unless it is used or expired."""
    code_id = payload.code_id
    with database.connection():
        code = _usable(code_id)
        if code is None:
            return Done()
        refused = codes.refusal(code.channel, code.address)
        if refused is not None:
            return Failed(f"not sent: {refused}", permanent=True)
        account = accounts.find(code.channel, payload.account)
        _, locale = queries.name_and_locale(code.requester_id)
        body = texts.text(account, "code", locale, code=codes.digits_of(code_id))
        subject = texts.text(account, "code_subject", locale)
    message = OutgoingMessage(
        delivery_id=f"code:{code_id}",
        attempt_number=task.attempts,
        address=code.address,
        # The address is not proved yet, so the mail carries no words of the person who claims it.
        recipient_name="",
        body=body,
        body_format="text",
        subject=subject,
        external_id=threading.new_external_id(account, 0, code_id, mark=codes.mail_mark(code_id)),
        in_reply_to=None,
        references=(),
        automatic=True,
        ticket_number=0,
        locale=locale,
    )
    return one_mail.send(task, account, message, partial(_record, code))


def _usable(code_id: UUID) -> RequesterCode | None:
    code: RequesterCode | None = RequesterCode.get_or_none(
        RequesterCode.id == code_id, RequesterCode.used_at.is_null(), RequesterCode.expires_at > clock.now()
    )
    return code


def _record(code: RequesterCode, outcome: SendOutcome) -> None:
    if outcome.kind == "permanent" and outcome.suppress is not None:
        commands.suppress(code.channel, code.address, outcome.suppress)


ACTOR = Actor(run)
