"""Our front of CEL: what it refuses and where, that it agrees with the library, what is always true or never."""

from __future__ import annotations

from typing import Any

import cel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.expressions import checker, conditions, parser, parts, truth
from models.expressions.parser import ExpressionError
from models.expressions.tree import Binary, Choice, ListOf, Literal, Member, Name, Node, Unary
from models.expressions.types import DOUBLE, Record
from models.workflow.view import ENVIRONMENT, describe, environment


@pytest.mark.parametrize(
    "text",
    [
        'ticket.priority == "high" && !ticket.assigned',
        'ticket.tags.exists(t, t == "vip") || size(ticket.tags) > 3',
        'now - ticket.created_at > duration("72h")',
        "has(event.payload.host) && event.payload.host != null",
        'ticket.title.matches("^re:") || ticket.title.startsWith("x")',
        'actor.role in ["agent", "manager"] && "it" in actor.teams',
        "ticket.number % 2 == 0 ? ticket.assigned : true",
        'fields["amount"].amount > 100 && fields.amount.amount / 2 > 1.5',
        "ticket.tags.filter(t, t != 'x').all(t, size(t) > 1)",
    ],
)
def test_what_people_write_is_fine_and_the_library_compiles_it(text: str) -> None:
    assert checker.check(text, ENVIRONMENT) == []
    cel.compile(text)


@pytest.mark.parametrize(
    ("text", "offset", "told"),
    [
        ("ticket.", 7, "expected a name after the point, found the end"),
        ("a &&", 4, "expected a value, found the end"),
        ("ticket.assigned)", 15, "expected an operator or the end, found ')'"),
        ('ticket.title == "x', 16, "expected a name, a value or an operator"),
        ("ticket.asigned", 0, "unknown name asigned; did you mean assigned?"),
        ("tickt.assigned", 0, "unknown name tickt; did you mean ticket?"),
        ("true && ticket.number", 8, "&& expects bool on both sides, found int"),
        ("ticket.number", 0, "expected bool, found int"),
        ("ticket.number == 'x'", 0, "int and string are never equal"),
        ("ticket.title > 3", 0, "> cannot compare string with int"),
        ("ticket.title + 3 == 'x'", 0, "+ cannot take string and int"),
        ("!ticket.title", 1, "! expects bool, found string"),
        ("3 in ticket.tags", 0, "int is never in list(string)"),
        ("len(ticket.tags) > 1", 0, "unknown function len"),
        ('duration("3 days") > duration("1h")', 9, "expected a duration such as 72h"),
        ("ticket.title.matches(ticket.team)", 0, "matches expects a pattern in quotes"),
        ("ticket.tags.exists(true)", 0, "exists expects a name and an expression"),
        ("ticket.tags.all(a, ticket.tags.all(b, ticket.tags.all(c, a == b && b == c)))", 0, "too many nested loops"),
        ("(" * 60 + "true" + ")" * 60, 40, "expected at most 40 levels of nesting"),
        ("!" * 60 + "true", 39, "expected at most 40 levels of nesting"),
        ("99999999999999999999 == 1", 0, "at most 63 bits"),
        ("fields.sevrity == 'x'", 0, "unknown name sevrity; did you mean severity?"),
    ],
)
def test_what_is_wrong_is_reported_with_its_place(text: str, offset: int, told: str) -> None:
    names = environment(Record({"severity": DOUBLE})) if "sevrity" in text else ENVIRONMENT
    [problem, *_] = checker.check(text, names)

    assert problem.offset == offset
    assert told in problem.message


@given(st.text(max_size=60) | st.text(alphabet="ab.&|!()[]{}'\"<>=+-*/%?:,0123 in", max_size=60))
@settings(max_examples=400, deadline=None)
def test_no_text_makes_it_raise_anything_but_its_own_error(text: str) -> None:
    assert isinstance(checker.check(text, ENVIRONMENT), list)
    assert isinstance(truth.truth(text, {}), bool | None)
    assert parts.conjuncts(text)


# -- the library agrees with the tree ---------------------------------------------------------------------------

NAMES: dict[str, Any] = {"a": True, "b": False, "n": 3, "m": -2, "s": "x", "l": ["x", "y"], "r": {"k": 5}}
numbers: st.SearchStrategy[str] = st.deferred(
    lambda: (
        st.sampled_from(["n", "m", "r.k", "0", "1", "7"])
        | st.builds("({} {} {})".format, numbers, st.sampled_from(["+", "-", "*"]), numbers)
        | st.builds("-{}".format, st.sampled_from(["n", "m"]))
    )
)
booleans: st.SearchStrategy[str] = st.deferred(
    lambda: (
        st.sampled_from(["a", "b", "true", "false", "s in l", "'z' in ['z', s]"])
        | st.builds("{} {} {}".format, numbers, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), numbers)
        | st.builds("({} {} {})".format, booleans, st.sampled_from(["&&", "||"]), booleans)
        | st.builds("!({})".format, booleans)
        | st.builds("({} ? {} : {})".format, booleans, booleans, booleans)
    )
)


def evaluate(node: Node) -> Any:
    """The plainest reading of our tree."""
    match node:
        case Literal(value=value):
            return value
        case Name(name=name):
            return NAMES[name]
        case Member(of=of, name=name):
            return evaluate(of)[name]
        case ListOf(items=items):
            return [evaluate(item) for item in items]
        case Unary(operator="!", operand=operand):
            return not evaluate(operand)
        case Unary(operand=operand):
            return -evaluate(operand)
        case Choice(condition=condition, yes=yes, no=no):
            return evaluate(yes if evaluate(condition) else no)
        case Binary(operator=operator, left=left, right=right):
            a, b = evaluate(left), evaluate(right)
            computed: dict[str, Any] = {
                "&&": lambda: a and b,
                "||": lambda: a or b,
                "==": lambda: a == b,
                "!=": lambda: a != b,
                "<": lambda: a < b,
                "<=": lambda: a <= b,
                ">": lambda: a > b,
                ">=": lambda: a >= b,
                "+": lambda: a + b,
                "-": lambda: a - b,
                "*": lambda: a * b,
                "in": lambda: a in b,
            }
            return computed[operator]()
    raise AssertionError(node)


@given(booleans)
@settings(max_examples=300, deadline=None)
def test_our_tree_means_what_the_library_computes(text: str) -> None:
    try:
        tree = parser.parse(text)
    except ExpressionError:
        return  # nested deeper than we allow

    assert evaluate(tree) == cel.compile(text).execute(NAMES)


@given(booleans)
@settings(max_examples=300, deadline=None)
def test_what_we_call_always_true_or_never_is_so(text: str) -> None:
    said = truth.truth(text, {})

    if said is not None:
        assert cel.compile(text).execute(NAMES) is said


DOMAINS = {"p": ("low", "high"), "x": tuple(range(5))}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('p == "hgih"', False),
        ('p == "low" || p == "high"', True),
        ('p == "low" && p == "high"', False),
        ('p != "low"', None),
        ("n > 5 && n < 3", False),
        ("n > 5 || n <= 5", True),
        ("n > 5 && n < 7", None),
        ("a || !a", True),
        ("a && !a", False),
        ("size(l) >= 0", True),
        ("size(l) < 0", False),
        ("1 < 2", True),
        ("x < 9", True),
        ("x > 4", False),
        ("x in [1, 2]", None),
        ('p in ["mid"]', False),
        ("a == true || a == false", True),
        ("f(x) || !f(x)", True),
        ('!(p == "low" || p == "high")', False),
        ("n == 3 && n > 4", False),
        ("3 < n && n < 3", False),
        ("true", True),
        ("broken (", None),
    ],
)
def test_what_can_be_decided_is_and_the_rest_is_left_open(text: str, said: bool | None) -> None:
    assert truth.truth(text, DOMAINS) is said


def test_a_condition_comes_apart_at_its_ands_and_names_what_it_reads() -> None:
    text = '(ticket.assigned || fields["a"] > 2) && ticket.tags.exists(t, t == requester.name) && event.count < 3'

    assert parts.conjuncts(text) == [
        '(ticket.assigned || fields["a"] > 2)',
        "ticket.tags.exists(t, t == requester.name)",
        "event.count < 3",
    ]
    assert parts.reads(text) == [
        "ticket.assigned",
        "fields.a",
        "ticket.tags",
        "requester.name",
        "event.count",
    ]


def test_an_explanation_names_what_failed_and_what_it_saw() -> None:
    names = {"ticket": {"priority": "low", "title": "x" * 500, "tags": []}, "event": {"count": 1}}

    found = conditions.explain('ticket.priority == "high" && event.count == 1 && ticket.title != ""', names)

    assert (found.result, found.failed) == (False, ('ticket.priority == "high"',))
    assert found.values["event.count"] == 1
    assert len(found.values["ticket.title"]) == conditions.value_chars_max


def test_a_condition_that_cannot_be_evaluated_says_why() -> None:
    found = conditions.explain("fields.floor > 2", {"fields": {}})

    assert (found.result, found.error, found.failed) == (None, "there is no floor", ("fields.floor > 2",))


def test_everything_that_conditions_may_read_is_documented() -> None:
    told = {path for path, _, text in describe() if text}

    for name, type_ in ENVIRONMENT.items():
        assert name in told or all(f"{name}.{key}" in told for key in type_.fields)  # type: ignore[union-attr]  # records
