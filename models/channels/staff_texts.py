"""Texts of the desk in a staff group and in a bot's menu, by language.

`desk.yaml` and an account's file can replace them or add a language (`texts: {staff_noted: {nl: ...}}`).
"""

from __future__ import annotations

from models.definitions.desk import Label

# name -> language -> text; `{name}` in braces is filled in.
STAFF: dict[str, Label] = {
    "staff_new_ticket": {
        "en": "New ticket #{number} (by {by}): {title}",
        "ru": "Новое обращение №{number} ({by}): {title}",
        "de": "Neues Ticket #{number} ({by}): {title}",
    },
    "staff_edit_mark": {"en": " (edited)", "ru": " (изменено)", "de": " (geändert)"},
    "staff_note_mark": {"en": " (note)", "ru": " (заметка)", "de": " (Notiz)"},
    "staff_assigned": {"en": "Assigned to {name}", "ru": "Назначено: {name}", "de": "Zugewiesen an {name}"},
    "staff_unassigned": {"en": "Assigned to nobody", "ru": "Исполнитель снят", "de": "Niemandem zugewiesen"},
    "staff_merged": {
        "en": "Merged into ticket {number}",
        "ru": "Объединено с обращением {number}",
        "de": "Zusammengeführt mit Ticket {number}",
    },
    "staff_merge_received": {
        "en": "Ticket {number} was merged into this one",
        "ru": "Сюда объединено обращение {number}",
        "de": "Ticket {number} wurde hiermit zusammengeführt",
    },
    "staff_merge_undone": {
        "en": "The merge or split with ticket {number} was undone",
        "ru": "Объединение или разделение с обращением {number} отменено",
        "de": "Zusammenführung oder Teilung mit Ticket {number} rückgängig gemacht",
    },
    "staff_split": {
        "en": "Messages moved to ticket {number}",
        "ru": "Сообщения перенесены в обращение {number}",
        "de": "Nachrichten nach Ticket {number} verschoben",
    },
    "staff_not_delivered": {
        "en": "Not delivered: {error}",
        "ru": "Не доставлено: {error}",
        "de": "Nicht zugestellt: {error}",
    },
    "staff_unreachable": {
        "en": "Requester unreachable: {reason}",
        "ru": "С клиентом нет связи: {reason}",
        "de": "Anfragende Person nicht erreichbar: {reason}",
    },
    "staff_escalated": {
        "en": "Escalated to {team}: {reason}",
        "ru": "Эскалация для {team}: {reason}",
        "de": "Eskaliert an {team}: {reason}",
    },
    "staff_promise_broken": {
        "en": "Promise broken: {reason}",
        "ru": "Срок нарушен: {reason}",
        "de": "Frist verletzt: {reason}",
    },
    "staff_automation_failed": {
        "en": "An automation failed: {reason}",
        "ru": "Сбой автоматизации: {reason}",
        "de": "Eine Automatisierung ist fehlgeschlagen: {reason}",
    },
    "staff_help": {
        "en": (
            "Write to answer the requester; /note TEXT for a note, /mine to take the ticket, /do TRANSITION to move it,"
            " /cancel to leave its questions, /type TYPE to give it another type."
        ),
        "ru": (
            "Просто напишите, чтобы ответить клиенту; /note ТЕКСТ — заметка, /mine — взять обращение,"
            " /do ПЕРЕХОД — перевести его, /cancel — прервать вопросы, /type ТИП — сменить тип."
        ),
        "de": (
            "Schreiben Sie, um zu antworten; /note TEXT für eine Notiz, /mine übernimmt das Ticket,"
            " /do ÜBERGANG bewegt es, /cancel beendet die Fragen, /type TYP ändert den Typ."
        ),
    },
    "staff_not_linked": {
        "en": "You are not linked with an agent of the desk: open your profile there, and link {channel}.",
        "ru": "Вы не связаны с агентом службы: откройте там свой профиль и подключите {channel}.",
        "de": "Sie sind mit keinem Konto des Desks verknüpft: Öffnen Sie dort Ihr Profil, verknüpfen Sie {channel}.",
    },
    "staff_not_seen": {
        "en": "You may not see this ticket.",
        "ru": "У вас нет доступа к этому обращению.",
        "de": "Sie dürfen dieses Ticket nicht sehen.",
    },
    "staff_text_only": {
        "en": "Nothing was sent: only text can be sent from here. Send files from the console.",
        "ru": "Ничего не отправлено: отсюда можно отправить только текст. Файлы отправляйте из консоли.",
        "de": "Es wurde nichts gesendet: Von hier geht nur Text. Senden Sie Dateien aus der Konsole.",
    },
    "staff_note_needs_text": {
        "en": "/note needs a text",
        "ru": "После /note нужен текст",
        "de": "/note braucht einen Text",
    },
    "staff_type_unknown": {
        "en": "/type needs one of the ticket types: {types}",
        "ru": "После /type нужен один из типов обращений: {types}",
        "de": "/type braucht einen der Tickettypen: {types}",
    },
    "staff_noted": {"en": "Noted.", "ru": "Записано.", "de": "Notiert."},
}
# The descriptions of the bot's commands (https://core.telegram.org/bots/api#setmycommands).
MENU: dict[str, Label] = {
    "menu_new": {
        "en": "Open another ticket",
        "ru": "Новое обращение",
        "de": "Neues Ticket",
        "es": "Nuevo ticket",
        "fr": "Nouveau ticket",
    },
    "menu_status": {
        "en": "Your tickets",
        "ru": "Ваши обращения",
        "de": "Ihre Tickets",
        "es": "Sus tickets",
        "fr": "Vos tickets",
    },
    "menu_close": {
        "en": "My question is solved",
        "ru": "Вопрос решён",
        "de": "Meine Frage ist gelöst",
        "es": "Mi pregunta está resuelta",
        "fr": "Ma question est résolue",
    },
    "menu_lang": {"en": "Language", "ru": "Язык", "de": "Sprache", "es": "Idioma", "fr": "Langue"},
}
# The line above which a requester replies to a mail. The channel writes it between marks by which it finds it again.
REPLY_ABOVE: Label = {
    "en": "Please write your reply above this line",
    "ru": "Пожалуйста, пишите ответ выше этой строки",
    "de": "Bitte antworten Sie oberhalb dieser Zeile",
    "fr": "Veuillez écrire votre réponse au-dessus de cette ligne",
    "es": "Escriba su respuesta por encima de esta línea",
    "it": "Scriva la risposta sopra questa riga",
    "pt": "Escreva a sua resposta acima desta linha",
    "nl": "Schrijf uw antwoord boven deze regel",
    "pl": "Prosimy pisać odpowiedź powyżej tej linii",
    "uk": "Будь ласка, пишіть відповідь вище цього рядка",
    "tr": "Lütfen yanıtınızı bu satırın üstüne yazın",
    "zh": "请在此行上方回复",
    "ja": "この行より上に返信を書いてください",
}
