"""Every error of the desk is final or open, and nobody but `is_final` decides that."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from models.kernel import errors
from models.kernel.errors import is_final
from models.ports.inbound import Unparseable

ROOT = Path(__file__).resolve().parents[3]
FINAL = [
    errors.BadRequest(),
    errors.Invalid("no"),
    errors.Unauthenticated(),
    errors.Forbidden(),
    errors.NotFound(),
    errors.Conflict(),
    errors.PreconditionFailed(),
    errors.PreconditionRequired(),
    errors.TooLarge(),
    errors.UnsupportedMediaType(),
    errors.PermanentFailure(),
    Unparseable(),
]
OPEN = [
    errors.NestorError(),
    errors.TooManyRequests(),
    errors.Unavailable(),
    errors.StatementTimeout(),
    errors.Contention(),
    errors.NoFreeConnection(),
    errors.NotReady(),
    errors.ConfigurationError(),
    errors.SchemaMismatch(),
    errors.TransientFailure(),
    errors.LeaseLost(),
    KeyError("a bug"),
    MemoryError(),
]


@pytest.mark.parametrize("error", FINAL, ids=lambda one: type(one).__name__)
def test_a_refusal_stays_a_refusal(error: BaseException) -> None:
    assert is_final(error)


@pytest.mark.parametrize("error", OPEN, ids=lambda one: type(one).__name__)
def test_a_passing_or_correctable_error_is_not_final(error: BaseException) -> None:
    assert not is_final(error)


def test_each_error_of_the_kernel_is_in_one_of_the_two_lists() -> None:
    listed = {type(one) for one in (*FINAL, *OPEN)}
    declared = {one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.NestorError)}

    assert declared - listed == set()


def test_no_module_reads_an_error_as_final_by_itself() -> None:
    """`isinstance(error, PermanentFailure)` as a value is a second reading, which forgets the refusals."""
    found = []
    for folder in ("models", "queues", "functions", "scripts"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if path.name == "errors.py" and path.parent.name == "kernel":
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Name)
                    and node.func.id == "isinstance"
                    and "PermanentFailure" in ast.dump(node.args[1])
                ):
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}")

    assert found == []
