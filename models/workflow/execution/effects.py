"""Runs effects: each becomes acts, and events that the reactions see next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Literal

from models.expressions import conditions
from models.kernel.errors import Invalid
from models.kernel.open_json import JsonObject
from models.workflow import acts, templates
from models.workflow.acts import NO_REASON, Reason
from models.workflow.definition import Effect, Notify
from models.workflow.execution import choices, sla_promises
from models.workflow.execution.choices import Choice
from models.workflow.execution.run import Run, not_evaluated
from models.workflow.instance import NO_MESSAGE, Event, RuleTrace

_NO_ANSWER = "the message that caused it is automatic (no mail loops)"


def run(run: Run, effect: Effect, *, rule: str, why: Reason = NO_REASON) -> None:
    """Let one effect happen, unless its own condition says no."""
    if effect.when is not None:
        explained = run.explain(effect.when)
        if not explained.result:
            reason = f"the condition {effect.when!r} does not hold"
            if explained.error is not None:
                reason = not_evaluated(effect.when, explained)
            withhold(run, effect.kind, reason, rule=rule, why=Reason(effect.when, explained.values))
            return
    try:
        _EFFECTS[effect.kind](run, effect, rule, why)
    except templates.TemplateError as error:
        withhold(run, effect.kind, f"the template cannot be filled in: {error}", rule=rule, why=why)


def withhold(run: Run, effect: str, reason: str, *, rule: str, why: Reason = NO_REASON) -> None:
    """Record that an effect did not happen, with its reason."""
    run.act(acts.Withheld(rule, why=why, effect=effect, reason=reason))


def _text(run: Run, name: str, **more: Any) -> str:
    """Render a template in the requester's language. Raises TemplateError for an empty text: nobody reads it."""
    text = _rendered(run, name, **more)
    if not text.strip():
        raise templates.TemplateError(f"{name} gives an empty text")
    return text


def _rendered(run: Run, name: str, *, zone: str = "", **more: Any) -> str:
    """Render a template in the requester's language, with dates in a time zone; without one, in the desk's."""
    desk, texts = run.context.desk, run.workflow.templates[name]
    language = desk.tag_for(texts, _language(run))
    told = values(run, language) | more
    return templates.render(texts[language], told, language, zone=zone or desk.zone, words=desk.texts)


def _language(run: Run) -> str | None:
    return str(run.requester().get("locale") or "") or None


def _text_to_requester(run: Run, name: str, **more: Any) -> str:
    """Render a template for the requester, with dates in the requester's time zone; without the requester's own words
    if the context hides them.
    """
    zone = str(run.requester()["time_zone"])
    if not run.context.hides_words:
        return _text(run, name, zone=zone, **more)
    told = values(run, _language(run))
    return _text(
        run,
        name,
        zone=zone,
        ticket=told["ticket"] | {"title": ""},
        requester=told["requester"] | {"name": ""},
        fields=dict.fromkeys(told["fields"], templates.EMPTY_NUMBER),
        event=told["event"] | {"before": "", "after": ""},
        **more,
    )


def values(run: Run, language: str | None) -> JsonObject:
    """Return the values of a text. `language`: of the text, in which the state's label is then."""
    ticket = run.instance
    state = run.workflow.states[ticket.state]
    label = state.requester_label or state.label
    fields, _ = run.context.fields_view(ticket.type, ticket.fields)
    return {
        "ticket": {
            "number": ticket.number,
            "title": ticket.title,
            "type": ticket.type,
            "priority": ticket.priority,
            "state_label": run.context.desk.pick(label, language),
            "team": ticket.team,
            "created_at": ticket.created_at or run.context.now,
        },
        "requester": {"name": run.requester()["name"], "locale": _language(run) or ""},
        "assignee": {"name": ticket.assignee_name},
        "fields": {name: _shown(value) for name, value in fields.items()},
        "desk": {"url": run.context.desk_url, "name": run.context.desk.desk},
        "rating": {"url": ""},
        "approval": {"by": "", "comment": ""},
        "event": {"type": run.event.type, "name": run.event.name, "before": run.event.before, "after": run.event.after},
    }


def _shown(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _shown(one) for key, one in value.items()}
    return templates.EMPTY_NUMBER if value is None else value


def _send(run: Run, effect: Effect, rule: str, why: Reason) -> None:
    assert effect.send is not None
    if _must_not_answer(run):
        withhold(run, "send", _NO_ANSWER, rule=rule, why=why)
        return
    run.act(acts.MessageSent(rule, why=why, template=effect.send, text=_text_to_requester(run, effect.send)))


def _must_not_answer(run: Run) -> bool:
    """Return True if the message that caused the effect must not be answered automatically, whoever wrote it."""
    return bool((run.context.message or NO_MESSAGE)["automatic"])


def _note(run: Run, effect: Effect, rule: str, why: Reason) -> None:
    assert effect.note is not None
    run.act(acts.NoteAdded(rule, why=why, template=effect.note, text=_text(run, effect.note)))


def _ask_rating(run: Run, effect: Effect, rule: str, why: Reason) -> None:
    assert effect.ask_rating is not None
    if _must_not_answer(run):
        withhold(run, "ask_rating", _NO_ANSWER, rule=rule, why=why)
        return
    text = _text_to_requester(run, effect.ask_rating, rating={"url": run.context.rating_url()})
    run.act(acts.RatingAsked(rule, why=why, template=effect.ask_rating, text=text))


def _notify(run: Run, effect: Effect, rule: str, why: Reason) -> None:
    notify = effect.notify
    assert notify is not None
    users = _recipients(run, notify)
    if not users:
        whom = "the ticket has no assignee" if notify.assignee else f"{notify.team or notify.user} is nobody now"
        withhold(run, "notify", whom, rule=rule, why=why)
        return
    run.act(acts.Notified(rule, why=why, users=users, team=notify.team, text=_text(run, notify.text)))


def _recipients(run: Run, notify: Notify) -> list[str]:
    """Return the ids of the users whom the effect notifies."""
    if notify.assignee:
        return [run.instance.assignee] if run.instance.assignee else []
    if notify.team is not None:
        return [one.id for one in run.context.roster(notify.team)]
    return [one.id for one in run.context.roster(None) if one.email == notify.user]


def _set(run: Run, effect: Effect, rule: str, why: Reason) -> None:
    assert effect.set is not None
    wanted: JsonObject = {}
    for name, value in effect.set.items():
        if isinstance(value, dict) and list(value) == ["cel"]:
            names = run.names(value["cel"])
            try:
                value = conditions.json_value(value["cel"], names)
            except conditions.ConditionError as error:
                seen = conditions.values_read(value["cel"], names.names)
                reason = f"{name}: {value['cel']!r} cannot be evaluated: {error}{conditions.in_words(seen)}"
                withhold(run, "set", reason, rule=rule, why=why)
                return
        wanted[name] = value
    try:
        after = run.context.validate(run.instance, wanted)
    except Invalid as error:
        withhold(run, "set", "; ".join(f"{p.path}: {p.message}" for p in error.problems), rule=rule, why=why)
        return
    for name in wanted:
        run.set_field(name, after.get(name), rule=rule, why=why)


def _assign(run: Run, effect: Effect, rule: str, why: Reason) -> None:
    assign = effect.assign
    assert assign is not None
    if assign.how == "nobody":
        _give(run, None, "nobody", rule, why)
    else:
        give_by(run, choices.of_effect(run, assign), rule=rule, why=why)


def give_by(run: Run, choice: Choice, *, rule: str, why: Reason = NO_REASON) -> None:
    """Give the ticket to the person whom a strategy chose, or record why it chose nobody."""
    outcome: Literal["acted", "refused"] = "acted" if choice.chosen else "refused"
    run.trace(RuleTrace(run.event.type, "assignment", outcome, values=choice.as_values, reasons=choice.reasons))
    if choice.chosen is None:
        withhold(run, "assign", choice.lacking, rule=rule, why=why)
    else:
        _give(run, choice, choice.strategy, rule, why)


def _give(run: Run, choice: Choice | None, how: str, rule: str, why: Reason) -> None:
    ticket, before = run.instance, run.instance.assignee
    to = choice.chosen if choice else None
    after = to.id if to else ""
    if before == after:
        return
    ticket.assignee, ticket.assignee_name = after, to.name if to else ""
    facts = choice.as_facts if choice else None
    run.act(acts.Assigned(rule, why=why, before=before, after=after, how=how, name=ticket.assignee_name, choice=facts))
    run.emit(Event("assigned", before=before, after=after))


def _team(run: Run, effect: Effect, rule: str, why: Reason) -> None:
    assert effect.team is not None
    before = run.instance.team
    if before != effect.team:
        run.instance.team = effect.team
        run.act(acts.TeamSet(rule, why=why, before=before, after=effect.team))
        run.emit(Event("field_changed", "team", before=before, after=effect.team))


def _priority(run: Run, effect: Effect, rule: str, why: Reason) -> None:
    assert effect.priority is not None
    before = run.instance.priority
    if before != effect.priority:
        if lacking := _newly_missing(run, priority=effect.priority):
            reason = f"with the priority {effect.priority} the ticket needs a value in {', '.join(lacking)}"
            withhold(run, "priority", reason, rule=rule, why=why)
            return
        run.instance.priority = effect.priority
        run.act(acts.PrioritySet(rule, why=why, before=before, after=effect.priority))
        sla_promises.follow(run)
        run.emit(Event("field_changed", "priority", before=before, after=effect.priority))


def _newly_missing(run: Run, **changes: Any) -> list[str]:
    """Return the empty fields that the model requires after a change of the ticket, and not before it."""
    before = run.context.missing(run.instance)
    return [name for name in run.context.missing(replace(run.instance, **changes)) if name not in before]


def _type(run: Run, effect: Effect, rule: str, why: Reason) -> None:
    """Give the ticket another type. The desk moves it to the type's life cycle when this step is over."""
    assert effect.type is not None
    ticket, before = run.instance, run.instance.type
    if before == effect.type:
        return
    try:
        fields = run.context.retype(ticket, effect.type)
    except Invalid as error:
        withhold(run, "type", "; ".join(f"{p.path}: {p.message}" for p in error.problems), rule=rule, why=why)
        return
    ticket.type, ticket.fields = effect.type, dict(fields)
    run.act(acts.TypeSet(rule, why=why, before=before, after=effect.type, fields=dict(fields)))
    run.emit(Event("field_changed", "type", before=before, after=effect.type))


def _tags(run: Run, effect: Effect, rule: str, why: Reason) -> None:
    before = run.instance.tags
    kept = [tag for tag in before if tag not in (effect.remove_tags or [])]
    after = tuple(dict.fromkeys([*kept, *(effect.add_tags or [])]))
    if after != before:
        run.instance.tags = after
        run.act(acts.TagsSet(rule, why=why, before=list(before), after=list(after)))


def _start_timer(run: Run, effect: Effect, rule: str, why: Reason) -> None:
    assert effect.start_timer is not None
    run.start_timer(effect.start_timer, run.workflow.timers[effect.start_timer], rule=rule)


def _stop_timer(run: Run, effect: Effect, rule: str, why: Reason) -> None:
    assert effect.stop_timer is not None
    run.act(acts.TimerStopped(rule, why=why, timer=effect.stop_timer))


# What happened when a person's request or vote took a transition, whose effects run before its events.
_OF_TRANSITION = "state_changed"


def _webhook(run: Run, effect: Effect, rule: str, why: Reason) -> None:
    assert effect.webhook is not None
    run.act(acts.WebhookCalled(rule, why=why, webhook=effect.webhook, event=run.event.type or _OF_TRANSITION))


def _charge(run: Run, effect: Effect, rule: str, why: Reason) -> None:
    charge = effect.charge
    assert charge is not None
    actor = run.context.actor
    user = run.instance.assignee if charge.to == "assignee" else (actor.id if actor.kind == "user" else "")
    if not user:
        withhold(run, "charge", f"there is no {charge.to} to charge", rule=rule, why=why)
        return
    minor = int(Decimal(charge.amount) * 100)
    run.act(
        acts.Charged(rule, why=why, charge_kind=charge.kind, amount_minor=minor, currency=charge.currency, user=user)
    )


def _create_ticket(run: Run, effect: Effect, rule: str, why: Reason) -> None:
    made = effect.create_ticket
    assert made is not None
    try:
        run.context.check_new(made.type, made.fields, made.priority or "normal")
    except Invalid as error:
        reason = "; ".join(f"{one.path}: {one.message}" for one in error.problems)
        withhold(run, "create_ticket", f"a new {made.type} is refused: {reason}", rule=rule, why=why)
        return
    description = _rendered(run, made.description) if made.description else ""
    run.act(
        acts.TicketMade(
            rule,
            why=why,
            title=" ".join(_text(run, made.title).split()),
            description=description if description.strip() else None,
            type=made.type,
            workflow=made.workflow,
            priority=made.priority,
            team=made.team,
            fields=dict(made.fields),
            link=made.link,
        )
    )


_EFFECTS: dict[str, Callable[[Run, Effect, str, Reason], None]] = {
    "send": _send,
    "note": _note,
    "notify": _notify,
    "set": _set,
    "assign": _assign,
    "team": _team,
    "priority": _priority,
    "add_tags": _tags,
    "remove_tags": _tags,
    "start_timer": _start_timer,
    "stop_timer": _stop_timer,
    "webhook": _webhook,
    "charge": _charge,
    "create_ticket": _create_ticket,
    "ask_rating": _ask_rating,
    "type": _type,
}
