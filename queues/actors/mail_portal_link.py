"""The actor that mails a requester's link to the portal. Nobody sees whether it finds a requester."""

from __future__ import annotations

from functools import partial

from models.portal import sign_in
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import MailPortalLink
from queues.actor import Actor
from queues.settlement import Done, Settlement


def run(task: ClaimedTask, payload: MailPortalLink) -> Settlement:
    """Decide about the mail and store it in the transaction that ends the task."""
    return Done(partial(sign_in.mail_link, payload.link_id))


ACTOR = Actor(run)
