"""Words by which mail programs announce a quote or a forward, in the languages of our requesters.

The words are sets of whole, lower-cased words and not patterns: a look-up costs the same for one language as for forty.
Languages without spaces between words are searched for the substrings in `*_PARTS`. No word decides alone;
`reply_attribution.py` needs a date, a clock time or an address as well.
"""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    # The lines are compared in the same form: ς becomes σ.
    return frozenset(text.casefold().split())


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(phrase for line in text.casefold().splitlines() if (phrase := line.strip()))


# -- "On ... Ada wrote:" ------------------------------------------------------------------------------------------
# The name stands before these: en fr es ca gl it pt ro pl cs sk uk ru bg sr hr sl tr el hu fi lt lv vi id he ar fa hi.
WROTE = _words(
    """
    wrote writes écrit escrit escribió escribio escribe escriure escribiu scritto scrisse scrive escreveu escreve scris scrie
    napisał napisała napisal napisala napisał(a) pisze napsal napsala napsal(a) píše napísal napísala napísal(a)
    написал написала написал(а) написал/а писал писала писал(а) пишет напишет пише написав написала написав(ла) писав
    написа написао написала напиша napisao napisala napisao/la pisao yazdı yazmış yazdi έγραψε έγραψαν írta írtad kirjoitti
    rašė parašė rakstīja uzrakstīja viết menulis tulis כתב כתבה כתב/ה כתבו كتب كتبت نوشت लिखा geskryf skrifaði idatzi
    shkroi sumulat
    """
)
# The name often stands behind these: de nl sv da no et and some of the above.
WROTE_NAME = _words(
    "schrieb schreibt geschrieben schreef schrijft geschreven skrev skreiv skrifaði kirjutas kirjutab napsal"
    " napísal írta "
    "escribió escreveu kirjoitti נכתב"
)
# Signs of a person's own sentence: "Am 5. Mai hat mir Ihr Kollege geschrieben:". Without weekdays ("Mi", "Me").
FIRST_PERSON = _words(
    "my ich mir mich uns wir nous moi yo ik mij ons я мне меня нам мы мені нам jag jeg minulle bana bize mně mnie"
)
# The Bat! addresses the quoted person: "you wrote:". Counts only right above a quote.
SECOND_PERSON = _words(
    "you вы ты ви ти sie du ihr vous tu usted tú vosotros lei voi você tu u jij jullie pan pani ty vy siz"
)
# Pronouns that are written with a capital within a sentence: "Am 5. Mai schrieb Ihr Kollege:", "Вы писали:".
POLITE = _words("i you sie ihr ihre ihnen ich du вы ви u pan pani vy siz ön")
# Words with a small letter within names: Isle of Man, Jan van der Vi.
NAME_PARTICLES = _words(
    "of the and & for von van vom zu zum zur de der den del della delle dei di da do dos das du des la le les los el al"
    " und y e i et en og och ja ten ter te bin ibn ben bint abu af av at via"
)
WROTE_PARTS = _phrases(
    """
    写道
    寫道
    写到
    編寫
    书写
    書きました
    のメッセージ
    のメール
    님이 작성
    님이 쓴 글
    작성:
    쓴 글
    작성했습니다
    ने लिखा
    เขียนว่า
    เขียน
    تمت كتابة ما يلي
    מאת
    """
)
# "As I wrote on 5 May:" is prose. The pronoun stands before the verb or, in languages of `WROTE_NAME`, behind it.
PRONOUNS = _words(
    """
    i you we he she they it who nobody someone somebody one also already just never once ever then that which
    ich du er sie es wir ihr mir dir uns ihnen man wer tu il elle on nous vous ils elles qui j'ai l'ai t'ai ai as avons avez ont
    ho hai abbiamo avete hanno
    yo tú usted él ella nosotros ellos me te le nos quien io lui lei noi voi loro mi ti ci eu você ele ela nós eles
    ik jij hij zij ze wij we u men jag du han hon vi ni jeg hun я ты вы мы он она они кто мне вам ему уже ja ty on ona my wy oni
    """
)
# Words that may follow the verb when no name can: "Ada wrote on 5 May 2020:", "Ada schrieb am ...".
AFTER_WROTE = _words(
    "on at the in am um le el em en il op den dne dňa в dnia w tarihinde (on (am the: following på kl kl. alle às"
    " a 於 于 "
    "(időpont: klo"
)
LEADS = _words(
    """
    on at am le el em il op dnia w den vào lúc в во on: dne dňa dana dňom pe în in la το στις στη την на u v pada le: el: à a
    quoting zitat citando citát citování selon vrijdag mon tue wed thu fri sat sun monday tuesday wednesday thursday
    friday saturday sunday
    mo di mi do fr sa so montag dienstag mittwoch donnerstag freitag samstag sonntag lun mar mer jeu ven sam dim lundi
    mardi mercredi
    jeudi vendredi samedi dimanche lunes martes miércoles jueves viernes sábado domingo mié jue vie sáb dom man tir ons
    tor fre lør søn
    mån tis lör sön ma ti ke to pe la su po út ut st čt pá pia pi so ne pon wt wto śr śro czw pt pią sob nie niedz
    пн вт ср чт пт сб вс нд понедельник вторник среда четверг пятница суббота воскресенье seg ter qua qui sex sáb pzt
    sal çar per cum cmt paz
    kuupäev piektd pirmd otrd trešd ceturtd sestd svētd p κυρ δευ τρι τετ πεμ παρ σαβ vr za zo wo tr hétfő kedd szerda péntek
    في בתאריך ב 在 เมื่อ
    """
)
# Older web mail programs write "Quoting Ada <ada@...>:", without a verb or a date.
QUOTING = _words("quoting zitat citando selon citát citování")

CLOCK = re.compile(r"\b\d{1,2} ?[:.h點点时時시] ?\d{2}\b|\b\d{1,2} ?(?:am|pm|uhr)\b|[下上]午 ?\d|오[전후] ?\d", re.I)
# Months by their first letters: "May 5" is a date without a year.
_MONTHS = _words(
    """
    jan feb fév fev mar mär mrt maa apr avr abr may mai maj mei mag jun jui giu jul lug aug aoû ago sep set oct okt ott out nov dec
    dez dic déc янв фев мар апр мая июн июл авг сен окт ноя дек січ лют бер кві тра чер лип сер вер жов лис гру
    oca şub nis haz tem ağu eyl eki kas ara
    """
)
_MONTH_DAY = re.compile(
    r"\b([^\W\d_]{3,10})\.? \d{1,2}\b|\b\d{1,2}(?:st|nd|rd|th)?[. ]{1,2}(?:de )?([^\W\d_]{3,10})", re.I
)
NUMERIC_DATE = re.compile(r"(?<!\d)(?:19|20|21)\d\d(?!\d)|(?<!\d)\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?!\d)|\d月|\d월")


def has_date(line: str) -> bool:
    """Return True if the line has a year, a date in numbers, or a day with a month."""
    if NUMERIC_DATE.search(line):
        return True
    return any((found[1] or found[2])[:3].casefold() in _MONTHS for found in _MONTH_DAY.finditer(line))


def is_month(word: str) -> bool:
    """Return True if a lower-cased word begins as the name of a month."""
    return word[:3] in _MONTHS


DATE_START = re.compile(r"(?:19|20)\d\d[./年년 -]|\d{1,2}[. /-]{1,2}(?:\d{1,2}|\w{3,})")

# -- "-----Original Message-----" ---------------------------------------------------------------------------------
ORIGINAL = _phrases(
    """
    original message
    original appointment
    original email
    original-nachricht
    originalnachricht
    ursprüngliche nachricht
    ursprüngliche mail
    original nachricht
    urspr. nachricht
    message d'origine
    message d’origine
    message original
    message initial
    courrier original
    e-mail d'origine
    mensaje original
    correo original
    missatge original
    mensaxe orixinal
    messaggio originale
    messaggio da
    mensagem original
    mensagem de
    mesajul original
    mesaj original
    oorspronkelijk bericht
    origineel bericht
    oprindelig meddelelse
    opprinnelig melding
    original meddelelse
    ursprungligt meddelande
    originalmeddelande
    ursprungsmeddelande
    alkuperäinen viesti
    wiadomość oryginalna
    oryginalna wiadomość
    wiadomość pierwotna
    původní zpráva
    původní e-mail
    pôvodná správa
    izvorna poruka
    originalna poruka
    izvirno sporočilo
    оригинална порука
    eredeti üzenet
    özgün ileti
    özgün İleti
    orijinal mesaj
    orjinal mesaj
    αρχικό μήνυμα
    исходное сообщение
    первоначальное сообщение
    оригинальное сообщение
    исходное письмо
    вихідне повідомлення
    оригінальне повідомлення
    оригинално съобщение
    algne kiri
    originalus laiškas
    sākotnējā ziņa
    tin nhắn gốc
    thư gốc
    pesan asli
    mesej asal
    ข้อความต้นฉบับ
    הודעה מקורית
    الرسالة الأصلية
    رسالة أصلية
    پیام اصلی
    原始邮件
    原邮件
    原始郵件
    原始信件
    元のメッセージ
    原始消息
    원본 메시지
    원본 메일
    message from
    reply message
    previous message
    """
)
# Phrases with which the notification of a forum or a help desk separates the newest answer from the older ones.
NOTICE = _phrases(
    """
    previous replies
    visit topic or reply to this email to respond
    to respond, reply to this email or visit
    reply to this email directly or view it on
    """
)

# -- "---------- Forwarded message ---------" -----------------------------------------------------------------------
FORWARDED = _phrases(
    """
    forwarded message
    forwarded by
    begin forwarded message
    start of forwarded message
    weitergeleitete nachricht
    anfang der weitergeleiteten
    message transféré
    message réexpédié
    début du message transféré
    début du message réexpédié
    mensaje reenviado
    inicio del mensaje reenviado
    missatge reenviat
    messaggio inoltrato
    inizio messaggio inoltrato
    mensagem encaminhada
    mensagem reencaminhada
    início da mensagem encaminhada
    início da mensagem reencaminhada
    doorgestuurd bericht
    begin doorgestuurd bericht
    videresendt meddelelse
    videresendt melding
    start på videresendt
    begynnelse på videresendt
    vidarebefordrat meddelande
    vidarebefordrat brev
    välitetty viesti
    edelleenlähetetty viesti
    wiadomość przekazana
    przekazana wiadomość
    przesłana wiadomość
    początek przekazywanej wiadomości
    přeposlaná zpráva
    přeposlaný e-mail
    preposlaná správa
    proslijeđena poruka
    prosleđena poruka
    posredovano sporočilo
    továbbított üzenet
    mesaj redirecționat
    mesaj redirectionat
    yönlendirilen ileti
    iletilmiş mesaj
    iletilen ileti
    προωθημένο μήνυμα
    пересылаемое сообщение
    пересланное сообщение
    перенаправленное сообщение
    начало переадресованного сообщения
    пересланное письмо
    переслане повідомлення
    переслано повідомлення
    препратено съобщение
    thư đã chuyển tiếp
    tin nhắn đã chuyển tiếp
    pesan terusan
    הודעה שהועברה
    رسالة مُعاد توجيهها
    رسالة معاد توجيهها
    转发的邮件
    转发邮件
    轉寄郵件
    轉寄的郵件
    以下は転送されたメッセージ
    転送されたメッセージ
    転送メッセージ
    전달된 메시지
    전달된 메일
    """
)

RULE_CHARS = frozenset("-_=*~─━—–⎯")
DECORATION = " \t-_=*~#|>+•.:<[]‐‑‒–—―─━"
