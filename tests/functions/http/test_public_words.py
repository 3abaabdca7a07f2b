"""The OpenAPI documents in plain technical English: every summary, description, response, parameter and schema."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from functions import listing
from tests.functions.callers import Caller, sqlite_only

# Patterns of the private dialect that the public documents once had, each with an example of it.
DIALECT = {
    "Who are you?": r"\?$",
    "What is possible now": r"^(?:What|Who|Whose|Which|When|Where|Whether|Of|How) \w",
    "Mail addresses; what no message took is deleted": r"(?:^|[.;:,] )what \w+ (?:\w+ )?(?:is|are|was|has|took|moved|did)\b",
    "Does not go together with what is there": r"\b(?:is there|are there|no such thing|go together)\b",
    "Made": r"\b(?:Made|Taken|Done)\b",
    "For what is not sent and shall not be": r"\b(?:shall|beside|for ever|lest|hence|whoever)\b",
    "The life cycle hears of each": r"\b(?:hears?|told of|tells? (?:it|an?|of|us|me))\b",
    "Let it be": r"\b(?:[Ll]et it be|be let|put away|needs not)\b",
    "I have read it": r"\b(?:I|my|me)\b(?!`)",
}
_SENTENCE_END = (".", ":", "`", "...")


def texts(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every text of the document that a person reads, with its place."""
    yield "info", document["info"]["description"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            place = f"{method.upper()} {path}"
            yield f"{place} summary", operation["summary"]
            yield f"{place} description", operation.get("description", "")
            for parameter in operation["parameters"]:
                yield f"{place} {parameter['in']} {parameter['name']}", parameter.get("description", "")
            for status, response in operation["responses"].items():
                yield f"{place} {status}", response["description"]
    for name, schema in document["components"]["schemas"].items():
        yield f"schema {name}", schema.get("description", "")
    for name, scheme in document["components"]["securitySchemes"].items():
        yield f"security scheme {name}", scheme["description"]


def faults(document: dict[str, Any]) -> list[str]:
    found = []
    for place, text in texts(document):
        if not text.strip():
            found.append(f"{place}: empty")
        elif not place.endswith(" summary") and not text.rstrip().endswith(_SENTENCE_END):
            found.append(f"{place}: no whole sentence: {text!r}")
        found += [f"{place}: like {example!r}: {text!r}" for example, p in DIALECT.items() if re.search(p, text)]
    return found


# A function of pages has no document.
@pytest.fixture(params=[one for one in listing.FUNCTIONS if not one.rest], ids=lambda function: function.name)
def document(request: pytest.FixtureRequest, desk: Any) -> Any:
    return Caller(request.param.create_app()).read("/openapi.json")


@sqlite_only
def test_the_document_speaks_plain_english(document: Any) -> None:
    assert faults(document) == []


@sqlite_only
def test_schemas_are_not_named_after_our_modules(document: Any) -> None:
    assert [name for name in document["components"]["schemas"] if "." in name] == []


@pytest.mark.parametrize("example", list(DIALECT))
def test_the_walk_finds_the_dialect(example: str) -> None:
    document: dict[str, Any] = {
        "info": {"description": f"{example}."},
        "paths": {},
        "components": {"schemas": {"Thing": {"description": example}}, "securitySchemes": {}},
    }

    found = faults(document)

    assert any(fault.startswith("schema Thing: like") for fault in found)


def test_the_walk_finds_missing_texts() -> None:
    operation = {
        "summary": " ",
        "parameters": [{"in": "query", "name": "q"}],
        "responses": {"200": {"description": ""}},
    }
    document: dict[str, Any] = {
        "info": {"description": "A sentence."},
        "paths": {"/x": {"get": operation}},
        "components": {"schemas": {"Thing": {}}, "securitySchemes": {}},
    }

    places = ["GET /x summary", "GET /x description", "GET /x query q", "GET /x 200", "schema Thing"]
    assert faults(document) == [f"{place}: empty" for place in places]
