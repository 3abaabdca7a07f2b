"""(h) The visible reply: MB a second on friendly and hostile mails, and how many of our corpus come out right.

Beside it the libraries, where they are installed (they are no dependency: `pip install email-reply-parser
mail-parser-reply` in a scratch environment). Right means the same words in the same order; that is kinder to them than
to us, whose tests compare lines. The corpus is ours, so its percentage shows regressions, not how good we are on mails
that nobody here has seen.
"""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections.abc import Callable

from models.kernel.open_json import JsonObject
from queues.channels.email.replies.html_reply import cut_html
from queues.channels.email.replies.visible_reply import split, visible_reply
from scripts.bench.report import Report, Target
from tests.queues.channels.email.replies.corpus import Case, cases

_MB = 1_000_000
_SAMPLE_S = 0.5  # each text is read again until this has passed
_LIBRARY_CASES_S_MAX = 60.0  # a library that needs longer for our corpus is stopped
_LANGUAGES = ["en", "de", "fr", "es", "it", "nl", "pl", "sv", "cs", "da", "ja", "ko", "zh"]  # all that it has
_TEXTS = {
    "plain": "This is a plain line of text, as people write; it has some seventy letters.\n",
    "russian": "Это обычная строка текста, как её пишут люди; в ней около семидесяти букв.\n",
    "quoted": "> This is a quoted line of text, as mail programs quote; it has seventy.\n",
    "hostile: lines with the usual first word": "On the other hand, this is not the end:\n",
    "hostile: attributions": "On May 5, 2020 at 10:00 x <a@b.c> wrote:\n> x\ny\n",
    "hostile: one line": "a b c d e f g ",
}
_HTMLS = {
    "html": "<p>This is a <b>plain</b> paragraph, as people write; <a href='x'>a link</a> and so on.</p>\n",
    "hostile: nested quotes": "<blockquote>",
}


def measure() -> JsonObject:
    """MB/s by kind of text (`speed`), and the share that comes out right by classifier (`right`, in percent)."""
    texts, htmls = cases("text"), cases("html")
    speed = {name: _mb_per_s(split, _filled("On ", piece)) for name, piece in _TEXTS.items()}
    speed |= {name: _mb_per_s(cut_html, _filled("", piece)) for name, piece in _HTMLS.items()}
    right = {
        "nestor": _right(lambda case: visible_reply(case.body, subject=case.subject), texts),
        "nestor, html": _right(lambda case: cut_html(case.body, subject=case.subject).text, htmls),
        "nothing hidden": _right(lambda case: case.body, texts),
    }
    for name, reply in _libraries().items():
        right[name] = _right(reply, texts)
    return {"speed": speed, "right": right, "cases": len(texts), "html_cases": len(htmls)}


def print_rows(report: Report) -> None:
    """The rows of (h)."""
    found = measure()
    for name, figure in found["speed"].items():
        target = Target(figure > 1.0, "> 1 MB/s")  # a megabyte in a second, whoever wrote it
        report.row("h", f"visible reply: {name}", f"{figure:.1f} MB/s", target)
    for name, percent in found["right"].items():
        own = name.startswith("nestor")
        count = found["html_cases"] if name.endswith("html") else found["cases"]
        report.row(
            "h",
            f"  right of our {count} cases: {name}",
            f"{percent:.1f} %",
            Target(percent == 100.0, "100 %") if own else None,
        )


def _filled(start: str, piece: str) -> str:
    return start + piece * (_MB // len(piece))


def _mb_per_s(read: Callable[[str], object], text: str) -> float:
    """Measured in CPU time, so load of other programs does not count."""
    size = len(text.encode())
    started, times = time.process_time(), 0
    while (passed := time.process_time() - started) < _SAMPLE_S or not times:
        read(text)
        times += 1
    return size * times / _MB / passed


def _right(reply: Callable[[Case], str], among: list[Case]) -> float:
    """The share in percent; what is not reached in time counts as wrong."""
    started = time.process_time()
    right = 0
    for case in among:
        if time.process_time() - started > _LIBRARY_CASES_S_MAX:
            break
        right += reply(case).split() == case.visible.split()
    return 100.0 * right / len(among)


def _libraries() -> dict[str, Callable[[Case], str]]:
    """The libraries that are installed."""
    found: dict[str, Callable[[Case], str]] = {}
    if importlib.util.find_spec("email_reply_parser"):
        zapier = importlib.import_module("email_reply_parser").EmailReplyParser
        found["email-reply-parser"] = lambda case: str(zapier.parse_reply(case.body))
    if importlib.util.find_spec("mailparser_reply"):
        other = importlib.import_module("mailparser_reply").EmailReplyParser(languages=_LANGUAGES)
        found["mail-parser-reply"] = lambda case: str(other.parse_reply(case.body) or "")
    return found
