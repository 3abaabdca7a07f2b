"""Guess the charset of undeclared bytes: decode them by each candidate and score the letters.

A general detector reads short Russian as Latin and Greek as Russian. Mail uses some fifteen charsets, and in each
language a few letters make up most of a text. The right charset gives these letters, and no capital after a small
letter.
"""

from __future__ import annotations

from queues.channels.email import limits

_COMMON, _SEEN, _WRONG = 1.0, 0.35, -1.0
# Below this score no charset is plausible.
_SCORE_MIN = 0.3
_NO_TEXT_SCORE = -2.0
_KANA, _HANGUL, _IDEOGRAPH = 1.05, 0.95, 0.85
_LETTERS = {
    "cp1252": ("éèàêçùâîôûœäöüßÄÖÜñóíáúãõåøæÉÅØëï", "ÀÇÈÊÑÓÍÁÚÃÆìòõýþð’‘“”–—€«»…°§´·¡¿"),
    "cp1250": ("ąćęłńóśźżŁŚŻÓěščřžýáíéúůďťňőűăşţ", "ĄĆĘŃŹĚŠČŘŽÝÁÍÉÚĎŤŇŐŰđĐľĺŕôäöü„”“–—…§"),
    "cp1251": ("оеаинтсрвлкмдпуя", "ыьгзбчйхжшюцщэфъёіїєґўОЕАИНТСРВЛКМДПУЯЫЬГЗБЧЙХЖШЮЦЩЭФЪЁІЇЄҐЎ«»–—№„“”…"),
    "cp1253": ("αοιετσνηυρπκμλως", "άίόέύήώδγβθφχξζψϊϋΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΆΈΉΊΌΎΏ«»–—"),
    "cp1254": ("ıışğçöüŞİÇÖÜ", "ĞâîûéÂ’“”–—"),
    "cp1255": ("יוהלאתרבשמנםדקעחכ", "פצטזגסךןףץ־׳״–"),
    "cp1256": ("اليمونرتبدعسةهفكقح", "جشصضطظغخذثزؤئءآأإىپچژگ،؛؟ـ"),
    "cp874": ("านรกอเงมยลวดทสตะปบคหแไใจพชขโัี่้ิุู็์", "ผถฟซณฐธศษญฎฏฑฒฌฆภฉฝฮฬฤๆำ"),
}
_LETTERS |= {
    "iso8859-2": _LETTERS["cp1250"],
    "koi8-u": _LETTERS["cp1251"],
    "cp866": _LETTERS["cp1251"],
    "iso8859-9": _LETTERS["cp1254"],
}
_LATIN = frozenset(["cp1252", "cp1250", "cp1254", "iso8859-2", "iso8859-9"])
_WORTH = {
    codec: {**dict.fromkeys(seen, _SEEN), **dict.fromkeys(common, _COMMON)}
    for codec, (common, seen) in _LETTERS.items()
}
# The lead bytes of common characters; the other characters of each table are rare.
_LEADS = {
    "cp932": range(0x81, 0x98),
    "euc_jp": range(0xA1, 0xD0),
    "gb18030": range(0xA1, 0xD8),
    "cp950": range(0xA1, 0xC7),
    "cp949": range(0xA1, 0xC9),
}


def guess(content: bytes) -> str | None:
    """Return the codec with the best score; None when no codec decodes the bytes or no score is good enough."""
    sample = content[: limits.charset_sample_bytes]
    if len(content) > len(sample):
        # The sample must not end within a character.
        sample = sample[: max(sample.rfind(b" "), sample.rfind(b"\n")) + 1] or sample
    scores = {codec: _score(sample, codec) for codec in (*_LETTERS, *_LEADS)}
    best = max(scores, key=lambda codec: scores[codec])
    return best if scores[best] >= _SCORE_MIN else None


def _score(sample: bytes, codec: str) -> float:
    """Score a decoded text: 1 when all its foreign letters are common ones, below 0 for nonsense."""
    try:
        text = sample.decode(codec)
    except UnicodeDecodeError:
        return _NO_TEXT_SCORE
    if codec in _LEADS:
        return _score_double(text, codec)
    letters, is_latin = _WORTH[codec], codec in _LATIN
    worth, count, before = 0.0, 0, " "
    for character in text:
        if character > "\x7f":
            count += 1
            worth += letters.get(character, _WRONG)
        if before.isalpha() and character.isalpha():
            if _breaks_case(before, character):
                worth += _WRONG
            # Two alphabets in one word.
            if not is_latin and before.isascii() != character.isascii():
                worth += _WRONG
        before = character
    return worth / max(count, 1)


def _breaks_case(before: str, character: str) -> bool:
    """Return True if a capital follows a small letter, or a letter follows a final sigma."""
    return (before.islower() and character.isupper()) or before == "ς"


def _score_double(text: str, codec: str) -> float:
    """Score a text of a charset with two bytes a character by how common its kana, Hangul and ideographs are."""
    worth, count = 0.0, 0
    for character in text:
        if character > "\x7f":
            count += 1
            worth += _worth_double(character, codec)
    return worth / max(count, 1)


def _worth_double(character: str, codec: str) -> float:
    if not _is_common(character.encode(codec, "replace"), codec):
        return _WRONG
    if "\u3041" <= character <= "\u30ff":
        return _KANA if codec in ("cp932", "euc_jp") else _SEEN
    if "\uac00" <= character <= "\ud7a3":
        return _HANGUL
    if "\u4e00" <= character <= "\u9fff":
        return _IDEOGRAPH if codec != "cp949" else _SEEN
    is_punctuation = "\u3000" <= character <= "\u303f" or "\uff01" <= character <= "\uff65"
    return 0.0 if is_punctuation else _SEEN - _COMMON


def _is_common(encoded: bytes, codec: str) -> bool:
    if len(encoded) != 2 or encoded[0] not in _LEADS[codec]:
        return False
    return encoded[1] > 0x7F or codec in ("cp932", "cp950")
