"""Texts of the page on which a requester rates a ticket, by language.

`desk.yaml` can replace them or add a language (`texts: {rating_question: {nl: ...}}`).
"""

from __future__ import annotations

from models.definitions.desk import Label

# name -> language -> text; `{name}` in braces is filled in.
RATING: dict[str, Label] = {
    "rating_question": {
        "en": "How did we do with request #{number}?",
        "ru": "Как мы справились с обращением №{number}?",
        "de": "Wie haben wir Anfrage #{number} bearbeitet?",
        "es": "¿Cómo atendimos su solicitud #{number}?",
        "fr": "Comment avons-nous traité la demande n° {number} ?",
    },
    "rating_hint": {
        "en": "Press a number. 1 is bad, 5 is good.",
        "ru": "Нажмите число. 1 — плохо, 5 — хорошо.",
        "de": "Wählen Sie eine Zahl. 1 ist schlecht, 5 ist gut.",
        "es": "Pulse un número. 1 es malo, 5 es bueno.",
        "fr": "Choisissez un chiffre. 1 : mauvais, 5 : bon.",
    },
    "rating_score": {
        "en": "{score} of 5",
        "ru": "{score} из 5",
        "de": "{score} von 5",
        "es": "{score} de 5",
        "fr": "{score} sur 5",
    },
    "rating_comment": {
        "en": "Comment (optional)",
        "ru": "Комментарий (необязательно)",
        "de": "Kommentar (freiwillig)",
        "es": "Comentario (opcional)",
        "fr": "Commentaire (facultatif)",
    },
    "rating_given": {
        "en": "Thank you! Your rating is {score} of 5. You can still change it.",
        "ru": "Спасибо! Ваша оценка: {score} из 5. Её можно изменить.",
        "de": "Danke! Ihre Bewertung ist {score} von 5. Sie können sie noch ändern.",
        "es": "¡Gracias! Su valoración es {score} de 5. Todavía puede cambiarla.",
        "fr": "Merci ! Votre note est {score} sur 5. Vous pouvez encore la modifier.",
    },
    "rating_missing": {
        "en": "Press one of the numbers from 1 to 5.",
        "ru": "Нажмите одно из чисел от 1 до 5.",
        "de": "Wählen Sie eine der Zahlen von 1 bis 5.",
        "es": "Pulse uno de los números del 1 al 5.",
        "fr": "Choisissez un chiffre de 1 à 5.",
    },
    "rating_too_long": {
        "en": "The comment has more than {limit} characters. Please shorten it.",
        "ru": "В комментарии больше {limit} знаков. Пожалуйста, сократите его.",
        "de": "Der Kommentar hat mehr als {limit} Zeichen. Bitte kürzen Sie ihn.",
        "es": "El comentario tiene más de {limit} caracteres. Por favor, acórtelo.",
        "fr": "Le commentaire compte plus de {limit} caractères. Merci de le raccourcir.",
    },
    "rating_ended": {
        "en": "The time for this rating is over. You can simply write to us.",
        "ru": "Срок для этой оценки истёк. Вы можете просто написать нам.",
        "de": "Die Zeit für diese Bewertung ist vorbei. Sie können uns einfach schreiben.",
        "es": "El plazo para esta valoración ha terminado. Puede simplemente escribirnos.",
        "fr": "Le délai pour cette évaluation est passé. Vous pouvez simplement nous écrire.",
    },
    "rating_final": {
        "en": "You changed this rating too often. It stays as it is.",
        "ru": "Вы меняли эту оценку слишком часто. Она останется прежней.",
        "de": "Sie haben diese Bewertung zu oft geändert. Sie bleibt, wie sie ist.",
        "es": "Ha cambiado esta valoración demasiadas veces. Se queda como está.",
        "fr": "Vous avez modifié cette évaluation trop souvent. Elle reste telle quelle.",
    },
    "rating_unknown": {
        "en": "This link is not valid. Please use the link in our newest message.",
        "ru": "Эта ссылка недействительна. Воспользуйтесь ссылкой из последнего письма.",
        "de": "Dieser Link ist nicht gültig. Bitte verwenden Sie den Link in unserer neuesten Nachricht.",
        "es": "Este enlace no es válido. Use el enlace de nuestro último mensaje.",
        "fr": "Ce lien n'est pas valable. Utilisez le lien de notre dernier message.",
    },
}
