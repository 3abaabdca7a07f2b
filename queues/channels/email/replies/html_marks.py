"""The ids, classes and attributes by which mail programs mark quotes, forwards and signatures in their HTML.

A name matches by its end, because Outlook writes `x_` before the ids in what it quotes, and Yahoo a random prefix.
"""

from __future__ import annotations

import re

from queues.channels.email.replies.reply_above import ATTRIBUTE

# The roles of elements; html_reply.py gives letters by them.
QUOTE, ATTRIBUTION, REST, SIGNATURE = "quote", "attribution", "rest", "signature"
FORWARD, MARKER, BORDER = "forward", "marker", "border"

# A shorter name must match as a whole: `quote` is the suffix of many names.
_SUFFIX_CHARS_MIN = 9

_ROLES = {
    QUOTE: (
        "gmail_quote",
        "gmail_quote_container",
        "gmail_extra_quote",
        "yahoo_quoted",
        "protonmail_quote",
        "tutanota_quote",
        "zmail_extra",
        "moz-cite-text",
        "hmmessage_quote",
        "reply-quote",
        "replyquote",
        "quoted-reply",
        "quoted_text",
        "quoted-text",
        "mailquote",
        "bloop_original",
        "airmail_original",
        "sparkquote",
        "front-blockquote",
        "freshdesk_quote",
        "zm_quoted_text",
        "mb_quote",
        "ox-quote",
        "yj_quote",
        "naver_quote",
        "aolmail_quote",
        "aolreplacedquote",
        "gmx_quote",
        "history_container",
        "mcntmcontainer_quote",
        "ntes-mailmaster-quote",
        "qqmail-quote",
        "mailmasterquote",
        "isreplycontent",
        "messagereplycontent",
        "cloud_quote",
        "wmquote",
        "quoted-content",
    ),
    ATTRIBUTION: (
        "gmail_attr",
        "moz-cite-prefix",
        "yahoo_attribution",
        "protonmail_quote_header",
        "zmail_extra_hr",
        "quote-header",
        "quoteheader",
        "bloop_cite",
        "airmail_cite",
        "cite-prefix",
        "reply-intro",
        "replyintro",
        "attribution",
    ),
    REST: (
        "appendonsend",
        "divrplyfwdmsg",
        "olk_src_body_section",
        "outlookmessageheader",
        "mail-editor-reference-message-container",
        "ms-outlook-mobile-reference-message",
        "replyforwardheader",
        "stopspelling",
        "originalmessage",
        "original_message",
        "wmmessageheader",
        "reference-message",
        "zmquotetwosepbyline",
        "origbody",
        "previousmessage",
        "zwchr",
    ),
    FORWARD: (
        "isforwardcontent",
        "moz-forward-container",
        "moz-email-headers-table",
        "forwarded-message",
        "gmail_forward",
    ),
    SIGNATURE: (
        "gmail_signature",
        "gmail_signature_prefix",
        "signature",
        "moz-signature",
        "ms-outlook-mobile-signature",
        "ms-outlook-ios-signature",
        "applemailsignature",
        "linebreakatbeginningofsignature",
        "protonmail_signature_block",
        "protonmail_signature_block-user",
        "protonmail_signature_block-proton",
        "yahoo-signature",
        "yahoo_signature",
        "tutanota_signature",
        "bloop_sign",
        "airmail_sign",
        "zmail_signature",
        "mobile-signature",
        "mobilesignature",
    ),
}
_ROLE = {name: role for role, names in _ROLES.items() for name in names}
_SUFFIXES = [(role, tuple(name for name in names if len(name) >= _SUFFIX_CHARS_MIN)) for role, names in _ROLES.items()]
_ATTRIBUTE = re.compile(
    r"""\b(id|class|type|style|name)[ \t\r\n]{0,5}=[ \t\r\n]{0,5}("[^"]{0,500}"|'[^']{0,500}'|[^\s"'>]{1,200})""",
    re.I,
)
_BORDER = re.compile(
    r"border-top:\s?(?:solid|#\w{3,8} (?:solid|1)|\d[\d.]{0,5}p[tx] solid|none solid)|border:none;\s?border-top:"
)
# Characters of a start tag that are read; styles of Outlook have some 300.
tag_chars_max = 2_000


def role_of(name: str, tag: str) -> str:
    """Return the role of the element that a start tag opens; empty when it has none."""
    tag = tag[:tag_chars_max]
    if ATTRIBUTE in tag:
        return MARKER
    role = ""
    for found in _ATTRIBUTE.finditer(tag):
        attribute, value = found[1].lower(), found[2].strip("\"'").lower()
        if attribute in ("id", "class", "name"):
            role = _role_by_names(role, value)
        elif not role:
            role = _role_by_attribute(name, attribute, value)
    return role


def _role_by_names(role: str, value: str) -> str:
    """Return the role that the names in an id or class give to an element that has `role` so far."""
    for word in value.split():
        known = _role_of_name(word)
        # Gmail marks a forward as a quote, and the attribution of a quote as both: the other role wins.
        if known and (known != QUOTE or not role):
            role = known
    return role


def _role_by_attribute(name: str, attribute: str, value: str) -> str:
    if attribute == "type" and value == "cite" and name == "blockquote":
        return QUOTE
    if attribute == "style" and name == "div" and _BORDER.search(value):
        return BORDER
    return ""


def _role_of_name(word: str) -> str:
    known = _ROLE.get(word, "")
    if known or len(word) <= _SUFFIX_CHARS_MIN:
        return known
    return next((role for role, names in _SUFFIXES if word.endswith(names)), "")
