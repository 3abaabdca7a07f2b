"""The actor that sends the desk's own notice to a chat (the answer to a command): at most once,
outside of any ticket.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from models.channels import accounts
from models.conversations import chats
from models.deliveries import buttons
from models.kernel.storage import database
from models.ports.outbound import Button, SendOutcome
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import SendNotice
from queues.actor import Actor
from queues.outside import one_chat_message
from queues.settlement import Done, Settlement


def run(task: ClaimedTask, payload: SendNotice) -> Settlement:
    """Send once. A notice that may have arrived is not repeated, because its reader can ask again."""
    with database.connection():
        account = accounts.find(payload.channel, payload.account)
        if chats.unreachable_reason(account, payload.address) is not None:
            return Done()
    return one_chat_message.send(
        task,
        account,
        name=f"notice:{task.id}",
        address=payload.address,
        text=payload.text,
        subject=payload.subject or None,
        make_buttons=partial(_buttons, payload),
        record=_nothing_to_record,
        record_lost=_nothing_more,
    )


def _buttons(payload: SendNotice) -> Sequence[Button]:
    """Make the buttons of a dialogue's question. They are made for each send, because only their hashes are stored."""
    if not payload.question or payload.question_ticket_id is None:
        return ()
    choices = [(label, value) for label, value in payload.choices]
    return buttons.of_question(payload.question_ticket_id, payload.question, choices)


def _nothing_to_record(outcome: SendOutcome) -> None:
    """The answer to a command has no row: its reader sees that it is missing and asks again."""


def _nothing_more() -> None:
    """A call without an answer is not repeated."""


ACTOR = Actor(run)
