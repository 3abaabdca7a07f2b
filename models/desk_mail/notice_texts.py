"""The words of the desk's own notices, by language. The notices of life cycles have their templates.

`desk.yaml` can replace them, or add a language (`texts: {notice_of_assigned: {de: ...}}`).
"""

from __future__ import annotations

from typing import Final

PREFIX: Final = "notice_of_"  # of their names in `desk.yaml`

# name -> language -> text; `{name}` in braces is filled in.
TEXTS: Final[dict[str, dict[str, str]]] = {
    "new_work": {
        "en": "Ticket #{number} is new work for {team}.",
        "ru": "Новая работа для {team}: обращение №{number}.",
    },
    "new_work_without_team": {
        "en": "Ticket #{number} is new.",
        "ru": "Новое обращение №{number}.",
    },
    "assigned": {
        "en": "{actor} assigned ticket #{number} to you.",
        "ru": "{actor}: обращение №{number} назначено вам.",
    },
    "mentioned": {
        "en": "{actor} mentioned you in ticket #{number}.",
        "ru": "{actor}: вы упомянуты в обращении №{number}.",
    },
    "side_answer": {
        "en": "{third_party} answered in a side conversation of ticket #{number}.",
        "ru": "{third_party}: ответ в побочной переписке по обращению №{number}.",
    },
    "followed_message": {
        "en": "{author} wrote in ticket #{number}, which you follow.",
        "ru": "{author}: новое сообщение в обращении №{number}, за которым вы следите.",
    },
    "followed_note": {
        "en": "{author} added a note to ticket #{number}, which you follow.",
        "ru": "{author}: новая заметка в обращении №{number}, за которым вы следите.",
    },
    "followed_state": {
        "en": "Ticket #{number}, which you follow, is now {state}.",
        "ru": "Обращение №{number}, за которым вы следите: {state}.",
    },
    "breached": {
        "en": "Ticket #{number} missed its promise: {target}.",
        "ru": "По обращению №{number} нарушен срок: {target}.",
    },
    "woken": {
        "en": "Ticket #{number} is back from its snooze.",
        "ru": "Обращение №{number} снова в работе.",
    },
    "send_failed": {
        "en": "Your reply in ticket #{number} was not delivered: {error}",
        "ru": "Ваш ответ в обращении №{number} не доставлен: {error}",
    },
    "send_unknown": {
        "en": "It is not known if your reply in ticket #{number} was delivered: {error}",
        "ru": "Неизвестно, доставлен ли ваш ответ в обращении №{number}: {error}",
    },
    "others_send_failed": {
        "en": "A reply in ticket #{number} was not delivered: {error}",
        "ru": "Ответ в обращении №{number} не доставлен: {error}",
    },
    "answer_refused": {
        "en": "An answer to a notice about ticket #{number} was not taken: {reason} "
        "Further refusals are not reported for a day.",
        "ru": "Ответ на уведомление об обращении №{number} не принят: {reason} "
        "О следующих отказах в течение суток мы не сообщаем.",
    },
    "answer_not_proved": {
        "en": "it is not proved that the mail is yours. Answer from your own mailbox, or at the desk.",
        "ru": "не доказано, что письмо ваше. Ответьте из своего ящика или в системе.",
    },
    "answer_not_covered": {
        "en": "your mail server's signature does not cover the header that names the notice. Answer at the desk.",
        "ru": "подпись вашего сервера не охватывает заголовок, который называет уведомление. Ответьте в системе.",
    },
    "answer_undated": {
        "en": "the mail has no date or no Message-ID. Answer at the desk.",
        "ru": "в письме нет даты или Message-ID. Ответьте в системе.",
    },
    "answer_before_notice": {
        "en": "the mail was written before the notice.",
        "ru": "письмо написано раньше уведомления.",
    },
    "answer_stale": {
        "en": "the mail was on its way for too long, or its date is in the future. Answer at the desk.",
        "ru": "письмо шло слишком долго, или его дата в будущем. Ответьте в системе.",
    },
    "answer_repeated": {
        "en": "the same mail was taken as the answer to another notice.",
        "ru": "это же письмо уже принято как ответ на другое уведомление.",
    },
    "answer_too_many": {
        "en": "too many answers by mail came in a short time. Answer at the desk.",
        "ru": "за короткое время пришло слишком много ответов по почте. Ответьте в системе.",
    },
    "answer_unjudged": {
        "en": "the desk's mailbox checks no senders (authserv_ids). Answer at the desk.",
        "ru": "ящик службы не проверяет отправителей (authserv_ids). Ответьте в системе.",
    },
    "answer_other_address": {
        "en": "the mail came from another address than yours. Answer from your own mailbox, or at the desk.",
        "ru": "письмо пришло не с вашего адреса. Ответьте из своего ящика или в системе.",
    },
    "answer_no_right": {
        "en": "you may not write in this ticket now.",
        "ru": "сейчас вы не можете писать в этом обращении.",
    },
    "answer_to_no_ticket": {
        "en": "the mail reports several matters, or none that can be answered. Answer at the desk.",
        "ru": "в письме несколько тем или нет темы для ответа. Ответьте в системе.",
    },
    "answer_expired": {
        "en": "the notice is too old. Answer at the desk.",
        "ru": "уведомление устарело. Ответьте в системе.",
    },
    "answer_empty": {
        "en": "it has no text.",
        "ru": "в нём нет текста.",
    },
    "answer_with_files": {
        "en": "files cannot be sent in this way. Send them from the desk.",
        "ru": "файлы нельзя отправить таким способом. Отправьте их из системы.",
    },
    "answer_with_quote": {
        "en": "it quotes the notice above or between its own words. Write above the quote, or answer at the desk.",
        "ru": "уведомление процитировано внутри текста. Пишите над цитатой или ответьте в системе.",
    },
}
