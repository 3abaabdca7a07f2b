"""Which charset undeclared bytes are in: each candidate's reading is judged by its letters.

A general detector reads short Russian as Latin and Greek as Russian. In mail there are some fifteen charsets, and in each language the same
few letters make up most of a text: a reading in which they do, and in which no capital follows a small letter, is right.
"""

from __future__ import annotations

from queues.channels.email import limits

_COMMON, _SEEN, _WRONG = 1.0, 0.35, -1.0
_SCORE_MIN = 0.3  # below, no reading makes sense
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
# The lead bytes of the characters that people use; the rest of each table is rare.
_LEADS = {
    "cp932": range(0x81, 0x98),
    "euc_jp": range(0xA1, 0xD0),
    "gb18030": range(0xA1, 0xD8),
    "cp950": range(0xA1, 0xC7),
    "cp949": range(0xA1, 0xC9),
}


def guess(content: bytes) -> str | None:
    """The codec whose reading of the bytes makes most sense; None when none does, or when no reading is without error."""
    sample = content[: limits.charset_sample_bytes]
    if len(content) > len(sample):  # not in the middle of a character
        sample = sample[: max(sample.rfind(b" "), sample.rfind(b"\n")) + 1] or sample
    scores = {codec: _score(sample, codec) for codec in (*_LETTERS, *_LEADS)}
    best = max(scores, key=lambda codec: scores[codec])
    return best if scores[best] >= _SCORE_MIN else None


def _score(sample: bytes, codec: str) -> float:
    """The worth of a reading: 1 when all its foreign letters are usual ones; below 0 for nonsense."""
    try:
        text = sample.decode(codec)
    except UnicodeDecodeError:
        return -2.0
    if codec in _LEADS:
        return _double(sample, text, codec)
    common, seen = _LETTERS[codec]
    worth, count, before = 0.0, 0, " "
    for character in text:
        if character > "\x7f":
            count += 1
            worth += _COMMON if character in common else (_SEEN if character in seen else _WRONG)
        if (before.islower() and character.isupper()) or (before == "ς" and character.isalpha()):
            worth += _WRONG
        if codec not in _LATIN and before.isascii() != character.isascii() and before.isalpha() and character.isalpha():
            worth += _WRONG  # two alphabets in one word
        before = character
    return worth / max(count, 1)


def _double(sample: bytes, text: str, codec: str) -> float:
    """For charsets of two bytes a character: kana, Hangul and ideographs, by how usual they are."""
    worth, count = 0.0, 0
    for character in text:
        if character <= "\x7f":
            continue
        count += 1
        encoded = character.encode(codec, "replace")
        usual = len(encoded) == 2 and encoded[0] in _LEADS[codec] and (encoded[1] > 0x7F or codec in ("cp932", "cp950"))
        if not usual:
            worth += _WRONG
        elif "\u3041" <= character <= "\u30ff":
            worth += _KANA if codec in ("cp932", "euc_jp") else _SEEN
        elif "\uac00" <= character <= "\ud7a3":
            worth += _HANGUL
        elif "\u4e00" <= character <= "\u9fff":
            worth += _IDEOGRAPH if codec != "cp949" else _SEEN
        elif not ("\u3000" <= character <= "\u303f" or "\uff01" <= character <= "\uff65"):
            worth += _SEEN - _COMMON
    return worth / max(count, 1)
