"""Facts that need a person, and their kinds: what each means, its repair and where to look, in Dutch and English.

Belongs here: the shape of a fact, the words of a kind and its severity. Does not belong here: finding facts (facts), making a message of
them (alerting).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from resources.wording import Words

Severity = Literal["critical", "warning"]


@dataclass(frozen=True)
class Kind:
    """A kind of fact. `look` is a place on the page or a command, the same in both languages."""

    severity: Severity
    title: Words
    means: Words
    repair: Words
    look: str


KINDS: dict[str, Kind] = {
    "run_failed": Kind(
        "critical",
        Words("Run mislukt", "Run failed"),
        Words(
            "De laatste run kwam niet tot zijn einde. Lezers houden de vorige publicatie, die heel is.",
            "The last run did not come to its end. Readers keep the publication before it, which is whole.",
        ),
        Words(
            "Herstel wat de melding noemt en start de run opnieuw; bestanden hoeven niet opnieuw te worden aangeleverd.",
            "Mend what the message names and start the run again; files need not be delivered again.",
        ),
        "keten run; Dagster: Runs",
    ),
    "tick_failed": Kind(
        "critical",
        Words("Rooster of sensor mislukt", "Schedule or sensor failed"),
        Words(
            "Wat dit rooster of deze sensor vanzelf doet, gebeurt nu niet.",
            "What this schedule or sensor does by itself does not happen now.",
        ),
        Words(
            "Herstel wat de melding noemt; de volgende tik probeert het opnieuw. `keten doctor` toetst de instellingen.",
            "Mend what the message names; the next tick tries again. `keten doctor` checks the settings.",
        ),
        "keten doctor; Dagster: Automation",
    ),
    "daemon_silent": Kind(
        "critical",
        Words("Daemon laat niets horen", "Daemon is silent"),
        Words(
            "De daemon van Dagster draait niet meer: roosters, sensoren en de wachtrij staan stil.",
            "The daemon of Dagster no longer runs: schedules, sensors and the queue stand still.",
        ),
        Words(
            "Start hem opnieuw met `keten exec dagster-daemon run` of via uw dienstbeheer, en lees waarom hij stopte.",
            "Start it again with `keten exec dagster-daemon run` or by your service manager, and read why it stopped.",
        ),
        "keten doctor; Dagster: Deployment, Daemons",
    ),
    "check_failed": Kind(
        "critical",
        Words("Controle niet geslaagd", "Check failed"),
        Words(
            "De tabel is gepubliceerd, maar klopt op dit punt niet; cijfers die erop staan kunnen fout zijn.",
            "The table is published, but is not right on this point; figures that stand on it may be wrong.",
        ),
        Words(
            "Zoek welke aanlevering afwijkt en vraag de afzender om een verbeterde; de volgende run toetst opnieuw.",
            "Find the delivery that differs and ask its sender for a corrected one; the next run checks again.",
        ),
        "published/index.html#checks; bi.rpt_check",
    ),
    "check_warned": Kind(
        "warning",
        Words("Controle geeft een waarschuwing", "Check warns"),
        Words(
            "De cijfers zijn gepubliceerd; op dit punt zijn zij ongewoon.",
            "The figures are published; on this point they are unusual.",
        ),
        Words(
            "Ga na of het klopt. Zo niet, vraag de afzender om een verbeterde aanlevering.",
            "Find out whether it is right. If not, ask the sender for a corrected delivery.",
        ),
        "published/index.html#checks; bi.rpt_check",
    ),
    "delivery_held": Kind(
        "critical",
        Words("Aanlevering aangehouden", "Delivery held back"),
        Words(
            "Deze aanlevering telt niet mee: zij klopt als geheel niet. De cijfers staan op wat er al was.",
            "This delivery does not count: as a whole it is not right. The figures stand on what was there.",
        ),
        Words(
            "Vraag de afzender om een verbeterde aanlevering, of trek deze in met `keten receipt withdraw`."
            " Elke run toetst haar opnieuw.",
            "Ask the sender for a corrected delivery, or withdraw this one with `keten receipt withdraw`."
            " Each run tries it again.",
        ),
        "published/index.html#rejected; keten receipt show ID",
    ),
    "delivery_rejected": Kind(
        "critical",
        Words("Aanlevering als geheel afgekeurd", "Delivery rejected as a whole"),
        Words(
            "Het bestand kan niet worden gelezen zoals afgesproken; geen regel ervan telt mee.",
            "The file cannot be read as agreed; no row of it counts.",
        ),
        Words(
            "Stuur de reden aan de afzender en vraag om een nieuw bestand, of pas de mapping aan als de vorm met opzet is"
            " veranderd: `keten map` doet een voorstel. Trek het oude bestand in met `keten receipt withdraw`.",
            "Send the reason to the sender and ask for a new file, or change the mapping when its form changed on purpose:"
            " `keten map` proposes one. Withdraw the old file with `keten receipt withdraw`.",
        ),
        "published/index.html#rejected; keten receipt show ID",
    ),
    "file_refused": Kind(
        "critical",
        Words("Bestand geweigerd om persoonsgegevens", "File refused for personal data"),
        Words(
            "Het bestand heeft kolommen met persoonsgegevens waar geen afspraak over is. Er is niets van bewaard.",
            "The file has columns of personal data that no agreement covers. Nothing of it was kept.",
        ),
        Words(
            "Verwijder het uit de bronmap, meld het aan wie over privacy gaat en vraag een bestand zonder deze kolommen.",
            "Remove it from the source folder, tell who answers for privacy and ask for a file without these columns.",
        ),
        "published/index.html#rejected",
    ),
    "file_unrouted": Kind(
        "warning",
        Words("Bestand zonder afspraak", "File without a mapping"),
        Words(
            "Een bestand in de inbox heeft koppen die bij geen afspraak van deze afzender passen, of bij twee. Het telt niet mee.",
            "A file of the inbox has headings that fit no mapping of its sender, or two. It does not count.",
        ),
        Words(
            "Bekijk met `keten unrouted` het verschil en het voorstel, en pas de afspraak aan of schrijf er een bij. De volgende"
            " run neemt het bestand dan vanzelf mee.",
            "See the difference and the proposal with `keten unrouted`, and mend the mapping or write one. The next run then"
            " takes the file by itself.",
        ),
        "keten unrouted",
    ),
    "source_failed": Kind(
        "critical",
        Words("Bron of bestand niet te halen", "Source or file cannot be taken"),
        Words(
            "Uit deze bron komt nu niets nieuws. De andere bronnen gaan door; de cijfers staan op wat er al was.",
            "Nothing new comes from this source now. The others go on; the figures stand on what was there.",
        ),
        Words(
            "Ga na of de map of server bereikbaar en leesbaar is. Zodra dat zo is, haalt de volgende run alles op.",
            "See that the folder or server can be reached and read. As soon as it can, the next run takes everything.",
        ),
        "sources.yml; keten doctor",
    ),
    "dataset_overdue": Kind(
        "warning",
        Words("Gegevens te laat", "Data overdue"),
        Words(
            "Van deze afzender kwam langer niets dan is afgesproken; de dekking van de cijfers daalt.",
            "Nothing came from this sender for longer than was agreed; the coverage of the figures falls.",
        ),
        Words(
            "Vraag de afzender om de aanlevering. Levert hij met opzet minder vaak, schrijf dan `update:` bij de bron.",
            "Ask the sender for the delivery. If it delivers less often on purpose, write `update:` at the source.",
        ),
        "keten receipt list; sources.yml",
    ),
    "report_overdue": Kind(
        "warning",
        Words("Rapportage te laat", "Report overdue"),
        Words(
            "De rapportage van dit contract over deze maand had binnen moeten zijn; haar cijfers ontbreken.",
            "The report of this contract on this month should be in; its figures are missing.",
        ),
        Words(
            "Vraag de opdrachtnemer om de rapportage, met het contract en de maand erbij.",
            "Ask the contractor for the report, naming the contract and the month.",
        ),
        "published/index.html#owed; bi.rpt_report_due",
    ),
    "target_behind": Kind(
        "warning",
        Words("Publicatiedoel loopt achter", "Target is behind"),
        Words(
            "Lezers van dit doel zien een oudere publicatie dan die van het bestand, of niets.",
            "Readers of this target see an older publication than that of the file, or none.",
        ),
        Words(
            "Zorg dat het doel bereikbaar is; de volgende run brengt het vanzelf bij.",
            "See that the target can be reached; the next run brings it up to date by itself.",
        ),
        "keten doctor; keten run",
    ),
    "channel_failed": Kind(
        "warning",
        Words("Meldingen komen niet aan", "Alerts do not arrive"),
        Words(
            "Een ander kanaal voor meldingen is niet te bereiken. Wat het moet horen, wordt bewaard.",
            "Another channel for alerts cannot be reached. What it is to hear is kept.",
        ),
        Words(
            "Herstel de URL in de omgevingsvariabele en toets haar met `keten alerts --test`.",
            "Mend the URL in the environment variable and try it with `keten alerts --test`.",
        ),
        "keten alerts --test",
    ),
    "cannot_look": Kind(
        "critical",
        Words("Toestand is niet te zien", "State cannot be seen"),
        Words(
            "Een deel van de toestand kan niet worden gelezen, dus over dat deel wordt nu niets gemeld.",
            "A part of the state cannot be read, so nothing is told of that part now.",
        ),
        Words("Draai `keten doctor` en doe wat het zegt.", "Run `keten doctor` and do what it says."),
        "keten doctor",
    ),
}


@dataclass(frozen=True)
class Fact:
    """One thing that needs a person. `kind` and `about` make its key, which stays the same as long as it lasts."""

    kind: str
    about: str
    what: Words
    since: datetime | None = None

    @property
    def key(self) -> str:
        """What it is known by."""
        return f"{self.kind}:{self.about}"

    @property
    def known(self) -> Kind:
        """What its kind means."""
        return KINDS[self.kind]
