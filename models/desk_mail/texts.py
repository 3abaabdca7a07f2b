"""Subjects and texts of the desk's own mails, by kind and language.

`desk.yaml` and an account's file can replace them, or add a language (`texts: {invitation: {de: ...},
invitation_subject: {de: ...}}`).

A mail that warns a user of a change of the account keeps the built-in statement of the change, whatever a replaced text
says. Without it, somebody with the right to the texts could hide the takeover of an account from its owner.
"""

from __future__ import annotations

from collections.abc import Mapping

from models.channels import texts
from models.channels.accounts import ChannelAccount
from models.definitions.desk import Label

_IGNORE_EN = "If you did not ask for this, ignore this mail; nothing was changed."
_IGNORE_RU = "Если вы этого не запрашивали, не обращайте внимания на это письмо: ничего не изменилось."
_WARN_EN = "If this was not you, tell your administrator at once."
_WARN_RU = "Если это были не вы, немедленно сообщите администратору."
_SETTINGS_EN = "You choose the kinds and times of these notices in your settings."
_SETTINGS_RU = "Виды и время уведомлений выбираются в ваших настройках."

# kind -> language -> (subject, text); `{name}` in braces is filled in.
TEXTS: dict[str, dict[str, tuple[str, str]]] = {
    "invitation": {
        "en": (
            "Your account at {desk}",
            "Hello {name},\n\nyou have an account at {desk}. Choose your password here, within {minutes} minutes:"
            "\n\n{link}\n\nAfter that time, ask for a new link with “Forgot password”.",
        ),
        "ru": (
            "Ваша учётная запись: {desk}",
            "Здравствуйте, {name}!\n\nДля вас создана учётная запись: {desk}. Выберите пароль по ссылке; она действует"
            " {minutes} минут:\n\n{link}\n\nПозже новую ссылку можно получить через «Забыли пароль».",
        ),
    },
    "password_reset": {
        "en": (
            "Reset your password at {desk}",
            "Hello {name},\n\nchoose a new password here, within {minutes} minutes:\n\n{link}\n\n" + _IGNORE_EN,
        ),
        "ru": (
            "Сброс пароля: {desk}",
            "Здравствуйте, {name}!\n\nВыберите новый пароль по ссылке; она действует {minutes} минут:\n\n{link}\n\n"
            + _IGNORE_RU,
        ),
    },
    # To a requester, whose name the desk may not know.
    "portal_link": {
        "en": (
            "Your sign-in at {desk}",
            "Hello,\n\nopen this link within {minutes} minutes to see your requests at {desk}:\n\n{link}\n\nThe link"
            " works once. If you did not ask for it, ignore this mail: nobody is signed in without the link.",
        ),
        "ru": (
            "Вход: {desk}",
            "Здравствуйте!\n\nОткройте ссылку в течение {minutes} минут, чтобы увидеть свои обращения ({desk}):\n\n"
            "{link}\n\nСсылка действует один раз. Если вы её не запрашивали, не обращайте внимания на это письмо: без"
            " ссылки никто не войдёт.",
        ),
    },
    "password_changed": {
        "en": ("Your password at {desk} was changed", "Hello {name},\n\nyour password was changed. " + _WARN_EN),
        "ru": ("Ваш пароль изменён: {desk}", "Здравствуйте, {name}!\n\nВаш пароль был изменён. " + _WARN_RU),
    },
    "chat_connected": {
        "en": (
            "A chat was connected to your account at {desk}",
            "Hello {name},\n\na {channel} chat was connected to your account: messages from it in the staff group count"
            " as yours. " + _WARN_EN,
        ),
        "ru": (
            "К вашей учётной записи подключён чат: {desk}",
            "Здравствуйте, {name}!\n\nК вашей учётной записи подключён чат {channel}: сообщения из него в группе"
            " сотрудников считаются вашими. " + _WARN_RU,
        ),
    },
    "new_device": {
        "en": (
            "A new device signed in at {desk}",
            "Hello {name},\n\nsomebody signed in to your account on a device that was not used before, from the network"
            " {network}. " + _WARN_EN,
        ),
        "ru": (
            "Вход с нового устройства: {desk}",
            "Здравствуйте, {name}!\n\nВ вашу учётную запись вошли с нового устройства, из сети {network}. " + _WARN_RU,
        ),
    },
    "address_changed": {
        "en": (
            "Your address at {desk} was changed",
            "Hello {name},\n\nyour account now has another e-mail address. This one no longer signs in. " + _WARN_EN,
        ),
        "ru": (
            "Ваш адрес изменён: {desk}",
            "Здравствуйте, {name}!\n\nУ вашей учётной записи теперь другой адрес, вход с этим адресом закрыт. "
            + _WARN_RU,
        ),
    },
    "second_factor_added": {
        "en": (
            "A second factor was added at {desk}",
            "Hello {name},\n\na second factor was added to your account: {factor}. " + _WARN_EN,
        ),
        "ru": (
            "Добавлен второй фактор: {desk}",
            "Здравствуйте, {name}!\n\nК вашей учётной записи добавлен второй фактор: {factor}. " + _WARN_RU,
        ),
    },
    "second_factor_removed": {
        "en": (
            "A second factor was removed at {desk}",
            "Hello {name},\n\na second factor was removed from your account: {factor}. " + _WARN_EN,
        ),
        "ru": (
            "Второй фактор удалён: {desk}",
            "Здравствуйте, {name}!\n\nИз вашей учётной записи удалён второй фактор: {factor}. " + _WARN_RU,
        ),
    },
    "oidc_linked": {
        "en": (
            "A sign-in was linked at {desk}",
            "Hello {name},\n\nyour account can now be used with a sign-in at {issuer}. " + _WARN_EN,
        ),
        "ru": (
            "Добавлен вход: {desk}",
            "Здравствуйте, {name}!\n\nВ вашу учётную запись теперь можно войти через {issuer}. " + _WARN_RU,
        ),
    },
    "recovery_code_used": {
        "en": (
            "A recovery code was used at {desk}",
            "Hello {name},\n\na recovery code was used to sign in; {left} are left. " + _WARN_EN,
        ),
        "ru": (
            "Использован код восстановления: {desk}",
            "Здравствуйте, {name}!\n\nДля входа использован код восстановления; осталось: {left}. " + _WARN_RU,
        ),
    },
    # Notices of `models/notices`. `{details}`: the ticket's title and the message that the notice is about.
    "notice": {
        "en": ("{headline}", "{text}\n\n{details}\n\n" + _SETTINGS_EN),
        "ru": ("{headline}", "{text}\n\n{details}\n\n" + _SETTINGS_RU),
    },
    "notice_reply": {
        "en": (
            "{headline}",
            "{text}\n\n{details}\n\nAn answer to this mail is sent to the requester as your reply. " + _SETTINGS_EN,
        ),
        "ru": (
            "{headline}",
            "{text}\n\n{details}\n\nОтвет на это письмо будет отправлен заявителю от вашего имени. " + _SETTINGS_RU,
        ),
    },
    "notice_note": {
        "en": (
            "{headline}",
            "{text}\n\n{details}\n\nAn answer to this mail becomes an internal note, which the requester does not see. "
            + _SETTINGS_EN,
        ),
        "ru": (
            "{headline}",
            "{text}\n\n{details}\n\nОтвет на это письмо станет внутренней заметкой; заявитель её не увидит. "
            + _SETTINGS_RU,
        ),
    },
    "notice_digest": {
        "en": (
            "{count} notices from {desk}",
            "{details}\n\nAn answer to this mail changes nothing. " + _SETTINGS_EN,
        ),
        "ru": (
            "Уведомления ({count}): {desk}",
            "{details}\n\nОтвет на это письмо ничего не изменит. " + _SETTINGS_RU,
        ),
    },
}

# Mails about a change of the account that its owner may not have made.
WARNINGS: frozenset[str] = frozenset(kind for kind, texts_of in TEXTS.items() if _WARN_EN in texts_of["en"][1])


def subject_and_text(account: ChannelAccount, kind: str, locale: str, values: Mapping[str, object]) -> tuple[str, str]:
    """Return the subject and the text in the reader's language, else in the account's, the desk's, English."""
    subjects = texts.labels(account, f"{kind}_subject", subjects_of(kind))
    bodies = texts.labels(account, kind, bodies_of(kind))
    language = texts.tag_for(account, bodies, locale)
    subject = subjects[texts.tag_for(account, subjects, language, locale)]
    body = texts.filled(bodies[language], values)
    if kind in WARNINGS:
        body = _with_statement(account, kind, body, values, language, locale)
    return texts.filled(subject, values), body


def _with_statement(
    account: ChannelAccount, kind: str, body: str, values: Mapping[str, object], *locales: str | None
) -> str:
    """Return the body of a warning with the built-in statement, which follows the greeting of the built-in text."""
    built_in = {language.lower(): text for language, text in bodies_of(kind).items()}
    statement = built_in[texts.tag_for(account, built_in, *locales)].partition("\n\n")[2]
    filled = texts.filled(statement, values)
    return body if filled in body else f"{body}\n\n{filled}"


def required_places(name: str) -> frozenset[str]:
    """Return the places that a replaced text of a mail must have; empty for another text.

    A text may leave out the names of the reader and of the desk, and how long a link works.
    """
    if name not in TEXTS:
        return frozenset()
    places = (frozenset(texts.PLACE.findall(text)) for text in bodies_of(name).values())
    return frozenset.intersection(*places) - {"name", "desk", "minutes"}


def subjects_of(kind: str) -> Label:
    """Return the built-in subjects of a kind by language."""
    return {language: subject for language, (subject, _) in TEXTS[kind].items()}


def bodies_of(kind: str) -> Label:
    """Return the built-in texts of a kind by language."""
    return {language: text for language, (_, text) in TEXTS[kind].items()}
