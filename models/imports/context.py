"""The surroundings of a record while an import writes it: the words of the desk, its users, and the source's ids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from models.blobs.commands import Stored
from models.channels import accounts
from models.channels.accounts import ChannelAccount
from models.events.commands import Actor
from models.identity import queries as identity
from models.imports.problems import Problem, Refused, one_of
from models.imports.sources import Sources
from models.kernel.errors import NotFound
from models.ports import channel_facts
from models.publishing import workflows
from models.teams import queries as teams
from models.workflow.definition import WorkflowVersion


class CleanHtml(NamedTuple):
    """HTML that is safe to show, without and with remote pictures (None: it has none)."""

    html: str
    remote: str | None


Sanitise = Callable[[str], CleanHtml]


@dataclass(slots=True)
class Context:
    """One run of an import. `sanitise` cleans HTML. `creates_users`: users that the desk does not have are created."""

    sources: Sources
    now: datetime
    sanitise: Sanitise
    creates_users: bool = False
    files: dict[str, Stored] = field(default_factory=dict)
    notes: list[Problem] = field(default_factory=list)
    _users: dict[str, UUID | None] = field(default_factory=dict)
    _teams: frozenset[str] | None = None
    _workflows: dict[str, WorkflowVersion] = field(default_factory=dict)

    @property
    def dry_run(self) -> bool:
        return self.sources.dry_run

    @property
    def causation_id(self) -> str:
        return f"import:{self.sources.import_id}"

    def leave_out(self, path: str, found: str, expected: str) -> None:
        """Note that a part of the record is not taken."""
        self.notes.append(Problem(path, found, expected, "left_out"))

    def user(self, email: str | None) -> UUID | None:
        """Return the id of the user with this address, or None."""
        if not email:
            return None
        if email not in self._users:
            found = identity.find_by_email(email)
            self._users[email] = None if found is None else found.id
        return self._users[email]

    def add_user(self, email: str, user_id: UUID) -> None:
        """Know a user that the import created, or that a dry run would create."""
        self._users[email] = user_id

    def actor(self, email: str | None) -> Actor | None:
        """Return the user with this address as the actor of an event, or None."""
        user_id = self.user(email)
        return None if user_id is None else Actor("user", str(user_id))

    def check_team(self, name: str, path: str) -> None:
        """Raise Refused for a team that the desk does not have."""
        if self._teams is None:
            self._teams = frozenset(team["name"] for team in teams.all_teams())
        if name not in self._teams:
            raise Refused(one_of(path, name, self._teams))

    def workflow(self, name: str, path: str) -> WorkflowVersion:
        """Return the version of a life cycle that new tickets start on. Raises Refused."""
        if name not in self._workflows:
            known = workflows.names()
            if name not in known:
                raise Refused(one_of(path, name, known))
            self._workflows[name] = workflows.newest(name)
        return self._workflows[name]

    def account(self, channel: str, name: str | None, path: str) -> ChannelAccount | None:
        """Return a channel account; without a name, the channel's default one, or None. Raises Refused."""
        self.check_channel(channel, path)
        if name is None:
            return accounts.default_for(channel)
        try:
            return accounts.find(channel, name)
        except NotFound:
            known = [one.name for one in accounts.every() if one.channel == channel]
            raise Refused(one_of(path, name, known)) from None

    def check_channel(self, channel: str, path: str) -> None:
        """Raise Refused for a channel that the desk does not have."""
        if channel not in (known := {*channel_facts.names(), "api"}):
            raise Refused(one_of(path, channel, known))
