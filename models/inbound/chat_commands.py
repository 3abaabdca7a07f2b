"""Commands of a chat to the desk itself: /start, /new, /status, /close, /lang, /help and those of the account's file.

A command makes no ticket and no message; what the desk answers is a notice (`send_notice`), outside of any
conversation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from models.channels import texts
from models.channels.accounts import ChannelAccount
from models.conversations import chats, messages
from models.definitions import desk
from models.dialogues import commands as dialogues
from models.events.commands import SYSTEM, Actor
from models.kernel import clock, languages
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.ports.inbound import ButtonPress, Command
from models.requesters import commands as requesters
from models.requesters import links
from models.requesters.tables import Requester
from models.staff import addresses
from models.tasks import commands as tasks
from models.tasks.payloads import SendNotice
from models.ticket_actions import commands as tickets
from models.ticket_actions import input_needed
from models.ticket_workflow import steps
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange

# Tickets that /status shows; a phone's screen has room for no more.
_tickets_shown_max = 10


@dataclass(frozen=True, slots=True)
class Done:
    """The result of a command: a reason for people who read the inbox, and the ticket that it changed."""

    reason: str
    ticket_id: UUID | None = None


def run(account: ChannelAccount, command: Command, *, event_id: UUID) -> Done:
    """Run the command and answer it. Joins the caller's transaction."""
    requester = requesters.find_or_create(
        account.channel, command.author_address, name=command.author_name, locale=command.locale
    )
    chats.mark_unreachable(account, command.chat_address, None)
    if command.name in _LEAVES_QUESTIONS:
        dialogues.leave(account, command.chat_address, command.author_address)
    if command.name == "close" and _asks_before_closing(account, command, requester, event_id=event_id):
        return Done("asked before the ticket is closed")
    said, done = _COMMANDS.get(command.name, _own)(account, command, requester)
    tasks.enqueue(
        SendNotice(channel=account.channel, account=account.name, address=command.chat_address, text=said),
        key=messages.send_key(account.channel, account.name, command.chat_address),
        dedupe_key=f"notice:{event_id}",
    )
    return done


# A command that begins something else ends the questions of a transition.
_LEAVES_QUESTIONS = frozenset({"start", "new", "close"})


def answer_press(
    account: ChannelAccount, press: ButtonPress, name: str, ticket_id: UUID | None, *, event_id: UUID
) -> None:
    """Answer the person who pressed a button. Joins the caller's transaction."""
    requester = requesters.find(account.channel, press.author_address)
    locale = requester.locale if requester else None
    values: dict[str, object] = {}
    if ticket_id is not None:
        change = TicketChange.of(ticket_id, actor=SYSTEM)
        values = {"number": change.ticket.number, "state": state_label(change, locale)}
    said = texts.text(account, name, locale, **values)
    tasks.enqueue(
        SendNotice(channel=account.channel, account=account.name, address=press.chat_address, text=said),
        key=messages.send_key(account.channel, account.name, press.chat_address),
        dedupe_key=f"notice:{event_id}",
    )


Result = tuple[str, Done]


def _locale(command: Command, requester: Requester) -> str | None:
    return requester.locale or command.locale


def _start(account: ChannelAccount, command: Command, requester: Requester) -> Result:
    """Greet the person. With a payload (a deep link), show the number that is entered where the link was made."""
    locale = _locale(command, requester)
    if not command.argument:
        return texts.text(account, "greeting", locale, name=requester.name), Done("the chat was greeted")
    channel, address = account.channel, command.author_address
    if command.argument.startswith(addresses.PREFIX):
        by_agent = addresses.open_link(command.argument, channel=channel, address=address, account=account.name)
        name, number = ("", "") if by_agent is None else (by_agent.user.name, by_agent.number)
    else:
        opened = links.open_link(command.argument, channel=channel, address=address)
        name, number = ("", "") if opened is None else (opened.owner.name, opened.number)
    if not number:
        return texts.text(account, "link_unknown", locale), Done("a link that is not valid (any more)")
    said = texts.text(account, "link_number", locale, name=name, number=number)
    return said, Done("the chat shows the number that connects it")


def _new(account: ChannelAccount, command: Command, requester: Requester) -> Result:
    chats.current_ticket(account, command.conversation_address)
    chats.set_current(account, command.conversation_address, None)
    return texts.text(account, "new", _locale(command, requester)), Done("the next message opens a ticket")


def _status(account: ChannelAccount, command: Command, requester: Requester) -> Result:
    locale = _locale(command, requester)
    # Everybody in a group reads the answer, so it shows only tickets of that group.
    is_private = command.chat_address == command.author_address
    here = "" if is_private else " AND contact_channel = :channel AND contact_address = :chat"
    conditions = "requester_id = :id AND category <> 'closed'" + here
    values = {} if is_private else {"channel": account.channel, "chat": command.chat_address}
    rows = database.run(
        f"SELECT id FROM tickets WHERE {conditions} ORDER BY updated_at DESC LIMIT :most",
        values,
        id=requester.id,
        most=_tickets_shown_max,
    )
    if not rows:
        return texts.text(account, "status_none", locale), Done("told that there is no ticket")
    lines = []
    for row in rows:
        change = TicketChange.of(Ticket.converted(row)["id"], actor=_actor(requester))
        ticket = change.ticket
        state = state_label(change, locale)
        lines.append(texts.text(account, "status_line", locale, number=ticket.number, title=ticket.title, state=state))
    return "\n".join(lines), Done(f"told of {len(rows)} tickets")


def state_label(change: TicketChange, locale: str | None) -> str:
    """Return the name of the ticket's state for its requester."""
    state = steps.workflow_of(change).states[change.ticket.state]
    return desk.current().pick(state.requester_label or state.label, locale)


def _close(account: ChannelAccount, command: Command, requester: Requester) -> Result:
    """Close the ticket by a transition to a done or closed state that the life cycle allows a requester."""
    locale = _locale(command, requester)
    ticket_id = chats.current_ticket(account, command.conversation_address)
    if ticket_id is None:
        return texts.text(account, "status_none", locale), Done("there is no ticket to close")
    change = TicketChange.of(ticket_id, actor=_actor(requester))
    possible = _closing(change, requester)
    number = change.ticket.number
    if not possible:
        return texts.text(account, "close_refused", locale, number=number), Done(
            "the life cycle lets no requester close it now", ticket_id
        )
    name = possible[0][0]
    tickets.transition(ticket_id, name, fields=None, comment=None, role="requester", actor=_actor(requester))
    after = TicketChange.of(ticket_id, actor=_actor(requester))
    said = texts.text(account, "closed", locale, number=number, state=state_label(after, locale))
    return said, Done(f"closed by {name}", ticket_id)


def _closing(change: TicketChange, requester: Requester) -> list[tuple[str, input_needed.Needed]]:
    """Return the possible transitions by which the requester may end the ticket, those without further input first."""
    if change.ticket.requester_id != requester.id:
        return []
    workflow = steps.workflow_of(change)
    found = [
        (option.name, needed)
        for option in steps.options(change, role="requester")
        if "requester" in option.transition.who
        and workflow.states[option.transition.to].category in ("done", "closed")
        and (needed := input_needed.of_option(change, option, role="requester")) is not None
    ]
    return sorted(found, key=lambda one: bool(one[1]))


def _asks_before_closing(account: ChannelAccount, command: Command, requester: Requester, *, event_id: UUID) -> bool:
    """Start a dialogue if every transition that ends the chat's ticket needs input. Returns True if it did."""
    ticket_id = chats.current_ticket(account, command.conversation_address)
    if ticket_id is None:
        return False
    possible = _closing(TicketChange.of(ticket_id, actor=_actor(requester)), requester)
    if not possible or not possible[0][1]:
        return False
    place = dialogues.Place(command.chat_address, command.conversation_address, command.author_address)
    dialogues.begin(
        account, place, ticket_id, possible[0][0], actor=_actor(requester), role="requester", event_id=event_id
    )
    return True


def _cancel(account: ChannelAccount, command: Command, requester: Requester) -> Result:
    """Leave the questions of a transition; without any, the account's own command of this name answers."""
    ticket_id = dialogues.leave(account, command.chat_address, command.author_address)
    if ticket_id is not None:
        said = texts.text(account, "dialogue_left", _locale(command, requester))
        return said, Done("left the questions of a transition", ticket_id)
    if "cancel" in account.config.get("commands", {}):
        return _own(account, command, requester)
    return texts.text(account, "dialogue_none", _locale(command, requester)), Done("there was nothing to leave")


def _lang(account: ChannelAccount, command: Command, requester: Requester) -> Result:
    known = texts.languages(account)
    wanted = languages.match(known, command.argument.strip())
    if wanted is None:
        said = texts.text(account, "lang_unknown", _locale(command, requester), languages=", ".join(known))
        return said, Done("a language that the account does not speak")
    database.execute(
        "UPDATE requesters SET locale = :locale, version = version + 1, updated_at = :now WHERE id = :id",
        locale=wanted,
        now=clock.now(),
        id=requester.id,
    )
    return texts.text(account, "lang_set", wanted), Done(f"language {wanted}")


def _help(account: ChannelAccount, command: Command, requester: Requester) -> Result:
    return texts.text(account, "help", _locale(command, requester)), Done("told what it understands")


def _own(account: ChannelAccount, command: Command, requester: Requester) -> Result:
    """Answer a command of the account's file; for an unknown one, list the commands."""
    own: JsonObject = account.config.get("commands", {}).get(command.name, {})
    known: dict[str, str] = own.get("text", {})
    if not known:
        return _help(account, command, requester)
    said = known[texts.tag_for(account, known, _locale(command, requester))]
    return said, Done(f"answered by the account's own /{command.name}")


def _actor(requester: Requester) -> Actor:
    return Actor("requester", str(requester.id), requester.name)


_COMMANDS: dict[str, Callable[[ChannelAccount, Command, Requester], Result]] = {
    "start": _start,
    "new": _new,
    "status": _status,
    "close": _close,
    "cancel": _cancel,
    "lang": _lang,
    "help": _help,
}
