"""Messages of a simulation, as conditions see them."""

from __future__ import annotations

from models.workflow.instance import MessageView, seen_message


def message_of(text: str, automatic: str, by_machine: bool | None, author_kind: str, channel: str) -> MessageView:
    """Return the facts about a message. Without `by_machine`, a message that is automatic, other than "bulk" and "own",
    is a machine's. An empty text stands for some text.
    """
    machine = automatic not in ("", "bulk", "own") if by_machine is None else by_machine
    return seen_message(author_kind, channel, text or "…", automatic=automatic, by_machine=machine)
