"""The document of a request: its JSON or form, or the JSON in one of its fields."""

from __future__ import annotations

from typing import Any

from queues.channels.email.providers import forms
from queues.channels.email.providers.described.description import Description
from queues.channels.email.providers.documents import Unreadable as NoForm
from queues.described import documents
from queues.described.documents import Unreadable


def document(raw: bytes, description: Description) -> Any:
    """Return the document that paths look into. Raises Unreadable."""
    if description.body == "json":
        found = documents.read(raw, "json")
        if description.json_field is None:
            return found
        inner = found.get(description.json_field) if isinstance(found, dict) else None
    else:
        form = _form(raw)
        if description.json_field is None:
            return {name: field.text() for name, field in form.items() if field.filename is None}
        inner = forms.text_of(form, description.json_field)
    if not isinstance(inner, str) or not inner:
        raise Unreadable(f"the body has no field {description.json_field}")
    return documents.read(inner.encode("utf-8", "surrogatepass"), "json")


def _form(raw: bytes) -> forms.Form:
    try:
        return forms.read(raw)
    except NoForm as error:
        raise Unreadable(error.message) from error
