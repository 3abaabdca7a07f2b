"""The files of the console: one style sheet, the scripts, and the icon.

All live under `/static/<hash>/`, and the hash is of all of them, so a browser keeps each file until a release changes
one. Nothing is built: the style sheet is the rooms' files one after the other, and a script is served as it is written.
"""

from __future__ import annotations

import gzip
import hashlib
import threading
from dataclasses import dataclass, field
from typing import Final

from functions.console.rooms import FOLDER, ROOMS
from functions.http.operations import Answer, Call, Cost, Operations
from models.kernel.errors import NotFound

operations = Operations()
_TYPES: Final = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
# RFC 8246: the file behind this address never changes.
_KEPT: Final = "public, max-age=31536000, immutable"
SHEET: Final = "console.css"
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Files:
    """All files by name. `packed` holds them compressed."""

    by_name: dict[str, bytes]
    release: str
    packed: dict[str, bytes] = field(default_factory=dict)

    def address(self, name: str) -> str:
        """Return the address of a file."""
        assert name in self.by_name, f"there is no file {name}"
        return f"/static/{self.release}/{name}"

    @property
    def scripts(self) -> list[str]:
        """The names of the scripts."""
        return sorted(name for name in self.by_name if name.endswith(".js"))


_files: list[Files] = []


def files() -> Files:
    """Return the files of this process; the first call reads them."""
    if not _files:
        with _lock:
            if not _files:
                _files.append(_read())
    return _files[0]


def forget() -> None:
    """Read the files again at the next call (while somebody changes them)."""
    _files.clear()


def _read() -> Files:
    sheets = [path for room in ROOMS for path in sorted((FOLDER / room / "css").glob("*.css"))]
    found = {SHEET: b"\n".join(path.read_bytes() for path in sheets)}
    for room in ROOMS:
        for path in sorted((*(FOLDER / room / "js").glob("*.js"), *(FOLDER / room / "files").glob("*.svg"))):
            assert path.name not in found, f"two rooms have a file {path.name}"
            found[path.name] = path.read_bytes()
    digest = hashlib.sha256()
    for name, content in sorted(found.items()):
        digest.update(name.encode() + b"\0" + content + b"\0")
    return Files(found, digest.hexdigest()[:12])


@operations.add(
    "GET",
    "/static/{release}/{name}",
    summary="A file of the console",
    answers={200: bytes, 304: None},
    public=True,
    unlocked=True,
    cost=Cost.free,  # a page needs a dozen of them, and they hold nothing
)
def read_static_file(call: Call) -> Answer:
    """A file of another release answers 404: its content would not be the one that the address promises."""
    known, name = files(), call.params["name"]
    if call.params["release"] != known.release or name not in known.by_name:
        raise NotFound("there is no such file in this release")
    etag = f'"{known.release}-{name}"'
    headers = {"Cache-Control": _KEPT, "ETag": etag, "Vary": "Accept-Encoding"}
    if call.knows(etag):
        return Answer(status=304, headers=headers)
    content = known.by_name[name]
    if "gzip" in (call.request.get_header("Accept-Encoding") or ""):
        if name not in known.packed:
            known.packed[name] = gzip.compress(content, 9, mtime=0)
        content, headers["Content-Encoding"] = known.packed[name], "gzip"
    return Answer(raw=content, content_type=_TYPES[name.rpartition(".")[2]], headers=headers)
