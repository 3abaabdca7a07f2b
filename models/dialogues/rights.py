"""The right to go on with a dialogue, checked at each answer: rights may end while a question waits."""

from __future__ import annotations

from uuid import UUID

from models.channels.accounts import ChannelAccount
from models.dialogues.tables import TransitionDialogue
from models.identity import roles
from models.requesters import commands as requesters
from models.staff import addresses
from models.tickets import queries
from models.visibility import sight
from models.visibility.sight import Sight


def may_go_on(account: ChannelAccount, dialogue: TransitionDialogue) -> bool:
    """Return True if the address still belongs to the person, who may still move the ticket."""
    if dialogue.actor_kind == "user":
        return _agent_may(account, dialogue)
    person = requesters.find(account.channel, dialogue.author_address)
    asker = queries.find(str(dialogue.ticket_id)).requester_id
    mine = {requesters.current_id(one) for one in (UUID(dialogue.actor_id), asker) if one is not None}
    return person is not None and asker is not None and mine == {person.id}


def _agent_may(account: ChannelAccount, dialogue: TransitionDialogue) -> bool:
    user = addresses.owner(account.channel, dialogue.author_address)
    if user is None or str(user.id) != dialogue.actor_id or not roles.works_on_tickets(user.role):
        return False
    return roles.shipped_role_of(user.role) == dialogue.role and sight.sees_id(Sight.of_user(user), dialogue.ticket_id)
