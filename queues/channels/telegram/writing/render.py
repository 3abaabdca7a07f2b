"""The rendering of a message's body for a chat: plain text and entities. Pure."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final, Literal
from urllib.parse import urlsplit

from markdown_it.token import Token

from models.channels.accounts import ChannelAccount
from models.kernel import limits
from models.kernel.text import clean, one_line
from models.ports.outbound import OutgoingMessage
from queues.channels import markdown
from queues.channels.telegram.writing.rich import Builder, Rich, headed, trimmed

_SCHEMES = frozenset({"http", "https", "mailto", "tg"})
_LANGUAGE = re.compile(r"[\w+#.-]{1,40}")
_BULLET = "• "
_RULE = "———"
# A phone shows about 40 characters in a line.
_INDENTS_MAX = 6
# The tokens of a block with a mark around its text.
_BLOCK_MARKS: Final = {"heading": "bold", "blockquote": "blockquote"}
_MARKS: Final = {"strong": "bold", "em": "italic", "s": "strikethrough"}
_TAGS: Final = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "del": "strikethrough",
    "strike": "strikethrough",
    "blockquote": "blockquote",
}
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_BLOCKS = _HEADINGS | {"p", "div", "ul", "ol", "table", "blockquote", "pre", "section", "article", "header"}
_LINES = frozenset({"li", "tr", "dt", "dd"})
_UNSEEN = frozenset({"script", "style", "head", "title", "template"})


def shown(message: OutgoingMessage, account: ChannelAccount) -> Rich:
    """Render a message: its body, under the agent's name if the account says so and the message is not automatic."""
    rich = render(message.body, message.body_format)
    name = one_line(message.author_name, limits.name_chars_max)
    named = account.config.get("show_agent_name") is True and name and not message.automatic
    return headed(name, rich) if named and rich.text else rich


def render(body: str, body_format: Literal["text", "markdown", "html"]) -> Rich:
    """Render the body as text with entities, or unchanged if it is plain text. `split` enforces the length."""
    text = clean(body)
    if body_format == "markdown":
        return _Markdown().run(markdown.parse(text))
    if body_format == "html":
        reader = _Html()
        reader.feed(text)
        reader.close()
        return reader.builder.finish()
    return trimmed(Rich(text))


def _indent(depth: int) -> str:
    """Return the indentation of a list item, up to a limit."""
    return "  " * min(depth - 1, _INDENTS_MAX)


def _link(href: str | None) -> str | None:
    """Return the URL if a chat can open it, else None."""
    try:
        parts = urlsplit(href or "")
    except ValueError:
        return None
    return href if parts.scheme.lower() in _SCHEMES and (parts.netloc or parts.path) else None


class _Markdown:
    """The renderer of Markdown tokens; counts the open lists."""

    def __init__(self) -> None:
        self._builder = Builder()
        # The next number of each open list; None for bullets.
        self._numbers: list[int | None] = []
        self._links: list[bool] = []

    def run(self, tokens: list[Token]) -> Rich:
        for token in tokens:
            self._block(token)
        return self._builder.finish()

    def _gap(self) -> None:
        self._builder.lines(1 if self._numbers else 2)

    def _block(self, token: Token) -> None:
        builder = self._builder
        name, _, side = token.type.rpartition("_")
        if name in _BLOCK_MARKS and side == "open":
            self._gap()
            builder.begin(_BLOCK_MARKS[name])
        elif name in _BLOCK_MARKS and side == "close":
            builder.end(_BLOCK_MARKS[name])
            self._gap()
        elif name in ("bullet_list", "ordered_list"):
            self._list(token, is_begin=side == "open")
        elif token.type == "inline":
            for child in token.children or []:
                self._inline(child)
        elif token.type == "list_item_open":
            self._item()
        else:
            self._leaf(token)

    def _list(self, token: Token, *, is_begin: bool) -> None:
        if not is_begin:
            self._numbers.pop()
        self._gap()
        if is_begin:
            is_ordered = token.type == "ordered_list_open"
            self._numbers.append(int(token.attrs.get("start", 1)) if is_ordered else None)

    def _leaf(self, token: Token) -> None:
        """Write code or a rule between gaps. Other tokens, such as the end of a paragraph, only add a gap."""
        self._gap()
        if token.type in ("fence", "code_block"):
            language = _LANGUAGE.match(token.info.strip())
            self._builder.verbatim("pre", token.content.rstrip("\n"), language[0] if language else None)
            self._gap()
        elif token.type == "hr":
            self._builder.write(_RULE)
            self._gap()

    def _item(self) -> None:
        number = self._numbers[-1]
        if number is not None:
            self._numbers[-1] = number + 1
        marker = _BULLET if number is None else f"{number}. "
        self._builder.mark(_indent(len(self._numbers)) + marker)

    def _inline(self, token: Token) -> None:
        builder = self._builder
        name, _, side = token.type.rpartition("_")
        if name in _MARKS:
            (builder.begin if side == "open" else builder.end)(_MARKS[name])
        elif token.type == "link_open":
            url = _link(str(token.attrs.get("href", "")))
            self._links.append(url is not None)
            if url is not None:
                builder.begin("text_link", url)
        elif token.type == "link_close":
            if self._links.pop():
                builder.end("text_link")
        elif token.type == "code_inline":
            builder.verbatim("code", token.content)
        elif token.type in ("softbreak", "hardbreak"):
            builder.write("\n")
        elif token.type == "image":
            self._image(token)
        else:
            builder.write(token.content)

    def _image(self, token: Token) -> None:
        """Write a picture as a link with its description, because a text message cannot contain pictures."""
        url = _link(str(token.attrs.get("src", "")))
        if url is None or any(self._links):
            self._builder.write(token.content)
            return
        self._builder.begin("text_link", url)
        self._builder.write(token.content or url)
        self._builder.end("text_link")


class _Html(HTMLParser):
    """The renderer of HTML; keeps the tags that Telegram supports and collapses white space as a browser does."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.builder = Builder()
        self._unseen = 0
        self._pre: list[str] | None = None
        self._pre_tag = ""
        self._links: list[bool] = []
        self._lists: list[int | None] = []
        # True if the written text ends with white space.
        self._blank = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif self._pre is not None:
            # Tags inside code have no effect, except for line breaks.
            self._pre.append("\n" if tag == "br" else "")
        else:
            self._gap(tag)
            self._begin(tag, dict(attrs))

    def _begin(self, tag: str, attrs: dict[str, str | None]) -> None:
        if tag in _HEADINGS:
            self.builder.begin("bold")
        elif tag in ("pre", "code"):
            self._pre, self._pre_tag = [], tag
        elif tag in ("ul", "ol"):
            self._lists.append(1 if tag == "ol" else None)
        elif tag == "li":
            self._item()
        elif tag == "br":
            self.builder.write("\n")
            self._blank = True
        elif tag == "a":
            self._anchor(attrs.get("href"))
        elif tag in _TAGS:
            self.builder.begin(_TAGS[tag])

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif self._pre is None or tag == self._pre_tag:
            self._end(tag)
            self._gap(tag)

    def _end(self, tag: str) -> None:
        if tag in _TAGS:
            self.builder.end(_TAGS[tag])
        elif tag in _HEADINGS:
            self.builder.end("bold")
        elif self._pre is not None:
            self._verbatim()
        elif tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        elif tag == "a" and self._links and self._links.pop():
            self.builder.end("text_link")

    def handle_data(self, data: str) -> None:
        if self._unseen:
            return
        if self._pre is not None:
            self._pre.append(data)
            return
        text = re.sub(r"\s+", " ", data)
        if self._blank:
            text = text.lstrip(" ")
        if text:
            self.builder.write(text)
            self._blank = text.endswith(" ")

    def close(self) -> None:
        super().close()
        if self._pre is not None:
            self._verbatim()

    def _verbatim(self) -> None:
        text = "".join(self._pre or []).strip("\n")
        self._pre = None
        if text:
            self.builder.verbatim(self._pre_tag, text)
            self._blank = False

    def _gap(self, tag: str) -> None:
        if tag in _BLOCKS or tag in _LINES:
            self.builder.lines(1 if self._lists or tag in _LINES else 2)
            self._blank = True

    def _item(self) -> None:
        number = self._lists[-1] if self._lists else None
        if number is not None:
            self._lists[-1] = number + 1
        marker = _BULLET if number is None else f"{number}. "
        self.builder.mark(_indent(len(self._lists)) + marker)

    def _anchor(self, href: str | None) -> None:
        url = _link(href)
        self._links.append(url is not None and not any(self._links))
        if self._links[-1]:
            self.builder.begin("text_link", url)
