"""The fake Bot API's state of chats, apart from messages: users who blocked the bot, topics of forum groups."""

from dataclasses import dataclass, field

from scripts.sandbox import limits
from scripts.sandbox.outbox import Entry
from scripts.sandbox.telegram.bot_request import ApiError, bad_request

ChatId = int | str


@dataclass(slots=True)
class Topic:
    name: str
    closed: bool = False


@dataclass(slots=True)
class Chats:
    """Forums and their topics; those of before a restart are read from the outbox."""

    forums: set[ChatId] = field(default_factory=set)
    blocked: set[ChatId] = field(default_factory=set)
    topics: dict[tuple[int, ChatId, int], Topic] = field(default_factory=dict)

    def restore(self, entries: list[Entry]) -> None:
        for entry in entries:
            if entry.get("channel") != "telegram" or "topic" not in entry:
                continue
            key = (entry["bot_id"], entry["chat_id"], entry["topic"]["message_thread_id"])
            self.forums.add(entry["chat_id"])
            if entry["method"] == "deleteForumTopic":
                self.topics.pop(key, None)
            else:
                self.topics[key] = Topic(entry["topic"]["name"], entry["topic"]["closed"])

    def check_reachable(self, chat_id: ChatId) -> None:
        if chat_id in self.blocked:
            raise ApiError(403, "Forbidden: bot was blocked by the user")

    def check_topic(self, bot_id: int, chat_id: ChatId, thread_id: int) -> None:
        """In a group that is known to have topics, a message goes to one that there is; to the general one, without
        naming any.

        Other chats are not known well enough.
        """
        if chat_id in self.forums and (bot_id, chat_id, thread_id) not in self.topics:
            raise bad_request("message thread not found")

    def topic(self, bot_id: int, chat_id: ChatId, thread_id: int) -> Topic:
        self.check_forum(chat_id)
        topic = self.topics.get((bot_id, chat_id, thread_id))
        if topic is None:
            raise bad_request("TOPIC_ID_INVALID")
        return topic

    def check_forum(self, chat_id: ChatId) -> None:
        if chat_id not in self.forums:
            raise bad_request("the chat is not a forum")

    def add_topic(self, bot_id: int, chat_id: ChatId, thread_id: int, name: str) -> Topic:
        if len(self.topics) >= limits.TOPICS_MAX:
            raise bad_request("TOPICS_TOO_MUCH")
        return self.topics.setdefault((bot_id, chat_id, thread_id), Topic(name))
