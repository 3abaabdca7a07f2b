"""Footers that mobile programs write below a mail ("Sent from my iPhone"), and the dashes above a signature."""

from __future__ import annotations

import re

_DEVICES = (
    "iphone", "iphon", "mobiel", "typeapp", "ipad", "ipod", "android", "samsung", "galaxy", "huawei", "xiaomi", "mi ",
    "redmi", "oneplus", "oppo",
    "vivo", "honor",
    "nokia", "lumia", "windows", "blackberry", "motorola", "moto", "htc", "sony", "xperia", "lg", "nexus", "pixel",
    "handy", "smartphone",
    "smart phone", "mobile", "mobil", "phone", "telefon", "téléphone", "teléfono", "telefone", "telefoon", "tablet",
    "tablette", "tableta",
    "mobiltelefon", "mobilen", "portable", "móvil", "celular", "cellulare", "gsm", "ios", "outlook", "gmail",
    "gmx", "web.de", "yahoo", "aol", "proton", "tutanota", "tuta", "posteo", "mail.ru", "яндекс", "yandex", "почты",
    "телефон", "мобильн",
    "смартфон", "смартфона", "айфон", "планшет", "mobila", "komórk", "telefonu", "apple watch", "device", "gerät", "appareil",
    "dispositivo", "toestel", "手机", "手機", "スマートフォン", "携帯", "휴대", "thunderbird", "spark", "airmail",
    "mailbird", "palm", "treo",
    "verizon", "at&t", "t-mobile", "sprint", "orange", "vodafone", "wireless", "handheld", "superhuman", "zoho",
    "k-9",
    "fairmail", "bluemail", "blue mail", "aqua mail", "my pc", "my mac", "macbook", "kindle",
    "tab ", "google",
)  # fmt: skip
# Followed within the line by a device or a program.
_STARTS = (
    "sent from", "sent via", "sent on", "sent with", "sent by", "sent using", "sent through", "sent wirelessly",
    "get outlook for",
    "von meinem", "von meiner", "von unterwegs", "gesendet von", "gesendet mit", "gesendet über", "gesendet aus",
    "diese nachricht wurde von mein",
    "diese nachricht wurde mit", "holen sie sich outlook", "outlook für", "envoyé de", "envoyé depuis",
    "envoyé à partir", "envoyé avec",
    "envoyé par", "envoyé via", "obtenir outlook", "téléchargez outlook", "enviado desde", "enviado con",
    "enviado a través", "enviado do",
    "enviado de", "enviado da", "enviado pelo", "enviado por", "enviado via", "enviada do", "obtener outlook",
    "obter o outlook", "enviat des",
    "inviato da", "inviato dal", "inviato con", "inviata da", "scarica outlook", "ottieni outlook", "verstuurd vanaf",
    "verstuurd met",
    "verstuurd via", "verzonden vanaf", "verzonden met", "verzonden via", "verzonden van", "outlook voor", "download outlook",
    "sendt fra", "sendt med", "sendt via", "hent outlook", "få outlook", "skickat från", "skickades från",
    "skickat med", "skickat via",
    "hämta outlook",
    "lähetetty", "hanki outlook", "wysłano z", "wysłane z", "wysłano za pomocą", "wysłana z", "pobierz outlook",
    "pobierz aplikację outlook", "télécharger outlook", "获取 outlook",
    "pobierz program outlook",
    "odesláno z", "odeslané z", "odoslané z", "poslano z", "poslano s", "poslato s", "poslato sa", "získejte outlook",
    "отправлено с", "отправлено из", "отправлено через", "отправлено от", "отправлено со", "скачать outlook", "получить outlook",
    "надіслано з", "надіслано із", "надіслано через", "відправлено з", "відправлено із", "изпратено от", "изпратено с",
    "послато са",
    "küldve", "elküldve", "trimis de pe", "trimis de", "στάλθηκε από", "εστάλη από", "αποστολή από", "gönderen:",
    "được gửi từ", "đã gửi từ", "gửi từ",
    "dikirim dari", "ส่งจาก", "נשלח מ", "أرسلت من", "أُرسلت من", "تم الإرسال من", "ارسال شده از", "发自", "發自",
    "来自我的", "寄件自", "從我的", "从我的",
    "나의 ", "내 ", "saadetud minu", "išsiųsta iš", "nosūtīts no",
)  # fmt: skip
# What is also a word of prose: "Sent by mail yesterday." Only behind a word for "from".
_COMMON = (
    "mail",
    "e-mail",
    "front",
    "nine",
    "computer",
    "laptop",
    "google",
    "correo",
    "posta",
    "pošty",
    "poczta",
    "курьер",
)
_FROM = (
    "sent from", "gesendet von", "gesendet mit der", "gesendet aus", "diese nachricht", "envoyé depuis",
    "envoyé à partir", "envoyé de ",
    "enviado desde", "enviado de ", "inviato da", "verzonden van", "verstuurd van", "sendt fra", "skickat från", "отправлено из",
    "wysłano z", "odesláno z", "lähetetty ", "sent using", "sent with ",
)  # fmt: skip
# The device stands before these, "from" within them.
_ENDS = (
    "dan gönderildi", "den gönderildi", "から送信", "から送信されました", "より送信", "에서 보냄", "에서 전송",
    "ról küldve", "ről küldve",
)  # fmt: skip
_AROUND = (("von ", "gesendet"), ("从", "发送"), ("從", "傳送"))
_FIXED = frozenset(
    [
        "sent from phone",
        "sent from mobile",
        "sent while mobile",
        "sent on the go",
        "sent on the run",
        "please excuse typos",
        "please excuse any typos",
        "excuse my brevity",
        "please excuse my brevity",
        "please excuse brevity and typos",
        "please pardon any typos",
    ]
)
_LINK = re.compile(r"[<(\[]\s?(?:https?://|www\.)[^\s>)\]]{1,250}\s?[>)\]]|https?://\S{1,250}")
_DEVICE_WORDS_MAX = 7  # "Sent from my desk, it is easier than on my phone" is a sentence
footer_chars_max = 90  # without its link; "Sent from my BlackBerry wireless handheld by AT&T" has 50


def is_footer(line: str) -> bool:
    """Whether a line, lower-cased and without decoration, is what a mobile program adds."""
    has_link = "http" in line or "www." in line
    if has_link:
        line = _LINK.sub("", line).strip(" <>[]()")
    line = line.rstrip(".!。 ")
    if len(line) > footer_chars_max:
        return False
    if line in _FIXED:
        return True
    begin = " ".join(line.split(" ", _DEVICE_WORDS_MAX)[:_DEVICE_WORDS_MAX])
    if line.startswith(_STARTS) or line.endswith(_ENDS) or _is_around(line):
        if any(device in begin for device in _DEVICES):
            return True
        return line.startswith(_FROM) and any(word in begin for word in _COMMON)
    # "Get Outlook for iOS" in any language has its link; "It fails in Outlook for iOS" has none.
    return has_link and "outlook" in line and ("ios" in line or "android" in line)


def _is_around(line: str) -> bool:
    return any(line.startswith(start) and line.endswith(end) for start, end in _AROUND)


_MARKS = frozenset(
    ["--", "—", "―", "–", "——", "――", "- --", "-- --", "~~"]
)  # `- --` within a PGP-signed text
_NAME = re.compile(r"(?:-|(?:--|[–—―]{1,2})[ \t]?)(?:[^\W\d_a-z][\w.'’-]{0,30}(?: |$)){1,3}")


def is_signature_mark(line: str) -> bool:
    """`--` or a long dash, alone on its line."""
    return line in _MARKS


def is_dashed_name(line: str) -> bool:
    """`-Ada`, `-- Ada Lovelace`, `— Ada`: a signature of one line. `- Ada` is the item of a list."""
    return len(line) <= 60 and _NAME.fullmatch(line) is not None
