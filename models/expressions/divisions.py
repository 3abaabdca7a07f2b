"""Divisions by a field that the expression does not compare with anything: an empty field or a zero makes the rule
fail.
"""

from __future__ import annotations

from models.expressions.parser import ExpressionError, parse
from models.expressions.tree import Binary, Node, children, path_of

_COMPARISONS = frozenset(["==", "!=", "<", "<=", ">", ">="])
_FIELDS = ("fields.", "ticket.fields.")


def unguarded(source: str) -> list[str]:
    """Return the paths of such fields, in the order of the text, each once; none for what is no expression of ours."""
    try:
        stack: list[Node] = [parse(source)]
    except ExpressionError:
        return []
    divisors: dict[str, int] = {}
    compared: set[str] = set()
    while stack:
        node = stack.pop()
        stack.extend(children(node))
        if not isinstance(node, Binary):
            continue
        paths = {side: path_of(side) for side in (node.left, node.right)}
        if node.operator in _COMPARISONS:
            compared |= {path for path in paths.values() if path is not None}
        elif node.operator in ("/", "%") and (path := paths[node.right]) is not None and path.startswith(_FIELDS):
            divisors.setdefault(path, node.right.at)
    return sorted(divisors.keys() - compared, key=divisors.__getitem__)
