"""The actor that answers a request for a new password. Nobody sees whether it finds a user."""

from __future__ import annotations

from functools import partial

from models.credentials import password_links
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import RequestPasswordReset
from queues.actor import Actor
from queues.settlement import Done, Settlement


def run(task: ClaimedTask, payload: RequestPasswordReset) -> Settlement:
    """Make the link and its mail in the transaction that ends the task."""
    return Done(partial(password_links.mail_reset, payload.email))


ACTOR = Actor(run)
