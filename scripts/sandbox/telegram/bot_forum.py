"""Methods about chats themselves: what they are, who is in them, and the topics of a group that has them."""

from scripts.sandbox.json_object import JsonObject
from scripts.sandbox.telegram.bot_context import Context, Method, chat_of
from scripts.sandbox.telegram.bot_messages import bot_user, chat
from scripts.sandbox.telegram.bot_request import Call, bad_request

_NAME_MAX = 128
_COLOURS = (7322096, 16766590, 13338331, 9367192, 16749490, 16478047)
_RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_pin_messages",
    "can_manage_topics",
)


def methods(context: Context) -> list[Method]:
    forum = _Forum(context)
    table = {
        "getChat": forum.chat,
        "getChatMember": forum.member,
        "createForumTopic": forum.create,
        "editForumTopic": forum.edit,
        "closeForumTopic": lambda call: forum.set_closed(call, closed=True),
        "reopenForumTopic": lambda call: forum.set_closed(call, closed=False),
        "deleteForumTopic": forum.delete,
    }
    return [Method(name, run, needs_chat=True) for name, run in table.items()]


class _Forum:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._chats = context.chats

    def chat(self, call: Call) -> JsonObject:
        found = {
            **chat(chat_of(call)),
            "accent_color_id": 0,
            "max_reaction_count": 11,
            "accepted_gift_types": {
                "unlimited_gifts": False,
                "limited_gifts": False,
                "unique_gifts": False,
                "premium_subscription": False,
                "gifts_from_channels": False,
            },
        }
        return {**found, "is_forum": True} if chat_of(call) in self._chats.forums else found

    def member(self, call: Call) -> JsonObject:
        """The bot is everywhere an administrator; of people nothing is known but that they are there."""
        user_id = call.integer("user_id")
        if user_id == call.bot_id:
            rights = dict.fromkeys(_RIGHTS, True)
            head = {"status": "administrator", "user": bot_user(call.bot_id)}
            return {**head, "can_be_edited": False, "is_anonymous": False, **rights}
        if user_id <= 0:
            raise bad_request("invalid user_id specified")
        person = {"id": user_id, "is_bot": False, "first_name": f"User {user_id}"}
        blocked = chat_of(call) in self._chats.blocked
        return {"status": "left" if blocked else "member", "user": person}

    def create(self, call: Call) -> JsonObject:
        self._chats.check_forum(chat_of(call))
        name = self._name(call)
        colour = call.integer("icon_color", _COLOURS[0])
        if colour not in _COLOURS:
            raise bad_request("ICON_COLOR_INVALID")
        thread_id = self._context.next_message_id()
        self._chats.add_topic(call.bot_id, chat_of(call), thread_id, name)
        self._record(call, thread_id)
        return {"message_thread_id": thread_id, "name": name, "icon_color": colour}

    def edit(self, call: Call) -> bool:
        thread_id = call.integer("message_thread_id")
        topic = self._chats.topic(call.bot_id, chat_of(call), thread_id)
        name = self._name(call) if "name" in call.params else topic.name
        if name == topic.name and "icon_custom_emoji_id" not in call.params:
            raise bad_request("TOPIC_NOT_MODIFIED")
        topic.name = name
        self._record(call, thread_id)
        return True

    def set_closed(self, call: Call, *, closed: bool) -> bool:
        thread_id = call.integer("message_thread_id")
        topic = self._chats.topic(call.bot_id, chat_of(call), thread_id)
        if topic.closed == closed:
            raise bad_request("TOPIC_NOT_MODIFIED")
        topic.closed = closed
        self._record(call, thread_id)
        return True

    def delete(self, call: Call) -> bool:
        thread_id = call.integer("message_thread_id")
        self._chats.topic(call.bot_id, chat_of(call), thread_id)
        self._record(call, thread_id)
        del self._chats.topics[call.bot_id, chat_of(call), thread_id]
        return True

    def _record(self, call: Call, thread_id: int) -> None:
        topic = self._chats.topics[call.bot_id, chat_of(call), thread_id]
        shown = {"message_thread_id": thread_id, "name": topic.name, "closed": topic.closed}
        self._context.record(call, {"topic": shown})

    def _name(self, call: Call) -> str:
        name = call.text("name").strip()
        if not name:
            raise bad_request("TOPIC_TITLE_EMPTY")
        if len(name) > _NAME_MAX:
            raise bad_request("topic name is too long")
        return name
