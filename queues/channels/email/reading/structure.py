"""Sort the parts of a mail into text, other forms of the same text, and files (RFC 2046 section 5.1, RFC 2387).

All levels are read: files stand in `related` inside `alternative` inside `mixed`, and broken senders put them into
`alternative` itself. Each part that is neither text nor another form of it is a file, so that no part is lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from queues.channels.email.reading.header_block import first_value
from queues.channels.email.reading.mime import Part

_TEXT_TYPES = ("text/plain", "text/html")
# Further forms of an alternative; no mail program shows them as files.
_TWIN_TYPES = ("text/x-amp-html", "text/watch-html")


@dataclass(slots=True)
class Block:
    """A piece of the mail's text, in its plain form, its HTML form or both."""

    plain: list[Part] = field(default_factory=list)
    html: list[Part] = field(default_factory=list)


@dataclass(slots=True)
class Structure:
    """The text and the files of a mail."""

    blocks: list[Block] = field(default_factory=list)
    files: list[Part] = field(default_factory=list)


def structure_of(root: Part) -> Structure:
    """Sort the leaves. A text with a file name and no disposition is shown if it is the only text."""
    found = Structure()
    _walk(root, found, is_root=True)
    if not found.blocks:
        named = next((p for p in found.files if p.content_type in _TEXT_TYPES and not p.disposition), None)
        if named is not None:
            found.files.remove(named)
            found.blocks.append(_block(named))
    return found


def _walk(part: Part, found: Structure, *, is_root: bool = False) -> None:
    if not part.children:
        if _is_text(part, is_root=is_root):
            found.blocks.append(_block(part))
        else:
            found.files.append(part)
    elif part.content_type == "multipart/alternative":
        _alternative(part, found)
    elif part.content_type == "multipart/report":
        # RFC 6522: the first part is for people, the others are for machines.
        _walk(part.children[0], found)
        found.files += [leaf for child in part.children[1:] for leaf in child.leaves()]
    elif part.content_type == "multipart/related":
        _related(part, found)
    elif not part.content_type.startswith("multipart/"):
        # Opaque S/MIME is shown by the mail inside, and stays a file for its signature.
        _walk(part.children[0], found)
        found.files.append(part)
    else:
        for child in part.children:
            _walk(child, found)


def _alternative(part: Part, found: Structure) -> None:
    block = Block()
    for child in part.children:
        if not child.children and child.content_type in _TWIN_TYPES:
            continue
        inner = Structure()
        if not child.children and child.content_type in _TEXT_TYPES and child.disposition != "attachment":
            inner.blocks.append(_block(child))
        else:
            _walk(child, inner)
        for below in inner.blocks:
            block.plain += below.plain
            block.html += below.html
        found.files += inner.files
    if block.plain or block.html:
        found.blocks.append(block)


def _related(part: Part, found: Structure) -> None:
    """Show the first part, or the one that `start` names; the other parts with a Content-ID are its files."""
    start = part.parameters.get("start", "").strip("<> ")
    shown = next((c for c in part.children if start and content_id(c) == start), part.children[0])
    for child in part.children:
        if child is not shown and not child.children and content_id(child) is not None:
            found.files.append(child)
        else:
            _walk(child, found)


def _block(part: Part) -> Block:
    return Block(html=[part]) if part.content_type == "text/html" else Block(plain=[part])


def _is_text(part: Part, *, is_root: bool) -> bool:
    if part.content_type not in _TEXT_TYPES or part.disposition == "attachment":
        return False
    return not part.filename or (is_root and not part.disposition)


def content_id(part: Part) -> str | None:
    """Return the Content-ID without brackets, as `cid:` names it (RFC 2392); None if the part has none."""
    value = first_value(part.headers, b"content-id")
    found = "" if value is None else value.decode("latin-1").strip().strip("<>").strip()
    return found or None
