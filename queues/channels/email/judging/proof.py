"""Compute the author's proof of a mail. No other module grades an author.

Anybody can write an Authentication-Results header. Only the topmost one counts, and only if it carries the id of a
server that the account trusts: a header below it was in the mail when it came. It counts only for the single mailbox of
the single From (`author.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.channels.accounts import ChannelAccount
from models.ports.author_proof import AuthorProof, Clue, Grade
from models.ports.inbound import Verdict
from queues.channels.email import limits
from queues.channels.email.judging import authentication_results, coverage, provider_results, recipients
from queues.channels.email.judging.authentication_results import Result, Results
from queues.channels.email.judging.author import Author
from queues.channels.email.judging.organisation import is_aligned
from queues.channels.email.reading.header_block import Headers, all_values

_SOURCES = {
    "reply_to": "Reply-To names the author, because From cannot be a person",
    "list": "headers of a mailing list name the author",
    "header": "From names nobody; another header names the author",
}
_NOT_SINGLE = "From does not name exactly one mailbox"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The author's proof, and the verdict of the judges about From (pass, none, fail)."""

    proof: AuthorProof
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class _Found:
    verdict: Verdict
    reason: str


def judge(author: Author, headers: Headers, envelope: dict[str, str], account: ChannelAccount) -> Judgement:
    """Grade the author of a mail."""
    trusted = {str(one).strip().lower() for one in account.config.get("authserv_ids") or ()}
    is_judged = (
        bool(trusted) or provider_results.is_reported(envelope) or account.config.get("trust_provider_headers") is True
    )
    domain = author.single.address.rpartition("@")[2] if author.single else ""
    found = _judged(headers, envelope, account, trusted, domain)
    carrier, reason = _grade(author, found, is_judged=is_judged)
    grade: Grade = carrier if author.source == "from" else "unproved"
    rests_on = reason if author.source == "from" else f"{_SOURCES[author.source]}; {reason}"
    covers: tuple[Clue, ...] = ()
    if grade == "proved":
        results = _trusted_results(headers, envelope, account, trusted, domain)
        token_header = recipients.token_header(headers, envelope, recipients.own_addresses(account))
        covers = coverage.covered_clues(headers, results, domain=domain, token_header=token_header)
    proof = AuthorProof(author.mailbox.address, grade, rests_on, author.source, carrier, is_judged, covers)
    return Judgement(proof, "fail" if found.verdict == "fail" else "pass" if grade == "proved" else "none")


def _grade(author: Author, found: _Found, *, is_judged: bool) -> tuple[Grade, str]:
    """Return the grade of the From mailbox with the reason."""
    if author.single is None:
        return "unproved", _NOT_SINGLE
    if not is_judged:
        return "unjudged", "no judge is configured for this mailbox (authserv_ids)"
    return ("proved" if found.verdict == "pass" else "unproved"), found.reason


def _judged(
    headers: Headers, envelope: dict[str, str], account: ChannelAccount, trusted: set[str], domain: str
) -> _Found:
    """Judge by the trusted server and by the provider. A fail of either decides, then a pass of either."""
    reports = _reports(headers, trusted)
    failed = next((one for results in reports if (one := _by_results(results, domain)).verdict == "fail"), None)
    if failed is not None:
        return failed
    told = [
        *provider_results.from_envelope(envelope),
        *provider_results.from_headers(headers, envelope, account, domain),
    ]
    by_provider = _by_results(told, domain)
    if by_provider.verdict == "fail":
        return _Found("fail", f"the provider's check failed: {by_provider.reason}")
    topmost = _by_topmost(headers, trusted, domain)
    if topmost.verdict != "pass" and by_provider.verdict == "pass":
        return _Found("pass", f"the provider's check passed: {by_provider.reason}")
    if topmost.verdict == "pass" or trusted:
        return topmost
    return _Found("none", f"the provider's check did not pass: {by_provider.reason}")


def _trusted_results(
    headers: Headers, envelope: dict[str, str], account: ChannelAccount, trusted: set[str], domain: str
) -> list[Result]:
    """Return the results of the topmost header, if its server is trusted, and those of the provider."""
    value = next(all_values(headers, b"authentication-results"), None)
    topmost = None if value is None else authentication_results.read(value)
    found = list(topmost.results) if isinstance(topmost, Results) and topmost.authserv_id in trusted else []
    found += provider_results.from_envelope(envelope)
    return [*found, *provider_results.from_headers(headers, envelope, account, domain)]


def _by_topmost(headers: Headers, trusted: set[str], domain: str) -> _Found:
    value = next(all_values(headers, b"authentication-results"), None)
    if value is None:
        return _Found("none", "no result of a trusted server")
    results = authentication_results.read(value)
    if results is None:
        return _Found("none", "the topmost Authentication-Results header is malformed")
    if results.authserv_id not in trusted:
        return _Found("none", "the topmost Authentication-Results header is not of a trusted server")
    return _by_results(results.results, domain)


def _reports(headers: Headers, trusted: set[str]) -> list[Sequence[Result]]:
    """Return the results of every header with a trusted id. Only a failure in them counts."""
    values = zip(range(limits.authentication_headers_max), all_values(headers, b"authentication-results"), strict=False)
    found = (authentication_results.read(value) for _, value in values)
    return [one.results for one in found if isinstance(one, Results) and one.authserv_id in trusted]


def _by_results(results: Sequence[Result], domain: str) -> _Found:
    """Judge by DMARC, then by Microsoft's compauth, then by SPF and DKIM of the author's own organisation."""
    for method in ("dmarc", "compauth"):
        named = [one for one in results if one.method == method]
        if any(one.result == "fail" for one in named):
            return _Found("fail", f"{method}=fail")
        if any(one.result == "pass" for one in named):
            return _by_pass(method, named, domain)
    others = [one for one in results if one.method in ("spf", "dkim")]
    failed = next((one for one in others if one.result in ("fail", "hardfail")), None)
    if failed is not None:
        return _Found("fail", f"{failed.method}=fail")
    for one in others:
        if one.result == "pass" and is_aligned(coverage.sender_domain(one), domain):
            return _Found("pass", f"{one.method}=pass for the author's domain")
    return _Found("none", "nothing passed for the author's domain" if others else "it reports no result")


def _by_pass(method: str, named: Sequence[Result], domain: str) -> _Found:
    """A message has one DMARC result. Several of them are a sign of an injected one."""
    if len(named) > 1:
        return _Found("none", f"{method} has several results")
    judged = named[0].properties.get("header.from", domain).rpartition("@")[2]
    if domain and is_aligned(judged, domain):
        return _Found("pass", f"{method}=pass")
    return _Found("none", f"{method}=pass, but not for the author's domain")
