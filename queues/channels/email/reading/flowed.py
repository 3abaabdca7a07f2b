"""format=flowed (RFC 3676): soft line breaks joined, space-stuffing undone, quote marks in one form."""

from __future__ import annotations


def unflowed(text: str, *, delete_space: bool) -> str:
    """The text with its paragraphs whole; quotes stand behind `> ` marks. `delete_space` is the parameter delsp=yes."""
    out: list[str] = []
    paragraph: list[str] = []
    open_depth = -1  # of the paragraph that goes on; -1: none
    for line in text.split("\n"):
        line = line.removesuffix("\r")
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")
        is_signature_mark = content == "-- "
        if paragraph and (depth != open_depth or is_signature_mark):
            out.append(_quoted(paragraph, open_depth))
            paragraph = []
        if content.endswith(" ") and not is_signature_mark:
            paragraph.append(content[:-1] if delete_space else content)
            open_depth = depth
            continue
        out.append(_quoted([*paragraph, content], depth))
        paragraph = []
    if paragraph:
        out.append(_quoted(paragraph, open_depth))
    return "\n".join(out)


def _quoted(paragraph: list[str], depth: int) -> str:
    text = "".join(paragraph)
    if text != "-- ":
        text = text.rstrip(" ")
    return (">" * depth + " " + text).rstrip() if depth else text
