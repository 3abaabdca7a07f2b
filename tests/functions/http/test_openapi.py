"""The functions against their own OpenAPI documents: schemathesis sends what the documents allow, and what they do not.

Its engine runs as its command line does (boundary values, then random ones, the same in every run); its pytest plug-in
reaches into pytest's own parts and breaks with pytest 9.2. Ids that answers told are used again, so it also meets
things that exist.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

import pytest

from models.identity.rules import Permission
from models.kernel import settings
from tests.desk import Desk
from tests.functions.callers import DEMO_KEY, Caller, sqlite_only
from tests.functions.http.thinned_documents import (
    has_body,
    has_query,
    linked,
    only,
    without_repetitions,
)

_examples_max = 3  # random cases per operation, besides the boundary values; a minute is our patience
_extended_examples_max = 12
_extended_scenarios_max = 40
_scenarios_max = 5  # walks along the links of the document
_steps_max = 6  # requests of a walk
_links_followed_min = 8  # of some 190, by walks that are the same in every run
# Methods that a path may not have: one that falcon routes, and one that it does not know. The answer to OPTIONS names
# all methods of a path, also those that are not in a part of the document.
_OTHER_METHODS = ["PATCH", "TRACE"]
_failures_shown_max = 12

ACCEPTED = ("2xx", "401", "403", "404", "409", "429")
# Places whose values only the desk can judge.
RULES = {
    "/body": "not blank",
    "/filter": "names that the desk has",
    "/note": "no control characters",
    "/acts": "one member each, with names that the desk has and texts that can be rendered",
    "/texts": "texts that can be rendered, without control characters",
    **{f"?{name}": "one that the desk has" for name in ("state", "type", "priority", "channel", "account")},
    **{f"?not_{name}": "one that the desk has" for name in ("state", "type", "priority", "channel", "account")},
    **{f"?{name}": "one that the desk has" for name in ("workflow", "team", "not_workflow", "not_team")},
    **{f"?{name}_{end}": "an instant of the calendar" for name in ("created", "updated") for end in ("since", "until")},
    **{
        f"?{name}_{end}": "an instant of the calendar" for name in ("due", "last_message") for end in ("since", "until")
    },
    "?q": "operators that there are, with values that the desk has",
    "?field": "fields that a type has, with values of their kind",
    "?cursor": "a next_cursor of this list",
    "?after": "a position of the feed",
    "?since": "a day of the calendar, not after until",
    "?until": "a day of the calendar",
    "?by": "one of the groups of the number",
    "/into": "a ticket that the caller sees",
    "/ticket": "as /into",
    "/messages": "messages of the ticket",
    "/requester_id": "a requester who is not merged or erased",
    "/requester": "same, where no requester wrote one of the messages",
    "/address": "one of the requester or of a participant",
    "/account": "an account of the channel",
    "/files": "sound definitions",
    "/type": "a ticket type of the desk",
    "/state_map": "states of the target",
    "/fields": "numbers of at most 64 bits, at most so deep",
    "/payload": "as fields, and at most so large",
    "/totp": "one of totp, recovery_code and passkey",
    "/passkey": "as fields",
    "/password": "not among the first that a guesser tries, four different characters",
    "/expires_at": "in the future",
    "/until": "in the future, within a year",
    "/tickets": "or a filter",
    "/for": "that the calendar of the ticket can count, within a year",
    "/send_at": "within a year, and not for a note",
    "/time_zone": "an IANA name",
    "/assignee_id": "an active user's",
    "/priority": "one of the life cycle's",
    "/team": "one of the desk's teams",
    "/source": "a definition that can be published",
    "/score": "a whole number, written as one",
    "/scopes": "permissions of the role",
    "/to": "another user",
    "/owner_id": "an active user with all permissions of the key",
    "/role": "one of the desk's roles",
    "?role": "as in bodies",
    "/version": "as score",
    "/to_version": "as score",
    "/members": "ids of active users who work on tickets",
    "/given": "a ticket that can be",
    "/steps": "steps as in scenario files",
    "/file": "the file itself, at least a byte of it, and not a form",
    "/attachments": "uploads of the caller's that no message has",
    "/copies": "of a reply only",
    "/channel": "one of the channels of the desk",
    "/people": "a cast as in scenario files",
    "/url": "one that may be called",
    "/event_types": "those of the catalogue, each once",
    "/reason": "without control characters; a pattern of a long text is of no use to a client",
    "/comment": "as /reason",
    "/mentions": "of a note only",
    "/domains": "registered by one organisation",
    "/identities": "of channels of the desk",
    "/organisation_id": "the id of an organisation",
    "/description": "one line that can be shown",
    "/subject": "as /description",
    "/mapping": "texts without control characters",
    "/attachment_id": "an upload of the caller's that no message has",
}


def run(
    app: Any,
    document: dict[str, Any],
    *,
    phases: Collection[str] = ("examples", "coverage", "fuzzing"),
    examples_max: int = _examples_max,
    **more: Any,
) -> set[str]:
    """Send requests to every operation of the document; fail with each answer that does not conform. Return the
    transitions between operations that walks along the links made.

    `phases`: the examples of the document, boundary values (`coverage`), random ones (`fuzzing`), and walks along the
    links (`stateful`).
    """
    import schemathesis
    from schemathesis.config import SchemathesisConfig
    from schemathesis.engine import events, from_schema

    config = SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "generation": {"deterministic": True, "max-examples": examples_max},
            "phases": {
                "examples": {"enabled": "examples" in phases},
                "coverage": {"enabled": "coverage" in phases, "unexpected-methods": _OTHER_METHODS},
                "fuzzing": {"enabled": "fuzzing" in phases},
                "stateful": {
                    "enabled": "stateful" in phases,
                    "max-steps": _steps_max,
                    # The other phases send the values that must be refused.
                    "generation": {"mode": "positive", "max-examples": examples_max},
                    # Only the links of the document.
                    "inference": {"algorithms": []},
                },
            },
            "checks": {
                # Its probe cannot speak WSGI (schemathesis 4.32); test_permissions asks every route without a caller.
                "ignored_auth": {"enabled": False},
                # 412: an ETag can be well-formed and old. 304: `*` is a current ETag. 422: see RULES.
                "positive_data_acceptance": {"expected-statuses": [*ACCEPTED, "412", "304"]},
                # 413: a text longer than its bound may be longer than the whole body's.
                "negative_data_rejection": {"expected-statuses": ["4xx"]},
                # 409: the boundary values use one Idempotency-Key for different requests.
                "missing_required_header": {"expected-statuses": ["428", "409"]},
            },
            "continue-on-failure": True,
            **more,
        }
    )
    schema = schemathesis.openapi.from_dict(document, config=config)
    schema.app = app
    failures: list[str] = []
    followed: set[str] = set()
    cases = 0
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            cases += len(event.recorder.cases)
            failures += _failures(event.recorder)
            followed |= {one.transition.id for one in event.recorder.cases.values() if one.transition is not None}
        elif isinstance(event, events.NonFatalError):
            failures.append(f"{event.label}: {event.value!r}")
        elif isinstance(event, events.FatalError):
            raise event.exception
    assert cases > 0
    shown = "\n\n".join(failures[:_failures_shown_max])
    assert not failures, f"{len(failures)} failures in {cases} cases\n{shown}"
    return followed


def _failures(recorder: Any) -> list[str]:
    found = []
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is None:
                continue
            response = recorder.interactions[case_id].response
            body = b"" if response is None else response.content
            if check.name == "positive_data_acceptance" and _only_rules_refuse(body):
                continue
            failure = check.failure_info.failure
            if check.name == "negative_data_rejection" and "`If-None-Match`" in failure.message:
                # An ETag that is none of ours, or no ETag, only means that the caller has no current answer.
                continue
            if check.name == "negative_data_rejection" and _is_an_empty_list(
                failure.message, recorder.interactions[case_id].request.uri
            ):
                continue
            found.append(
                f"{recorder.label}: {check.name}: {failure.message}\n{check.failure_info.code_sample}\n-> {body[:500]!r}"
            )
    return found


def _is_an_empty_list(message: str, uri: str) -> bool:
    """Return True if the value that should be refused is a list with one empty text in the query. Without `explode`,
    it is written like the empty list (OpenAPI 3.1, section 4.8.12.3), which means no filter.
    """
    named = re.search(r"parameter `(\w+)` in query", message)
    return named is not None and re.search(rf"[?&]{named[1]}=(&|$)", uri) is not None


def _only_rules_refuse(body: bytes) -> bool:
    """Return True if a valid request was refused for what no schema can tell (RULES)."""
    document = json.loads(body)
    if document["detail"].startswith("If-Match: expected"):
        # Of an optional header schemathesis 4.32 sends values that its pattern excludes, as if they were valid.
        return True
    errors = document.get("errors", [])
    return bool(errors) and all(_is_written_as_a_fraction(error) or _is_in_rules(error) for error in errors)


def _is_in_rules(error: dict[str, str]) -> bool:
    return any(_inside(error["path"], place) for place in RULES)


def _is_written_as_a_fraction(error: dict[str, str]) -> bool:
    """Return True for 5.0: an integer for JSON Schema, and a fraction for the reader of bodies."""
    return error["message"].startswith("Expected `int") and error["message"].endswith("got `float`")


def _inside(path: str, place: str) -> bool:
    """Return True for the place itself, for a member, and for a parameter of a family such as `field.<name>`."""
    return path == place or path.startswith((f"{place}/", f"{place}."))


@sqlite_only
def test_the_documents_are_openapi_3_1(gateway: Any, webhooks: Any) -> None:
    """By the official JSON Schema of OpenAPI 3.1, which schemathesis ships."""
    from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

    for app in (gateway, webhooks):
        document = Caller(app).read("/openapi.json")
        assert [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(document)] == []
        operations = [operation for methods in document["paths"].values() for operation in methods.values()]
        ids = [operation["operationId"] for operation in operations]
        assert len(ids) == len(set(ids))
        needed = [name for operation in operations for one in operation.get("security", []) for name in one["bearer"]]
        assert bool(needed) == (app is gateway)
        assert set(needed) <= {str(permission) for permission in Permission}
        assert all("400" in operation["responses"] for operation in operations if "requestBody" in operation)


@pytest.fixture(autouse=True)
def no_quota_of_reads_and_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fast machine sends more requests than the quotas admit, and a refused one (429) tests nothing."""
    monkeypatch.setenv("REQUEST_LIMITS", "read=0,write=0")
    settings.current.cache_clear()


AUTHORISED: dict[str, Any] = {"headers": {"Authorization": f"Bearer {DEMO_KEY}"}}


def test_the_gateway_keeps_to_its_document(gateway: Any, desk: Desk) -> None:
    """Boundary values of bodies go to SQLite. Those of queries, and random values, go to PostgreSQL, which refuses more
    of them. The extended test sends both to both.
    """
    document = without_repetitions(Caller(gateway).read("/openapi.json"))
    if desk.engine == "sqlite":
        run(gateway, only(document, lambda one: not has_query(one)), phases=("examples", "coverage"), **AUTHORISED)
    else:
        run(gateway, only(document, has_query), phases=("examples", "coverage"), **AUTHORISED)
        run(gateway, only(document, lambda one: has_query(one) or has_body(one)), phases=("fuzzing",), **AUTHORISED)


@sqlite_only
def test_the_gateway_keeps_to_its_document_along_its_links(gateway: Any) -> None:
    document = linked(without_repetitions(Caller(gateway).read("/openapi.json")))

    followed = run(gateway, document, phases=("stateful",), examples_max=_scenarios_max, **AUTHORISED)

    assert len(followed) > _links_followed_min, sorted(followed)


@pytest.mark.extended
def test_the_gateway_keeps_to_its_whole_document(gateway: Any) -> None:
    document = Caller(gateway).read("/openapi.json")

    run(gateway, document, examples_max=_extended_examples_max, **AUTHORISED)
    run(gateway, linked(document), phases=("stateful",), examples_max=_extended_scenarios_max, **AUTHORISED)


def test_the_webhooks_keep_to_their_document(webhooks: Any) -> None:
    run(webhooks, Caller(webhooks).read("/openapi.json"))


def test_the_tick_keeps_to_its_document(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from functions.tick.app import create_app

    monkeypatch.setenv("TICK_TOKEN", "x")
    settings.current.cache_clear()
    app = create_app()

    run(app, Caller(app).read("/openapi.json"))
