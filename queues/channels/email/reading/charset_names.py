"""Map the charset names of mail to Python's codecs.

A declared name often means a larger relative: text declared as iso-8859-1 has the quotes of windows-1252 (as the WHATWG
Encoding Standard also reads it), and text declared as gb2312 is GBK.
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

# Text codecs of Python that are no charsets of mail; punycode is quadratic.
_NEVER = frozenset(
    {"idna", "punycode", "unicode_escape", "raw-unicode-escape", "unicode-escape", "undefined", "mbcs", "oem"}
)
_NAME = re.compile(r"[a-z0-9][a-z0-9._:+-]{0,59}", re.ASCII)
_UTF_8 = re.compile(r"(?:x-)?(?:unicode-1-1-)?utf[-_]?8.{0,20}")
_ISO_8859 = re.compile(r"(?:x-)?iso[-_]?8859[-_]?(\d{1,2})(?:[-:_](?:i|e|\d{4}))?")
_CODE_PAGE = re.compile(r"(?:x-)?(?:windows|win|cp|ms|ibm|dos|x-cp|ansi|codepage)[-_]?(\d{3,5})")
_MAC = re.compile(r"x[-_]mac[-_]([a-z]{2,14})")
_ISO_RELATIVES = {"1": "cp1252", "8": "iso8859-8", "9": "cp1254", "11": "cp874"}
_PAGES = {
    "31j": "cp932",
    "51932": "euc_jp",
    "50220": "iso2022_jp_ext",
    "50221": "iso2022_jp_ext",
    "50222": "iso2022_jp_ext",
    "50225": "iso2022_kr",
    "51949": "cp949",
    "936": "gb18030",
    "54936": "gb18030",
    "20936": "gb18030",
    "52936": "hz",
    "20127": "ascii",
    "20866": "koi8-r",
    "21866": "koi8-u",
    "28591": "cp1252",
    "28592": "iso8859-2",
    "28595": "iso8859-5",
    "65000": "utf-7",
    "65001": "utf-8",
    "1200": "utf-16-le",
    "1201": "utf-16-be",
    "10000": "mac-roman",
    "10007": "mac-cyrillic",
}
_MAC_NAMES = {
    "ce": "mac_latin2",
    "centraleurroman": "mac_latin2",
    "ukrainian": "mac_cyrillic",
    "japanese": "cp932",
}
_ALIASES = {
    **dict.fromkeys(
        [
            "gb2312",
            "gbk",
            "x-gbk",
            "iso-gb2312",
            "gb_2312-80",
            "csgb2312",
            "euc-cn",
            "x-euc-cn",
            "gb",
            "gb18030",
            "cn-gb",
        ],
        "gb18030",
    ),
    **dict.fromkeys(
        [
            "ks_c_5601-1987",
            "ks_c_5601-1989",
            "ks_c_5601",
            "ksc5601",
            "ksc_5601",
            "korean",
            "euc-kr",
            "euckr",
            "x-euc-kr",
            "csksc56011987",
            "uhc",
            "x-windows-949",
        ],
        "cp949",
    ),
    **dict.fromkeys(
        [
            "shift_jis",
            "shift-jis",
            "sjis",
            "x-sjis",
            "ms_kanji",
            "csshiftjis",
            "windows-31j",
            "cswindows31j",
            "x-ms-cp932",
        ],
        "cp932",
    ),
    **dict.fromkeys(["big5", "x-big5", "cn-big5", "big-5", "csbig5", "x-x-big5"], "cp950"),
    **dict.fromkeys(["big5-hkscs", "big5hkscs"], "big5hkscs"),
    **dict.fromkeys(["euc-jp", "x-euc-jp", "eucjp", "x-euc"], "euc_jp"),
    **dict.fromkeys(
        ["iso-2022-jp", "iso-2022-jp-1", "iso-2022-jp-ms", "csiso2022jp", "iso2022jp", "jis", "x-jis"], "iso2022_jp_ext"
    ),
    **dict.fromkeys(
        [
            "latin1",
            "latin-1",
            "l1",
            "iso_8859-1:1987",
            "iso-ir-100",
            "ansi",
            "ansi_x3.110-1983",
            "western",
            "iso-latin-1",
        ],
        "cp1252",
    ),
    **dict.fromkeys(["us-ascii", "ascii", "ansi_x3.4-1968", "7bit", "usascii", "x-us-ascii"], "ascii"),
    **dict.fromkeys(["unicode-1-1-utf-7", "utf7", "x-unicode-2-0-utf-7"], "utf-7"),
    **dict.fromkeys(["tis-620", "tis620", "tis-62"], "cp874"),
    **dict.fromkeys(["koi8r", "koi8", "koi-8-r", "cskoi8r"], "koi8-r"),
    **dict.fromkeys(["unicode", "ucs-2", "iso-10646-ucs-2", "utf16"], "utf-16"),
    "koi8u": "koi8-u",
    "hebrew": "iso8859-8",
    "visual": "iso8859-8",
    "arabic": "iso8859-6",
    "greek": "iso8859-7",
    "macintosh": "mac-roman",
    "mac": "mac-roman",
    "default": "utf-8",
    "utf": "utf-8",
    "unicode-utf-8": "utf-8",
}


# The longest name in use has some 30 characters; parameters and remarks may follow it.
_DECLARED_CHARS_MAX = 200


def codec_of(declared: str | None) -> str | None:
    """Return Python's codec for a declared charset; None when the name is no trusted charset of text."""
    return None if not declared else _codec_of(declared[:_DECLARED_CHARS_MAX])


@lru_cache(maxsize=256)
def _codec_of(declared: str) -> str | None:
    name = declared.strip().strip("\"' ;,").lower()
    name = re.split(r"[\s;,()*]", name, maxsplit=1)[0].strip("\"'")
    if not _NAME.fullmatch(name):
        return None
    try:
        info = codecs.lookup(_relative(name))
    except (LookupError, ValueError):
        return None
    return None if info.name in _NEVER or not getattr(info, "_is_text_encoding", True) else info.name


def _relative(name: str) -> str:
    if name in _ALIASES:
        return _ALIASES[name]
    if _UTF_8.fullmatch(name):
        return "utf-8"
    if found := _ISO_8859.fullmatch(name):
        return _ISO_RELATIVES.get(found[1], f"iso8859-{found[1]}")
    if found := _CODE_PAGE.fullmatch(name):
        return _PAGES.get(found[1], f"cp{found[1]}")
    if found := _MAC.fullmatch(name):
        return _MAC_NAMES.get(found[1], f"mac_{found[1]}")
    return name
