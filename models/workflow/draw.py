"""A life cycle as a picture: Mermaid text, or an SVG of our own layout. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

from models.kernel import languages
from models.workflow.definition import State, Workflow

_COLOURS = {"todo": "#dbeafe", "waiting": "#fef3c7", "done": "#dcfce7", "closed": "#e5e7eb"}
_BOX_W, _BOX_H, _GAP_Y, _MARGIN, _ROW, _LANE, _LABEL_W = 190, 48, 18, 30, 17, 12, 175
_TEXT_CHARS_MAX = 28  # of a label in the picture; the whole is its title
# People's and automatic moves: marker, colour, dashes.
_STYLES = {False: ("hand", "#334155", ""), True: ("auto", "#7c3aed", ' stroke-dasharray="5 4"')}


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from a state to another. `automatic`: taken by a reaction, with its event as label."""

    start: str
    end: str
    label: str
    automatic: bool


def edges(workflow: Workflow, language: str) -> list[Edge]:
    """List every way between states, manual and automatic; a transition from "any" starts in every state."""
    found = [
        edge
        for name in workflow.transitions
        for state in workflow.states
        if workflow.transitions[name].starts_in(state)
        for edge in _edges_of(workflow, name, state, language)
    ]
    return list(dict.fromkeys(found))


def _edges_of(workflow: Workflow, name: str, state: str, language: str) -> Iterator[Edge]:
    """The manual edge of a transition from one state, if people may take it, then one edge per
    reaction that takes it.
    """
    transition = workflow.transitions[name]
    reactions = [one for one in workflow.reactions if one.transition == name]
    if not reactions or any(who != "automation" for who in transition.who):
        yield Edge(state, transition.to, _label(transition.label, language), False)
    for reaction in reactions:
        if reaction.in_ is None or state in reaction.in_:
            about = f" {reaction.about}" if reaction.about else ""
            yield Edge(state, transition.to, f"{reaction.event}{about}", True)


def _label(label: Mapping[str, str], language: str) -> str:
    return label[languages.chosen(label, language)]


def mermaid(workflow: Workflow, language: str = "en") -> str:
    """A state diagram in Mermaid's language (https://mermaid.js.org/syntax/stateDiagram.html)."""
    lines = ["stateDiagram-v2"]
    for name, state in workflow.states.items():
        lines.append(f'    state "{_mermaid_text(_label(state.label, language))}" as {name}')
    lines.append(f"    [*] --> {workflow.initial}")
    for edge in edges(workflow, language):
        lines.append(f"    {edge.start} --> {edge.end} : {'⚙ ' if edge.automatic else ''}{_mermaid_text(edge.label)}")
    lines.extend(f"    {name} --> [*]" for name, state in workflow.states.items() if state.category == "closed")
    for category, colour in _COLOURS.items():
        lines.append(f"    classDef {category} fill:{colour}")
    for name, state in workflow.states.items():
        lines.append(f"    class {name} {state.category}")
    return "\n".join(lines) + "\n"


def _mermaid_text(text: str) -> str:
    return text.replace('"', "'").replace(":", " ").replace(";", ",")


def layers(workflow: Workflow) -> list[list[str]]:
    """Group the states by their distance from the initial one, in transitions; unreachable states come last."""
    ways = {(edge.start, edge.end) for edge in edges(workflow, "en")}
    found, left = [[workflow.initial]], [state for state in workflow.states if state != workflow.initial]
    while following := [state for state in left if any((before, state) in ways for before in found[-1])]:
        found.append(following)
        left = [state for state in left if state not in following]
    return [*found, left] if left else found


def svg(workflow: Workflow, language: str = "en") -> str:
    """Draw the life cycle as a self-contained SVG, like a wiring diagram: forward transitions on the right, backward
    ones on the left.

    Solid lines are people's transitions, dashed lines automatic ones with their event. Transitions between the same
    states share a line.
    """
    order = [state for column in layers(workflow) for state in column]
    wires = _wires(workflow, language, order)
    boxes, height = _boxes(order, wires)
    lanes = {side: _lanes([wire for wire in wires if wire.ahead is side], boxes) for side in (True, False)}
    widths = {side: _LABEL_W + (1 + max(lanes[side].values(), default=0)) * _LANE for side in (True, False)}
    left = _MARGIN + widths[False]
    width, total = left + _BOX_W + widths[True] + _MARGIN, height + _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{total}" viewBox="0 0 {width} {total}"'
        ' font-family="sans-serif" font-size="11">',
        "<defs>" + "".join(_marker(kind, colour) for kind, colour, _ in _STYLES.values()) + "</defs>",
        f'<rect width="{width}" height="{total}" fill="#ffffff"/>',
        f'<text x="{_MARGIN}" y="{_MARGIN}" font-size="18" font-weight="bold">{escape(_label(workflow.label, language))}</text>',
    ]
    ports: dict[tuple[str, bool], int] = {}
    for wire in wires:
        parts.append(_drawn(wire, boxes, ports, left, lanes[wire.ahead][wire]))
    parts.extend(
        _box(name, workflow.states[name], left, *boxes[name], language, first=name == workflow.initial)
        for name in order
    )
    return "\n".join([*parts, "</svg>"]) + "\n"


@dataclass(frozen=True, slots=True)
class _Wire:
    """All transitions of one kind from a state to another. `ahead`: the other state is drawn below."""

    start: str
    end: str
    labels: tuple[str, ...]
    automatic: bool
    ahead: bool


def _wires(workflow: Workflow, language: str, order: list[str]) -> list[_Wire]:
    together: dict[tuple[str, str, bool], list[str]] = {}
    for edge in edges(workflow, language):
        together.setdefault((edge.start, edge.end, edge.automatic), []).append(edge.label)
    rank = {state: number for number, state in enumerate(order)}
    found = [
        _Wire(start, end, tuple(labels), automatic, rank[end] > rank[start])
        for (start, end, automatic), labels in together.items()
    ]
    return sorted(found, key=lambda wire: (rank[wire.start], abs(rank[wire.end] - rank[wire.start]), wire.automatic))


def _boxes(order: list[str], wires: list[_Wire]) -> tuple[dict[str, tuple[int, int]], int]:
    """Top and height of each state's box: one row for each wire that leaves or enters on its busier side."""
    found, y = {}, _MARGIN + 30
    for state in order:
        busy = max(
            sum(wire.ahead is side for wire in wires if state in (wire.start, wire.end)) for side in (True, False)
        )
        height = max(_BOX_H, busy * _ROW + 14)
        found[state] = (y, height)
        y += height + _GAP_Y
    return found, y


def _lanes(wires: list[_Wire], boxes: dict[str, tuple[int, int]]) -> dict[_Wire, int]:
    """A lane for each wire, so that two that pass each other do not lie on one line; short ones stay near the boxes."""
    spans: list[list[tuple[int, int]]] = []
    found: dict[_Wire, int] = {}
    for wire in sorted(wires, key=lambda one: abs(boxes[one.end][0] - boxes[one.start][0])):
        low, high = sorted((boxes[wire.start][0], boxes[wire.end][0]))
        high += boxes[wire.end if wire.ahead else wire.start][1]
        lane = next((n for n, taken in enumerate(spans) if all(b < low or high < a for a, b in taken)), len(spans))
        if lane == len(spans):
            spans.append([])
        spans[lane].append((low, high))
        found[wire] = lane
    return found


def _marker(kind: str, colour: str) -> str:
    return (
        f'<marker id="{kind}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0L8 4L0 8z" fill="{colour}"/></marker>'
    )


def _drawn(
    wire: _Wire, boxes: dict[str, tuple[int, int]], ports: dict[tuple[str, bool], int], left: int, lane: int
) -> str:
    """Draw a line out of the box, along its lane, into the other box, with the label on the first segment."""
    kind, colour, dash = _STYLES[wire.automatic]
    ends = []
    for state in (wire.start, wire.end):
        port = ports.get((state, wire.ahead), 0)
        ports[state, wire.ahead] = port + 1
        ends.append(boxes[state][0] + 16 + port * _ROW)
    side, away = (left + _BOX_W, 1) if wire.ahead else (left, -1)
    turn = side + away * (_LABEL_W + lane * _LANE)
    path = f"M{side} {ends[0]}H{turn - away * 6}Q{turn} {ends[0]} {turn} {ends[0] + away * 6}V{ends[1] - away * 6}"
    path += f"Q{turn} {ends[1]} {turn - away * 6} {ends[1]}H{side}"
    anchor = "start" if wire.ahead else "end"
    whole = " / ".join(wire.labels)
    return (
        f'<path d="{path}" fill="none" stroke="{colour}"{dash} marker-end="url(#{kind})"/>'
        f'<text x="{side + away * 6}" y="{ends[0] - 3}" text-anchor="{anchor}" fill="{colour}"><title>{escape(whole)}</title>'
        f"{escape(_cut(whole))}</text>"
    )


def _box(name: str, state: State, x: int, y: int, height: int, language: str, *, first: bool) -> str:
    middle = x + _BOX_W // 2
    return (
        f'<g><rect x="{x}" y="{y}" width="{_BOX_W}" height="{height}" rx="10" fill="{_COLOURS[state.category]}" stroke="#334155"'
        f' stroke-width="{3 if first else 1.2}"/><text x="{middle}" y="{y + height // 2 - 2}" text-anchor="middle" font-size="13"'
        f' font-weight="bold">{escape(_cut(_label(state.label, language)))}</text>'
        f'<text x="{middle}" y="{y + height // 2 + 14}" text-anchor="middle" fill="#64748b">{escape(name)}</text></g>'
    )


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT_CHARS_MAX else text[: _TEXT_CHARS_MAX - 1] + "…"
