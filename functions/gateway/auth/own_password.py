"""/v1/me/password: the caller's own password."""

from __future__ import annotations

from typing import Annotated

import msgspec

from functions.gateway.staff.people import Password
from functions.http.operations import Answer, Call, Operations
from models.identity import own_password
from models.kernel import limits
from models.kernel.errors import Conflict

operations = Operations()


class PasswordChange(msgspec.Struct, forbid_unknown_fields=True):
    """The current password of the caller, and the new one."""

    current_password: Annotated[str, msgspec.Meta(max_length=limits.password_chars_max)]
    new_password: Password


@operations.add(
    "POST",
    "/v1/me/password",
    summary="Change your own password",
    unlocked=True,
    body=PasswordChange,
    answers={204: None},
    problems=(409, 429),
)
def change_own_password(call: Call[PasswordChange]) -> Answer:
    """Ends all other sessions of the caller.

    A password that is common or easy to guess is rejected; words of the caller's name and of the desk count as known to
    a guesser. Wrong current passwords are rate-limited for the caller.
    """
    me = call.caller
    if me.session_id is None:
        raise Conflict("An API key has no password.")
    own_password.change(
        me.id, call.body.current_password, call.body.new_password, session_id=me.session_id, actor=me.actor
    )
    return Answer(status=204)
