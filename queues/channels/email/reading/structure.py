"""Which parts of a mail are its text, which are the same text once more, and which are files.

Everything is looked at, not only the top level: files stand in `related` inside `alternative` inside `mixed`, and broken senders put
them into `alternative` itself. What is neither text nor its twin is a file, so that nothing is lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from queues.channels.email.reading.header_block import first_value
from queues.channels.email.reading.mime import Part

_TEXT_TYPES = ("text/plain", "text/html")
_TWIN_TYPES = (
    "text/x-amp-html",
    "text/watch-html",
)  # further forms of an alternative; no program shows them as files


@dataclass(slots=True)
class Block:
    """A piece of the mail's text, in its plain form and its HTML form; one of them may be absent."""

    plain: list[Part] = field(default_factory=list)
    html: list[Part] = field(default_factory=list)


@dataclass(slots=True)
class Structure:
    blocks: list[Block] = field(default_factory=list)
    files: list[Part] = field(default_factory=list)


def structure_of(root: Part) -> Structure:
    """Sort the leaves. A mail whose only text has a name but is not marked as a file shows it as text."""
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
        # The first part is for people, the others are for machines.
        _walk(part.children[0], found)
        found.files += [leaf for child in part.children[1:] for leaf in child.leaves()]
    elif part.content_type == "multipart/related":
        _related(part, found)
    else:
        for child in part.children:
            _walk(child, found)


def _alternative(part: Part, found: Structure) -> None:
    block = Block()
    for child in part.children:
        if not child.children and child.content_type in _TWIN_TYPES:
            continue
        if not child.children and child.content_type in _TEXT_TYPES and child.disposition != "attachment":
            (block.html if child.content_type == "text/html" else block.plain).append(child)
            continue
        inner = Structure()
        _walk(child, inner)
        for below in inner.blocks:
            block.plain += below.plain
            block.html += below.html
        found.files += inner.files
    if block.plain or block.html:
        found.blocks.append(block)


def _related(part: Part, found: Structure) -> None:
    """The first part (or the one that `start` names) is shown; a text that it shows by Content-ID is a file of it."""
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
    """The Content-ID without brackets, as `cid:` names it; None without one."""
    value = first_value(part.headers, b"content-id")
    found = "" if value is None else value.decode("latin-1").strip().strip("<>").strip()
    return found or None
