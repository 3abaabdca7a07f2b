"""Estimate how deep and how costly an HTML text is for the sanitiser, in one pass; the estimate is never too low.

ammonia is quadratic in nesting: 200,000 nested divs cost it 212 s. Formatting without an end tag is opened again in
each paragraph, which multiplies the cost. So this module counts tags as the HTML standard nests them (section 13.2.6).
Where the standard has special rules (SVG, templates, frames), only a tag that closes the last open element counts as
closing, so that the depth is too high rather than too low.
"""

from __future__ import annotations

import re

from queues.channels.email import limits
from queues.channels.email.content.html_elements import Elements

_OPENING = re.compile(r"<(?=[a-zA-Z/!?])")
# A tag as the HTML standard reads it: a quote begins a value only behind `=`. Possessive, so that it never backtracks.
_TAG = re.compile(
    r"""<(/?[a-zA-Z][^\s/>]{0,40}+)[^\s/>]*+"""
    r"""(?:[\s/]++|=?+[^\s/>=]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"'][^\s>]*+|(?=>)))?+|=)*+>"""
)
_COMMENT_END = re.compile(r"--!?>")
_ODD = re.compile(
    r"<(?:svg|math|template|select|object|applet|marquee|button|frameset|noscript|noembed|noframes|iframe|nobr|ruby"
    r"|rb|rt|rtc|xmp|plaintext)\b",
    re.IGNORECASE,
)
_CDATA = "<![CDATA["
_RAW_TEXT = {name: re.compile(rf"</{name}[\s/>]", re.IGNORECASE) for name in ("script", "style", "title", "textarea")}
_IGNORED = frozenset(
    [
        "html",
        "head",
        "body",
        "base",
        "basefont",
        "bgsound",
        "col",
        "frame",
        "link",
        "meta",
        "param",
        "source",
        "track",
    ]
)


def is_too_deep(source: str) -> bool:
    """Return True if the text is too costly for the sanitiser: deeper than `html_depth_max`, or too many tags times
    depth.
    """
    # Each tag adds at most one level and opens formatting again.
    if source.count("<") < limits.html_depth_max // 2:
        return False
    is_odd = _ODD.search(source) is not None
    if is_odd and _CDATA in source:
        return True
    elements, cost, at = Elements(), 0, 0
    while at >= 0 and (opening := _OPENING.search(source, at)) is not None:
        if opening.start() > at:
            elements.text()
        at = opening.start()
        tag = None if _is_markup(source, at) else _TAG.match(source, at)
        if tag is None:
            at = _after_markup(source, at)
            continue
        cost += 1 + elements.depth
        if elements.depth > limits.html_depth_max or cost > limits.html_cost_max:
            return True
        at = _count(elements, source, tag, is_odd=is_odd)
    return False


def _is_markup(source: str, at: int) -> bool:
    """Return True if a comment, a declaration or a bogus comment stands at `at`, and no tag."""
    return source[at + 1] in "!?" or (source[at + 1] == "/" and not source[at + 2 : at + 3].isalpha())


def _after_markup(source: str, at: int) -> int:
    """Return the offset after a comment, a declaration or a `<` that begins no tag; -1 if it reaches to the end."""
    if source.startswith("<!--", at):
        end = _COMMENT_END.search(source, at + 2)
        return -1 if end is None else end.end()
    if _is_markup(source, at):
        found = source.find(">", at)
        return len(source) if found < 0 else found + 1
    # A tag without end reaches to the end of the text.
    return -1 if source[at + 1 : at + 3].lstrip("/").isascii() else at + 2


def _count(elements: Elements, source: str, tag: re.Match[str], *, is_odd: bool) -> int:
    """Count a tag; return the offset after it, and after the text of a script or the like; -1 if that has no end."""
    name = tag[1].lower()
    bare = name.lstrip("/")
    if is_odd:
        elements.count_strictly(name)
    elif name in _RAW_TEXT:
        end = _RAW_TEXT[name].search(source, tag.end())
        return -1 if end is None else end.start()
    elif bare not in _IGNORED and bare not in _RAW_TEXT:
        if name.startswith("/"):
            elements.close(name[1:])
        else:
            elements.open(name, tag[0])
    return tag.end()
