"""Kinds of definition whose modules are on higher floors than this area.

A life cycle is read where tickets need it. Such a kind is written into rows when it comes into force, and its rows go
when it is retired.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from models.kernel.open_json import JsonObject

if TYPE_CHECKING:  # the analysis is loaded by publications only
    from models.publishing.surroundings import Surroundings
    from models.workflow.analysis import Finding


@dataclass(frozen=True, slots=True)
class DefinitionKind:
    """The functions of a kind of definition.

    `check(body)` returns the name that the definition is published under, or raises Invalid. `findings(body, around)`
    lists what does not fit to the other definitions. `put_in_force(name, body)` and `retire(name)` write rows and join
    the caller's transaction; `put_in_force` raises Invalid for what the rows of the desk do not allow.
    """

    check: Callable[[Mapping[str, Any]], str]
    findings: Callable[[Mapping[str, Any], Surroundings], Iterator[Finding]]
    put_in_force: Callable[[str, JsonObject], None]
    retire: Callable[[str], None]


# Kind, which is the key at the top of its files -> the module that declares its `KIND`.
MODULES: Final[Mapping[str, str]] = {"answers": "models.macros.published"}


def find(kind: str) -> DefinitionKind | None:
    """Return the functions of a kind, or None for the kinds that this area knows itself."""
    if kind not in MODULES:
        return None
    found: DefinitionKind = importlib.import_module(MODULES[kind]).KIND
    return found
