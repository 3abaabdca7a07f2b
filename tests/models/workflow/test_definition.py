"""A definition that is wrong is refused with the place and what was expected; nothing of it is published."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from models.definitions.desk import Desk
from models.kernel.errors import Invalid
from models.workflow import checks, templates

LABEL = {"en": "Label", "ru": "Надпись"}
GOOD: dict[str, Any] = {
    "workflow": "small",
    "label": LABEL,
    "initial": "new",
    "states": {
        "new": {"category": "todo", "label": LABEL},
        "done": {"category": "done", "label": LABEL},
    },
    "transitions": {"finish": {"from": ["new"], "to": "done", "label": LABEL, "who": ["agent"]}},
    "reactions": [{"on": "timer", "name": "later", "timer": "soon", "transition": "finish"}],
    "timers": {"soon": {"in": ["new"], "after_s": 60}},
    "templates": {"hello": {"en": "Hello {{ requester.name }}", "ru": "Здравствуйте"}},
}


def _changed(path: str, value: Any) -> dict[str, Any]:
    body = copy.deepcopy(GOOD)
    *way, last = path.split(".")
    place: Any = body
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return body


def _problems(body: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        checks.parse(body)
    return {problem.path: problem.message for problem in refused.value.problems}


def test_the_good_one_is_good() -> None:
    assert checks.parse(GOOD).initial == "new"


@pytest.mark.parametrize(
    ("change", "value", "place", "told"),
    [
        ("initial", "nowhere", ".initial", "expected one of the states, found 'nowhere'"),
        (
            "states_from",
            {"support": {"open": "nowhere"}},
            ".states_from.support.open",
            "expected one of the states, found 'nowhere'",
        ),
        ("initial", None, "", "missing required field `initial`"),
        ("states.new.category", "lost", ".states.new.category", "Invalid enum value 'lost'"),
        ("states.new.colour", "red", ".states.new", "unknown field `colour`"),
        ("states.new.label", {"en": " "}, ".states.new.label.en", "expected a text in this language"),
        ("states.new.label", {"pt_BR": "Novo"}, ".states.new.label.pt_BR", "did you mean pt-BR?"),
        ("transitions.finish.to", "gone", ".transitions.finish.to", "expected one of the states, found 'gone'"),
        ("transitions.finish.from", ["gone"], ".transitions.finish.from", "found 'gone'"),
        ("transitions.finish.from", "new", ".transitions.finish.from", "Invalid enum value 'new'"),
        ("transitions.finish.who", ["everybody"], ".transitions.finish.who[0]", "or team:<name>, found 'everybody'"),
        ("transitions.finish.guard", "ticket.(", ".transitions.finish.guard", "not a CEL condition"),
        ("transitions.finish.guard", "x" * 3000, ".transitions.finish.guard", "at most 2000 characters"),
        ("transitions.finish.do", [{}], ".transitions.finish.do[0]", "exactly one of send, note, notify"),
        (
            "transitions.finish.do",
            [{"send": "bye"}],
            ".transitions.finish.do[0].send",
            "one of the templates, found 'bye'",
        ),
        ("transitions.finish.do", [{"send": "hello"}] * 21, ".transitions.finish.do", "at most 20 effects, found 21"),
        ("reactions.0.on", "full_moon", ".reactions[0].on", "expected one of the events, found 'full_moon'"),
        ("reactions.0.timer", "never", ".reactions[0].timer", "one of the timers, found 'never'"),
        ("reactions.0.timer", None, ".reactions[0].timer", "expected the name of the timer"),
        ("reactions.0.transition", "fly", ".reactions[0].transition", "one of the transitions, found 'fly'"),
        ("reactions.0.in", ["gone"], ".reactions[0].in", "found 'gone'"),
        ("reactions.0.when", "ticket.", ".reactions[0].when", "not a CEL condition"),
        ("timers.soon.after_s", 0, ".timers.soon.after", "expected a duration such as 7d"),
        ("timers.soon.after_s", "60", ".timers.soon.after_s", "Expected `int`, got `str`"),
        ("timers.soon.in", ["gone"], ".timers.soon.in", "found 'gone'"),
        ("templates.hello.en", "{% if ticket.title %} {% endif %}", ".templates.hello.en", "renders to nothing"),
        ("templates.hello.en", "{% if false %}Hello{% endif %}", ".templates.hello.en", "renders to nothing"),
        ("templates.hello.ru", "{# a comment #}", ".templates.hello.ru", "renders to nothing"),
        ("templates.hello.en", "{{ ' ' }}", ".templates.hello.en", "renders to nothing"),
        ("templates.hello.en", "{{ ticket.secret }}", ".templates.hello.en", "unknown variable 'ticket.secret'"),
        ("states.Bad-Name", {"category": "todo", "label": LABEL}, ".states.Bad-Name", "lower-case letters"),
    ],
)
def test_what_is_wrong_is_reported_with_its_place(change: str, value: Any, place: str, told: str) -> None:
    problems = _problems(_changed(change, value))

    assert place in problems, problems
    assert told in problems[place]


def test_all_problems_are_reported_together() -> None:
    body = _changed("initial", "nowhere")
    body["timers"]["soon"]["after_s"] = 0

    assert set(_problems(body)) == {".initial", ".timers.soon.after"}


def test_a_definition_larger_than_anybody_can_oversee_is_refused() -> None:
    body = copy.deepcopy(GOOD)
    for number in range(150):
        body["states"][f"s{number}"] = {"category": "todo", "label": LABEL}

    assert ".states" in _problems(body)


@pytest.mark.parametrize(
    ("languages", "reader", "text"),
    [
        (["en", "ru"], "ru", "Да"),
        (["en", "ru"], "ru-RU", "Да"),
        (["en", "ru"], "de", "Yes"),
        (["en", "ru"], None, "Yes"),
        (["ru", "en"], None, "Да"),
        (["de", "ru"], "fr", "Да"),
        (["de"], "de-CH", "Yes"),
    ],
)
def test_a_template_speaks_the_requesters_language_or_the_first_of_the_desk(
    languages: list[str], reader: str | None, text: str
) -> None:
    template = {"en": "Yes", "ru": "Да"}

    assert Desk(languages=languages).pick(template, reader) == text


def test_a_value_that_looks_like_a_variable_stays_as_the_person_wrote_it() -> None:
    title = "{{ requester.name }} \\1 {% if x %}"

    assert templates.render("{{ ticket.title }}", {"ticket": {"title": title}}, "en") == title
