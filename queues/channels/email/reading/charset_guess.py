"""Guess the charset of undeclared bytes: decode them by each candidate and score the letters.

A general detector reads short Russian as Latin and Greek as Russian. Mail uses some fifteen charsets, and in each
language a few letters make up most of a text. The right charset gives these letters, and no capital after a small
letter.
"""

from __future__ import annotations

import re

from queues.channels.email import limits

_COMMON, _SEEN, _WRONG, _IMPOSSIBLE = 1.0, 0.35, -1.0, -4.0
# Below this score no charset is plausible.
_SCORE_MIN = 0.3
_NO_TEXT_SCORE = -2.0
# A charset that somebody else declared is believed unless the best guess is better by this.
_DOUBT_MIN = 0.25
# In Latin alphabets, no word of four letters has only letters with marks ("żół" has three).
_MARKED_WORD_WORTH = -4.0
_KANA, _HANGUL, _IDEOGRAPH, _COMMON_IDEOGRAPH = 1.05, 0.95, 0.85, 1.0
# They make up half of Chinese texts, and help with subjects of a few characters.
_COMMON_IDEOGRAPHS = frozenset(
    "的一是不了在有人我他这中大来上个国到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可里后小么心多天而能好都然"
    "没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长知民样现分将外但高意进把法回二理点月明"
    "全工话者情部正名定问机给等几很业最间新什打便位重被电四第门相次请收到件单订票款付账货号题您谢无法邮系统"
    "個國說們為這時來對還發會學開長問單訂帳貨號題請謝無法郵統請求書届納品注文会社見積"
)
# Letters that end words, and marks that stand above or below a letter.
_HEBREW_FINALS = frozenset("ךםןףץ")
_THAI_MARKS = frozenset("ัิีึืฺุู็่้๊๋์ํ๎")
_LETTERS = {
    "cp1252": ("éèàêçùâîôûœäöüßÄÖÜñóíáúãõåøæÉÅØëï", "ÀÂÇÈÊÎÔÑÓÍÁÚÃÆìòõýþð’‘“”–—€£«»…°§´·¡¿"),
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
# Other codecs of the same letters.
_SAME_LETTERS = {
    "koi8-r": "koi8-u",
    "euc_kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "cp950",
    "big5hkscs": "cp950",
    "shift_jis": "cp932",
    "iso8859-15": "cp1252",
    "latin-1": "cp1252",
    "iso8859-1": "cp1252",
}
_LATIN = frozenset(["cp1252", "cp1250", "cp1254", "iso8859-2", "iso8859-9"])
_WORTH = {
    codec: {**dict.fromkeys(seen, _SEEN), **dict.fromkeys(common, _COMMON)}
    for codec, (common, seen) in _LETTERS.items()
}
_FOREIGN_WORD = re.compile(r"(?<![a-zA-Z])[^\W\d_a-zA-Z]{4,}(?![a-zA-Z])")
_FOREIGN_PAIR = re.compile(r"[^\W\d_a-zA-Z]{2}")
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
    best, score = _best(_sample(content))
    return best if score >= _SCORE_MIN else None


def fits(content: bytes, codec: str) -> bool:
    """Return True if a codec that the bytes only may have is about as plausible as the best guess."""
    sample = _sample(content)
    codec = _SAME_LETTERS.get(codec, codec)
    if codec not in _LETTERS and codec not in _LEADS:
        return True
    own = _score(sample, codec)
    if own >= _KANA - _DOUBT_MIN:
        # No other codec can be so much better.
        return True
    _, score = _best(sample)
    return score < _SCORE_MIN or own >= score - _DOUBT_MIN


def _sample(content: bytes) -> bytes:
    sample = content[: limits.charset_sample_bytes]
    if len(content) > len(sample):
        # The sample must not end within a character.
        sample = sample[: max(sample.rfind(b" "), sample.rfind(b"\n")) + 1] or sample
    return sample


def _best(sample: bytes) -> tuple[str, float]:
    scores = {codec: _score(sample, codec) for codec in (*_LETTERS, *_LEADS)}
    best = max(scores, key=lambda codec: scores[codec])
    return best, scores[best]


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
            if _is_impossible(before, character):
                worth += _IMPOSSIBLE
        if before.isalpha() and character.isalpha():
            if _breaks_case(before, character):
                worth += _WRONG
            # Two alphabets in one word.
            if not is_latin and before.isascii() != character.isascii():
                worth += _WRONG
        before = character
    if is_latin:
        worth += _MARKED_WORD_WORTH * len(_FOREIGN_WORD.findall(text))
    elif _FOREIGN_PAIR.search(text) is None:
        # Single letters of another alphabet are the symbols of a Latin text.
        return 0.0
    return worth / max(count, 1)


def _breaks_case(before: str, character: str) -> bool:
    """Return True if a capital follows a small letter, or a letter follows one that ends words."""
    return (before.islower() and character.isupper()) or before == "ς" or before in _HEBREW_FINALS


def _is_impossible(before: str, character: str) -> bool:
    """Return True for a Thai mark without its letter and for the lines of a table of KOI8 or cp866 beside a letter."""
    if character in _THAI_MARKS:
        return not "\u0e01" <= before <= "\u0e5b"
    return "\u2500" <= character <= "\u257f" and before.isalpha()


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
        if codec == "cp949":
            return _SEEN
        return _COMMON_IDEOGRAPH if character in _COMMON_IDEOGRAPHS else _IDEOGRAPH
    is_punctuation = "\u3000" <= character <= "\u303f" or "\uff01" <= character <= "\uff65"
    return 0.0 if is_punctuation else _SEEN - _COMMON


def _is_common(encoded: bytes, codec: str) -> bool:
    if len(encoded) != 2 or encoded[0] not in _LEADS[codec]:
        return False
    return encoded[1] > 0x7F or codec in ("cp932", "cp950")
