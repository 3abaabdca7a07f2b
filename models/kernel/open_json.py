"""The type of JSON objects whose keys the code does not know."""

from __future__ import annotations

from typing import Any, TypeAlias

# Right for a customer's fields, a provider's update or answer, the payload of a signal, a JSON Schema, an OpenAPI
# document, the body of a definition file before its check, and facts that pass through unread. An object that our code
# reads or writes by name is a Struct, a dataclass or a TypedDict.
JsonObject: TypeAlias = dict[str, Any]
