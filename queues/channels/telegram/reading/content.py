"""The content of a Telegram message as text that an agent can read.

The text is never empty: a picture without a caption also opens a ticket (Zammad issue #774), and content of an unknown
kind is named.
"""

from __future__ import annotations

from collections.abc import Callable

from models.kernel import limits
from models.kernel.text import cut, one_line
from queues.channels.telegram.reading.attachments import FILES
from queues.channels.telegram.reading.shapes import Json, identifier, is_true, items, line, lines, member

# The limit for texts such as a poll's question or a venue's name. The Bot API limits a question to 300 characters.
_LINE_CHARS_MAX = 300

_FILE_WORDS = {"live_photo": "live photo", "video_note": "video message", "voice": "voice message"}
# The members of a message that are not content.
_FRAME = frozenset(
    """
    author_signature business_connection_id caption caption_entities chat date direct_messages_topic edit_date
    effect_id entities external_reply forward_date forward_from forward_from_chat forward_from_message_id
    forward_origin forward_sender_name forward_signature from guest_bot_caller_chat guest_bot_caller_user
    guest_query_id has_media_spoiler has_protected_content is_automatic_forward is_from_offline is_paid_post
    is_topic_message link_preview_options media_group_id message_id message_thread_id paid_star_count quote
    reply_markup reply_to_checklist_task_id reply_to_message reply_to_poll_option_id reply_to_story
    sender_boost_count sender_business_bot sender_chat sender_tag show_caption_above_media suggested_post_info
    text via_bot
    """.split()  # noqa: SIM905 -- a list literal would take forty lines
)


def kind(message: Json) -> str:
    """Return the kind of content: `text`, the name of the medium, or `unsupported`."""
    return next((name for name in KINDS if name in message), "unsupported" if words(message) is None else "text")


def words(message: Json) -> tuple[str, str] | None:
    """Return the text or caption and the name of the member with its entities; None for a message without text."""
    for key, entities in (("text", "entities"), ("caption", "caption_entities")):
        text = message.get(key)
        if isinstance(text, str) and text.strip():
            return text, entities
    return None


def unknown_keys(message: Json) -> list[str]:
    """Return the names of unknown members, such as the content of a newer Bot API."""
    return sorted(filter(None, (one_line(key, 40) for key in message if key not in _FRAME)))[:10]


def described(message: Json) -> str:
    """Describe a message without text in one line; a checklist in several."""
    emoji = line(member(message, "sticker"), "emoji", 40)
    if emoji:
        return emoji
    for name, describe in _DESCRIPTIONS.items():
        if name in message:
            return f"[{describe(member(message, name))}]"
    for name in KINDS:
        if name in message:
            file = member(message, name)
            title = lines(file, "performer", "title") or line(file, "file_name", limits.name_chars_max)
            return f"[{_FILE_WORDS.get(name, name)}{': ' if title else ''}{title}]"
    return f"[unsupported message: {', '.join(unknown_keys(message)) or 'no content'}]"


def _place(value: Json) -> str:
    return ", ".join(filter(None, (line(value, "latitude"), line(value, "longitude")))) or "unknown place"


def _venue(value: Json) -> str:
    named = [lines(value, name, chars_max=_LINE_CHARS_MAX) for name in ("title", "address")]
    return f"venue: {', '.join(filter(None, named)) or 'unnamed'} ({_place(member(value, 'location'))})"


def _location(value: Json) -> str:
    is_live = identifier(value, "live_period") is not None
    return f"{'live location' if is_live else 'location'}: {_place(value)}"


def _contact(value: Json) -> str:
    named = [
        lines(value, "first_name", "last_name", chars_max=_LINE_CHARS_MAX),
        line(value, "phone_number", 60),
    ]
    return f"contact: {', '.join(filter(None, named)) or 'empty'}"


def _poll(value: Json) -> str:
    label = "quiz" if value.get("type") == "quiz" else "poll"
    options = items(value, "options", limits.telegram_poll_options_max)
    texts = "; ".join(line(option, "text", _LINE_CHARS_MAX) for option in options)
    return f"{label}: {line(value, 'question', _LINE_CHARS_MAX)} ({texts})"


def _checklist(value: Json) -> str:
    tasks = items(value, "tasks", limits.telegram_tasks_max)
    done = {"completion_date", "completed_by_user", "completed_by_chat"}
    shown = [f"\n{'☑' if done & task.keys() else '☐'} {line(task, 'text', _LINE_CHARS_MAX)}" for task in tasks]
    return f"checklist: {line(value, 'title', _LINE_CHARS_MAX)}{''.join(shown)}"


def _paid_media(value: Json) -> str:
    number = len(items(value, "paid_media", limits.telegram_files_per_message_max))
    stars = line(value, "star_count", 20)
    return f"paid media: {number} items" + (f" for {stars} stars" if stars else "")


def _story(value: Json) -> str:
    teller = lines(member(value, "chat"), "title", "first_name", "last_name", chars_max=_LINE_CHARS_MAX)
    return f"story of {teller}" if teller else "story"


def _giveaway(value: Json) -> str:
    prize = line(value, "prize_description", _LINE_CHARS_MAX)
    return f"giveaway for {line(value, 'winner_count') or 'some'} winners" + (f": {prize}" if prize else "")


def _winners(value: Json) -> str:
    names = [
        lines(one, "first_name", "last_name", chars_max=60)
        for one in items(value, "winners", limits.telegram_poll_options_max)
    ]
    return f"winners of a giveaway: {', '.join(filter(None, names)) or line(value, 'winner_count') or 'unknown'}"


def _web_app_data(value: Json) -> str:
    button, data = line(value, "button_text", _LINE_CHARS_MAX), value.get("data")
    said = cut(data, limits.telegram_web_app_chars_max) if isinstance(data, str) else ""
    return f"web app data{f' ({button})' if button else ''}: {said or 'empty'}"


# A message with a venue also has a location, so the venue is first.
_DESCRIPTIONS: dict[str, Callable[[Json], str]] = {
    "venue": _venue,
    "location": _location,
    "contact": _contact,
    "poll": _poll,
    "dice": lambda value: f"dice: {lines(value, 'emoji', 'value')}",
    "game": lambda value: f"game: {line(value, 'title', _LINE_CHARS_MAX)}",
    "story": _story,
    "checklist": _checklist,
    "invoice": lambda value: f"invoice: {line(value, 'title', _LINE_CHARS_MAX)}",
    "paid_media": _paid_media,
    "giveaway": _giveaway,
    "giveaway_winners": _winners,
    "web_app_data": _web_app_data,
}
# A venue also has a location, an animation a document, and a live photo a photo: the more specific kind is first.
KINDS = (*_DESCRIPTIONS, "live_photo", "animation", *FILES)


def is_moving(message: Json) -> bool:
    """Return True if this edit only moves a shared live location. The final edit, after sharing ends, has no
    `live_period`.
    """
    return identifier(member(message, "location"), "live_period") is not None and words(message) is None


def is_spoiler(message: Json) -> bool:
    return is_true(message, "has_media_spoiler")
