"""The types of a description: expressions, conditions and signatures. A function loads this module: no heavy
imports.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Scalar = str | int | float | bool | None
# A path, a text with placeholders, or a constant; of a list the first expression that gives a value counts.
Expression = str | list[str]
Header = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]{1,64}\Z")]


class Pairs(msgspec.Struct, forbid_unknown_fields=True):
    """The names of the pairs in a header such as `t=1,v1=ab`."""

    signature: str
    timestamp: str | None = None


class Signing(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The place and the form of a token or a signature in a request."""

    header: Header | None = None
    algorithm: Literal["sha256", "sha1", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    pairs: Pairs | None = None
    signed: str = "{body}"
    key_format: Literal["text", "base64", "hex"] = "text"
    timestamp_header: Header | None = None
    id_header: Header | None = None
    tolerance_s: Annotated[int, msgspec.Meta(ge=10, le=86_400)] = 300

    def has_timestamp(self) -> bool:
        """Return True if a request says when it was signed."""
        return self.timestamp_header is not None or (self.pairs is not None and self.pairs.timestamp is not None)


class Condition(msgspec.Struct, forbid_unknown_fields=True):
    """A condition on a value; all its keys must hold."""

    equals: Scalar | msgspec.UnsetType = msgspec.UNSET
    isin: list[Scalar] | msgspec.UnsetType = msgspec.field(name="in", default=msgspec.UNSET)
    exists: bool | msgspec.UnsetType = msgspec.UNSET


Conditions = dict[str, Scalar | Condition]
