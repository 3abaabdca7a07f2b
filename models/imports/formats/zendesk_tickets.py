"""A ticket of Zendesk with its comments, as a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from models.imports.bundles import Bundle
from models.imports.formats.mapping import Mapping
from models.imports.problems import Problem
from models.kernel.open_json import JsonObject
from models.ports import channel_facts

# Zendesk asks for "good" or "bad"; the desk's ratings go from 1 to 5.
_SCORES: Final = {"good": 5, "bad": 1, "good_with_comment": 5, "bad_with_comment": 1}


@dataclass(frozen=True, slots=True)
class People:
    """The users of the export by their ids: agents as they are, others as name and address; and the groups' names."""

    agents: dict[str, JsonObject]
    others: dict[str, tuple[str, str]]
    groups: dict[str, str]

    def agent_email(self, user_id: Any) -> str | None:
        return self.agents.get(str(user_id), {}).get("email")

    def email(self, user_id: Any) -> str:
        return self.agent_email(user_id) or self.others.get(str(user_id), ("", ""))[1]


def ticket_of(
    one: JsonObject,
    comments: list[JsonObject],
    people: People,
    mapping: Mapping,
    bundle: Bundle,
    notes: list[Problem],
) -> JsonObject:
    """Return the record of a ticket. What has no place in it is noted."""
    requester_id, by_mail = one.get("requester_id"), _via(one) == "email"
    channel = channel_facts.with_emails() if by_mail else "api"
    metrics = one.get("metric_set") or {}
    made = {
        "kind": "ticket",
        "id": str(one["id"]) if "id" in one else "",
        "number": one.get("id"),
        "title": one.get("raw_subject") or one.get("subject") or "",
        "created_at": one.get("created_at"),
        "updated_at": one.get("updated_at"),
        "solved_at": metrics.get("solved_at"),
        "state": one.get("status"),
        "type": one.get("type") or "question",
        "priority": one.get("priority") or "normal",
        "requester": None if requester_id is None else str(requester_id),
        "assignee": people.agent_email(one.get("assignee_id")),
        "team": _team(one, people, mapping, notes),
        "channel": channel,
        "account": mapping.accounts.get(str(one.get("recipient"))) if by_mail else None,
        "tags": one.get("tags") or [],
        "fields": _fields(one, mapping, notes),
        "followers": [email for user in one.get("follower_ids") or [] if (email := people.agent_email(user))],
        "participants": _participants(one, people),
        "ratings": _ratings(one),
        "messages": [_message(comment, one, people, bundle) for comment in comments] or _description(one, people),
    }
    if (type_ := one.get("type")) in ("problem", "incident", "task") and mapping.types[type_] == "question":
        notes.append(Problem("type", repr(type_), "a type in the mapping; it is taken as question", "left_out"))
    if one.get("problem_id") is not None:
        notes.append(
            Problem("problem_id", str(one["problem_id"]), "nothing: links to problems are not taken", "left_out")
        )
    return made


def _via(one: JsonObject) -> str:
    return str((one.get("via") or {}).get("channel") or "")


def _team(one: JsonObject, people: People, mapping: Mapping, notes: list[Problem]) -> str | None:
    """The team of the group: by the mapping of the group's name or id."""
    if (group := one.get("group_id")) is None:
        return None
    for name in (people.groups.get(str(group)), str(group)):
        if name in mapping.teams:
            return name
    notes.append(Problem("group_id", str(group), "a team for this group in the mapping", "left_out"))
    return None


def _fields(one: JsonObject, mapping: Mapping, notes: list[Problem]) -> JsonObject:
    found: JsonObject = {}
    for field in one.get("custom_fields") or []:
        name, value = str(field.get("id")), field.get("value")
        if value in (None, "", [], False):
            continue
        if name in mapping.fields:
            found[mapping.fields[name]] = value
        else:
            notes.append(Problem(f"custom_fields.{name}", "a value", "a field for it in the mapping", "left_out"))
    return found


def _participants(one: JsonObject, people: People) -> list[JsonObject]:
    channel, ids = channel_facts.with_emails(), one.get("email_cc_ids") or one.get("collaborator_ids") or []
    return [{"channel": channel, "address": email} for user in ids if (email := people.email(user))]


def _ratings(one: JsonObject) -> list[JsonObject]:
    rating = one.get("satisfaction_rating") or {}
    score = _SCORES.get(str(rating.get("score")))
    if score is None:
        return []
    at = one.get("updated_at")
    return [{"asked_at": at, "rated_at": at, "score": score, "comment": rating.get("comment")}]


def _author(user_id: Any, one: JsonObject, people: People) -> JsonObject:
    key = str(user_id)
    if key in people.agents and user_id != one.get("requester_id"):
        agent = people.agents[key]
        return {"kind": "agent", "email": agent.get("email"), "name": agent.get("name") or ""}
    if key in people.agents:
        return {"kind": "requester", "id": key, "name": people.agents[key].get("name") or ""}
    if key in people.others:
        return {"kind": "requester", "id": key, "name": people.others[key][0]}
    # Zendesk's own messages have the author -1; other unknown users were deleted there.
    return {"kind": "system", "name": "Zendesk"} if key == "-1" else {"kind": "requester", "name": "unknown"}


def _message(comment: JsonObject, one: JsonObject, people: People, bundle: Bundle) -> JsonObject:
    by_mail = _via(comment) == "email"
    system = (comment.get("metadata") or {}).get("system") or {}
    return {
        "id": str(comment.get("id") or ""),
        "author": _author(comment.get("author_id"), one, people),
        "created_at": comment.get("created_at"),
        "kind": "note" if comment.get("public") is False else "reply",
        "body": comment.get("plain_body") or comment.get("body") or "",
        "body_html": comment.get("html_body"),
        "channel": channel_facts.with_emails() if by_mail or _via(one) == "email" else "api",
        "external_id": system.get("message_id"),
        "files": [_file(file, bundle) for file in comment.get("attachments") or []],
    }


def _file(file: JsonObject, bundle: Bundle) -> JsonObject:
    name = str(file.get("file_name") or "file")
    places = (f"attachments/{file.get('id')}/{name}", f"attachments/{file.get('id')}")
    found = next((place for place in places if bundle.size_of(place) is not None), places[0])
    return {
        "filename": name,
        "content_type": str(file.get("content_type") or "application/octet-stream"),
        "size_bytes": file.get("size") or 0,
        "inline": bool(file.get("inline")),
        "path": found,
    }


def _description(one: JsonObject, people: People) -> list[JsonObject]:
    """The first message of a ticket whose comments are not in the export."""
    if not one.get("description"):
        return []
    author = _author(one.get("submitter_id") or one.get("requester_id"), one, people)
    return [{"id": "description", "author": author, "created_at": one.get("created_at"), "body": one["description"]}]
