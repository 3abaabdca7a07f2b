"""Judge the sender of a mail by its Authentication-Results headers (RFC 8601).

Anybody can write such a header into a mail. Believed are only those that carry an id of a server that the account
trusts, and of these a pass only from the topmost one: what stands below it was in the mail when it came.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from models.ports.inbound import Verdict
from queues.channels.email import limits
from queues.channels.email.reading.header_block import Headers, all_values
from queues.channels.email.reading.headers import addresses

_RESULT = re.compile(r"\s*([a-z0-9_-]{1,30})(?:\s*/\s*\d{1,3})?\s*=\s*([a-z]{1,20})\b(.*)", re.IGNORECASE | re.DOTALL)
_PROPERTY = re.compile(
    r"([a-z]{1,20}\.[a-z0-9_.-]{1,40}|reason|action|policy)\s*=\s*(\"[^\"]{0,300}\"|[^\s;\"]{1,300})",
    re.IGNORECASE,
)
_METHODS = frozenset(["dmarc", "spf", "dkim", "compauth"])
# Second-level names under which others register domains; the organisation's domain is one level below.
_PUBLIC_SECOND = frozenset(["ac", "co", "com", "edu", "gob", "gov", "gv", "mil", "ne", "net", "nom", "or", "org"])


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict; `detail` gives its reason in a few words."""

    verdict: Verdict
    detail: str


@dataclass(frozen=True, slots=True)
class _Result:
    """The result of one method, such as `dkim=pass header.d=example.test`."""

    method: str
    result: str
    properties: dict[str, str] = field(default_factory=dict)


def verdict(headers: Headers, trusted_ids: Collection[str], provider_verdict: Verdict | None = None) -> Judgement:
    """Judge a mail by the headers of trusted servers and by the provider's own check.

    A fail of either wins. DMARC decides where it has a result; otherwise SPF or DKIM pass only for the From address's
    own organisation. A mail that names several domains as its author cannot pass.
    """
    trusted = {one.strip().lower() for one in trusted_ids}
    judged = [_judged(results, _author_domain(headers)) for results in _trusted_results(headers, trusted)]
    failed = next((one for one in judged if one.verdict == "fail"), None)
    if failed is not None:
        return failed
    if provider_verdict == "fail":
        return Judgement("fail", "the provider's check failed")
    topmost = judged[0] if judged else Judgement("none", "no result of a trusted server")
    if topmost.verdict != "pass" and provider_verdict == "pass" and _author_domain(headers):
        return Judgement("pass", "the provider's check passed")
    return topmost


def _trusted_results(headers: Headers, trusted: set[str]) -> list[list[_Result]]:
    """Read the results of each trusted header, the topmost first."""
    found = []
    for _, value in zip(
        range(limits.authentication_headers_max),
        all_values(headers, b"authentication-results"),
        strict=False,
    ):
        text = _without_comments(value[: limits.authentication_chars_max].decode("latin-1"))
        head, *pieces = _pieces(text)
        words = head.strip().strip('"').lower().split()
        if words and words[0] in trusted:
            found.append([result for piece in pieces if (result := _result(piece)) is not None])
    return found


def _result(text: str) -> _Result | None:
    match = _RESULT.match(text)
    if match is None or match[1].lower() not in _METHODS:
        return None
    properties = {name.lower(): value.strip('"').lower() for name, value in _PROPERTY.findall(match[3])}
    return _Result(match[1].lower(), match[2].lower(), properties)


def _judged(results: list[_Result], author: str) -> Judgement:
    """Judge by DMARC, then by Microsoft's compauth, then by SPF and DKIM."""
    for method in ("dmarc", "compauth"):
        decided = [one for one in results if one.method == method and one.result in ("pass", "fail")]
        if decided:
            return _judged_by_dmarc(decided, author)
    return _judged_by_others([one for one in results if one.method in ("spf", "dkim")], author)


def _judged_by_dmarc(decided: list[_Result], author: str) -> Judgement:
    name = decided[0].method
    if any(one.result == "fail" for one in decided):
        return Judgement("fail", f"{name}=fail")
    judged_domain = decided[0].properties.get("header.from", author).rpartition("@")[2]
    if author and _is_aligned(judged_domain, author):
        return Judgement("pass", f"{name}=pass")
    return Judgement("none", f"{name}=pass, but not for the author's domain")


def _judged_by_others(others: list[_Result], author: str) -> Judgement:
    failed = next((one for one in others if one.result in ("fail", "hardfail")), None)
    if failed is not None:
        return Judgement("fail", f"{failed.method}=fail")
    for one in others:
        if one.result == "pass" and author and _is_aligned(_domain_of(one), author):
            return Judgement("pass", f"{one.method}=pass for the author's domain")
    return Judgement(
        "none", "nothing passed for the author's domain" if others else "the trusted server tells no result"
    )


def _domain_of(result: _Result) -> str:
    names = ("header.d", "header.i") if result.method == "dkim" else ("smtp.mailfrom", "smtp.mail", "smtp.helo")
    value = next((result.properties[name] for name in names if result.properties.get(name)), "")
    return value.rpartition("@")[2].strip("<>.")


def _author_domain(headers: Headers) -> str:
    """Return the domain of From; empty when there is none or more than one."""
    domains = {found.address.rpartition("@")[2] for value in all_values(headers, b"from") for found in addresses(value)}
    return domains.pop() if len(domains) == 1 else ""


def _is_aligned(domain: str, author: str) -> bool:
    """Whether both belong to one organisation (RFC 7489 section 3.1, relaxed alignment)."""
    return bool(domain) and _organisation(domain) == _organisation(author)


def _organisation(domain: str) -> str:
    labels = domain.lower().strip(".").split(".")
    if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _PUBLIC_SECOND:
        return ".".join(labels[-3:])
    return ".".join(labels[-2:])


def _without_comments(text: str) -> str:
    """Remove (comments), which may nest. A comment without end takes the rest of the text."""
    out: list[str] = []
    depth, quoted = 0, False
    for character in text:
        if character == '"' and not depth:
            quoted = not quoted
        elif character == "(" and not quoted:
            depth += 1
        if not depth:
            out.append(character)
        elif character == ")" and not quoted:
            depth -= 1
            out.append(" ")
    return "".join(out)


def _pieces(text: str) -> list[str]:
    """Split the text at its semicolons outside quotes."""
    quoted = text.split('"')
    marked = '"'.join(piece.replace(";", "\0") if index % 2 == 0 else piece for index, piece in enumerate(quoted))
    return marked.split("\0")
