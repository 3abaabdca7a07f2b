"""Sanitise the HTML of strangers: nh3 (ammonia) decides which elements stay, behind bounds and without remote pictures.

A remote picture tells its sender when and where the mail is read. It is left out and counted until a reader asks for
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
# Properties that only affect their own element; `position` and others could cover the console's buttons.
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
    """Sanitised HTML, and what the sanitiser found."""

    # Empty when the source was too deep: show the text instead.
    html: str
    # Remote pictures that were left out.
    blocked_remote: int
    # Content-IDs of the inline pictures. Each is shown as `<img data-cid="...">`; the console sets its address.
    cids: frozenset[str]
    too_deep: bool


def sanitise(html: str, *, remote: bool = False) -> CleanHtml:
    """Remove scripts, style sheets, frames and forms; links open in a new window.

    `remote` keeps the addresses of remote pictures for a reader who asked for them. A source longer than
    `html_chars_max` is cut.
    """
    source = html[: limits.html_chars_max].replace("\0", "")
    if source.count("&") > limits.html_ampersands_max:
        source = source.replace("&", "")
    if is_too_deep(source):
        return CleanHtml("", 0, frozenset(), too_deep=True)
    # Cold start: only a mail with HTML needs the library.
    import nh3

    # The mark names inline pictures in the sanitiser's output; a stranger's text cannot contain its own digest.
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
    """Decides on each attribute and counts the remote pictures that it removes."""

    def __init__(self, mark: str, remote: bool) -> None:
        self._mark = mark
        self._remote = remote
        self.blocked = 0
        self.cids: set[str] = set()

    def attribute(self, element: str, name: str, value: str) -> str | None:
        """Return the value that stays; None removes the attribute."""
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
        # data: and file: are removed.
        return None

    def _style(self, value: str) -> str | None:
        """Keep the declarations that are safe and affect only their own element."""
        kept = []
        for declaration in value[: limits.html_style_chars_max].split(";"):
            name, _, content = declaration.partition(":")
            name, content = name.strip().lower(), content.strip()
            if "url(" in content.lower() and "//" in declaration:
                self.blocked += not self._remote
            if name in _STYLES and _STYLE_VALUE.fullmatch(content) and not _FUNCTIONS.search(content):
                kept.append(f"{name}:{content}")
        return ";".join(kept) or None
