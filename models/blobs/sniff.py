"""The media type of a file, by its first bytes. The declared type decides nothing: an `image/png` that is a web page
stays a web page.

Only kinds that the desk treats in some way of their own are told apart; all others are `application/octet-stream`.
Sources: the formats' own specifications, and the WHATWG MIME Sniffing Standard (section 7.1 for what browsers take for
HTML).
"""

from __future__ import annotations

import re

head_bytes = 4096  # enough for the names of the first entries of an Office file; text is judged by it as well

UNKNOWN = "application/octet-stream"

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"%!PS", "application/postscript"),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"{\\rtf", "application/rtf"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (b"MZ", "application/vnd.microsoft.portable-executable"),
    (b"\x7fELF", "application/x-elf"),
    (b"\xfe\xed\xfa\xce", "application/x-mach-binary"),
    (b"\xfe\xed\xfa\xcf", "application/x-mach-binary"),
    (b"\xce\xfa\xed\xfe", "application/x-mach-binary"),
    (b"\xcf\xfa\xed\xfe", "application/x-mach-binary"),
    (b"\xca\xfe\xba\xbe", "application/java-vm"),
    (b"#!", "text/x-script"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS = {
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
    b"avif": "image/avif",
    b"M4A ": "audio/mp4",
    b"qt  ": "video/quicktime",
}
_OFFICE = (
    (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
)
# WHATWG MIME Sniffing 7.1, the tags after which a browser takes unnamed bytes for HTML; each ends in a blank or `>`.
_HTML = re.compile(
    rb"<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|img|form|meta|link|object|embed)[\s/>]|<!--",
    re.IGNORECASE,
)
_BLANK = b" \t\r\n\x0b\x0c"
_TEXT_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def content_type(head: bytes) -> str:
    """Return the media type of a file that begins with `head` (at least `head_bytes` of it, or all)."""
    head = head[:head_bytes]
    for magic, kind in _MAGIC:
        if head.startswith(magic) and not (magic == b"BM" and not _is_bitmap(head)):
            return kind
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12], UNKNOWN)
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zipped(head)
    return _text(head)


def _is_bitmap(head: bytes) -> bool:
    """Many texts begin with BM; a bitmap's two reserved words are zero."""
    return head[6:10] == b"\x00\x00\x00\x00"


def _zipped(head: bytes) -> str:
    if b"mimetype" in head[:64]:  # OpenDocument and EPUB: the first entry is their type, stored as it is
        found = re.match(rb"[\x20-\x7e]{1,100}", head[38:])
        claimed = found[0].split(b"PK")[0].decode("ascii") if found else ""
        if claimed.startswith("application/vnd.oasis.opendocument.") or claimed == "application/epub+zip":
            return claimed
    if b"[Content_Types].xml" in head:
        for folder, kind in _OFFICE:
            if folder in head:
                return kind
    return "application/zip"


def _text(head: bytes) -> str:
    """Text of some kind, or unknown. What a browser could take for a page or a picture with scripts is called by that
    name.
    """
    if not head:
        return "text/plain"
    marked = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    bare = head.removeprefix(b"\xef\xbb\xbf").lstrip(_BLANK)
    if marked:
        bare = head[2:].replace(b"\x00", b"").lstrip(_BLANK)
    if re.search(rb"<svg[\s>]", bare, re.IGNORECASE):
        return "image/svg+xml"
    if _HTML.match(bare) or re.search(rb"<(?:html|script|!doctype html)[\s>]", bare, re.IGNORECASE):
        return "text/html"
    if bare.startswith(b"<?xml"):
        return "application/xml"
    if marked:
        return "text/plain"
    if _TEXT_CONTROLS.search(head):
        return UNKNOWN
    return "text/plain"
