"""How deep and how costly an HTML text would be for the sanitiser: one pass, never less than it really is.

ammonia is quadratic in nesting: 200,000 nested divs cost it 212 s, and formatting that nobody closed is opened again in
each paragraph, which multiplies. So tags are counted here as the HTML standard nests them (13.2.6). Where it does so in
odd ways (SVG, templates, frames), only a tag that closes the last opened one counts as closing; in doubt, depth is
counted too high.
"""

from __future__ import annotations

import re

from queues.channels.email import limits
from queues.channels.email.content.html_elements import Elements

_OPENING = re.compile(r"<(?=[a-zA-Z/!?])")
# A tag as the HTML standard reads it: a quote begins a value only behind `=`. Possessive, so that nothing is tried twice.
_TAG = re.compile(
    r"""<(/?[a-zA-Z][^\s/>]{0,40}+)[^\s/>]*+(?:[\s/]++|=?+[^\s/>=]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"'][^\s>]*+|(?=>)))?+|=)*+>"""
)
_COMMENT_END = re.compile(r"--!?>")
_ODD = re.compile(
    r"<(?:svg|math|template|select|object|applet|marquee|button|frameset|noscript|noembed|noframes|iframe|nobr|ruby|rb|rt|rtc|xmp|plaintext)\b",
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
    """Whether the sanitiser must not see this text: deeper than `html_depth_max`, or too many tags times depth."""
    if source.count("<") < limits.html_depth_max // 2:  # each tag makes it deeper by one, or opens formatting again
        return False
    is_odd = _ODD.search(source) is not None
    if is_odd and _CDATA in source:
        return True
    elements = Elements()
    at, cost = 0, 0
    while (opening := _OPENING.search(source, at)) is not None:
        if opening.start() > at:
            elements.text()
        at = opening.start()
        if source.startswith("<!--", at):
            end = _COMMENT_END.search(source, at + 2)
            if end is None:
                return False  # a comment to the end
            at = end.end()
            continue
        if source[at + 1] in "!?" or (source[at + 1] == "/" and not source[at + 2 : at + 3].isalpha()):
            found = source.find(">", at)
            at = len(source) if found < 0 else found + 1
            continue
        tag = _TAG.match(source, at)
        if tag is None:
            if source[at + 1 : at + 3].lstrip("/").isascii():
                return False  # a tag without end, to the end
            at += 2
            continue
        at = tag.end()
        name = tag[1].lower()
        cost += 1 + elements.depth
        if elements.depth > limits.html_depth_max or cost > limits.html_cost_max:
            return True
        if is_odd:
            elements.count_strictly(name)
        elif name in _RAW_TEXT:
            end = _RAW_TEXT[name].search(source, at)
            if end is None:
                return False
            at = end.start()
        elif name.lstrip("/") not in _IGNORED and name.lstrip("/") not in _RAW_TEXT:
            if name.startswith("/"):
                elements.close(name[1:])
            else:
                elements.open(name, tag[0])
    return False
