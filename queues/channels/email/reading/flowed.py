"""Reader of format=flowed text (RFC 3676): joins soft line breaks, removes space-stuffing, unifies quote marks."""

from __future__ import annotations


def unflowed(text: str, *, delete_space: bool) -> str:
    """Join the paragraphs of a text; quotes get `> ` marks. `delete_space` is the parameter delsp=yes."""
    out: list[str] = []
    paragraph: list[str] = []
    # Quote depth of the unfinished paragraph; -1 if there is none.
    open_depth = -1
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
