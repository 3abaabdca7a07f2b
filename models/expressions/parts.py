"""The parts of a condition: its operands of &&, and the paths that it reads."""

from __future__ import annotations

from models.expressions.parser import MACROS, ExpressionError, parse
from models.expressions.tree import Binary, Call, Name, Node, children, path_of


def conjuncts(source: str) -> list[str]:
    """Return the texts between the && of the top level; the whole text when it is no expression of ours."""
    try:
        tree = parse(source)
    except ExpressionError:
        return [source]
    found: list[str] = []

    def split(node: Node) -> None:
        if isinstance(node, Binary) and node.operator == "&&":
            split(node.left)
            split(node.right)
        else:
            found.append(source[node.at : node.end])

    split(tree)
    return found


def is_expression(source: str) -> bool:
    """Return True if the parser accepts the text."""
    try:
        parse(source)
    except ExpressionError:
        return False
    return True


def reads(source: str) -> list[str]:
    """Return the dotted paths that an expression reads, in the order of the text, each once."""
    try:
        tree = parse(source)
    except ExpressionError:
        return []
    found: dict[str, None] = {}
    _collect(tree, frozenset(), found)
    return list(found)


def _collect(node: Node, bound: frozenset[str], found: dict[str, None]) -> None:
    path = path_of(node)
    if path is not None:
        if path.partition(".")[0] not in bound:
            found[path] = None
        return
    if isinstance(node, Call) and node.of is not None and node.name in MACROS and node.arguments:
        _collect(node.of, bound, found)
        variable = node.arguments[0]
        inner = bound | ({variable.name} if isinstance(variable, Name) else set())
        for argument in node.arguments[1:]:
            _collect(argument, inner, found)
        return
    for child in children(node):
        _collect(child, bound, found)
