"""Every kind of task has an actor, every queue a worker: else rows wait for ever and nobody is told."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from models.kernel import limits
from models.tasks import payloads
from models.tasks.kinds import KINDS, QUEUES
from models.tasks.payloads import Payload
from queues import actors, topology
from tests.architecture.code import REPOSITORY

# Where an operator reads or runs the worker's command.
PLACES = (
    "README.md",
    "Dockerfile",
    "compose.yaml",
    "knative/base/worker.yaml knative/base/worker-sends.yaml",  # together
)


def test_every_kind_of_task_has_an_actor_and_every_actor_a_kind() -> None:
    assert set(KINDS) == actors.names()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_an_actor_takes_a_task_and_answers_a_settlement(kind: str) -> None:
    """The runner loads actors by name, so a wrong signature would fail the first task of the kind."""
    actor = actors.load(kind)
    assert actor is not None

    run, on_dead = inspect.signature(actor.run), inspect.signature(actor.on_dead)
    assert list(run.parameters) == ["task", "payload"]
    assert run.return_annotation == "Settlement"
    assert list(on_dead.parameters) == ["task", "payload", "reason"]
    # mypy compares an actor's own functions with each other; the kind is only known by the file's name.
    payload = KINDS[kind].payload.__name__
    assert run.parameters["payload"].annotation == payload
    assert on_dead.parameters["payload"].annotation in (payload, "Payload")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_no_kind_runs_longer_than_a_worker_waits_for_it_at_shutdown(kind: str) -> None:
    """The worker's shutdown and the pod's grace are made for limits.actor_time_limit_s."""
    spec = KINDS[kind]

    assert 0 < spec.time_limit_s <= limits.actor_time_limit_s
    assert spec.queue in QUEUES
    assert spec.name == kind
    assert spec.attempts_max > 0


def test_each_kind_has_a_payload_type_of_its_own() -> None:
    """The payload's type decides the kind of a task, so two kinds cannot share one."""
    named = [kind.payload for kind in KINDS.values()]

    assert len(set(named)) == len(named)
    assert set(named) == {kind for kind in Payload.__subclasses__() if kind.__module__ == payloads.__name__}


def _texts(document: Any) -> Iterator[list[str]]:
    """Every list of texts in a document: commands and arguments of containers."""
    if isinstance(document, dict):
        for value in document.values():
            yield from _texts(value)
    elif isinstance(document, list):
        if all(isinstance(item, str) for item in document):
            yield document
        for item in document:
            yield from _texts(item)


def commands(place: str) -> list[list[str]]:
    """The worker's commands in files, as words."""
    return [words for name in place.split() for words in _commands(name)]


def _commands(place: str) -> list[list[str]]:
    text = (REPOSITORY / place).read_text(encoding="utf-8")
    if place.endswith(".yaml"):
        return [
            words for document in yaml.safe_load_all(text) for words in _texts(document) if "queues.master" in words
        ]
    return [re.split(r"\s+", line.strip("` |")) for line in re.findall(r"queues\.master -[^`\n]*", text)]


@pytest.mark.parametrize("place", PLACES)
def test_the_documented_worker_commands_consume_every_queue(place: str) -> None:
    """A queue without a consumer collects wakeups without end, and its tasks never run."""
    found = commands(place)

    assert found, f"{place} names no worker command"
    consumed: set[str] = set()
    for words in found:
        after = words[words.index("--queues") + 1 :]
        consumed |= set(after[: next((i for i, w in enumerate(after) if w.startswith("-")), len(after))])
    assert consumed == set(topology.QUEUES), place


@pytest.mark.parametrize("place", PLACES)
def test_sends_have_a_worker_of_their_own_where_workers_are_documented(place: str) -> None:
    """A relay that accepts and says nothing would hold every thread, and new messages would wait for it."""
    assert any("sends" in words and "default" not in words and "--queues" in words for words in commands(place)), place


@pytest.mark.parametrize("place", PLACES)
def test_the_documented_worker_waits_longer_than_the_longest_actor(place: str) -> None:
    """Dramatiq's default of ten minutes outlives the pod; a shorter wait than the longest actor kills it half-way."""
    for words in commands(place):
        wait_ms = int(words[words.index("--worker-shutdown-timeout") + 1])
        assert wait_ms > limits.actor_time_limit_s * 1000, place
