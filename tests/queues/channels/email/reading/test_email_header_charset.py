"""Raw 8-bit headers: the charset of the body is believed only when the bytes agree."""

from __future__ import annotations

import pytest

from models.ports.inbound import InboundMessage
from queues.channels.email.parse import read_mail
from queues.channels.email.reading.headers import text_of
from tests.queues.channels import golden

# The bytes of each subject are read beside a body of each of these charsets.
BODY_CHARSETS = ("iso-8859-1", "windows-1252", "utf-8", "us-ascii", "iso-8859-2", None)
OTHER_ALPHABETS = [
    ("windows-1251", "Счёт за март не пришёл"),
    ("windows-1251", "Вопрос"),
    ("windows-1251", "RE: заказ 5521"),
    ("windows-1251", "СЧЁТ"),
    ("windows-1251", "Рахунок за березень не прийшов"),
    ("koi8-r", "Счёт за март не пришёл"),
    ("koi8-r", "Вопрос"),
    ("koi8-r", "Ида Берг"),
    ("cp866", "Счёт за март не пришёл"),
    ("shift_jis", "三月の請求書が届きません"),
    ("shift_jis", "請求書"),
    ("euc-jp", "三月の請求書が届きません"),
    ("gb18030", "三月份的发票没有收到"),
    ("gb18030", "Re: 发票问题"),
    ("gb18030", "发票"),
    ("big5", "三月份的發票沒有收到"),
    ("euc-kr", "3월 청구서가 도착하지 않았습니다"),
    ("windows-1253", "Ο λογαριασμός δεν ήρθε"),
    ("windows-1255", "החשבונית לא הגיעה"),
    ("windows-1256", "لم تصل الفاتورة"),
    ("windows-874", "ใบแจ้งหนี้ไม่มา"),
]
LATIN = [
    "Rechnung für März fehlt",
    "Où est la facture déjà payée",
    "Créée à l'été",
    "Señor",
    "ÜBERWEISUNG",
    "Düsseldorf – Café",
    "£5 – 3 €",
    "Øre på båt",
    "é",
]


@pytest.mark.parametrize(("charset", "subject"), OTHER_ALPHABETS)
@pytest.mark.parametrize("body_charset", BODY_CHARSETS)
def test_a_raw_subject_of_another_alphabet_is_guessed_before_the_body_s_charset(
    charset: str, subject: str, body_charset: str | None
) -> None:
    assert text_of(subject.encode(_codec(charset)), raw_charset=body_charset) == subject


@pytest.mark.parametrize("subject", LATIN)
@pytest.mark.parametrize("body_charset", ["iso-8859-1", "windows-1252", "utf-8", "windows-1251", "koi8-r", None])
def test_a_raw_latin_subject_stays_latin(subject: str, body_charset: str | None) -> None:
    assert text_of(subject.encode("cp1252"), raw_charset=body_charset) == subject


@pytest.mark.parametrize(
    ("charset", "other", "subject"),
    [
        ("windows-1251", "koi8-r", "Счёт за март не пришёл"),
        ("koi8-r", "windows-1251", "Счёт за март не пришёл"),
        ("shift_jis", "windows-1251", "三月の請求書が届きません"),
        ("gb18030", "koi8-r", "三月份的发票没有收到"),
        ("gb18030", "shift_jis", "三月份的发票没有收到"),
    ],
)
def test_a_raw_subject_is_not_read_by_the_charset_of_a_body_in_another_alphabet(
    charset: str, other: str, subject: str
) -> None:
    assert text_of(subject.encode(_codec(charset)), raw_charset=other) == subject


def test_the_body_s_charset_decides_between_two_plausible_readings() -> None:
    raw = b"Se\xf1or"

    assert text_of(raw, raw_charset="iso-8859-1") == "Señor"
    assert text_of(raw, raw_charset="iso-8859-2") == "Seńor"


def test_subject_name_and_file_name_of_a_mail_are_guessed() -> None:
    raw = (
        "From: Ида Берг <ida@firma.example>\r\nSubject: Счёт за март не пришёл\r\n"
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\nHello\r\n"
        '--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename="счёт за март.pdf"\r\n\r\n'
        "%PDF\r\n--b--\r\n"
    ).encode("cp1251")

    parsed = read_mail(raw, {}, golden.EMAIL)

    assert isinstance(parsed, InboundMessage)
    assert (parsed.subject, parsed.author_name) == ("Счёт за март не пришёл", "Ида Берг")
    assert [info.filename for info in parsed.attachments] == ["счёт за март.pdf"]


def _codec(charset: str) -> str:
    return charset.replace("windows-", "cp")
