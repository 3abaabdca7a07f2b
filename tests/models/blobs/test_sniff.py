"""A file is what its bytes say."""

from __future__ import annotations

import io
import zipfile

import pytest

from models.blobs import sniff


def zipped(*names: str, first: tuple[str, bytes] | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        if first is not None:
            archive.writestr(*first)
        for name in names:
            archive.writestr(name, b"x")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"\xff\xd8\xff\xe0..JFIF", "image/jpeg"),
        (b"GIF89a....", "image/gif"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x10\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"BM\x10\x00\x00\x00\x00\x00\x00\x00\x36\x00", "image/bmp"),
        (b"BMW is a car, and this is a text", "text/plain"),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"\x00\x00\x00\x18ftypisom", "video/mp4"),
        (b"\x00\x00\x00\x18ftypheic", "image/heic"),
        (b"OggS\x00\x02", "audio/ogg"),
        (b"MZ\x90\x00\x03", "application/vnd.microsoft.portable-executable"),
        (b"\x7fELF\x02", "application/x-elf"),
        (b"#!/bin/sh\n", "text/x-script"),
        (b"<!DOCTYPE html><title>x", "text/html"),
        (b"  \n <HTML>", "text/html"),
        (b"\xef\xbb\xbf<script>alert(1)</script>", "text/html"),
        (b"hello <script src=x>", "text/html"),
        ("\ufeff<html>".encode("utf-16"), "text/html"),
        (b'<?xml version="1.0"?><svg xmlns="x">', "image/svg+xml"),
        (b"<svg onload=alert(1)>", "image/svg+xml"),
        (b'<?xml version="1.0"?><note/>', "application/xml"),
        (b"name,age\nada,36\n", "text/plain"),
        ("Привет".encode(), "text/plain"),
        ("Привет".encode("utf-16"), "text/plain"),
        (b"\x00\x01\x02\x03", "application/octet-stream"),
        (b"", "text/plain"),
        (zipped("a.txt"), "application/zip"),
        (
            zipped("[Content_Types].xml", "word/document.xml"),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        (
            zipped("[Content_Types].xml", "xl/workbook.xml"),
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
        (
            zipped(first=("mimetype", b"application/vnd.oasis.opendocument.text")),
            "application/vnd.oasis.opendocument.text",
        ),
        (zipped(first=("mimetype", b"text/html")), "application/zip"),
    ],
)
def test_a_kind_is_recognised_by_the_first_bytes(head: bytes, expected: str) -> None:
    assert sniff.content_type(head) == expected


def test_a_picture_with_a_page_behind_it_stays_a_picture() -> None:
    assert sniff.content_type(b"\x89PNG\r\n\x1a\n<html><script>") == "image/png"


def test_a_hostile_head_costs_nothing() -> None:
    for head in (b"<" * 4096, b"<svg" * 1024, b" " * 4096, b"PK\x03\x04" + b"mimetype" * 500):
        assert sniff.content_type(head * 100)
