"""Message texts with variables: a small, sandboxed part of Jinja2.

Allowed are `{{ path }}`, `{{ path | filter }}` and `{% if %}` over paths and constants. The check of a definition
refuses everything else, by the parsed tree and not by the text. Values are data: a title with braces in it is never
read as a template.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from models.definitions.desk import Label
from models.expressions.durations import words
from models.kernel import imports
from models.workflow.local_forms import LocalForms

if TYPE_CHECKING:
    import jinja2  # cold start: loaded at the first template

LIBRARY = ("jinja2", "jinja2.sandbox")  # loaded at first use

text_chars_max = 20_000  # of a template, and of what it gives: the longest mail that a life cycle should write

# Path -> what it is. `fields.<name>` comes from the information model.
VARIABLES: dict[str, str] = {
    "ticket.number": "the number that people say",
    "ticket.title": "the subject",
    "ticket.type": "the ticket type",
    "ticket.priority": "the priority",
    "ticket.state_label": "the state as the requester reads it, in the text's language",
    "ticket.team": "the team, or nothing",
    "ticket.created_at": "when it was opened; use the filter date or datetime",
    "requester.name": "who asks",
    "requester.locale": "the requester's language",
    "assignee.name": "who is responsible, or nothing",
    "desk.url": "the desk's address",
    "desk.name": "the desk's name",
    "rating.url": "the link by which the requester rates (ask_rating only)",
    "event.type": "what happened",
    "event.name": "the timer, signal, field or target that it is about",
    "event.before": "the value before (field_changed)",
    "event.after": "the value after (field_changed)",
}
FILTERS = ("default", "upper", "lower", "trim", "date", "datetime", "money", "duration", "truncate")


# For parsing: the forms do not matter there.
_ANY = LocalForms.of("en")


class TemplateError(Exception):
    """The template cannot be rendered with these values."""


class _EmptyNumber(float):
    """A number that has no value: empty in a text, 0 in a comparison, as in conditions."""

    def __str__(self) -> str:
        return ""


EMPTY_NUMBER = _EmptyNumber(0.0)


@dataclass(frozen=True, slots=True)
class TemplateProblem:
    """One problem of a template, with its place in the text (from 1; 0: unknown)."""

    line: int
    column: int
    message: str


def problems(text: str, fields: set[str] | None, *, known: Mapping[str, str] = VARIABLES) -> list[TemplateProblem]:
    """Return everything that keeps a text from being used.

    `fields`: the names that `fields.` may be followed by; None: any. `known`: the other variables.
    """
    if len(text) > text_chars_max:
        return [TemplateProblem(0, 0, f"expected at most {text_chars_max} characters, found {len(text)}")]
    imports.load(*LIBRARY)
    import jinja2  # cold start: loaded at the first template

    try:
        tree = _environment(_ANY).parse(text)
    except jinja2.TemplateSyntaxError as error:
        return [TemplateProblem(error.lineno or 0, 0, f"not a template: {error.message}")]
    except RecursionError:
        return [TemplateProblem(0, 0, "expected fewer levels of nesting")]
    return list(_wrong(tree, fields, known)) or list(_empty(tree))


def _empty(tree: Any) -> Iterator[TemplateProblem]:
    """Find a template that renders to nothing, whatever its variables are."""
    if not _gives_text(tree.body):
        yield TemplateProblem(0, 0, "expected a text or a variable: the template renders to nothing")


def _gives_text(nodes: list[Any]) -> bool:
    """Return True if one of the nodes can give a text: a variable can, white space cannot."""
    n = imports.load("jinja2.nodes")  # cold start: loaded at the first template

    for node in nodes:
        match node:
            case n.Output():
                found = _gives_text(node.nodes)
            case n.If(test=n.Const(value=value)):
                found = _gives_text(node.body if value else [*node.elif_, *node.else_])
            case n.If():
                found = _gives_text([*node.body, *node.elif_, *node.else_])
            case n.TemplateData():
                found = bool(node.data.strip())
            case n.Const():
                found = bool(str(node.value).strip())
            case _:
                found = True
        if found:
            return True
    return False


def _wrong(node: Any, fields: set[str] | None, known: Mapping[str, str]) -> Iterator[TemplateProblem]:
    n = imports.load("jinja2.nodes")  # cold start: loaded at the first template

    allowed = (
        n.Template,
        n.Output,
        n.TemplateData,
        n.If,
        n.Compare,
        n.Operand,
        n.And,
        n.Or,
        n.Not,
        n.Const,
        n.Name,
        n.Getattr,
        n.Filter,
        n.List,
        n.Tuple,
    )
    stack: list[Any] = [node]
    while stack:
        one = stack.pop()
        line = getattr(one, "lineno", 0)
        if not isinstance(one, allowed):
            what = type(one).__name__.lower()
            yield TemplateProblem(line, 0, f"{what} is not allowed; there are variables, filters and {{% if %}}")
            continue
        if isinstance(one, n.Name | n.Getattr):
            yield from _wrong_path(one, line, fields, known)
            continue
        if isinstance(one, n.Filter) and one.name not in FILTERS:
            yield TemplateProblem(line, 0, f"unknown filter {one.name!r}; there are {', '.join(FILTERS)}")
        stack.extend(reversed(list(one.iter_child_nodes())))


def _wrong_path(node: Any, line: int, fields: set[str] | None, known: Mapping[str, str]) -> Iterator[TemplateProblem]:
    path = _path(node)
    if path is None:
        yield TemplateProblem(line, 0, "expected a variable such as ticket.number")
        return
    root, _, rest = path.partition(".")
    if root == "fields" and rest and "_" not in {part[:1] for part in rest.split(".")}:
        name = rest.partition(".")[0]
        if fields is not None and name not in fields:
            yield TemplateProblem(line, 0, f"unknown variable {path!r}{_meant(name, fields)}")
    elif path not in known:
        yield TemplateProblem(line, 0, f"unknown variable {path!r}{_meant(path, known)}")


def _path(node: Any) -> str | None:
    n = imports.load("jinja2.nodes")  # cold start: loaded at the first template

    if isinstance(node, n.Name):
        return str(node.name)
    if isinstance(node, n.Getattr):
        of = _path(node.node)
        return f"{of}.{node.attr}" if of is not None else None
    return None


def _meant(name: str, known: Mapping[str, str] | set[str]) -> str:
    close = get_close_matches(name, sorted(known), n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(sorted(known)[:20])}"


def reads(text: str) -> list[str]:
    """The paths that a text uses, each once; empty for what is no template."""
    imports.load(*LIBRARY)
    import jinja2  # cold start: loaded at the first template

    n = imports.load("jinja2.nodes")

    try:
        tree = _environment(_ANY).parse(text)
    except jinja2.TemplateSyntaxError:
        return []
    found: dict[str, None] = {}
    stack: list[Any] = [tree]
    while stack:
        one = stack.pop()
        if isinstance(one, n.Name | n.Getattr) and (path := _path(one)) is not None:
            found[path] = None
        else:
            stack.extend(reversed(list(one.iter_child_nodes())))
    return list(found)


def render(
    text: str,
    values: Mapping[str, Any],
    language: str,
    *,
    zone: str = "UTC",
    words: Mapping[str, Label] | None = None,
) -> str:
    """Return the text with its variables filled in; a value that is missing is empty.

    `values`: nested by the paths' parts. `language`, `zone`: of dates and numbers. `words`: the desk's own `yes` and
    `no`, by language. Raises TemplateError when a comparison or a filter does not fit a value, such as
    `event.before > 5` for a text.
    """
    template = _compiled(text, LocalForms.of(language, zone, words))
    try:
        made = template.render(values)
    except (
        TypeError,
        ValueError,
        LookupError,
        ArithmeticError,
        AttributeError,
        RuntimeError,
        MemoryError,
    ) as error:
        raise TemplateError(" ".join(str(error).split()) or type(error).__name__) from error
    made = "".join(c for c in made if c.isprintable() or c in "\n\t\u00a0")
    return made[:text_chars_max]


@lru_cache(maxsize=1024)
def _compiled(text: str, forms: LocalForms) -> jinja2.Template:
    return _environment(forms).from_string(text)


@lru_cache(maxsize=64)
def _environment(forms: LocalForms) -> jinja2.Environment:
    imports.load(*LIBRARY)
    import jinja2  # cold start: loaded at the first template
    import jinja2.sandbox  # cold start: loaded at the first template

    class ValuesOnly(jinja2.sandbox.ImmutableSandboxedEnvironment):
        """A path leads through the members of the values, never to an attribute of a Python object."""

        def getattr(self, obj: Any, attribute: str) -> Any:
            if isinstance(obj, jinja2.Undefined):
                return obj
            if isinstance(obj, Mapping) and attribute in obj:
                return obj[attribute]
            return self.undefined(obj=obj, name=attribute)

        def getitem(self, obj: Any, argument: Any) -> Any:
            """The check of a definition refuses subscripts; Jinja2's own would find attributes by them as well."""
            return self.getattr(obj, argument) if isinstance(argument, str) else self.undefined(obj=obj, name=argument)

    environment = ValuesOnly(undefined=jinja2.ChainableUndefined, keep_trailing_newline=True)
    environment.globals.clear()
    environment.tests.clear()
    default = environment.filters["default"]
    environment.filters.clear()
    environment.filters |= {
        "default": default,
        "upper": lambda value: str(forms.shown(value)).upper(),
        "lower": lambda value: str(forms.shown(value)).lower(),
        "trim": lambda value: str(forms.shown(value)).strip(),
        "truncate": lambda value, length=80: _truncated(forms.shown(value), length),
        "date": forms.date,
        "datetime": lambda value: forms.date(value, with_time=True),
        "money": forms.money,
        "duration": _duration,
    }
    environment.finalize = forms.shown
    return environment


def _truncated(value: Any, length: Any = 80) -> str:
    text = str(value)
    bound = length if isinstance(length, int) and 1 <= length <= text_chars_max else 80
    return text if len(text) <= bound else text[: bound - 1] + "…"


def _duration(value: Any) -> str:
    return words(value) if isinstance(value, int) and value >= 0 else str(value or "")
