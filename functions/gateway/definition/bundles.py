"""/v1/definition_bundles: several definitions that are checked, planned and published together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec

from functions.gateway.definition import drafts
from functions.gateway.definition.workflows import Checked, FindingShown, Planned, Source
from functions.http.operations import Answer, Call, Cost, Operations
from functions.views.texts import Comment
from models.identity.rules import Permission
from models.kernel.errors import Forbidden
from models.publishing import publishing

if TYPE_CHECKING:
    from models.publishing.catalogue import Found  # cold start: it loads the YAML library

operations = Operations()

# A folder of definitions has some 30 files.
files_max = 200
Path = Annotated[
    str, msgspec.Meta(max_length=200, pattern=r"^(?!\.\.?/)[^\x00-\x1f\x7f/:~][^\x00-\x1f\x7f:~]*\.yaml(?![\s\S])")
]
Files = Annotated[dict[Path, Source], msgspec.Meta(min_length=1, max_length=files_max)]


class DraftBundle(msgspec.Struct, forbid_unknown_fields=True):
    """Definitions as YAML texts by their paths, such as `support/workflow.yaml`. Includes are relative to the path: to
    fragments of the bundle, else to published ones.
    """

    files: Files


class NewBundle(DraftBundle, forbid_unknown_fields=True):
    """Definitions to publish together."""

    reason: Comment = "published over the API"


class PlannedDefinition(Planned):
    """The changes that the publication of one definition would make."""

    kind: str
    name: str


class PlannedBundle(msgspec.Struct):
    """The changes that a publication would make, definition by definition."""

    items: list[PlannedDefinition]


class PublishedDefinition(msgspec.Struct):
    """A new version that came into force."""

    kind: str
    name: str
    version: int


class PublishedBundle(msgspec.Struct):
    """The definitions that changed. Definitions that are in force already are not listed."""

    items: list[PublishedDefinition]


# The desk's texts stand in mails that let people sign in, and a team's visibility decides who reads its tickets.
_OF_ADMINS = ("desk", "teams")
_ANSWERS = "answers"


def _check_rights(call: Call[NewBundle], found: Sequence[Found]) -> None:
    """Raise Forbidden for definitions that decide more than the publication of life cycles and ticket types may."""
    if any(one.kind == _ANSWERS for one in found) and Permission.texts_manage not in call.caller.permissions:
        raise Forbidden(f"The definitions of answers also need the permission {Permission.texts_manage}.")
    kinds = sorted({one.kind for one in found} & set(_OF_ADMINS))
    if kinds and Permission.users_manage not in call.caller.permissions:
        raise Forbidden(f"The definitions {' and '.join(kinds)} also need the permission {Permission.users_manage}.")


@operations.add(
    "POST",
    "/v1/definition_bundles",
    cost=Cost.heavy,
    summary="Publish definitions together",
    needs=Permission.definitions_manage,
    body=NewBundle,
    answers={201: PublishedBundle, 200: PublishedBundle},
    problems=(409,),
    body_bytes_max=drafts.bundle_bytes_max,
)
def publish_bundle(call: Call[NewBundle]) -> Answer:
    """Checks ticket types, life cycles, teams, the desk and fragments against each other and publishes them in one
    transaction. Teams and the desk also need the permission `users_manage`, sets of answers `texts_manage`.

    Responds with 422 and the file, line and column of every error, when nothing is published, and with 200 when
    everything is in force already.
    """
    found = drafts.checked_bundle(call.body.files)
    _check_rights(call, found)
    new = publishing.apply(found, by=call.caller.key, reason=call.body.reason, origin="api")
    items = [PublishedDefinition(one.kind, one.name, one.version) for one in new]
    return Answer(PublishedBundle(items), status=201 if new else 200)


@operations.add(
    "POST",
    "/v1/definition_bundles/check",
    cost=Cost.heavy,
    summary="Validate definitions together",
    needs=Permission.definitions_read,
    body=DraftBundle,
    answers={200: Checked},
    body_bytes_max=drafts.bundle_bytes_max,
)
def check_bundle(call: Call[DraftBundle]) -> Answer:
    """Reports errors and warnings with file, line and column, also of life cycles in force that the bundle would break.
    Nothing is saved.
    """
    findings = [FindingShown(**one) for one in drafts.judged_bundle(call.body.files)]
    return Answer(Checked(all(one.severity != "error" for one in findings), findings))


@operations.add(
    "POST",
    "/v1/definition_bundles/plan",
    cost=Cost.heavy,
    summary="Preview the publication of definitions",
    needs=Permission.definitions_read,
    body=DraftBundle,
    answers={200: PlannedBundle},
    body_bytes_max=drafts.bundle_bytes_max,
)
def plan_bundle(call: Call[DraftBundle]) -> Answer:
    """Counts the affected tickets, timers, SLA clocks and approvals. Nothing is changed."""
    from models.publishing import plan

    entries = plan.plan(drafts.checked_bundle(call.body.files))
    return Answer(PlannedBundle([msgspec.convert(one, PlannedDefinition, from_attributes=True) for one in entries]))
