"""Presses of one link at the same time."""

from models.portal.sign_in import LinkEnded
from tests.desk import Desk
from tests.models.portal.visiting import count, mailed, pressed


def test_of_several_presses_of_one_link_at_once_one_opens_a_session(desk: Desk) -> None:
    (token,) = mailed(desk)

    def press() -> bool:
        try:
            return bool(pressed(token))
        except LinkEnded:
            return False

    results = desk.in_threads(*[press] * 4)

    assert sorted(results) == [False, False, False, True]
    assert count(desk, "portal_sessions") == 1
