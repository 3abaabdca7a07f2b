"""Words of signatures: closing phrases, legal notices, and the footers of lists and virus scanners."""

from __future__ import annotations


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(phrase for line in text.casefold().splitlines() if (phrase := line.strip()))


CLOSINGS = _phrases(
    """
    best regards
    kind regards
    warm regards
    with best wishes
    best wishes
    yours sincerely
    yours faithfully
    many thanks
    thank you
    mit freundlichen gr
    freundliche gr
    viele gr
    beste gr
    liebe gr
    mit besten gr
    bien cordialement
    bien à vous
    meilleures salutations
    un cordial saludo
    un saludo
    med hilsen
    s pozdravom
    lep pozdrav
    lieben gr
    saludos
    con los mejores
    cordiali saluti
    distinti saluti
    met vriendelijke groet
    vriendelijke groet
    atenciosamente
    com os melhores
    med vänlig
    med vennlig
    med venlig
    vänliga hälsningar
    ystävällisin terveisin
    с уважением
    с наилучшими
    з повагою
    z poważaniem
    pozdrawiam
    s pozdravem
    s přátelským
    üdvözlettel
    saygılarımla
    με εκτίμηση
    """
)
# The first words of legal notices, of footers of lists and of virus scanners.
NOTICE_STARTS = _phrases(
    """
    you received this message because
    you are receiving this
    to unsubscribe
    to post to this
    to view this discussion
    this e-mail and any
    this email and any
    this message and any
    this e-mail has been
    this email has been
    virus-free
    please consider the environment
    think before you print
    diese e-mail wurde
    diese e-mail und
    diese nachricht wurde
    diese e-mail enthält
    diese e-mail kann
    der inhalt dieser
    ce message et
    ce courriel et
    cet e-mail a été
    cet email a été
    este mensaje y
    este correo electrónico ha sido
    este e-mail foi
    questo messaggio e
    questa e-mail è stata
    dit bericht en
    deze e-mail is
    mailing list
    """
)
# Words of which a legal notice has two or more.
_NOTICE_WORDS = """
    confidential|privileged|recipient|addressee|unauthor|disclos|liabil|virus|antivirus|unsubscribe|mailing list
    |mailing-list|subscribed|disclaim|prohibited|delete|in error|intended|registered office|registered in|vat reg
    |vertraulich|empfänger|adressat|unbefugt|irrtümlich|vernichten|löschen|haftung|abmelden|handelsregister|amtsgericht
    |geschäftsführ|ust-id|sitz der gesellschaft|confidentiel|destinataire|par erreur|désabonn|désinscri|responsabilité
    |détrui|confidencial|destinatari|por error|por engano|cancelar|responsabilidad|riservat|per errore|distrugg
    |vertrouwelijk|geadresseerde|ontvanger|afmelden|aansprakelijk|förtrolig|konfidentiell|mottagare|fortrolig|modtager
    |mottaker|luottamuksell|vastaanottaj|конфиденциальн|адресат|получател|по ошибке|отписаться|рассылк|конфіденційн
    |одержувач|poufn|adresat|odbiorc|omyłkow|wypisać|důvěrn|příjemc|omylem|gizli|alıcı|yanlışlıkla|bizalmas|címzett
    |εμπιστευτικ|παραλήπτ|機密|受信者|誤って|削除|保密|机密|收件人|病毒|기밀|수신자
"""
NOTICE_WORDS = tuple(word.strip() for word in _NOTICE_WORDS.split("|"))
_NOTICE_WORDS_MIN = 2
# The footer of a list names the list on a short line.
_LIST_WORDS_MAX = 6


def is_closing(line: str) -> bool:
    """Return True if a line is a closing phrase such as "Best regards,"."""
    return line.casefold().startswith(CLOSINGS)


def is_notice(paragraph: str) -> bool:
    """Return True if a paragraph is a legal notice, or the footer of a mailing list or a virus scanner."""
    folded = paragraph.casefold().lstrip(" *_-[(")
    if folded.startswith(NOTICE_STARTS):
        return True
    if "mailing list" in folded and len(folded.split()) <= _LIST_WORDS_MAX:
        return True
    return sum(1 for word in NOTICE_WORDS if word in folded) >= _NOTICE_WORDS_MIN
