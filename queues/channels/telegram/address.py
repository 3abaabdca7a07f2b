"""How the desk writes down a place in Telegram: where an answer goes, and which talk a message belongs to.

`<chat>`, `<chat>/<forum topic>`, `<chat>~<topic of a channel's direct messages>`, `<chat>@<business connection>`; a talk of one person
in a group is `<chat>#<person>`. A message is `<place of its numbers>:<message id>`.
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
    """Where an answer goes. `topic`: message_thread_id; `direct`: direct_messages_topic_id; `business`: business_connection_id."""

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
        """Whose message ids these are: they run through a whole chat, whatever the topic; but a business account's chat with
        somebody has numbers of its own, other than the bot's chat with that person."""
        return str(self.chat) if self.business is None else f"{self.chat}@{self.business}"

    def message(self, message_id: int) -> str:
        """The message's id in the form in which later messages refer to it."""
        return f"{self.numbering}:{message_id}"


def read(address: str) -> Address | None:
    """The address's parts; None when it is no Telegram address."""
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
    """Whether it can be the id of a business connection."""
    return isinstance(value, str) and _BUSINESS.fullmatch(value) is not None
