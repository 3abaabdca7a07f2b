"""The tree of an expression. `at`: offset of its first character, `end`: behind its last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Literal:
    value: Any
    at: int
    end: int


@dataclass(frozen=True, slots=True)
class Name:
    name: str
    at: int
    end: int


@dataclass(frozen=True, slots=True)
class Member:
    """`of.name`"""

    of: Node
    name: str
    at: int
    end: int


@dataclass(frozen=True, slots=True)
class Index:
    """`of[key]`"""

    of: Node
    key: Node
    at: int
    end: int


@dataclass(frozen=True, slots=True)
class Call:
    """`name(arguments)` or `of.name(arguments)`."""

    name: str
    of: Node | None
    arguments: tuple[Node, ...]
    at: int
    end: int


@dataclass(frozen=True, slots=True)
class Unary:
    operator: str
    operand: Node
    at: int
    end: int


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: Node
    right: Node
    at: int
    end: int


@dataclass(frozen=True, slots=True)
class Choice:
    """`condition ? yes : no`"""

    condition: Node
    yes: Node
    no: Node
    at: int
    end: int


@dataclass(frozen=True, slots=True)
class ListOf:
    items: tuple[Node, ...]
    at: int
    end: int


@dataclass(frozen=True, slots=True)
class MapOf:
    entries: tuple[tuple[Node, Node], ...]
    at: int
    end: int


Node = Literal | Name | Member | Index | Call | Unary | Binary | Choice | ListOf | MapOf


def path_of(node: Node) -> str | None:
    """`ticket.fields.amount` for such a chain of members, else None."""
    if isinstance(node, Name):
        return node.name
    if isinstance(node, Member):
        of = path_of(node.of)
        return f"{of}.{node.name}" if of is not None else None
    if isinstance(node, Index) and isinstance(node.key, Literal) and isinstance(node.key.value, str):
        of = path_of(node.of)
        return f"{of}.{node.key.value}" if of is not None else None
    return None


def children(node: Node) -> tuple[Node, ...]:
    """Return the direct parts of a node, in the order of the text."""
    match node:
        case Member(of=of):
            return (of,)
        case Index(of=of, key=key):
            return (of, key)
        case Call(of=target, arguments=arguments):
            return (*((target,) if target is not None else ()), *arguments)
        case Unary(operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return (left, right)
        case Choice(condition=condition, yes=yes, no=no):
            return (condition, yes, no)
        case ListOf(items=items):
            return items
        case MapOf(entries=entries):
            return tuple(part for entry in entries for part in entry)
    return ()
