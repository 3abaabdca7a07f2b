"""Rows in words; pure.

Whatever a stranger wrote passes through `short`: a message's control characters must not drive the terminal of who
reads its story.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from scripts.explain import limits

Payload = Mapping[str, Any]
Words = tuple[str, tuple[str, ...]]

# Their message's own entry says the same and more.
TOLD_BY_THEIR_MESSAGE = frozenset({"message_received", "message_added", "note_added"})


def short(text: object) -> str:
    """One printable line of bounded length."""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    return line if len(line) <= limits.line_chars_max else line[: limits.line_chars_max - 1] + "…"


def first_line(body: str) -> str:
    """The first line that says something."""
    return next((short(line) for line in body.splitlines() if short(line)), "(empty)")


def seconds(duration: timedelta) -> str:
    """A duration as people say it."""
    total = max(0.0, duration.total_seconds())
    if total < 1:
        return f"{total * 1000:.0f} ms"
    if total < 120:
        return f"{total:.1f} s"
    if total < 7200:
        return f"{total / 60:.0f} min"
    return f"{total / 3600:.0f} h" if total < 172_800 else f"{total / 86_400:.0f} days"


def counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def event(event_type: str, payload: Payload, people: Mapping[str, str]) -> Words:
    """Return the line and the details of an event. A type without a line of its own shows its payload."""
    line = _LINES.get(event_type)
    if line is None:
        return f"{event_type} {short(dict(payload)) if payload else ''}".rstrip(), ()
    return line(payload, people)


def _created(payload: Payload, people: Mapping[str, str]) -> Words:
    workflow = f"life cycle {payload.get('workflow')} version {payload.get('workflow_version')}"
    return (
        f"ticket created in {payload.get('state')}: {short(payload.get('title'))}",
        (f"{workflow}, over {payload.get('channel')}",),
    )


def _state_changed(payload: Payload, people: Mapping[str, str]) -> Words:
    details = [f"rule: {short(payload.get('rule'))} on {payload.get('event')}"]
    details.extend(_rule(payload)[1:])
    if payload.get("comment"):
        details.append(f"comment: {short(payload['comment'])}")
    move = f" by {payload['transition']}" if payload.get("transition") else ""
    return f"state {payload.get('from')} -> {payload.get('to')}{move}", tuple(details)


def _refused(payload: Payload, people: Mapping[str, str]) -> Words:
    reasons = tuple(f"because {short(reason)}" for reason in payload.get("reasons", ()))
    return f"transition refused: {short(payload.get('rule'))} on {payload.get('event')}", reasons


def _withheld(payload: Payload, people: Mapping[str, str]) -> Words:
    return (
        f"automatic message withheld: {payload.get('template')}",
        (f"rule: {short(payload.get('rule'))}", f"because {short(payload.get('reason'))}"),
    )


def _assigned(payload: Payload, people: Mapping[str, str]) -> Words:
    def name(user_id: object) -> str:
        return people.get(str(user_id), str(user_id)) if user_id else "nobody"

    return f"assigned: {name(payload.get('from'))} -> {name(payload.get('to'))}", ()


def _updated(payload: Payload, people: Mapping[str, str]) -> Words:
    changes = list(dict(payload.get("changes", {})).items())
    shown = [
        f"{name}: {short(change.get('from'))} -> {short(change.get('to'))}"
        for name, change in changes[: limits.changes_shown_max]
    ]
    more = [f"and {len(changes) - len(shown)} more"] if len(changes) > len(shown) else []
    return "ticket changed", (*shown, *more)


def _related(payload: Payload, people: Mapping[str, str]) -> Words:
    return f"related to ticket {payload.get('ticket_id')}", (f"because {short(payload.get('reason'))}",)


def _delivery_failed(payload: Payload, people: Mapping[str, str]) -> Words:
    return (
        f"delivery {payload.get('delivery_id')} ended as {payload.get('state')}",
        (f"because {short(payload.get('error'))}",),
    )


def _edited(payload: Payload, people: Mapping[str, str]) -> Words:
    files = len(payload.get("replaced_attachments", ()))
    before = [f"it was: {first_line(str(payload.get('previous_body', '')))}"]
    if files:
        before.append(f"{counted(files, 'file')} replaced")
    return (f"message {payload.get('message_id')} edited where it was said", tuple(before))


def _reclassified(payload: Payload, people: Mapping[str, str]) -> Words:
    before, after = payload.get("from") or {}, payload.get("to") or {}
    move = f"{before.get('workflow')} -> {after.get('workflow')} version {after.get('version')}"
    return f"life cycle {move} for the type {payload.get('type')}", (f"because {short(payload.get('reason'))}",)


def _rule(payload: Payload) -> tuple[str, ...]:
    """The rule, its condition and the values that it saw."""
    found = (
        [f"rule: {short(payload['rule'])} of {payload.get('workflow')} version {payload.get('workflow_version')}"]
        if "rule" in payload
        else []
    )
    if payload.get("condition"):
        seen = ", ".join(f"{path} = {value!r}" for path, value in dict(payload.get("values") or {}).items())
        found.append(f"condition: {short(payload['condition'])}" + (f" (saw {short(seen)})" if seen else ""))
    return tuple(found)


def _because(payload: Payload) -> str:
    return f": {short(payload['note'])}" if payload.get("note") else ""


def _line(line: Callable[[Payload], str]) -> Callable[[Payload, Mapping[str, str]], Words]:
    return lambda payload, people: (line(payload), _rule(payload))


_LINES: dict[str, Callable[[Payload, Mapping[str, str]], Words]] = {
    "ticket_created": _created,
    "ticket_state_changed": _state_changed,
    "transition_refused": _refused,
    "automatic_message_withheld": _withheld,
    "ticket_assigned": _assigned,
    "ticket_updated": _updated,
    "ticket_related": _related,
    "delivery_failed": _delivery_failed,
    "message_edited": _edited,
    "attachment_stored": _line(lambda p: f"file fetched, {p.get('size_bytes')} bytes"),
    "attachment_failed": _line(
        lambda p: (
            f"file not had: {short(p.get('reason'))}" + ("; its sender was told" if p.get("requester_told") else "")
        )
    ),
    "ticket_snoozed": _line(lambda p: f"snoozed until {p.get('until') or 'the requester writes'}{_because(p)}"),
    "time_entry_added": _line(lambda p: f"{p.get('minutes')} minutes spent"),
    "time_entry_changed": _line(lambda p: f"time spent corrected: {p.get('minutes_before')} -> {p.get('minutes')}"),
    "time_entry_removed": _line(lambda p: f"{p.get('minutes')} minutes removed"),
    "ticket_deleted": _line(lambda p: f"into the bin as {p.get('kind')}{_because(p)}"),
    "ticket_restored": _line(lambda p: f"back from the bin by a {p.get('by')}"),
    "ticket_purged": _line(lambda p: "content purged"),
    "ticket_woken": _line(lambda p: f"snooze ended by {p.get('by')}"),
    "sla_warning": _line(lambda p: f"promise {p.get('target')} in danger, due {p.get('due_at')}"),
    "sla_breached": _line(lambda p: f"promise {p.get('target')} broken, was due {p.get('due_at')}"),
    "approval_requested": _line(lambda p: f"{p.get('transition')} waits for {p.get('needed')} of {p.get('team')}"),
    "approval_voted": _line(
        lambda p: f"vote on {p.get('transition')}: {p.get('vote')} {short(p.get('comment') or '')}".rstrip()
    ),
    "approval_decided": _line(lambda p: f"approval of {p.get('transition')}: {p.get('outcome')}"),
    "effect_withheld": _line(lambda p: f"no {p.get('effect')}: {short(p.get('reason'))}"),
    "agents_notified": _line(
        lambda p: f"told {counted(len(p.get('users') or []), 'agent')} {p.get('team') or ''}".rstrip()
    ),
    "webhook_called": _line(lambda p: f"webhook {p.get('webhook')} for {p.get('event')}"),
    "fee_charged": _line(lambda p: f"fee of {p.get('amount_minor')} minor units {p.get('currency')}"),
    "reward_granted": _line(lambda p: f"reward of {p.get('amount_minor')} minor units {p.get('currency')}"),
    "ticket_imported": _line(lambda p: f"imported from {p.get('source')} (its id there: {short(p.get('source_id'))})"),
    "ticket_merged": _line(lambda p: f"merged into ticket #{p.get('number')}"),
    "ticket_merge_received": _line(lambda p: f"ticket #{p.get('number')} was merged into this one"),
    "ticket_merge_undone": _line(lambda p: f"the merge with ticket #{p.get('number')} was undone"),
    "ticket_split": _line(lambda p: f"{len(p.get('message_ids', []))} messages moved to ticket #{p.get('number')}"),
    "ticket_split_from": _line(lambda p: f"opened with messages of ticket #{p.get('number')}"),
    "ticket_split_undone": _line(lambda p: f"the split with ticket #{p.get('number')} was undone"),
    "ticket_linked": _line(lambda p: f"{p.get('kind')} ticket #{p.get('number')}"),
    "ticket_unlinked": _line(lambda p: f"no longer {p.get('kind')} ticket #{p.get('number')}"),
    "requester_changed": _line(lambda p: f"requester {short(p.get('from'))} -> {short(p.get('to'))}"),
    "contact_changed": _line(lambda p: f"answers go out by {p.get('channel')} {p.get('account')}"),
    "linked_ticket_made": _line(lambda p: f"made ticket #{p.get('number')} ({p.get('link')})"),
    "event_unmatched": _line(lambda p: f"no rule for {p.get('event')} {p.get('name') or ''}".rstrip()),
    "automation_stopped": _line(lambda p: f"rules stopped at {p.get('event')}: {short(p.get('reason'))}"),
    "ticket_reclassified": _reclassified,
    "ticket_migrated": _line(lambda p: f"migrated {short(p.get('from'))} -> {short(p.get('to'))}"),
}
