"""Tables of dialogues."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, JsonField, Table


class TransitionDialogue(Table):
    """A dialogue of a person in a chat. `given`: the answers so far; `asked`: the present question, empty after
    the end.

    `address`: where the questions go; `conversation_address`: the chat as `conversations` knows it; `shown_in`: the
    message with the button that started the dialogue.
    """

    id = IdField(primary_key=True)
    channel = peewee.TextField()
    account = peewee.TextField()
    address = peewee.TextField()
    conversation_address = peewee.TextField()
    author_address = peewee.TextField()
    ticket_id = IdField()
    actor_kind = peewee.TextField()
    actor_id = peewee.TextField()
    actor_name = peewee.TextField()
    role = peewee.TextField()
    transition = peewee.TextField()
    given = JsonField()
    asked = peewee.TextField()
    step = peewee.IntegerField()
    shown_in = peewee.TextField(null=True)
    created_at = InstantField()
    expires_at = InstantField()

    class Meta:
        table_name = "transition_dialogues"
