"""The HTML of a mail in the inbound half of the channel port."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from models.kernel import limits
from models.ports.guards import Guarded, Markup

Html = Annotated[str, Markup(limits.message_html_chars_max)]


@dataclass(frozen=True, slots=True)
class WholeHtml(Guarded):
    """The HTML of a mail with the quotes and the signature that `body_html` leaves out.

    `html_remote` has remote pictures; None if the mail has none. `blocked_remote` counts those that `html` leaves out.
    """

    html: Html
    html_remote: Html | None
    blocked_remote: int
