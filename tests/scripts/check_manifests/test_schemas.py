"""Schemas: the CRD converter on a CRD of our own, and the shared CRDs where they are present."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from scripts.check_manifests.__main__ import find_crd_dir
from scripts.check_manifests.crds import CrdFolder, strict_schema
from scripts.check_manifests.documents import Document, read_documents
from scripts.check_manifests.schemas import SchemaCheck
from tests.scripts.check_manifests.minimal import (
    KSVC,
    PDB,
    SCALED,
    WORKER,
    Change,
    at,
    container,
    documents_with,
    notes,
    trigger,
)

CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: parrots.example.test}
spec:
  group: example.test
  names:
    kind: Parrot
    plural: parrots
  versions:
    - name: v1
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              required: [name]
              properties:
                name: {type: string}
                weight: {x-kubernetes-int-or-string: true}
                nest: {type: string, nullable: true, enum: [tree, rock]}
                free: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {a: {type: string}}}
                tags: {type: object, additionalProperties: {type: string}}
              anyOf:
                - properties: {weight: {maximum: 5}}
"""


def errors(value: Any, schema: dict[str, Any]) -> list[str]:
    return [error.message for error in Draft202012Validator(strict_schema(schema)).iter_errors(value)]


@pytest.fixture
def folder(tmp_path: Path) -> CrdFolder:
    (tmp_path / "parrot.yaml").write_text(CRD, encoding="utf-8")
    return CrdFolder(tmp_path)


def parrot(spec: str, version: str = "v1") -> Document:
    text = f"apiVersion: example.test/{version}\nkind: Parrot\nmetadata: {{name: kea}}\nspec: {spec}"
    return read_documents(text, "parrot.yaml")[0]


@pytest.mark.parametrize(
    "spec",
    [
        "{name: kea, weight: 1}",
        "{name: kea, weight: '1'}",
        "{name: kea, nest: null}",
        "{name: kea, free: {b: 1}}",
    ],
)
def test_what_the_api_server_takes_is_no_finding(folder: CrdFolder, spec: str) -> None:
    check = SchemaCheck(folder)

    assert list(check.check(parrot(spec))) == []
    assert (check.checked, check.unchecked) == (1, {})


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ("{name: kea, colour: green}", "spec"),  # the API server prunes it: a misspelt name
        ("{weight: 1}", "spec"),
        ("{name: kea, weight: [1]}", "spec.weight"),
        ("{name: kea, nest: roof}", "spec.nest"),
        ("{name: kea, tags: {a: 1}}", "spec.tags.a"),
    ],
)
def test_what_the_api_server_refuses_or_prunes_is_found(folder: CrdFolder, spec: str, path: str) -> None:
    (found,) = SchemaCheck(folder).check(parrot(spec))

    assert f": schema: {path}: " in str(found)


def test_conditions_in_a_junctor_do_not_close_the_object() -> None:
    schema = {"properties": {"a": {}, "b": {}}, "anyOf": [{"properties": {"a": {"type": "string"}}}]}

    assert errors({"a": "x", "b": 1}, schema) == []


def test_a_kind_without_schema_is_counted_with_its_reason(folder: CrdFolder) -> None:
    check = SchemaCheck(folder)

    assert list(check.check(parrot("{}", version="v2"))) == []
    assert list(check.unchecked.values()) == [1]


def test_absent_schemas_are_counted_for_each_custom_object() -> None:
    check = SchemaCheck(None)

    for document in documents_with(lambda objects: None):
        list(check.check(document))

    assert check.unchecked == {"schemas not present": 3}


CORE: list[tuple[str, str, Change]] = [
    (WORKER, "spec", lambda o: at(o, WORKER, "spec").update(replica=1)),
    (WORKER, "spec.template.spec.containers[0].ports", lambda o: container(o, WORKER).update(ports="80")),
    (PDB, "spec", lambda o: at(o, PDB, "spec").update(maxUnavailabel=1)),
    (
        KSVC,
        "spec.template.spec.containers[0].resources",
        lambda o: container(o)["resources"].update(request={}),
    ),
    (KSVC, "metadata.labels.stage", lambda o: at(o, KSVC, "metadata", "labels").update(stage=1)),
]


@pytest.mark.parametrize(("subject", "path", "change"), CORE, ids=[f"{s}-{p}" for s, p, _ in CORE])
def test_kubernetes_own_schemas_hold_for_its_kinds_and_for_pods_of_knative_services(
    subject: str, path: str, change: Change
) -> None:
    check = SchemaCheck(None)

    found = [f for document in documents_with(change) for f in check.check(document)]

    assert {finding.subject for finding in found} == {subject}
    assert f": schema: {path}: " in str(found[0])


KEDA: list[tuple[str, Change]] = [
    ("spec.triggers[0].type", lambda o: trigger(o).update(type="rabbitmqs")),
    (
        "spec.triggers[0].metadata.activationvalue",
        lambda o: trigger(o)["metadata"].update(activationvalue="0"),
    ),
    ("spec.triggers[0].metadata.host", lambda o: trigger(o).pop("authenticationRef")),
    ("spec.secretTargetRef[0].parameter", lambda o: _parameter(o).update(parameter="hots")),
]


def _parameter(objects: dict[str, dict[str, Any]]) -> Any:
    return at(objects, "TriggerAuthentication/broker", "spec", "secretTargetRef", 0)


SCALERS = """{"scalers": [{"type": "rabbitmq", "parameters": [
  {"name": "host", "triggerAuthenticationVariableReadable": true, "envVariableReadable": true},
  {"name": "queueName"}, {"name": "protocol", "default": "auto"},
  {"name": "mode", "optional": true}, {"name": "value", "optional": true}]}]}"""


@pytest.mark.parametrize(("path", "change"), KEDA, ids=[path for path, _ in KEDA])
def test_a_parameter_that_keda_does_not_know_or_misses_is_found(tmp_path: Path, path: str, change: Change) -> None:
    (tmp_path / "keda.scalers-schema.json").write_text(SCALERS, encoding="utf-8")

    found = [str(f) for f in SchemaCheck(CrdFolder(tmp_path)).check_triggers(documents_with(change))]

    assert any(f": R11: {path}: " in text for text in found), found


def test_parameters_that_keda_knows_are_no_finding(tmp_path: Path) -> None:
    (tmp_path / "keda.scalers-schema.json").write_text(SCALERS, encoding="utf-8")

    documents = documents_with(lambda o: trigger(o)["metadata"].update(hostFromEnv="BROKER_HOST"))

    assert list(SchemaCheck(CrdFolder(tmp_path)).check_triggers(documents)) == []


SHARED: list[tuple[str, Change]] = [
    (KSVC, lambda o: at(o, KSVC, "spec", "template", "spec").update(terminationGracePeriodSeconds=60)),
    (KSVC, lambda o: container(o).update(lifecycle={})),
    (SCALED, lambda o: at(o, SCALED, "spec").update(pollInterval=5)),
    (SCALED, lambda o: trigger(o)["metadata"].update(value=20)),
]


def test_the_shared_crds_find_seeded_mistakes_where_they_are_present() -> None:
    crd_dir = find_crd_dir()

    for subject, change in [("", lambda o: None), *SHARED]:
        check = SchemaCheck(CrdFolder(crd_dir) if crd_dir else None)
        found = [f for document in documents_with(change) for f in check.check(document)]
        expected = {subject} - {""} if crd_dir else set()
        assert {finding.subject for finding in found} == expected
        assert bool(check.unchecked) is (crd_dir is None)


def test_notes_of_a_template_must_be_strings() -> None:
    found = [
        f
        for document in documents_with(lambda o: notes(o).update({"example.test/x": 1}))
        for f in SchemaCheck(None).check(document)
    ]

    assert [finding.subject for finding in found] == [KSVC]
