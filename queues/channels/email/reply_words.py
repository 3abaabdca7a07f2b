"""Words by which mail programs announce a quote, a forward or a footer, in the languages that our requesters write."""

from __future__ import annotations

import re

# "On ... Ada wrote:" - the verb stands near the end, or (German) before the name.
WROTE = re.compile(
    r"\b(wrote|writes|schrieb|schreibt|a écrit|escribió|escribio|escreveu|ha scritto|scrisse|schreef|napisał\(?a?\)?"
    r"|skrev|kirjoitti|yazdı|написала?|написал\(а\)|писала?|писал\(а\)|пишет|пише|написав)\b",
    re.I,
)
ATTRIBUTION_START = re.compile(
    r"\s*(on|am|le|el|em|il|op|dnia|den|vào|в|on the|\d{1,2}[. /-]|\d{4}-\d\d-\d\d|\w{2,3},? \d{1,2})\b", re.I
)
CLOCK = re.compile(r"\b\d{1,2}[:.h]\d{2}\b")
DATE = re.compile(r"\b(\d{4}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4})\b")
ADDRESS = re.compile(r"[<(\[]?[^\s<>()\[\]@]{1,64}@[^\s<>()\[\]@]{1,190}[>)\]]?")

ORIGINAL = re.compile(
    r"\s*[-_*]{2,}\s*(original message|original appointment|ursprüngliche nachricht|originalnachricht|message d'origine"
    r"|message original|mensaje original|messaggio originale|mensagem original|oorspronkelijk bericht|исходное сообщение"
    r"|первоначальное сообщение|оригинальное сообщение)\s*[-_*]{2,}\s*",
    re.I,
)
FORWARDED = re.compile(
    r"\s*(begin forwarded message|anfang der weitergeleiteten (nachricht|e-mail)|début du message (réexpédié|transféré)"
    r"|inicio del mensaje reenviado|начало переадресованного сообщения)\s*:?\s*"
    r"|\s*[-_*]{2,}\s*(forwarded( by [^-]{1,100}| message)?|weitergeleitete nachricht|message transféré|mensaje reenviado"
    r"|messaggio inoltrato|пересылаемое сообщение|пересланное сообщение|перенаправленное сообщение|forwarded message[^-]{0,60})"
    r"\s*[-_*]*\s*",
    re.I,
)
FORWARD_SUBJECT = re.compile(r"\s*(fwd?|wg|tr|rv|enc|пересл|fw)\s*:", re.I)

_FROM = "from|von|de|da|от|отправитель|expéditeur|van"
_OTHER = (
    "sent|date|to|cc|bcc|subject|reply-to|gesendet|datum|an|betreff|kopie|envoyé|à|objet|enviado|fecha|para|asunto|inviato|oggetto"
    "|data|assunto|отправлено|дата|кому|копия|тема|aan|onderwerp|verzonden"
)
HEADER_FROM = re.compile(rf"\s*\*?({_FROM})\s*:\*?\s", re.I)
HEADER = re.compile(rf"\s*\*?({_FROM}|{_OTHER})\s*:(\*|\s|$)", re.I)

RULE = re.compile(r"\s*[_-]{10,}\s*")
SIGNATURE = re.compile(r"--\s?|—\s?")
FOOTER = re.compile(
    r"\s*(sent from (my|outlook|mail|yahoo|gmail|proton|the)\b.{0,60}|get outlook for .{0,30}|von meinem .{1,40} gesendet"
    r"|gesendet (von|mit) .{1,60}|envoyé de(puis)? (mon|ma) .{1,40}|envoyé à partir de .{1,40}|enviado desde (mi|el) .{1,40}"
    r"|отправлено (с|из|через) .{1,60}|отправлено с (моего )?(iphone|android).{0,40})\s*",
    re.I,
)
