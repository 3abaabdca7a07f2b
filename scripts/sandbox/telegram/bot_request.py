"""Read a Bot API request as the real server does: form, multipart, JSON or query, all into text."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from scripts.sandbox import limits
from scripts.sandbox.httpd import Request, Response, json_response
from scripts.sandbox.json_object import JsonObject


class ApiError(Exception):
    """A refusal in the Bot API's own form."""

    def __init__(self, status: int, description: str, parameters: Mapping[str, int] | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = parameters

    def response(self) -> Response:
        body: JsonObject = {"ok": False, "error_code": self.status, "description": self.description}
        if self.parameters:
            body["parameters"] = dict(self.parameters)
        return json_response(body, self.status)


def bad_request(text: str) -> ApiError:
    return ApiError(400, f"Bad Request: {text}")


@dataclass(frozen=True, slots=True)
class Upload:
    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """One method call; parameters are text, composite ones JSON text, as on the wire."""

    bot_id: int
    method: str
    params: dict[str, str]
    uploads: dict[str, Upload] = field(default_factory=dict)

    def text(self, name: str) -> str:
        return self.params.get(name, "")

    def flag(self, name: str) -> bool:
        return self.text(name).lower() in ("true", "yes", "1")

    def integer(self, name: str, default: int = 0) -> int:
        """The parameter as an integer; like the real server, what is not a number is the default."""
        text = self.text(name)
        return int(text) if re.fullmatch(r"-?\d{1,19}", text) else default

    def json(self, name: str, expected: type, complaint: str) -> Any:
        """The decoded parameter or None when absent; anything but `expected` is refused with `complaint`."""
        text = self.text(name)
        if not text:
            return None
        try:
            value = json.loads(text)
        except ValueError:
            raise bad_request(complaint) from None
        if not isinstance(value, expected):
            raise bad_request(complaint)
        return value

    @property
    def chat_id(self) -> int | str | None:
        text = self.text("chat_id").strip()
        if not text:
            return None
        return int(text) if re.fullmatch(r"-?\d{1,19}", text) else text


def read_parameters(request: Request) -> tuple[dict[str, str], dict[str, Upload]]:
    """Parameters of query and body (the body wins) and uploaded files; raises ApiError."""
    params = dict(parse_qsl(request.query, keep_blank_values=True)) if request.query else {}
    uploads: dict[str, Upload] = {}
    content_type = request.headers.get("content-type", "")
    media = content_type.partition(";")[0].strip().lower()
    if not request.body:
        return params, uploads
    if media == "application/x-www-form-urlencoded":
        try:
            form = request.body.decode("utf-8")
        except UnicodeDecodeError:
            raise bad_request("strings must be encoded in UTF-8") from None
        params.update(parse_qsl(form, keep_blank_values=True))
    elif media == "application/json":
        params.update(_json_parameters(request.body))
    elif media == "multipart/form-data":
        _read_multipart(request.body, content_type, params, uploads)
    else:
        raise bad_request("unsupported content type; expected a form, multipart/form-data or application/json")
    return params, uploads


def _json_parameters(body: bytes) -> dict[str, str]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise bad_request("can't parse request as JSON") from None
    if not isinstance(value, dict):
        raise bad_request("request body must be a JSON object")
    return {
        name: one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)
        for name, one in value.items()
        if one is not None
    }


def _read_multipart(body: bytes, content_type: str, params: dict[str, str], uploads: dict[str, Upload]) -> None:
    match = re.search(r'boundary="?([^";]{1,200})"?', content_type)
    if match is None:
        raise bad_request("boundary is missing in multipart/form-data")
    delimiter = b"\r\n--" + match[1].encode("latin-1")
    sections = (b"\r\n" + body).split(delimiter)
    if len(sections) < 2 or not sections[-1].startswith(b"--"):
        raise bad_request("multipart body is not closed by its boundary")
    if len(sections) - 2 > limits.PARTS_MAX:
        raise bad_request("too many parts in multipart body")
    for section in sections[1:-1]:
        head, separator, content = section.partition(b"\r\n\r\n")
        name = re.search(rb'[; ]name="((?:[^"\\]|\\.)*)"', head)
        if not separator or name is None:
            raise bad_request("a part of the multipart body has no name")
        filename = re.search(rb'[; ]filename="((?:[^"\\]|\\.)*)"', head)
        field_name = name[1].decode("utf-8", "replace")
        if filename is None:
            params[field_name] = content.decode("utf-8", "replace")
            continue
        declared = re.search(rb"(?i)content-type: *([^\r\n;]+)", head)
        uploads[field_name] = Upload(
            filename=filename[1].decode("utf-8", "replace"),
            content_type=declared[1].decode("latin-1").strip() if declared else "application/octet-stream",
            content=content,
        )
