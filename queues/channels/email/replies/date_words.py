"""Words of the dates with which mail programs begin an attribution, by their part in the date."""

from __future__ import annotations

from queues.channels.email.replies.reply_words import NAME_PARTICLES


def _words(text: str) -> frozenset[str]:
    return frozenset(text.casefold().split())


# The first word of a date, as mail programs write it at the beginning of an attribution.
FIRST_WORDS = frozenset(
    [
        *["On", "At", "Am", "Le", "El", "Il", "Op", "Em", "Den", "Dnia", "W", "Dne", "Dňa", "Dana", "På", "Pe", "În"],
        *[
            "La",
            "Þann",
            "Kuupäev",
            "Στις",
            "Στο",
            "Την",
            "На",
            "V",
            "U",
            "Vào",
            "Pada",
            "В",
            "Во",
            "У",
            "A",
            "בתאריך",
            "في",
            "เมื่อ",
            "在",
        ],
    ]
)
WEEKDAYS = _words(
    """
    mon tue tues wed thu thur thurs fri sat sun monday tuesday wednesday thursday friday saturday sunday
    mo di mi do fr sa so montag dienstag mittwoch donnerstag freitag samstag sonntag lun mar mer jeu ven sam dim
    lundi mardi mercredi jeudi vendredi samedi dimanche lunes martes miércoles jueves viernes sábado domingo
    mié jue vie sáb dom dl dt dc dj dv ds dg man tir tirs ons tor tors fre lør søn
    mán þri mið fim fös lau sun
    mandag tirsdag onsdag torsdag fredag lørdag søndag mån tis lör sön måndag tisdag lördag söndag
    ma ti ke to pe la su maanantai tiistai keskiviikko torstai perjantai lauantai sunnuntai
    po út ut st čt pá pia pi so ne pondělí úterý středa čtvrtek pátek sobota neděle
    pon wt wto śr śro czw pt pią sob nie niedz poniedziałek wtorek środa czwartek piątek niedziela
    uto sre čet pet пн вт ср чт пт сб вс нд понедельник вторник среда четверг пятница суббота воскресенье
    понеділок вівторок середа п'ятниця субота неділя пон уто сре чет пет суб нед
    seg ter qua qui sex segunda terça quarta quinta sexta pzt sal çar per cum cmt paz
    lunedì martedì mercoledì giovedì venerdì sabato domenica gio mie joi vin sâm
    pirmd otrd trešd ceturtd piektd sestd svētd pr an tr kt pn št sk κυρ δευ τρι τετ πεμ παρ σαβ
    vr za zo wo maandag dinsdag woensdag donderdag vrijdag zaterdag zondag
    hétfő kedd szerda csütörtök péntek szombat vasárnap
    """
)
# Months that differ in their first letters from those of `reply_words.is_month`.
MONTHS = _words(
    """
    sty lut kwi cze sie wrz paź lis gru stycznia lutego kwietnia czerwca sierpnia września października
    listopada grudnia
    sij velj ožu svi srp kol ruj stu pro led úno bře dub kvě čvn čvc zář říj ledna února března dubna května června
    července září října listopadu prosince ian iun iul márc ápr máj jún júl tammi helmi maalis huhti touko kesä heinä
    elo syys loka marras joulu nóv veebr märts ιαν φεβ μαρ απρ μαϊ μαι ιουν ιουλ αυγ σεπ οκτ νοε δεκ tháng
    """
)
# The halves of a day, behind its clock time.
HALVES = _words("am pm a.m p.m uhr")
# Small words within a date.
LINKS = _words(
    """
    at um uhr à a às as las alle ore o v u ob kl klo om de den del of the г в giorno dniu dnia lúc tháng ngày
    le il el im on gmt utc cet cest est edt pst pdt bst time zone h plkst g kell dia ur klokken klockan ve pe la
    """
)
# Words that are no part of a name, but stand between the name and the verb or the date.
BESIDE_NAMES = NAME_PARTICLES | _words(
    """
    a ha va hat heeft het volgende ezt je od has have har on am no um me ci oseba użytkownik odesílatel lietotājs
    пользователь от via
    """
)
