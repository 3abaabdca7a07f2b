"""Phrases with which machines begin subjects and texts, in many languages. They are weak signs, never enough alone."""

from __future__ import annotations

import re

# An automatic text says at its beginning that it is one.
TEXT_CHARS_MAX = 2_000

AUTO_REPLY_SUBJECT = re.compile(
    r"\s*(?:\[?auto(?:matic|matische|mat(?:ed|yczna)|-?)?[ -]?(?:reply|response|antwort|répondeur)\b|auto ?:"
    r"|out[ -]of[ -](?:the[ -])?office|ooo\b"
    r"|(?:on |i'?m on )?vacation\b|away from|absence|abwesen|automatisch(?:e|es)? |réponse automatique"
    r"|répondre? automatique|message d'absence"
    r"|respuesta autom|fuera de (?:la )?oficina|risposta automatica|fuori (?:sede|ufficio)|resposta autom"
    r"|ausência|automatisch antwoord"
    r"|afwezig|autom\S{0,10} odpowied|automatick[áa] odpov|autosvar|automatiskt? svar|automaattinen"
    r"|автоматическ|автоответ"
    r"|автоматична|нет на месте|otomatik yan|automatikus válasz|răspuns automat|自動返信|自动(?:回复|答复)|不在|자동 ?(?:회신|응답))",
    re.IGNORECASE,
)
ABSENCE_TEXT = re.compile(
    r"\b(?:out of (?:the )?office|on (?:annual |sick |parental |maternity )?(?:leave|vacation|holiday)"
    r"|automat(?:ic|ed) (?:reply|response|message)"
    r"|do not reply to this|nicht im (?:büro|haus)|im urlaub|abwesen|automatisch (?:generierte|erstellte)"
    r"|absent|en congé|de vacaciones|fuera de la oficina"
    r"|in ferie|fuori (?:sede|ufficio)|de férias|met vakantie|afwezig|na urlopie|nieobecn)|отпуск|отсутств"
    r"|відпустк|休暇|不在|休假",
    re.IGNORECASE,
)
BOUNCE_SUBJECT = re.compile(
    r"\s*(?:undeliver(?:able|ed)|(?:mail )?deliver[yi]\w{0,5} (?:status notification|failure|failed|has failed"
    r"|error|problem|report|notification)"
    r"|mail delivery (?:failed|system|failure|error)|message (?:not delivered|could not be delivered|undeliver)"
    r"|returned (?:mail|to sender)"
    r"|failure notice|failed mail|non[- ]?deliver|nondeliver|could not deliver|warning: (?:message"
    r"|could not send)|unzustellbar|nicht zustellbar"
    r"|rückläufer|fehler bei der (?:zu|über)|non remis|échec de (?:la )?(?:remise|distribution)"
    r"|no se puede entregar|no entregado|mancato recapito"
    r"|impossibile recapitare|não (?:é possível entregar|entregue)|onbestelbaar|niet besteld|niedostarcz"
    r"|недоставлен|не удалось доставить|не доставлено"
    r"|teslim edilemedi|olevererbart|kunne ikke leveres|无法投递|系统退信|退信|配信不能|배달되지)",
    re.IGNORECASE,
)
BOUNCE_TEXT = re.compile(
    r"(?:^|\s)(?:5\d\d[ -]#?5\.\d{1,3}\.\d{1,3}|#?5\.\d{1,3}\.\d{1,3}\b)"
    r"|(?:could not|couldn't|cannot|can't|wasn't|was not|unable to) (?:be )?deliver"
    r"|user unknown|unknown user|no such user|mailbox (?:unavailable|not found|is full)"
    r"|recipient address rejected|address rejected"
    r"|delivery to the following recipients? failed|permanent(?: fatal)? error|undeliverable"
    r"|konnte nicht zugestellt|n'a pas (?:pu être|été) remis",
    re.IGNORECASE,
)
SMTP_STATUS = re.compile(r"\b5\d\d[ -]#?5\.\d{1,3}\.\d{1,3}\b|(?<![\d.])#?5\.\d{1,3}\.\d{1,3}(?![\d.])|\b55\d[ -]")
DELAY = re.compile(
    r"delivery (?:status notification )?\(?(?:delay|temporarily)|\(delay\)|delayed|warning: (?:message"
    r"|could not send)|still being (?:re)?tried"
    r"|will (?:keep|continue) (?:trying|to try)|no action is required|will be retried|verzögert"
    r"|weiterhin versuchen|retardé|задерж",
    re.IGNORECASE,
)
DIAGNOSTIC = re.compile(
    r"^.{0,200}(?:\b5\d\d[ -]#?5\.\d{1,3}\.\d{1,3}\b|\b5\.\d{1,3}\.\d{1,3}\b|\b55\d[ -]|user unknown"
    r"|unknown user|no such user|mailbox (?:unavailable|not found"
    r"|is full)|address rejected|does not exist|isn't listed|not listed in).{0,200}$",
    re.IGNORECASE | re.MULTILINE,
)
