"""The actor that opens the ledger's account of a new user."""

from __future__ import annotations

from models.ledger import accounts
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import OpenAccount
from queues.actor import Actor
from queues.settlement import Done, Settlement


def run(task: ClaimedTask, payload: OpenAccount) -> Settlement:
    """Open the account in the transaction that ends the task."""

    def record() -> None:
        accounts.open_for(payload.user_id)

    return Done(record)


ACTOR = Actor(run)
