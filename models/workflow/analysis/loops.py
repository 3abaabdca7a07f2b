"""What runs in circles without anybody: reactions that undo each other, and timers without end."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from models.workflow.analysis.chains import CHANGING, Chains, Edge, Node
from models.workflow.analysis.findings import Finding, error, warning
from models.workflow.analysis.subject import Subject

Circle = list[tuple[Node, Edge]]  # each node with the edge that leaves it


def look(subject: Subject) -> Iterator[Finding]:
    chains = Chains(subject)
    told: set[int] = set()
    values = _values(chains)
    for circle in _circles(chains, lambda node, edge: _goes_on(values, node, edge)):
        if not _settles(circle):
            yield _endless(chains, circle)
            told |= {node.index for node, _ in circle}
    for circle in _circles(chains, lambda _, edge: not edge.cause.later and edge.sure):
        if told.isdisjoint(node.index for node, _ in circle):
            yield _set_back(chains, circle)


def _values(chains: Chains) -> dict[tuple[str, str], set[str]]:
    """(event, field) -> the values that effects give it."""
    found: dict[tuple[str, str], set[str]] = {}
    for node in chains.nodes():
        for edge in chains.edges(node):
            if edge.cause.value is not None:
                found.setdefault((edge.cause.event, edge.cause.about), set()).add(edge.cause.value)
    return found


def _goes_on(values: dict[tuple[str, str], set[str]], node: Node, edge: Edge) -> bool:
    """Whether an edge can be gone again and again: a field that only ever becomes one value changes once."""
    cause = edge.cause
    if cause.value in (None, CHANGING):
        return True
    return node.index != edge.to.index and len(values[cause.event, cause.about]) > 1


def _settles(circle: Circle) -> bool:
    """Whether one of its fields is given one value only: after the first round it changes no more."""
    seen: dict[tuple[str, str], set[str]] = {}
    for _, edge in circle:
        if edge.cause.value is not None:
            seen.setdefault((edge.cause.event, edge.cause.about), set()).add(edge.cause.value)
    return any(len(found) == 1 and CHANGING not in found for found in seen.values())


def _names(chains: Chains, circle: Circle) -> str:
    names = list(dict.fromkeys(chains.reactions[node.index].name for node, _ in circle))
    return " -> ".join([*names, names[0]])


def _endless(chains: Chains, circle: Circle) -> Finding:
    place, names = f".reactions[{min(node.index for node, _ in circle)}]", _names(chains, circle)
    if any(edge.cause.later for _, edge in circle):
        code = "timer_loop"
        message = (
            f"{names} go round for ever without anybody: the ticket never rests, and each round is work and mail; "
            "let a person's event stand between, or use `repeat`, which has a bound"
        )
    else:
        code = "reactions_undo_each_other"
        message = (
            f"{names} cause each other at once, until the engine stops them: the ticket ends anywhere; "
            "let one wait for a person, or narrow its `in`"
        )
    if all(edge.sure for _, edge in circle):
        return error(code, place, message)
    return warning(code, place, f"{message} (if the conditions on the way never end it)")


def _set_back(chains: Chains, circle: Circle) -> Finding:
    """It ends, but what somebody changed is changed back in the same step."""
    last = circle[-1][1].cause
    what = "the assignee" if last.event == "assigned" else last.about
    message = (
        f"{_names(chains, circle)} come back to where they began: what a person makes of {what} is set back at once; "
        "add a condition, or let another event do it"
    )
    return warning("reactions_undo_each_other", f".reactions[{min(node.index for node, _ in circle)}]", message)


def _circles(chains: Chains, counts: Callable[[Node, Edge], bool]) -> Iterator[Circle]:
    """A shortest circle of every knot of the graph, by edges that count."""
    after = {node: [edge for edge in chains.edges(node) if counts(node, edge)] for node in _all(chains)}
    told: set[int] = set()
    for knot in _knots(after):
        inside = set(knot)
        if told.isdisjoint(node.index for node in knot):
            circle = next(filter(None, (_way_back(after, node, inside) for node in sorted(knot))), None)
            if circle is not None:
                told |= {node.index for node in knot}
                yield circle


def _all(chains: Chains) -> list[Node]:
    """Every node that can be come to, those of expired approvals too."""
    found = dict.fromkeys(chains.nodes())
    todo = list(found)
    while todo:
        for edge in chains.edges(todo.pop()):
            if edge.to not in found:
                found[edge.to] = None
                todo.append(edge.to)
    return list(found)


def _way_back(after: dict[Node, list[Edge]], start: Node, inside: set[Node]) -> Circle | None:
    """A shortest way from a node to itself within a knot."""
    came: dict[Node, tuple[Node, Edge]] = {}
    todo = deque([start])
    while todo:
        node = todo.popleft()
        for edge in after[node]:
            if edge.to not in inside or edge.to in came:
                continue
            came[edge.to] = (node, edge)
            if edge.to == start:
                way, at = [came[start]], came[start][0]
                while at != start:
                    way.append(came[at])
                    at = came[at][0]
                return way[::-1]
            todo.append(edge.to)
    return None


def _knots(after: dict[Node, list[Edge]]) -> Iterator[list[Node]]:
    """Tarjan's strongly connected components, without recursion; single nodes only where they lead to themselves."""
    number: dict[Node, int] = {}
    low: dict[Node, int] = {}
    stack: list[Node] = []
    standing: set[Node] = set()
    for root in after:
        if root in number:
            continue
        work = [(root, iter(after[root]))]
        number[root] = low[root] = len(number)
        stack.append(root)
        standing.add(root)
        while work:
            node, edges = work[-1]
            for edge in edges:
                if edge.to not in number:
                    number[edge.to] = low[edge.to] = len(number)
                    stack.append(edge.to)
                    standing.add(edge.to)
                    work.append((edge.to, iter(after[edge.to])))
                    break
                if edge.to in standing:
                    low[node] = min(low[node], number[edge.to])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    knot = [stack.pop()]
                    while knot[-1] != node:
                        knot.append(stack.pop())
                    standing.difference_update(knot)
                    if len(knot) > 1 or any(edge.to == node for edge in after[node]):
                        yield knot
