"""Keys of an account's file that nothing reads, because another key chooses a provider or a kind that has no use for
them.

A key that is accepted and never read misleads: an operator believes that a password is asked for which nobody checks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import msgspec

from models.kernel.errors import FieldProblem


def given(struct: msgspec.Struct) -> dict[str, str]:
    """Return the fields whose value is not the default, with the key that the file has for each."""
    return {field.name: field.encode_name for field in msgspec.structs.fields(struct) if _is_given(struct, field)}


def unused(
    struct: msgspec.Struct, *, of: Collection[str], used: Collection[str], why: str, at: str = ""
) -> Iterator[FieldProblem]:
    """Report the given keys of `of` that are not in `used`. Keys that are not in `of` are always read.

    `why` completes "is not used ...". `at`: the place of the struct in the file.
    """
    for name, key in given(struct).items():
        if name in of and name not in used:
            yield FieldProblem(f"{at}.{key}", f"is not used {why}: remove it")


def _is_given(struct: msgspec.Struct, field: msgspec.structs.FieldInfo) -> bool:
    value = getattr(struct, field.name)
    if field.default is not msgspec.NODEFAULT:
        return bool(value != field.default)
    return field.default_factory is msgspec.NODEFAULT or bool(value != field.default_factory())
