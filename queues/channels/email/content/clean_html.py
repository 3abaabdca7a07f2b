"""HTML of a stranger made fit to be shown: nh3 (ammonia) decides what stays, behind our own bounds and without remote pictures.

A remote picture tells its sender when and where the mail is read, so it is left out and counted until somebody asks for
it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import unquote

from queues.channels.email import limits
from queues.channels.email.content.html_depth import is_too_deep

_TAGS = {
    "a",
    "abbr",
    "address",
    "article",
    "aside",
    "b",
    "bdi",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "font",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "main",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "rp",
    "rt",
    "ruby",
    "s",
    "samp",
    "section",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
    "wbr",
}
_EVERYWHERE = {"style", "title", "dir", "lang", "align", "valign", "width", "height", "bgcolor", "background"}
_ATTRIBUTES = {
    "*": _EVERYWHERE,
    "a": {"href", "name"},
    "img": {"src", "alt", "border", "hspace", "vspace"},
    "font": {"color", "face", "size"},
    "table": {"border", "cellpadding", "cellspacing", "summary"},
    "td": {"colspan", "rowspan", "nowrap"},
    "th": {"colspan", "rowspan", "nowrap", "scope"},
    "col": {"span"},
    "colgroup": {"span"},
    "ol": {"start", "type", "reversed"},
    "ul": {"type"},
    "li": {"value"},
    "blockquote": {"type"},
}
_DROPPED_WHOLE = {
    "script",
    "style",
    "title",
    "template",
    "noscript",
    "iframe",
    "object",
    "svg",
    "math",
    "textarea",
    "select",
    "xmp",
    "noembed",
}
_LINK_SCHEMES = ("http:", "https:", "mailto:", "tel:", "cid:")
# What only lays out its own element; `position` and the like could cover the console's own buttons.
_STYLES = frozenset(
    [
        "color",
        "background-color",
        "background",
        "font",
        "font-family",
        "font-size",
        "font-style",
        "font-weight",
        "text-align",
        "text-decoration",
        "text-indent",
        "text-transform",
        "line-height",
        "letter-spacing",
        "white-space",
        "vertical-align",
        "direction",
        "width",
        "max-width",
        "min-width",
        "height",
        "margin",
        "margin-left",
        "margin-right",
        "margin-top",
        "margin-bottom",
        "padding",
        "padding-left",
        "padding-right",
        "padding-top",
        "padding-bottom",
        "border",
        "border-left",
        "border-right",
        "border-top",
        "border-bottom",
        "border-color",
        "border-style",
        "border-width",
        "border-collapse",
        "border-spacing",
        "border-radius",
        "list-style-type",
        "table-layout",
        "word-break",
        "word-wrap",
        "overflow-wrap",
    ]
)
_STYLE_VALUE = re.compile(r"[\w\s#.,%()'\"!+-]{1,200}")
_FUNCTIONS = re.compile(r"url|expression|image|attr|var|env|element|@import|-moz-binding", re.IGNORECASE)
_REMOTE = re.compile(r"\s*(?:https?:|ftp:)?//", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CleanHtml:
    """`html` is empty when the source was `too_deep`: show the text instead. `cids`: the inline pictures that it shows, each as
    `<img data-cid="...">`; the console puts the attachment's address there. `blocked_remote`: remote pictures left out."""

    html: str
    blocked_remote: int
    cids: frozenset[str]
    too_deep: bool


def sanitise(html: str, *, remote: bool = False) -> CleanHtml:
    """HTML without scripts, styles of its own, frames, forms; links open elsewhere. `remote` keeps the addresses of remote
    pictures, for a reader who asked for them. Longer text than `html_chars_max` is cut."""
    source = html[: limits.html_chars_max].replace("\0", "")
    if is_too_deep(source):
        return CleanHtml("", 0, frozenset(), too_deep=True)
    import nh3  # only a mail with HTML needs it

    # Names the pictures between the sanitiser and us; a stranger's text cannot contain its own digest.
    mark = hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:24]
    seen = _Seen(mark, remote)
    cleaned = nh3.clean(
        source,
        tags=_TAGS,
        clean_content_tags=_DROPPED_WHOLE,
        attributes=_ATTRIBUTES,
        attribute_filter=seen.attribute,
        url_schemes={"http", "https", "mailto", "tel", "cid"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        strip_comments=True,
    )
    cleaned = cleaned.replace(f'src="cid:{mark}:', 'data-cid="')
    return CleanHtml(cleaned.strip(), seen.blocked, frozenset(seen.cids), too_deep=False)


class _Seen:
    """Decides on each attribute and counts what it takes away."""

    def __init__(self, mark: str, remote: bool) -> None:
        self._mark = mark
        self._remote = remote
        self.blocked = 0
        self.cids: set[str] = set()

    def attribute(self, element: str, name: str, value: str) -> str | None:
        """The value that stays, or None."""
        if name == "src":
            return self._picture(value)
        if name == "background":
            self.blocked += _REMOTE.match(value) is not None and not self._remote
            return None
        if name == "style":
            return self._style(value)
        if name == "href":
            address = value.strip()
            return address if address.lower().startswith(_LINK_SCHEMES) else None
        return value

    def _picture(self, value: str) -> str | None:
        address = value.strip()
        if address[:4].lower() == "cid:":
            cid = unquote(address[4:]).strip("<> ")
            self.cids.add(cid)
            return f"cid:{self._mark}:{cid}"
        if _REMOTE.match(address):
            self.blocked += not self._remote
            return address if self._remote else None
        return None  # data: and file: are no business of a mail's reader

    def _style(self, value: str) -> str | None:
        """The declarations that are safe and lay out their own element only."""
        kept = []
        for declaration in value[: limits.html_style_chars_max].split(";"):
            name, _, content = declaration.partition(":")
            name, content = name.strip().lower(), content.strip()
            if "url(" in content.lower() and "//" in declaration:
                self.blocked += not self._remote
            if name in _STYLES and _STYLE_VALUE.fullmatch(content) and not _FUNCTIONS.search(content):
                kept.append(f"{name}:{content}")
        return ";".join(kept) or None
