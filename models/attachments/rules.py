"""Rules for the name, the served content type and the state of a file. The functions are pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from models.kernel import limits
from models.ports.inbound import AttachmentInfo

UNKNOWN: Final = "application/octet-stream"
# A browser draws these types and runs nothing in them. SVG is not among them: an SVG document can contain scripts.
SHOWN_IN_PLACE: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
# Types that a browser or a desktop can execute. They are served as `application/octet-stream`, under any name.
_ACTIVE: Final = frozenset(
    {
        "application/xml",
        "text/xml",
        "text/xsl",
        "application/x-elf",
        "application/java-vm",
        "application/x-mach-binary",
        "application/vnd.microsoft.portable-executable",
        "application/x-msdownload",
        "application/x-msdos-program",
        "application/x-shockwave-flash",
        "application/hta",
        "multipart/x-mixed-replace",
    }
)
_ACTIVE_PARTS: Final = ("html", "script", "+xml")  # browsers accept more types of these families than a list can name
# Types for which the bytes show only the family. Within the family, the sender's claim decides.
_FAMILIES: Final[Mapping[str, tuple[str, ...]]] = {
    "text/plain": ("text/", "application/json", "message/", "application/pgp", "application/x-ndjson"),
    "application/zip": (
        "application/vnd.",
        "application/zip",
        "application/x-zip",
        "application/java-archive",
    ),
    "application/x-ole-storage": ("application/msword", "application/vnd.ms-", "application/x-ole-storage"),
    "audio/ogg": ("audio/", "video/ogg"),
    "video/mp4": ("video/", "audio/"),
    "video/webm": ("video/", "audio/"),
    UNKNOWN: ("audio/", "video/", "application/", "font/", "model/"),
}
_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\Z")
# C0 and C1 controls, DEL, invisible marks that can reverse the reading direction (`gpj.exe`), lone surrogates, and
# the characters that file systems reserve.
_NOT_IN_NAMES: Final = re.compile(
    '[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff<>:"|?*]+'
)


def media_type(text: str) -> str:
    """Return a claimed content type as `type/subtype` in lower case; `UNKNOWN` for a malformed one."""
    bare = text.split(";", 1)[0].strip().lower()
    return bare if _TYPE.match(bare) else UNKNOWN


def file_name(text: str) -> str:
    """Return a one-line name that is safe on every file system. A name that is too long keeps its extension."""
    name = re.split(r"[/\\]", text[:4096])[-1]
    name = re.sub(r"\s+", " ", _NOT_IN_NAMES.sub(" ", name)).strip(" .") or "file"
    if len(name) <= limits.attachment_name_chars_max:
        return name
    stem, dot, ending = name.rpartition(".")
    if dot and 0 < len(ending) <= 16:
        return stem[: limits.attachment_name_chars_max - len(ending) - 1] + "." + ending
    return name[: limits.attachment_name_chars_max]


def served_type(declared: str, sniffed: str) -> str:
    """Return the content type of a download: the detected type, or the sender's type where it is a more precise name
    for the detected one.
    """
    declared, sniffed = media_type(declared), media_type(sniffed)
    if _is_active(sniffed) or _is_active(declared):
        return UNKNOWN
    if declared.startswith(_FAMILIES.get(sniffed, (sniffed,))):
        return declared
    return sniffed


def _is_active(kind: str) -> bool:
    return kind in _ACTIVE or any(part in kind for part in _ACTIVE_PARTS)


def state_of(info: AttachmentInfo) -> tuple[str, str | None]:
    """Return the state of a file when its message is recorded, and the reason if it has no bytes."""
    if info.refused is not None:
        return info.refused, info.reason or "its bytes were not kept"
    if info.sha256 is not None:
        return "stored", None
    if info.provider_id is not None:
        return "pending", None
    return "failed", info.reason or "its bytes were not in the event"


def size_in_words(size_bytes: int) -> str:
    """Format a size for people: `20 MB`."""
    if size_bytes >= limits.MIB:
        return f"{size_bytes / limits.MIB:.3g} MB"
    return f"{max(1, size_bytes // 1024)} kB"
