"""Texts of the desk itself in chats, by language.

`desk.yaml` and an account's file can replace them, or add a language (`texts: {greeting: {en: ..., ru: ...}}`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from models.channels.accounts import ChannelAccount
from models.channels.rating_texts import RATING
from models.channels.staff_texts import MENU, REPLY_ABOVE, STAFF
from models.definitions import desk
from models.kernel import languages as tags

# name -> language -> text; `{name}` in braces is filled in.
DEFAULTS: dict[str, dict[str, str]] = {
    "greeting": {
        "en": "Hello {name}! Write what you need help with; each message reaches our agents.",
        "ru": "Здравствуйте, {name}! Напишите, с чем вам помочь; каждое сообщение дойдёт до наших агентов.",
        "de": "Guten Tag {name}! Schreiben Sie, wobei wir helfen können; jede Nachricht erreicht unser Team.",
        "es": "¡Hola, {name}! Escriba en qué podemos ayudarle; cada mensaje llega a nuestro equipo.",
        "fr": "Bonjour {name} ! Écrivez ce dont vous avez besoin ; chaque message parvient à notre équipe.",
    },
    "joined": {
        "en": "This chat now belongs to {name}. Your tickets from other channels are with us here, too.",
        "ru": "Теперь этот чат принадлежит {name}. Ваши обращения из других каналов доступны и здесь.",
        "de": "Dieser Chat gehört jetzt zu {name}.",
        "es": "Este chat pertenece ahora a {name}.",
        "fr": "Cette conversation appartient désormais à {name}.",
    },
    "link_number": {
        "en": (
            "To connect this chat to {name}, enter the number {number} where you got the link. The link works for ten"
            " minutes. If you did not ask for a link, ignore this message."
        ),
        "ru": (
            "Чтобы подключить этот чат к {name}, введите число {number} там, где вы получили ссылку. Ссылка действует"
            " десять минут. Если вы не запрашивали ссылку, не обращайте внимания на это сообщение."
        ),
        "de": (
            "Um diesen Chat mit {name} zu verbinden, geben Sie die Zahl {number} dort ein, wo Sie den Link erhalten haben."
            " Der Link gilt zehn Minuten. Haben Sie keinen Link angefordert, ignorieren Sie diese Nachricht."
        ),
        "es": (
            "Para conectar este chat con {name}, introduzca el número {number} donde recibió el enlace. El enlace vale"
            " diez minutos. Si no ha pedido un enlace, ignore este mensaje."
        ),
        "fr": (
            "Pour relier cette conversation à {name}, saisissez le nombre {number} là où vous avez reçu le lien. Le lien"
            " vaut dix minutes. Si vous n'avez pas demandé de lien, ignorez ce message."
        ),
    },
    "chat_connected_subject": {
        "en": "A new address of yours",
        "ru": "Ваш новый адрес",
        "de": "Ihre neue Adresse",
        "es": "Su nueva dirección",
        "fr": "Votre nouvelle adresse",
    },
    "chat_connected": {
        "en": "A {channel} chat was connected to you at our desk. If this was not you, answer this message.",
        "ru": "К вам в нашей службе подключён чат {channel}. Если это были не вы, ответьте на это сообщение.",
        "de": "Ein {channel}-Chat wurde mit Ihnen verbunden. Waren Sie das nicht, antworten Sie auf diese Nachricht.",
        "es": "Se ha conectado un chat de {channel} con usted. Si no ha sido usted, responda a este mensaje.",
        "fr": "Une conversation {channel} vous a été rattachée. Si ce n'était pas vous, répondez à ce message.",
    },
    "agent_linked": {
        "en": "You are {name} here: what you write in a ticket's topic of the staff group is said as you.",
        "ru": "Здесь вы — {name}: сообщения в темах группы сотрудников отправляются от вашего имени.",
    },
    "link_unknown": {
        "en": "This link is not valid any more. You can simply write here.",
        "ru": "Эта ссылка больше не действует. Вы можете просто написать сюда.",
        "de": "Dieser Link gilt nicht mehr. Sie können hier einfach schreiben.",
        "es": "Este enlace ya no es válido. Puede escribir aquí directamente.",
        "fr": "Ce lien n'est plus valable. Vous pouvez écrire ici directement.",
    },
    "new": {
        "en": "Your next message opens a new ticket.",
        "ru": "Следующее сообщение откроет новое обращение.",
        "de": "Ihre nächste Nachricht eröffnet ein neues Ticket.",
        "es": "Su próximo mensaje abrirá un nuevo ticket.",
        "fr": "Votre prochain message ouvrira un nouveau ticket.",
    },
    "status_none": {
        "en": "You have no open tickets.",
        "ru": "У вас нет открытых обращений.",
        "de": "Sie haben keine offenen Tickets.",
        "es": "No tiene tickets abiertos.",
        "fr": "Vous n'avez aucun ticket ouvert.",
    },
    "status_line": {
        "en": "#{number} {title}: {state}",
        "ru": "#{number} {title}: {state}",
    },
    "closed": {
        "en": "Ticket #{number} is done: {state}. Write again if you need more.",
        "ru": "Обращение №{number}: {state}. Напишите снова, если понадобится помощь.",
        "de": "Ticket #{number}: {state}. Schreiben Sie wieder, wenn Sie mehr brauchen.",
        "es": "Ticket #{number}: {state}. Escriba de nuevo si necesita algo más.",
        "fr": "Ticket n° {number} : {state}. Écrivez de nouveau si besoin.",
    },
    "close_refused": {
        "en": "Ticket #{number} cannot be closed by you now; our agents will do it.",
        "ru": "Обращение №{number} сейчас нельзя закрыть самостоятельно; это сделают наши агенты.",
        "de": "Ticket #{number} können Sie jetzt nicht selbst schließen; unser Team übernimmt das.",
        "es": "No puede cerrar el ticket #{number} ahora; lo hará nuestro equipo.",
        "fr": "Vous ne pouvez pas clore le ticket n° {number} maintenant ; notre équipe s'en chargera.",
    },
    "moved": {
        "en": "Ticket #{number}: {state}.",
        "ru": "Обращение №{number}: {state}.",
        "de": "Ticket #{number}: {state}.",
        "es": "Ticket #{number}: {state}.",
        "fr": "Ticket n° {number} : {state}.",
    },
    "rated": {
        "en": "Thank you for your rating!",
        "ru": "Спасибо за оценку!",
        "de": "Danke für Ihre Bewertung!",
        "es": "¡Gracias por su valoración!",
        "fr": "Merci pour votre avis !",
    },
    "button_gone": {
        "en": "This button does not work any more. You can simply write here.",
        "ru": "Эта кнопка больше не действует. Вы можете просто написать сюда.",
        "de": "Diese Schaltfläche gilt nicht mehr. Sie können hier einfach schreiben.",
        "es": "Este botón ya no funciona. Puede escribir aquí directamente.",
        "fr": "Ce bouton n'est plus actif. Vous pouvez écrire ici directement.",
    },
    "dialogue_field": {
        "en": "{transition}: {field}?",
        "ru": "{transition}: {field}?",
    },
    "dialogue_example": {
        "en": "For example: {example}",
        "ru": "Например: {example}",
        "de": "Zum Beispiel: {example}",
        "es": "Por ejemplo: {example}",
        "fr": "Par exemple : {example}",
    },
    "dialogue_picked": {
        "en": "Chosen: {picked}",
        "ru": "Выбрано: {picked}",
        "de": "Gewählt: {picked}",
        "es": "Elegido: {picked}",
        "fr": "Choisi : {picked}",
    },
    "dialogue_comment": {
        "en": "{transition}: please write a comment.",
        "ru": "{transition}: напишите, пожалуйста, комментарий.",
        "de": "{transition}: Bitte schreiben Sie einen Kommentar.",
        "es": "{transition}: escriba un comentario, por favor.",
        "fr": "{transition} : écrivez un commentaire, s'il vous plaît.",
    },
    "dialogue_wrong": {
        "en": "That does not fit: {problem}",
        "ru": "Так не подходит: {problem}",
        "de": "Das passt nicht: {problem}",
        "es": "Eso no es válido: {problem}",
        "fr": "Cela ne convient pas : {problem}",
    },
    "dialogue_refused": {
        "en": "This is not possible now.",
        "ru": "Сейчас это невозможно.",
        "de": "Das ist jetzt nicht möglich.",
        "es": "Esto no es posible ahora.",
        "fr": "Ce n'est pas possible maintenant.",
    },
    "dialogue_left": {
        "en": "Nothing was changed.",
        "ru": "Ничего не изменено.",
        "de": "Es wurde nichts geändert.",
        "es": "No se ha cambiado nada.",
        "fr": "Rien n'a été modifié.",
    },
    "dialogue_none": {
        "en": "There is nothing to cancel.",
        "ru": "Отменять нечего.",
        "de": "Es gibt nichts abzubrechen.",
        "es": "No hay nada que cancelar.",
        "fr": "Il n'y a rien à annuler.",
    },
    "dialogue_yes": {"en": "Yes", "ru": "Да", "de": "Ja", "es": "Sí", "fr": "Oui"},
    "dialogue_no": {"en": "No", "ru": "Нет", "de": "Nein", "es": "No", "fr": "Non"},
    "dialogue_done": {"en": "Done", "ru": "Готово", "de": "Fertig", "es": "Listo", "fr": "Terminé"},
    "dialogue_leave": {"en": "Cancel", "ru": "Отмена", "de": "Abbrechen", "es": "Cancelar", "fr": "Annuler"},
    "lang_set": {
        "en": "We will write to you in English.",
        "ru": "Будем писать вам по-русски.",
        "de": "Wir schreiben Ihnen auf Deutsch.",
        "es": "Le escribiremos en español.",
        "fr": "Nous vous écrirons en français.",
    },
    "lang_unknown": {
        "en": "Send /lang with one of: {languages}",
        "ru": "Отправьте /lang и один из языков: {languages}",
        "de": "Senden Sie /lang mit einer von: {languages}",
        "es": "Envíe /lang con uno de: {languages}",
        "fr": "Envoyez /lang avec l'un de : {languages}",
    },
    "help": {
        "en": "/new - open another ticket\n/status - your tickets\n/close - my question is solved\n/lang - language",
        "ru": "/new - новое обращение\n/status - ваши обращения\n/close - вопрос решён\n/lang - язык",
        "de": "/new - neues Ticket\n/status - Ihre Tickets\n/close - erledigt\n/lang - Sprache",
        "es": "/new - nuevo ticket\n/status - sus tickets\n/close - resuelto\n/lang - idioma",
        "fr": "/new - nouveau ticket\n/status - vos tickets\n/close - résolu\n/lang - langue",
    },
    "first_subject": {
        "en": "Your request",
        "ru": "Ваше обращение",
        "de": "Ihre Anfrage",
        "es": "Su solicitud",
        "fr": "Votre demande",
    },
    "code_subject": {
        "en": "Your code",
        "ru": "Ваш код",
        "de": "Ihr Code",
        "es": "Su código",
        "fr": "Votre code",
    },
    "code": {
        "en": "Your code is {code}. If you did not ask for it, ignore this mail.",
        "ru": "Ваш код: {code}. Если вы его не запрашивали, не обращайте внимания на это письмо.",
        "de": "Ihr Code lautet {code}. Haben Sie ihn nicht angefordert, ignorieren Sie diese Mail.",
        "es": "Su código es {code}. Si no lo ha pedido, ignore este correo.",
        "fr": "Votre code est {code}. Si vous ne l'avez pas demandé, ignorez ce message.",
    },
    "file_too_large": {
        "en": (
            "We could not get your file “{filename}”: files of more than {limit} do not reach us here. Please "
            "send a smaller one, send it in parts, or send us a link to it."
        ),
        "ru": (
            "Мы не смогли получить ваш файл «{filename}»: файлы больше {limit} сюда не доходят. Пришлите, "
            "пожалуйста, файл поменьше, несколько частей или ссылку на него."
        ),
        "uk": (
            "Ми не змогли отримати ваш файл «{filename}»: файли понад {limit} сюди не доходять. Надішліть, будь "
            "ласка, менший файл, кілька частин або посилання на нього."
        ),
        "de": (
            "Wir konnten Ihre Datei „{filename}“ nicht erhalten: Dateien über {limit} erreichen uns hier nicht. "
            "Bitte senden Sie eine kleinere, mehrere Teile oder einen Link."
        ),
        "fr": (
            "Nous n’avons pas pu recevoir votre fichier « {filename} » : les fichiers de plus de {limit} ne nous "
            "parviennent pas ici. Envoyez-en un plus petit, plusieurs parties ou un lien."
        ),
        "es": (
            "No pudimos recibir su archivo «{filename}»: aquí no nos llegan archivos de más de {limit}. Envíe uno "
            "más pequeño, varias partes o un enlace."
        ),
        "it": (
            "Non abbiamo potuto ricevere il file «{filename}»: qui non ci arrivano file oltre {limit}. Ne invii "
            "uno più piccolo, più parti o un link."
        ),
        "pt": (
            "Não conseguimos receber o seu ficheiro «{filename}»: aqui não chegam ficheiros acima de {limit}. "
            "Envie um mais pequeno, várias partes ou uma ligação."
        ),
        "pl": (
            "Nie udało się nam odebrać pliku „{filename}”: pliki większe niż {limit} tu do nas nie docierają. "
            "Prosimy o mniejszy plik, kilka części albo link."
        ),
        "nl": (
            "We konden uw bestand ‘{filename}’ niet ontvangen: bestanden van meer dan {limit} komen hier niet "
            "aan. Stuur een kleiner bestand, meerdere delen of een link."
        ),
        "tr": (
            "“{filename}” dosyanızı alamadık: {limit} üzerindeki dosyalar buradan bize ulaşmıyor. Lütfen daha "
            "küçük bir dosya, birkaç parça veya bir bağlantı gönderin."
        ),
    },
}


def languages(account: ChannelAccount) -> list[str]:
    """Return the account's languages: its `locales`, else the desk's, else those of the built-in texts."""
    own = account.config.get("locales")
    if own:
        return list(own)
    declared = desk.current()
    return list(DEFAULTS["lang_set"] if declared is desk.UNDECLARED else declared.languages)


def text(account: ChannelAccount, name: str, locale: str | None, /, **values: object) -> str:
    """Return a text in the reader's language, else in the account's, the desk's, English.

    The account's own texts go before the desk's own, and these before the built-in ones. Raises KeyError for an unknown
    name.
    """
    known = labels(account, name, BUILT_IN.get(name, {}))
    if not known:
        raise KeyError(name)
    return filled(known[tag_for(account, known, locale)], values)


def of_desk(name: str, *locales: str | None) -> tuple[str, str]:
    """Return the language of a text that belongs to no account, and the text. Raises KeyError for an unknown name."""
    declared = desk.current()
    known = {tag.lower(): text for tag, text in (BUILT_IN[name] | declared.texts.get(name, {})).items()}
    tag = tags.chosen(known, *locales, *declared.languages, "en")
    return tag, known[tag]


def filled(text: str, values: Mapping[str, object]) -> str:
    """Fill the places in at once, so that a value with braces fills in nothing."""
    return PLACE.sub(lambda place: str(values.get(place[1], place[0])), text)


def labels(account: ChannelAccount, name: str, built_in: desk.Label) -> desk.Label:
    """Return a text in every language in which the account, the desk or the program has it."""
    found = {tag.lower(): text for tag, text in built_in.items()}
    for own in (desk.current().texts, account.config.get("texts") or {}):
        found |= {tag.lower(): text for tag, text in own.get(name, {}).items()}
    return found


def tag_for(account: ChannelAccount, known: desk.Label, *locales: str | None) -> str:
    """Return the language in which a reader gets a text of the program, of the desk or of the account."""
    return tags.chosen(known, *locales, account.config.get("locale"), *desk.current().languages, "en")


PLACE = re.compile(r"\{([a-z_]+)\}")
BUILT_IN: dict[str, desk.Label] = {**DEFAULTS, **STAFF, **MENU, **RATING, "reply_above": REPLY_ABOVE}
