"""Find the clues of a mail that its author's proof covers.

A clue names the mail that is answered: the token of the desk's address, or an id in In-Reply-To or References. A DKIM
signature proves the headers that it lists, and nothing about the others. Whoever has a signed mail can therefore send
it again with a header of their own (a replay: RFC 6376 section 8.6). A mail that came from a server of the author's
organisation (SPF) is proved as a whole.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from models.ports.author_proof import Clue
from queues.channels.email import limits
from queues.channels.email.judging.authentication_results import Result
from queues.channels.email.judging.organisation import is_aligned
from queues.channels.email.reading.header_block import Headers, all_values, first_value
from queues.channels.email.reading.headers import message_ids

_ALL: tuple[Clue, ...] = ("references", "token")
_SPACE = re.compile(rb"\s+")
# Without these, a replay could have another time and another id each time.
_NEEDED = ("from", "date", "message-id")


def covered_clues(
    headers: Headers, results: Sequence[Result], *, domain: str, token_header: str | None
) -> tuple[Clue, ...]:
    """Return the clues that the judges' `results` prove for an author of this domain.

    `token_header`: the header that has the token; None if the envelope or a header of a server has it.
    """
    if any(one.method == "spf" and one.result == "pass" and is_aligned(sender_domain(one), domain) for one in results):
        return _ALL
    signatures = [one for one in _signatures(headers) if is_aligned(one.get("d", ""), domain)]
    if not signatures:
        # Without a signature of the author's organisation, DMARC passes by SPF only (RFC 7489 section 4.2).
        return _ALL if any(one.method == "dmarc" and one.result == "pass" for one in results) else ()
    # A judge does not say which of the signatures it verified. A replay can add some, but cannot remove the true one.
    if not all(_covers(one, headers, name) for one in signatures for name in _NEEDED):
        return ()
    answered = "in-reply-to" if message_ids(first_value(headers, b"in-reply-to") or b"") else "references"
    names: dict[Clue, str | None] = {"references": answered, "token": token_header}
    return tuple(
        clue
        for clue, name in names.items()
        if name is not None and all(_covers(one, headers, name) for one in signatures)
    )


def sender_domain(result: Result) -> str:
    """Return the domain that a result of SPF or DKIM is about; empty if it names none."""
    names = ("header.d", "header.i") if result.method == "dkim" else ("smtp.mailfrom", "smtp.mail", "smtp.helo")
    value = next((result.properties[name] for name in names if result.properties.get(name)), "")
    return value.rpartition("@")[2].strip("<>.")


def _signatures(headers: Headers) -> Iterable[dict[str, str]]:
    """Yield the tags of each DKIM-Signature header (RFC 6376 section 3.5)."""
    values = zip(range(limits.signatures_max), all_values(headers, b"dkim-signature"), strict=False)
    for _, value in values:
        tags = (tag.partition("=") for tag in _SPACE.sub(b"", value).decode("latin-1").lower().split(";"))
        yield {name: text for name, _, text in tags}


def _covers(signature: dict[str, str], headers: Headers, name: str) -> bool:
    """Return True if the signature covers each header of this name and the whole body.

    A signature that lists a name n times covers the n lowest headers of the name (RFC 6376 section 5.4.2). `l=` leaves
    the end of the body out.
    """
    listed = Counter(signature.get("h", "").split(":"))[name]
    present = sum(1 for _ in all_values(headers, name.encode()))
    return "l" not in signature and 0 < present <= listed
