"""Collect all files of a mail: its parts, the files in winmail.dat, uuencoded files in its text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import unquote

from models.kernel.open_json import JsonObject
from models.kernel.text import clean
from models.ports.inbound import AttachmentInfo
from queues.channels.email import limits as mime_limits
from queues.channels.email.content import attached_files
from queues.channels.email.reading.calendar_text import calendar_event
from queues.channels.email.reading.charset import decode
from queues.channels.email.reading.mime import Part
from queues.channels.email.reading.smime import TYPES as SMIME_TYPES
from queues.channels.email.reading.structure import content_id
from queues.channels.email.reading.tnef import Tnef, is_tnef, read_tnef

_SIGNATURES = frozenset(["application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"])
# For programs, not for people.
_HIDDEN = _SIGNATURES | {"application/pgp-encrypted"}
_TNEF_TYPES = frozenset(["application/ms-tnef", "application/vnd.ms-tnef"])
_CALENDAR_TYPES = frozenset(["text/calendar", "application/ics"])
_CID = re.compile(r"""[cC][iI][dD]:([^"'\s>)]{1,300})""")


@dataclass(slots=True)
class Files:
    """The files of a mail. `details` is that of InboundMessage; `tnef` is the content of a readable winmail.dat."""

    # The Content-IDs that the mail's HTML shows.
    shown: frozenset[str]
    leave_out: Callable[[str], None]
    found: list[AttachmentInfo] = field(default_factory=list)
    details: JsonObject = field(default_factory=dict)
    tnef: Tnef | None = None

    def take_parts(self, parts: list[Part]) -> None:
        for part in parts:
            if self._is_full():
                return
            content = part.content()
            name = attached_files.name_of(part, content)
            tnef = self._unpacked(part, name, content)
            self._add(
                name,
                part.content_type,
                content,
                cid=content_id(part),
                is_attachment=part.disposition == "attachment",
                hidden=self._is_hidden(part, tnef),
            )
            self._note(part, name, content)
            for one in tnef.files if tnef else ():
                if self._is_full():
                    return
                kind = one.content_type or attached_files.type_by_name(one.name)
                self._add(one.name, kind, one.content, cid=one.content_id)

    def take_uuencoded(self, files: list[tuple[bytes, bytes]]) -> None:
        for raw_name, content in files:
            if self._is_full():
                return
            name = decode(raw_name)
            self._add(name, attached_files.type_by_name(name), content)

    def _is_full(self) -> bool:
        if len(self.found) < mime_limits.attachments_max:
            return False
        self.leave_out(f"more than {mime_limits.attachments_max} attachments")
        return True

    def _add(
        self,
        name: str,
        kind: str,
        content: bytes,
        *,
        cid: str | None = None,
        is_attachment: bool = False,
        hidden: bool = False,
    ) -> None:
        info = attached_files.info(
            name,
            kind,
            content,
            number=len(self.found) + 1,
            content_id=cid,
            inline=cid is not None and cid in self.shown and not is_attachment,
            hidden=hidden,
        )
        self.found.append(info)

    def _unpacked(self, part: Part, name: str, content: bytes) -> Tnef | None:
        """Return the content of a winmail.dat; None for other files, and if nothing in it was read whole."""
        if part.content_type not in _TNEF_TYPES and name.lower() not in ("winmail.dat", "win.dat"):
            return None
        tnef = read_tnef(content)
        if is_tnef(content) and (tnef is None or not tnef.is_whole):
            self._tell_incomplete(f"{name or 'winmail.dat'}: not all of it could be read")
        self.tnef = self.tnef or tnef
        return tnef

    @staticmethod
    def _is_hidden(part: Part, tnef: Tnef | None) -> bool:
        """Return True for a file that people do not need: a signature, or a package that was unpacked whole."""
        is_unpacked = tnef.is_whole if tnef is not None else bool(part.children) and not part.is_cut_off
        return part.content_type in _HIDDEN or is_unpacked

    def _tell_incomplete(self, what: str) -> None:
        self.details.setdefault("incomplete", []).append(what)

    def _note(self, part: Part, name: str, content: bytes) -> None:
        """Record the summary of a file for people."""
        kind = part.content_type
        if part.is_cut_off:
            self._tell_incomplete(f"{name or 'smime.p7m'}: its end is missing")
        if kind == "message/rfc822" and (subject := attached_files.subject_of(content)):
            self.details.setdefault("attached_messages", []).append(subject)
        elif kind in _CALENDAR_TYPES:
            self._note_calendar(part, content)
        elif kind in ("message/external-body", "message/partial"):
            self._tell_incomplete(kind.partition("/")[2])
        else:
            self._note_protection(part, kind)

    def _note_calendar(self, part: Part, content: bytes) -> None:
        text = clean(decode(content[: mime_limits.calendar_chars_max], part.parameters.get("charset")))
        event = calendar_event(text, method=part.parameters.get("method", ""))
        if event is not None:
            self.details.setdefault("calendar", []).append(event.as_json())

    def _note_protection(self, part: Part, kind: str) -> None:
        """Record a signature or an encryption (OpenPGP: RFC 3156; S/MIME: RFC 8551)."""
        if kind in SMIME_TYPES or part.children:
            smime_type = part.parameters.get("smime-type", "").lower()
            is_signed = bool(part.children) or smime_type in ("signed-data", "certs-only")
            self.details.setdefault("signed" if is_signed else "encrypted", "smime")
        elif kind in _SIGNATURES:
            self.details.setdefault("signed", "pgp" if "pgp" in kind else "smime")
        elif kind == "application/pgp-encrypted":
            self.details.setdefault("encrypted", "pgp")


def shown_cids(html: str | None) -> frozenset[str]:
    """Return the Content-IDs of the pictures that an HTML text shows."""
    return frozenset(unescape(unquote(found)) for found in _CID.findall(html or ""))
