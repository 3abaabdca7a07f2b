"""Parse a Telegram update into a message, a command, a button press, or a reason to ignore it.

Pure; accepts any JSON."""

from __future__ import annotations

import json
from collections.abc import Callable

from models.channels.accounts import ChannelAccount
from models.kernel import limits
from models.kernel.text import one_line
from models.ports.inbound import (
    AddressMove,
    Command,
    Ignored,
    InboundMessage,
    Parsed,
    StaffMessage,
    Unparseable,
)
from queues.channels.telegram.address import Address
from queues.channels.telegram.bot_api import updates
from queues.channels.telegram.reading import (
    attachments,
    chat_commands,
    content,
    details,
    entities,
    events,
    formatted,
    mentioned,
    places,
    service,
)
from queues.channels.telegram.reading import people as authors
from queues.channels.telegram.reading.people import Author
from queues.channels.telegram.reading.places import Place
from queues.channels.telegram.reading.shapes import Json, identifier, is_id, kind_of, line, member

_EVENTS: dict[str, Callable[[Json], Parsed]] = {
    "callback_query": events.callback_query,
    "message_reaction": events.message_reaction,
    "my_chat_member": events.my_chat_member,
    "deleted_business_messages": events.deleted_business_messages,
}


def parse(raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> Parsed:
    """Read an update. Raises Unparseable with a reason for people."""
    update = _update(raw)
    for kind, is_edit in updates.MESSAGES.items():
        if kind in update:
            return _message(_object(update, kind), is_edit=is_edit, account=account)
    for kind, read in _EVENTS.items():
        if kind in update:
            return read(_object(update, kind))
    for kind, reason in updates.UNUSED.items():
        if kind in update:
            return Ignored(f"{kind}: {reason}")
    kinds = ", ".join(sorted(one_line(key, 40) for key in update if key != "update_id")[:5])
    return Ignored(f"unknown update kind {kinds}; kept raw" if kinds else "the update is empty")


def people(raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> tuple[str, ...]:
    """Return the ids of the users whose update it is."""
    try:
        return mentioned.people(_update(raw))
    except Unparseable:
        return ()


def _update(raw: bytes) -> Json:
    try:
        update = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Unparseable(f"not a Telegram update: {type(error).__name__} while reading JSON") from error
    if not isinstance(update, dict):
        raise Unparseable(f"not a Telegram update: expected an object, found {kind_of(update)}")
    return update


def _object(update: Json, kind: str) -> Json:
    if not isinstance(update[kind], dict):
        raise Unparseable(f"{kind}: expected an object, found {kind_of(update[kind])}")
    return member(update, kind)


def _message(message: Json, *, is_edit: bool, account: ChannelAccount) -> Parsed:
    """Read a message: the first verdict that applies decides."""
    contact = places.contact(message)
    if not is_id(message.get("message_id")):
        raise Unparseable("message_id: expected a whole number")
    service_message = _service(message, contact.chat)
    if service_message is not None:
        return service_message
    author = authors.author(message)
    own = _own(message, author, contact, account)
    if own is not None:
        return own
    place = places.find(message, author, account)
    if isinstance(place, Ignored):
        return place
    if place.is_staff:
        return _staff(message, author, place, is_edit=is_edit)
    if is_edit and content.is_moving(message):
        return Ignored("a shared live location moved on")
    return _from_requester(message, author, place, account, is_edit=is_edit)


def _service(message: Json, chat: int) -> AddressMove | Ignored | None:
    """Return the result of Telegram's own message about the chat; None for a person's message."""
    reason = service.reason(message)
    move = _move(message, chat)
    return move if move is not None or reason is None else Ignored(reason)


def _own(message: Json, author: Author, contact: Address, account: ChannelAccount) -> Ignored | None:
    """Ignore what the desk's own side wrote: the bot, or the owner of the business account."""
    if authors.automatic(message, account) == "own":
        return Ignored("the message is our own bot's")
    if contact.business is not None and author.address != str(contact.chat):
        return Ignored("the owner of the business account wrote this in the chat themselves")
    return None


def _from_requester(message: Json, author: Author, place: Place, account: ChannelAccount, *, is_edit: bool) -> Parsed:
    """Read a requester's message or command."""
    # Commands of automatic authors have no effect: two bots that answer each other's commands would never end.
    is_automatic = authors.automatic(message, account) is not None
    command = None if is_automatic else chat_commands.find(message, account, is_direct=place.is_direct)
    if command is None:
        return _inbound(message, author, place, account, is_edit=is_edit)
    if isinstance(command, Ignored):
        return command
    if command.name == "new" and (command.argument or attachments.read(message)):
        return _inbound(_without(message, command), author, place, account, is_edit=is_edit, is_new=not is_edit)
    if is_edit:
        return Ignored(f"an edited command has no effect: /{command.name}")
    return _command(command, message, author, place)


def _staff(message: Json, author: Author, place: Place, *, is_edit: bool) -> Parsed:
    """Read a message of the staff group. Its author is an agent, never a requester."""
    if is_edit:
        return Ignored("an edited message of the staff group: an agent edits the message in the console")
    found = content.words(message)
    text, marks = found or ("", "entities")
    body, body_format = formatted.body_of(text, message.get(marks))
    return StaffMessage(
        chat_address=str(place.contact),
        author_address=author.address,
        author_name=author.name,
        text=text.strip(),
        external_id=place.contact.message(message["message_id"]),
        has_files=bool(attachments.read(message)),
        body=body,
        body_format=body_format,
    )


def _move(message: Json, chat: int) -> AddressMove | None:
    """Return a group's migration, which Telegram reports in the old group and in the new one, in either order."""
    new, old = identifier(message, "migrate_to_chat_id"), identifier(message, "migrate_from_chat_id")
    if new is not None and new != chat:
        return AddressMove(str(chat), str(new))
    return AddressMove(str(old), str(chat)) if old is not None and old != chat else None


def _command(command: chat_commands.Found, message: Json, author: Author, place: Place) -> Command | Ignored:
    if command.name == "start" and command.argument and author.is_chat:
        return Ignored("a link for one person, opened in the name of a chat")
    return Command(
        name=command.name,
        argument=command.argument,
        author_address=author.address,
        author_name=author.name,
        chat_address=str(place.contact),
        conversation_address=place.conversation,
        external_id=place.contact.message(message["message_id"]),
        locale=author.locale,
    )


def _without(message: Json, command: chat_commands.Found) -> Json:
    """Return the message without its leading command; its entities move with the text."""
    found = content.words(message)
    assert found is not None, "a command has words"
    text, marks = found
    skipped = len(text[: command.begins_at].encode("utf-16-le", "surrogatepass")) // 2
    key = "text" if marks == "entities" else "caption"
    return {
        **message,
        key: text[command.begins_at :],
        marks: entities.moved(message.get(marks), -skipped),
    }


def _inbound(
    message: Json,
    author: Author,
    place: Place,
    account: ChannelAccount,
    *,
    is_edit: bool,
    is_new: bool = False,
) -> InboundMessage:
    said = content.words(message)
    if said is None:
        body, body_html = content.described(message), None
    else:
        body = said[0]
        is_cut = len(said[0]) > limits.message_body_chars_max
        body_html = None if is_cut else entities.to_html(said[0], message.get(said[1]))
    group = line(message, "media_group_id", 64)
    return InboundMessage(
        author_address=author.address,
        author_name=author.name,
        contact_address=str(place.contact),
        conversation_address=place.conversation,
        body=body,
        body_html=body_html,
        external_id=place.contact.message(message["message_id"]),
        references=_references(message, place),
        sent_at=details.instant(message.get("edit_date") if is_edit else message.get("date")),
        automatic=authors.automatic(message, account),
        edit=is_edit,
        locale=author.locale,
        attachments=attachments.read(message),
        group_key=f"{place.contact.numbering}:{group}" if group else None,
        details=details.of(message, author, place),
        new_ticket=is_new,
        ids_start_anew=True,
    )


def _references(message: Json, place: Place) -> tuple[str, ...]:
    """Return the id of the message answered, in this chat or in another one; never that of the message that opened the
    topic.
    """
    answered = member(message, "reply_to_message")
    number = identifier(answered, "message_id")
    if number is not None:
        return () if "forum_topic_created" in answered else (place.contact.message(number),)
    elsewhere = member(message, "external_reply")
    chat, number = identifier(member(elsewhere, "chat"), "id"), identifier(elsewhere, "message_id")
    return () if chat is None or number is None else (f"{chat}:{number}",)
