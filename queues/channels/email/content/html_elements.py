"""The open elements and the active formatting elements of the HTML standard (section 13.2.4), to count depth.

The model is only as exact as depth needs. Where the standard rearranges misnested tags, an element counts as open until
its parent closes.
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
# Also inside SVG, which they end.
_ALWAYS_VOID = frozenset(["br", "embed", "hr", "img", "meta"])
_ITEMS = {"li": frozenset(["li"]), "dd": frozenset(["dd", "dt"]), "dt": frozenset(["dd", "dt"])}
_PASSED_BY_ITEMS = frozenset(["address", "div", "p"])
# tbody, tr and td are not counted one by one.
_TABLE_LEVELS = 3
# Equal formatting elements that stay active: the standard's "Noah's Ark clause".
_ALIKE_MAX = 3


@dataclass(slots=True, eq=False)
class _Element:
    """An element with its start tag."""

    name: str
    tag: str
    is_open: bool = True


def _barriers_of(name: str) -> frozenset[str]:
    """Return the elements that an end tag of this name does not cross."""
    if name == "li":
        return _LIST_BARRIERS
    return _BARRIERS if name in _BLOCKS else _SPECIAL


class Elements:
    """The stack of open elements; `depth` is never less than a browser's."""

    def __init__(self) -> None:
        self._stack: list[_Element] = []
        self._names: dict[str, int] = {}
        # None marks the beginning of a cell, which formatting does not leave.
        self._active: list[_Element | None] = []
        # Whether some active formatting is not open.
        self._waiting = False

    @property
    def depth(self) -> int:
        return len(self._stack) + _TABLE_LEVELS * self._names.get("table", 0)

    def count_strictly(self, name: str) -> None:
        """Count a tag where the standard has special rules: only the last open element can be closed."""
        if not name.startswith("/"):
            if name not in _ALWAYS_VOID:
                self._push(_Element(name, ""))
        elif self._stack and self._stack[-1].name == name[1:]:
            self._pop()

    def text(self) -> None:
        """Open the formatting again that ended with its parent; text needs it."""
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
        """Count a start tag."""
        if name in TABLE_PARTS:
            self._open_table_part(name, tag)
            return
        self._close_before(name)
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

    def _close_before(self, name: str) -> None:
        """Close the elements that a start tag ends."""
        if name in _ITEMS:
            self._close_item(_ITEMS[name])
        if name in _ENDS_PARAGRAPH and self._reaches(frozenset(["p"]), _BARRIERS):
            self._pop_to(frozenset(["p"]))
        if name == "a":
            self._close_formatting("a")
        if name == "option" and self._stack and self._stack[-1].name == name:
            self._pop()

    def close(self, name: str) -> None:
        """Count an end tag."""
        if name in TABLE_PARTS or name == "table":
            if self._names.get("table"):
                self._pop_to(frozenset(["table"]), keep=name != "table")
        elif name in _FORMATTING:
            self._close_formatting(name)
        else:
            self._close_plain(name)

    def _close_plain(self, name: str) -> None:
        wanted = _HEADINGS if name in _HEADINGS else frozenset([name])
        if not self._reaches(wanted, _barriers_of(name)):
            return
        # A form that is not the last open element is removed alone; its content stays open.
        if name != "form" or self._stack[-1].name == "form":
            self._pop_to(wanted)

    def _open_table_part(self, name: str, tag: str) -> None:
        if self._names.get("table"):
            self._pop_to(frozenset(["table"]), keep=True)
            if name in _CELLS:
                self._push(_Element(name, tag))
                self._active.append(None)

    def _close_formatting(self, name: str) -> None:
        """End the last active element of this name; it stays counted where a block stands above it on the stack."""
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
        """Return True if an open element of these names stands above all barriers."""
        if not any(self._names.get(name) for name in names):
            return False
        for element in reversed(self._stack):
            if element.name in names:
                return True
            if element.name in barriers:
                return False
        return False

    def _pop_to(self, names: frozenset[str], *, keep: bool = False) -> None:
        """Close elements down to the last one of these names, and that one as well unless `keep`."""
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
