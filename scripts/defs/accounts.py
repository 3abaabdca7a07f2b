"""Checks of a channel account's file; the channel declares its type and its rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.definitions import shape
from models.kernel.errors import FieldProblem, Invalid
from queues import channels


def check_account(body: Mapping[str, Any]) -> None:
    """Raises Invalid for what is wrong with an account's file."""
    channel = body.get("channel")
    if channel not in channels.names():
        known = ", ".join(sorted(channels.names()))
        raise Invalid([FieldProblem(".channel", f"expected one of {known}, found {channel!r}")])
    declared = channels.get(str(channel))
    try:
        account = shape.convert(dict(body), declared.account_type)
    except Invalid as error:
        raise Invalid([_explained(problem, body) for problem in error.problems]) from error
    if problems := list(declared.check(account)):
        raise Invalid(problems)


def _explained(problem: FieldProblem, body: Mapping[str, Any]) -> FieldProblem:
    """Explain a problem; the text of a credential that was written into the file is never repeated."""
    key = problem.path.lstrip(".")
    if problem.message.startswith("Expected `object") and isinstance(body.get(key), str):
        return FieldProblem(problem.path, "expected {secret: name}: credentials are named, never contained")
    return problem
