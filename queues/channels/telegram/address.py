"""The desk's form of a Telegram address: the destination of an answer, and the conversation of a message.

`<chat>`, `<chat>/<forum topic>`, `<chat>~<topic of a channel's direct messages>`, `<chat>@<business connection>`; a
talk of one person in a group is `<chat>#<person>`. A message is `<place of its numbers>:<message id>`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_FORM = re.compile(
    r"(?P<chat>-?[0-9]{1,19})(?:/(?P<topic>[0-9]{1,19})|~(?P<direct>[0-9]{1,19})|@(?P<business>[A-Za-z0-9_-]{1,100}))?"
)
_BUSINESS = re.compile(r"[A-Za-z0-9_-]{1,100}")


@dataclass(frozen=True, slots=True)
class Address:
    """The destination of an answer. `topic`: message_thread_id; `direct`: direct_messages_topic_id; `business`:
    business_connection_id.
    """

    chat: int
    topic: int | None = None
    direct: int | None = None
    business: str | None = None

    def __str__(self) -> str:
        if self.business is not None:
            return f"{self.chat}@{self.business}"
        if self.direct is not None:
            return f"{self.chat}~{self.direct}"
        return str(self.chat) if self.topic is None else f"{self.chat}/{self.topic}"

    @property
    def numbering(self) -> str:
        """Return the scope of message ids: the whole chat with all its topics.

        A business account's chat with a person numbers its messages apart from the bot's chat with that person.
        """
        return str(self.chat) if self.business is None else f"{self.chat}@{self.business}"

    def message(self, message_id: int) -> str:
        """Return the message's id in the form that later messages refer to."""
        return f"{self.numbering}:{message_id}"


def read(address: str) -> Address | None:
    """Parse an address; None when it is not a Telegram address."""
    found = _FORM.fullmatch(address)
    if found is None:
        return None
    topic, direct = found["topic"], found["direct"]
    return Address(
        int(found["chat"]),
        None if topic is None else int(topic),
        None if direct is None else int(direct),
        found["business"],
    )


def is_business(value: object) -> bool:
    """Return True if the text can be the id of a business connection."""
    return isinstance(value, str) and _BUSINESS.fullmatch(value) is not None


def person_of(address: str) -> str:
    """Return the id of the user whose private chat, or whose talk in a group, an address is; a group stays as it is.

    A private chat has the id of its user, and groups have negative ids (Bot API, Chat).
    """
    chat, _, person = address.partition("#")
    if person:
        return person
    found = read(chat)
    return address if found is None or found.chat < 0 else str(found.chat)
