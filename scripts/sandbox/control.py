"""The control port: read what was received, program faults, queue updates. Not part of any real service."""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qsl

from scripts.sandbox import limits
from scripts.sandbox.faults import BotFault, FaultBook, FaultRefused, MailFault, bot_fault, mail_fault
from scripts.sandbox.files import FilesFull
from scripts.sandbox.httpd import Request, Response, json_response
from scripts.sandbox.json_object import JsonObject
from scripts.sandbox.telegram.bot_api import BotSettings
from scripts.sandbox.telegram.bot_context import Context
from scripts.sandbox.telegram.bot_request import ApiError
from scripts.sandbox.telegram.people import DeedRefused, People
from scripts.sandbox.telegram.updates import UpdateRefused

_SETTINGS = {"rate_limits", "tokens", "unknown_chats"}


class ControlError(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Control:
    def __init__(
        self,
        context: Context,
        *,
        bot_faults: FaultBook[BotFault],
        mail_faults: FaultBook[MailFault],
        settings: BotSettings,
    ) -> None:
        outbox = self._outbox = context.outbox
        self._files = context.files
        self._chats = context.chats
        self._sent = context.sent
        self._people = People(context)
        self._bot_faults = bot_faults
        self._mail_faults = mail_faults
        self._bots = context.bots
        self._settings = settings
        self._routes: dict[tuple[str, str], Callable[[Request], Any]] = {
            ("GET", "/healthz"): lambda _: {"status": "ok", "sequence": outbox.sequence},
            ("GET", "/outbox"): self._read_outbox,
            ("DELETE", "/outbox"): lambda _: {"deleted": outbox.clear()},
            ("GET", "/faults"): lambda _: _listed(bot_faults),
            ("POST", "/faults"): lambda request: bot_faults.add(bot_fault(_json_object(request))),
            ("DELETE", "/faults"): lambda _: bot_faults.clear(),
            ("GET", "/mail-faults"): lambda _: _listed(mail_faults),
            ("POST", "/mail-faults"): lambda request: mail_faults.add(mail_fault(_json_object(request))),
            ("DELETE", "/mail-faults"): lambda _: mail_faults.clear(),
            ("POST", "/hooks"): self._catch,
            ("POST", "/updates"): self._queue_update,
            ("GET", "/chat"): self._read_chat,
            ("POST", "/people"): lambda request: {"updates": self._people.act(_json_object(request))},
            ("POST", "/forums"): self._make_forum,
            ("POST", "/files"): self._store_file,
            ("GET", "/settings"): self._read_settings,
            ("PATCH", "/settings"): self._change_settings,
        }

    async def handle(self, request: Request) -> Response:
        route = self._routes.get((request.method, request.path))
        if route is None:
            return self._no_route(request)
        try:
            result = route(request)
        except (FaultRefused, UpdateRefused, DeedRefused) as error:
            return error_form(422, str(error))
        except ControlError as error:
            return error_form(error.status, str(error))
        except ApiError as error:
            return error_form(error.status, error.description)
        except FilesFull as error:
            return error_form(507, str(error))
        return json_response({} if result is None else result)

    def _no_route(self, request: Request) -> Response:
        known = sorted(method for method, path in self._routes if path == request.path)
        if known:
            return error_form(405, f"{request.path} takes {', '.join(known)}, not {request.method}")
        return error_form(404, f"no such path; known: {', '.join(sorted({path for _, path in self._routes}))}")

    def _read_outbox(self, request: Request) -> JsonObject:
        query = _query(request, {"channel", "since", "limit"})
        channel = query.get("channel") or None
        if channel not in (None, "telegram", "email", "webhook"):
            raise ControlError(422, f"channel: expected telegram, email or webhook, got {channel!r}")
        since = _whole_number(query, "since", None)
        limit = _whole_number(query, "limit", 100)
        items, next_since = self._outbox.page(
            channel=channel, since=since, limit=min(limit or 0, limits.OUTBOX_PAGE_MAX)
        )
        return {"items": items, "next_since": next_since}

    def _catch(self, request: Request) -> dict[str, str]:
        """Answer as the demo's webhook service; the same Idempotency-Key again is the same answer, as a good service
        does.
        """
        key = request.headers.get("idempotency-key", "")
        for entry in self._outbox:
            if key and entry["channel"] == "webhook" and entry["idempotency_key"] == key:
                return {"id": entry["id"]}
        entry_id = f"hook-{self._outbox.sequence + 1}"
        self._outbox.append(
            {"channel": "webhook", "id": entry_id, "idempotency_key": key, "body": _json_object(request)}
        )
        return {"id": entry_id}

    def _queue_update(self, request: Request) -> dict[str, int]:
        bot_id = _whole_number(_query(request, {"bot_id"}), "bot_id", None)
        return {"update_id": self._bots.queue(_json_object(request), bot_id)}

    def _read_chat(self, request: Request) -> JsonObject:
        """The messages of a chat with a bot as they are now: edits are applied, and deleted messages are absent."""
        query = _query(request, {"bot_id", "chat_id"})
        bot_id, chat_id = _whole_number(query, "bot_id", None), _whole_number(query, "chat_id", None)
        if bot_id is None or chat_id is None:
            raise ControlError(422, "expected bot_id and chat_id")
        return {"items": self._sent.of_chat(bot_id, chat_id)}

    def _make_forum(self, request: Request) -> None:
        """A group has topics from now on."""
        chat_id = _json_object(request).get("chat_id")
        if isinstance(chat_id, bool) or not isinstance(chat_id, int) or chat_id >= 0:
            raise ControlError(422, f"chat_id: expected a group's id, got {chat_id!r}")
        self._chats.forums.add(chat_id)

    def _store_file(self, request: Request) -> dict[str, str | int]:
        if not request.body:
            raise ControlError(422, "expected the file's bytes as the request body")
        filename = _query(request, {"filename"}).get("filename", "file.bin")
        return self._files.store(
            request.body, filename=filename, content_type=request.headers.get("content-type")
        ).as_dict()

    def _read_settings(self, _: Request) -> JsonObject:
        tokens = self._settings.tokens
        return {
            "rate_limits": self._settings.rate_limits,
            "tokens": None if tokens is None else len(tokens),  # how many: tokens are secrets, even here
            "unknown_chats": list(self._settings.unknown_chats),
        }

    def _change_settings(self, request: Request) -> JsonObject:
        body = _json_object(request)
        unknown = sorted(set(body) - _SETTINGS)
        if unknown:
            raise ControlError(422, f"unknown setting {unknown[0]!r}; expected {', '.join(sorted(_SETTINGS))}")
        rate_limits = body.get("rate_limits", self._settings.rate_limits)
        if not isinstance(rate_limits, bool):
            raise ControlError(422, "rate_limits: expected true or false")
        tokens = _tokens(body["tokens"]) if "tokens" in body else self._settings.tokens
        chats = body.get("unknown_chats", self._settings.unknown_chats)
        if not isinstance(chats, list | set) or not all(isinstance(chat, int | str) for chat in chats):
            raise ControlError(422, "unknown_chats: expected a list of chat ids")
        self._settings.rate_limits = rate_limits
        self._settings.tokens = tokens
        self._settings.unknown_chats = set(chats)
        return self._read_settings(request)


def _tokens(value: object) -> frozenset[str] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(token, str) for token in value):
        raise ControlError(422, "tokens: expected a list of tokens, or null to accept every well-formed one")
    return frozenset(value)


def error_form(status: int, text: str) -> Response:
    return json_response({"error": text}, status)


def _listed(faults: Iterable[BotFault] | Iterable[MailFault]) -> JsonObject:
    return {"items": [asdict(fault) for fault in faults]}


def _json_object(request: Request) -> JsonObject:
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise ControlError(400, f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise ControlError(422, "expected a JSON object as the body")
    return body


def _query(request: Request, known: set[str]) -> dict[str, str]:
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    unknown = sorted(set(query) - known)
    if unknown:
        raise ControlError(422, f"unknown parameter {unknown[0]!r}; expected {', '.join(sorted(known))}")
    return query


def _whole_number(query: dict[str, str], name: str, default: int | None) -> int | None:
    text = query.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or len(text) > 18:
        raise ControlError(422, f"{name}: expected a whole number, got {text!r}")
    return int(text)
