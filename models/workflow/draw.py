"""A life cycle as a picture: Mermaid text, or an SVG of our own layout (columns by distance from the beginning). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape

from models.workflow.definition import State, Workflow

_COLOURS = {"todo": "#dbeafe", "waiting": "#fef3c7", "done": "#dcfce7", "closed": "#e5e7eb"}
_BOX_W, _BOX_H, _GAP_X, _GAP_Y, _MARGIN = 170, 48, 150, 64, 30
_TEXT_CHARS_MAX = 24


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from a state to another. `automatic`: taken by a reaction, with its event as label."""

    start: str
    end: str
    label: str
    automatic: bool


def edges(workflow: Workflow, language: str) -> list[Edge]:
    """Every way between states, people's and automatic ones; those of "any" from every state."""
    found: list[Edge] = []
    for name, transition in workflow.transitions.items():
        reactions = [one for one in workflow.reactions if one.transition == name]
        for state in workflow.states:
            if not transition.starts_in(state):
                continue
            if [who for who in transition.who if who != "automation"] or not reactions:
                found.append(Edge(state, transition.to, _label(transition.label, language), False))
            for reaction in reactions:
                if reaction.in_ is None or state in reaction.in_:
                    about = f" {reaction.about}" if reaction.about else ""
                    found.append(Edge(state, transition.to, f"{reaction.event}{about}", True))
    return list(dict.fromkeys(found))


def _label(label: object, language: str) -> str:
    assert isinstance(label, dict), "labels are mappings of languages"
    return str(label.get(language) or label["en"])


def mermaid(workflow: Workflow, language: str = "en") -> str:
    """A state diagram in Mermaid's language (https://mermaid.js.org/syntax/stateDiagram.html)."""
    lines = ["stateDiagram-v2"]
    for name, state in workflow.states.items():
        lines.append(f'    state "{_mermaid_text(_label(state.label, language))}" as {name}')
    lines.append(f"    [*] --> {workflow.initial}")
    for edge in edges(workflow, language):
        lines.append(
            f"    {edge.start} --> {edge.end} : {'⚙ ' if edge.automatic else ''}{_mermaid_text(edge.label)}"
        )
    lines.extend(
        f"    {name} --> [*]" for name, state in workflow.states.items() if state.category == "closed"
    )
    for category, colour in _COLOURS.items():
        lines.append(f"    classDef {category} fill:{colour}")
    for name, state in workflow.states.items():
        lines.append(f"    class {name} {state.category}")
    return "\n".join(lines) + "\n"


def _mermaid_text(text: str) -> str:
    return text.replace('"', "'").replace(":", " ").replace(";", ",")


def layers(workflow: Workflow) -> list[list[str]]:
    """States in columns: how many moves they are away from the initial one; what cannot be reached stands last."""
    ways = {(edge.start, edge.end) for edge in edges(workflow, "en")}
    found, seen = [[workflow.initial]], {workflow.initial}
    while True:
        following = [s for s in workflow.states if s not in seen and any((b, s) in ways for b in found[-1])]
        if not following:
            break
        found.append(following)
        seen |= set(following)
    rest = [state for state in workflow.states if state not in seen]
    return [*found, *([rest] if rest else [])]


def svg(workflow: Workflow, language: str = "en") -> str:
    """A picture that stands alone. Solid: people's moves; dashed: automatic ones. Moves between the same states share an arrow."""
    columns = layers(workflow)
    places: dict[str, tuple[int, int]] = {}
    height = max(len(column) for column in columns) * (_BOX_H + _GAP_Y)
    for x, column in enumerate(columns):
        top = (height - len(column) * (_BOX_H + _GAP_Y)) // 2
        for y, state in enumerate(column):
            places[state] = (_MARGIN + x * (_BOX_W + _GAP_X), _MARGIN + 70 + top + y * (_BOX_H + _GAP_Y))
    width = 2 * _MARGIN + len(columns) * _BOX_W + (len(columns) - 1) * _GAP_X
    total = height + 2 * _MARGIN + 200
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{total}" viewBox="0 0 {width} {total}"'
        ' font-family="sans-serif" font-size="12">',
        "<defs>"
        + "".join(
            f'<marker id="{kind}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">'
            f'<path d="M0 0L8 4L0 8z" fill="{colour}"/></marker>'
            for kind, colour in (("hand", "#334155"), ("auto", "#7c3aed"))
        )
        + "</defs>",
        f'<rect width="{width}" height="{total}" fill="#ffffff"/>',
        f'<text x="{_MARGIN}" y="{_MARGIN}" font-size="18" font-weight="bold">{escape(_label(workflow.label, language))}</text>',
    ]
    parts.extend(_arrows(workflow, language, places))
    parts.extend(
        _box(name, state, places[name], language, workflow.initial) for name, state in workflow.states.items()
    )
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _box(name: str, state: State, place: tuple[int, int], language: str, initial: str) -> str:
    x, y = place
    stroke = "3" if name == initial else "1.2"
    return (
        f'<g><rect x="{x}" y="{y}" width="{_BOX_W}" height="{_BOX_H}" rx="10" fill="{_COLOURS[state.category]}" stroke="#334155"'
        f' stroke-width="{stroke}"/><text x="{x + _BOX_W // 2}" y="{y + 21}" text-anchor="middle" font-weight="bold">'
        f"{escape(_cut(_label(state.label, language)))}</text>"
        f'<text x="{x + _BOX_W // 2}" y="{y + 38}" text-anchor="middle" fill="#64748b" font-size="10">{escape(name)}</text></g>'
    )


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT_CHARS_MAX else text[: _TEXT_CHARS_MAX - 1] + "…"


def _arrows(workflow: Workflow, language: str, places: dict[str, tuple[int, int]]) -> list[str]:
    together: dict[tuple[str, str, bool], list[str]] = {}
    for edge in edges(workflow, language):
        together.setdefault((edge.start, edge.end, edge.automatic), []).append(edge.label)
    lanes: dict[int, int] = {}
    return [
        _arrow(places[start], places[end], labels, automatic, lanes)
        for (start, end, automatic), labels in together.items()
    ]


def _arrow(
    start: tuple[int, int], end: tuple[int, int], labels: list[str], automatic: bool, lanes: dict[int, int]
) -> str:
    """A curve: forward between neighbours, else over a lane of its own below or above the boxes."""
    colour, dash, kind = (
        ("#7c3aed", ' stroke-dasharray="5 4"', "auto") if automatic else ("#334155", "", "hand")
    )
    shift = 9 if automatic else -9
    forward = end[0] - start[0]
    if forward == _BOX_W + _GAP_X:
        x1, y1 = start[0] + _BOX_W, start[1] + _BOX_H // 2 + shift
        x2, y2 = end[0], end[1] + _BOX_H // 2 + shift
        path = f"M{x1} {y1}C{x1 + 60} {y1} {x2 - 60} {y2} {x2} {y2}"
        tx, ty = (x1 + x2) // 2, (y1 + y2) // 2 - 4
    elif forward == 0:
        down = end[1] > start[1]
        x1 = start[0] + _BOX_W // 2 + (20 if down else -20) + shift
        y1, y2 = (start[1] + _BOX_H, end[1]) if down else (start[1], end[1] + _BOX_H)
        bend = 70 if down else -70
        path = f"M{x1} {y1}C{x1 + bend} {y1 + (y2 - y1) // 3} {x1 + bend} {y2 - (y2 - y1) // 3} {x1} {y2}"
        tx, ty = x1 + bend * 3 // 4, (y1 + y2) // 2
    else:
        back = forward < 0
        lane = lanes.get(back, 0)
        lanes[back] = lane + 1
        x1, x2 = start[0] + _BOX_W // 2 + shift * 2, end[0] + _BOX_W // 2 + shift
        y1, y2 = (start[1] + _BOX_H, end[1] + _BOX_H) if back else (start[1], end[1])
        bow = (max(y1, y2) + 40 + lane * 16) if back else (min(y1, y2) - 36 - lane * 14)
        path = f"M{x1} {y1}C{x1} {bow} {x2} {bow} {x2} {y2}"
        tx, ty = (x1 + x2) // 2, (y1 + y2 + 6 * bow) // 8 - 3
    text = escape(_cut(" / ".join(labels)))
    return (
        f'<path d="{path}" fill="none" stroke="{colour}"{dash} marker-end="url(#{kind})"/>'
        f'<text x="{tx}" y="{ty}" text-anchor="middle" fill="{colour}" font-size="10" paint-order="stroke" stroke="#ffffff"'
        f' stroke-width="3"><title>{escape(" / ".join(labels))}</title>{text}</text>'
    )
