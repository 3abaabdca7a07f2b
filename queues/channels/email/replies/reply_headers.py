"""Names of the header lines that Outlook and others write above a quoted mail ("From: ... Sent: ... Subject: ...")."""

from __future__ import annotations

import re

from queues.channels.email.replies import date_words
from queues.channels.email.replies import reply_words as words

_KINDS = {
    "from": """from|от кого|von|de|da|od|van|fra|från|lähettäjä|от|від|od koga|expéditeur|remitente|mittente|remetente|afzender
    |kimden|gönderen
        |feladó|de la|expeditor|από|отправитель|відправник|подател|saatja|nuo|no|từ|người gửi|dari|จาก|מאת|من|از|发件人
        |寄件者|寄件人|寄件自
        |差出人|送信者|送信元|보낸 사람|보낸사람|발신|nadawca|odesílatel|odosielateľ|avsändare|afsender|avsender|frá
        |pošiljatelj|šalje|reply-to
        |antwort an|répondre à|発信元|发件者""",
    "date": """date|sent|sent on|sent at|received|gesendet|gesendet am|datum|envoyé|envoyé le|date d'envoi|fecha|enviado
    |enviado el|enviada
        |enviada em|enviado em|enviat|data|inviato|inviata|data invio|verzonden|verzonden op|sendt|dato|skickat
        |skickades|lähetetty|päivämäärä|päiväys
        |отправлено|дата|дата отправки|надіслано|отправлен|wysłano|wysłane|data wysłania|odesláno|datum odeslání
        |odoslané|dátum|küldve|elküldve
        |dátum|trimis|expediat|tarih|gönderildi|gönderilme tarihi|gönderme tarihi|ημερομηνία|στάλθηκε|εστάλη|изпратено
        |saadetud|kuupäev
        |išsiųsta|nosūtīts|đã gửi|ngày|ngày gửi|tanggal|dikirim|วันที่|ส่ง|ส่งเมื่อ|נשלח|תאריך|تاريخ الإرسال|التاريخ
        |تاريخ|تم الإرسال|أُرسلت
        |发送时间|发送日期|日期|时间|傳送日期|寄件日期|已傳送|時間|送信日時|送信日|日時|日付|보낸 날짜|날짜|보낸 시간
        |poslano|poslato|sent date|gesendet um|enviada el|απεστάλη""",
    "to": """to|an|à|a|para|per|aan|til|till|vastaanottaja|kime|alıcı|címzett|către|catre|destinatar|destinataire
    |destinatario|destinatário
        |empfänger|ontvanger|кому|до|получатель|одержувач|do|komu|adresat|příjemce|pre|προς|saaja|kam|kam:|đến|tới
        |người nhận|kepada|ถึง|אל
        |إلى|الى|به|收件人|收件者|送信先|宛先|받는 사람|받는사람|수신|mottagare|modtager|mottaker|za|prima|gavėjas|kellele""",
    "cc": """cc|bcc|c.c.|kopie|copie|copie à|copia|cópia|kopia|kopi|kópia|kopie (cc)|копия|копія|kopio|bilgi
    |másolatot kap|másolat|κοιν|κοινοποίηση
        |抄送|副本|ccへ|참조|עותק|نسخة|dw|do wiadomości|kopija|đồng gửi|สำเนา""",
    "subject": """subject|betreff|objet|sujet|asunto|assumpte|oggetto|assunto|onderwerp|emne|ämne|aihe|тема|тема письма
    |temat|předmět|predmet|tárgy
        |subiect|konu|θέμα|относно|teema|tema|dalykas|temats|chủ đề|tiêu đề|subjek|perihal|เรื่อง|נושא|الموضوع|موضوع
        |主题|主旨|主題|件名|題名|제목
        |naslov|zadeva|efni|re""",
    "other": """importance|priority|attachments|anlagen|anhänge|pièces jointes|datos adjuntos|allegati|anexos|bijlagen
    |вложения|załączniki|添付|附件
        |wichtigkeit|importancia|priorità|reply to|organization|message-id|in-reply-to|references|newsgroups|x-mailer
        |user-agent|mime-version
        |content-type""",
}
KIND = {name.strip().casefold(): kind for kind, names in _KINDS.items() for name in names.split("|") if name.strip()}
# With the asterisks and spaces around it; the longest name has 18.
name_chars_max = max(map(len, KIND)) + 8


def kind_of(line: str) -> str:
    """Return the kind of header line (from, date, to, cc, subject, other); empty for any other line."""
    at = line.find(":", 0, name_chars_max)
    if at < 0 and (at := line.find("：", 0, name_chars_max)) < 0:
        return ""
    return KIND.get(line[:at].strip(" \t*_#|>•-").casefold(), "")


# Names of the line with the date that only mail programs write; "Date", "Datum" and "Fecha" stand in forms as well.
_SENDING_NAMES = """sent|sent on|sent at|sent date|gesendet|gesendet am|gesendet um|envoyé|envoyé le
    |date d'envoi|enviado|enviado el|enviada|enviada el|enviada em|enviado em|enviat|inviato|inviata|data invio
    |verzonden|verzonden op|sendt|skickat|skickades|lähetetty|отправлено|дата отправки|отправлен|надіслано
    |wysłano|wysłane|data wysłania|odesláno|datum odeslání|odoslané|küldve|elküldve|trimis|expediat|gönderildi
    |gönderilme tarihi|gönderme tarihi|στάλθηκε|εστάλη|απεστάλη|изпратено|saadetud|išsiųsta|nosūtīts|đã gửi
    |ngày gửi|dikirim|ส่งเมื่อ|נשלח|تاريخ الإرسال|تم الإرسال|أُرسلت|发送时间|发送日期|傳送日期|寄件日期|已傳送|送信日時
    |送信日|보낸 날짜|보낸 시간
    |poslano|poslato"""
_SENDING = frozenset(name.strip().casefold() for name in _SENDING_NAMES.split("|"))


# A form has no seconds.
_SECONDS = re.compile(r"\d{1,2}[:.]\d{2}[:.]\d{2}(?!\d)")


def is_time_of_sending(line: str, *, has_recipient: bool) -> bool:
    """Return True if a header line says when a mail was sent, with a date and a clock time.

    A form says "Date:" and has no seconds. Without a recipient, the date must have its weekday, as Outlook writes it.
    """
    name, colon, value = line.replace("：", ":").partition(":")
    if not colon or (name.strip(" \t*_#|>•-").casefold() not in _SENDING and not _SECONDS.search(value)):
        return False
    if not has_recipient and not _has_weekday(value):
        return False
    return words.has_date(value) and words.CLOCK.search(words.NUMERIC_DATE.sub(" ", value)) is not None


def _has_weekday(value: str) -> bool:
    return any(word.strip(".,;()").casefold() in date_words.WEEKDAYS for word in value.split())
