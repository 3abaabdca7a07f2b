"""The tree of a query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Text:
    """A word or a phrase. `stems`: of its words, in order; several must follow each other in one text.

    `beginning`: the plain beginning of a word that is enough. `part`: the text that is also sought in identifiers.
    """

    raw: str
    stems: tuple[str, ...]
    beginning: str | None = None
    part: str | None = None
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator with its values, for instance `state:open,new`."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The tickets that a node does not match."""

    node: Node


@dataclass(frozen=True, slots=True)
class All:
    """The tickets that every node matches."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """The tickets that at least one node matches."""

    nodes: tuple[Node, ...]


Node = Text | Operator | Not | All | Any

EVERYTHING: Final = All(())
NOTHING: Final = Any(())


@dataclass(frozen=True, slots=True)
class Query:
    """A query as it was understood. `ignored`: the pieces without a letter or a digit."""

    node: Node
    ignored: Sequence[str] = ()


def has_text(node: Node) -> bool:
    """Return True if the node contains a word or a phrase."""
    match node:
        case Text():
            return True
        case Not():
            return has_text(node.node)
        case All() | Any():
            return any(has_text(one) for one in node.nodes)
    return False


def has_operator(node: Node) -> bool:
    """Return True if the node contains an operator."""
    match node:
        case Operator():
            return True
        case Not():
            return has_operator(node.node)
        case All() | Any():
            return any(has_operator(one) for one in node.nodes)
    return False


def positive_texts(node: Node) -> list[Text]:
    """Return the words and phrases that a ticket may match, for snippets."""
    match node:
        case Text():
            return [node]
        case All() | Any():
            return [text for one in node.nodes for text in positive_texts(one)]
    return []


def terms(node: Node, *, negated: bool = False) -> Iterator[tuple[Text | Operator, bool]]:
    """Yield the words, phrases and operators in order, each with True if it is excluded."""
    match node:
        case Text() | Operator():
            yield node, negated
        case Not():
            yield from terms(node.node, negated=not negated)
        case All() | Any():
            for one in node.nodes:
                yield from terms(one, negated=negated)


def in_words(node: Node, *, inside: bool = False) -> str:
    """Return the node as a query that means the same."""
    match node:
        case Text():
            if node.quoted:
                return f'"{node.raw}"'
            return f"{node.raw}*" if node.beginning is not None and not node.raw.endswith("*") else node.raw
        case Operator():
            return f"{node.name}:{','.join(map(_quoted, node.values))}"
        case Not():
            return f"-{in_words(node.node, inside=True)}"
        case All() | Any():
            glue = " " if isinstance(node, All) else " OR "
            text = glue.join(in_words(one, inside=True) for one in node.nodes)
            return f"({text})" if inside and len(node.nodes) > 1 else text
    raise AssertionError(node)


def _quoted(value: str) -> str:
    return f'"{value}"' if any(sign in value for sign in ' ,()"') else value
