"""Open elements and active formatting, as the HTML standard keeps them (13.2.4): what its next tag nests in.

Only as exact as depth needs: where the standard rearranges misnested tags, an element counts as open until its parent
closes.
"""

from __future__ import annotations

from dataclasses import dataclass

TABLE_PARTS = frozenset(["td", "th", "tr", "thead", "tbody", "tfoot", "caption", "colgroup"])
_CELLS = frozenset(["td", "th", "caption"])
_FORMATTING = frozenset(
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"]
)
_HEADINGS = frozenset(["h1", "h2", "h3", "h4", "h5", "h6"])
_BLOCKS = _HEADINGS | frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "center",
        "details",
        "dialog",
        "dir",
        "div",
        "dl",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "header",
        "hgroup",
        "listing",
        "main",
        "menu",
        "nav",
        "ol",
        "p",
        "pre",
        "search",
        "section",
        "summary",
        "ul",
        "li",
        "dd",
        "dt",
    ]
)
_BARRIERS = _CELLS | {"table"}
_ENDS_PARAGRAPH = _BLOCKS | {"table", "form", "hr"}
_LIST_BARRIERS = _BARRIERS | {"ul", "ol"}
_SPECIAL = _BLOCKS | _BARRIERS | {"form"}
_VOID = frozenset(["area", "br", "embed", "image", "img", "input", "keygen", "wbr"])
_ALWAYS_VOID = frozenset(["br", "embed", "hr", "img", "meta"])  # inside SVG, which they end, as well
_ITEMS = {"li": frozenset(["li"]), "dd": frozenset(["dd", "dt"]), "dt": frozenset(["dd", "dt"])}
_PASSED_BY_ITEMS = frozenset(["address", "div", "p"])
_TABLE_LEVELS = 3  # tbody, tr, td, which are not counted one by one
_ALIKE_MAX = 3  # of formatting that comes again: the standard's "Noah's Ark clause"


@dataclass(slots=True, eq=False)
class _Element:
    name: str
    tag: str
    is_open: bool = True


class Elements:
    """The stack of open elements; `depth` is never less than a browser's."""

    def __init__(self) -> None:
        self._stack: list[_Element] = []
        self._names: dict[str, int] = {}
        self._active: list[_Element | None] = []  # None: the begin of a cell, which formatting does not leave
        self._waiting = False  # some active formatting is not open

    @property
    def depth(self) -> int:
        return len(self._stack) + _TABLE_LEVELS * self._names.get("table", 0)

    def count_strictly(self, name: str) -> None:
        """A tag where the standard's rules are odd: only the last opened element can be closed."""
        if not name.startswith("/"):
            if name not in _ALWAYS_VOID:
                self._push(_Element(name, ""))
        elif self._stack and self._stack[-1].name == name[1:]:
            self._pop()

    def text(self) -> None:
        """Text: formatting that its parent closed is opened again here."""
        if not self._waiting:
            return
        again: list[_Element] = []
        for element in reversed(self._active):
            if element is None or element.is_open:
                break
            again.append(element)
        for element in reversed(again):
            element.is_open = True
            self._push(element)
        self._waiting = False

    def open(self, name: str, tag: str) -> None:
        if name in TABLE_PARTS:
            self._open_table_part(name, tag)
            return
        if name in _ITEMS:
            self._close_item(_ITEMS[name])
        if name in _ENDS_PARAGRAPH and self._reaches(frozenset(["p"]), _BARRIERS):
            self._pop_to(frozenset(["p"]))
        if name == "a":
            self._close_formatting("a")
        if name == "option" and self._stack and self._stack[-1].name == name:
            self._pop()
        if name == "hr":
            return
        if name not in _SPECIAL:
            self.text()
        if name in _VOID:
            return
        element = _Element(name, tag)
        self._push(element)
        if name in _FORMATTING:
            self._activate(element)

    def close(self, name: str) -> None:
        wanted = frozenset([name])
        if name in TABLE_PARTS or name == "table":
            if self._names.get("table"):
                self._pop_to(frozenset(["table"]), keep=name != "table")
        elif name in _FORMATTING:
            self._close_formatting(name)
        elif name in _HEADINGS:
            if self._reaches(_HEADINGS, _BARRIERS):
                self._pop_to(_HEADINGS)
        elif name in _BLOCKS:
            if self._reaches(wanted, _LIST_BARRIERS if name == "li" else _BARRIERS):
                self._pop_to(wanted)
        elif self._reaches(wanted, _SPECIAL) and (name != "form" or self._stack[-1].name == "form"):
            self._pop_to(wanted)  # a form that does not stand last is taken out alone; what it holds stays open

    def _open_table_part(self, name: str, tag: str) -> None:
        if self._names.get("table"):
            self._pop_to(frozenset(["table"]), keep=True)
            if name in _CELLS:
                self._push(_Element(name, tag))
                self._active.append(None)

    def _close_formatting(self, name: str) -> None:
        """The last active one of this name ends; where a block stands above it on the stack, it stays counted."""
        index = len(self._active) - 1
        while index >= 0 and (element := self._active[index]) is not None:
            if element.name == name:
                break
            index -= 1
        else:
            if self._reaches(frozenset([name]), _SPECIAL):
                self._pop_to(frozenset([name]))
            return
        del self._active[index]
        if element.is_open and self._reaches(frozenset([name]), _SPECIAL):
            self._pop_to(frozenset([name]))

    def _activate(self, element: _Element) -> None:
        alike = []
        for index in range(len(self._active) - 1, -1, -1):
            other = self._active[index]
            if other is None:
                break
            if other.tag == element.tag:
                alike.append(index)
        if len(alike) >= _ALIKE_MAX:
            del self._active[alike[-1]]
        self._active.append(element)

    def _close_item(self, names: frozenset[str]) -> None:
        for element in reversed(self._stack):
            if element.name in names:
                self._pop_to(names)
                return
            if element.name in _SPECIAL and element.name not in _PASSED_BY_ITEMS:
                return

    def _reaches(self, names: frozenset[str], barriers: frozenset[str]) -> bool:
        """Whether an open element of these names stands above all barriers."""
        if not any(self._names.get(name) for name in names):
            return False
        for element in reversed(self._stack):
            if element.name in names:
                return True
            if element.name in barriers:
                return False
        return False

    def _pop_to(self, names: frozenset[str], *, keep: bool = False) -> None:
        """Close elements until the last one of these names, and that as well unless `keep`."""
        while self._stack[-1].name not in names:
            self._pop()
        if not keep:
            self._pop()

    def _push(self, element: _Element) -> None:
        self._stack.append(element)
        self._names[element.name] = self._names.get(element.name, 0) + 1

    def _pop(self) -> None:
        element = self._stack.pop()
        element.is_open = False
        self._names[element.name] -= 1
        if element.name in _FORMATTING:
            self._waiting = True
        elif element.name in _CELLS:
            while self._active and self._active.pop() is not None:
                pass
