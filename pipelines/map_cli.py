"""`keten map` and `keten unrouted`: a mapping proposed for a file, with the reason of every line; files that wait for one.

Belongs here: arguments, help and what is printed. Does not belong here: how a line is chosen (resources.proposing).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.options import Home, Project
from resources.errors import KetenError

if TYPE_CHECKING:
    from resources.catalogue import Catalogue
    from resources.landing.unrouted import Unrouted
    from resources.proposing.proposal import Proposal
    from resources.proposing.trial import Trial

BEST = 3


def map_command(
    file: Annotated[Path, typer.Argument(help="A file as the sender made it.")],
    dataset: Annotated[str | None, typer.Option(help="The dataset it is for; without it, those that fit best.")] = None,
    origin: Annotated[
        str | None, typer.Option(help="Your name of the sender. Default: the folder that the file lies in.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the mapping to this file instead of the screen.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Let --out replace a file.")] = False,
    project: Project = None,
    home: Home = None,
) -> None:
    """Propose a mapping for a file from its headings and values, with a reason for each line, and judge the file with it.

    Nothing is kept or changed: the mapping goes to the screen or to --out.
    """
    from pipelines.settings import place
    from resources.catalogue.unfinished import load_finished
    from resources.proposing.choosing import propose
    from resources.proposing.sample import take_sample

    if not file.is_file():
        raise KetenError(f"{file} is no file; name one that the sender made")
    if out and out.exists() and not force:
        raise KetenError(f"{out} exists; choose another name, or add --force to replace it")
    catalogue, skipped = load_finished(place(home, project).project)
    for why in skipped:
        _say(f"Warning: a mapping is left out until it is mended: {why}")
    if dataset and dataset not in catalogue.contracts:
        raise KetenError(f"there is no dataset '{dataset}'; choose one of {', '.join(sorted(catalogue.contracts))}")
    sender = origin or origin_of(file)
    sample = take_sample(file)
    if dataset is None:
        _show_best([propose(catalogue, sample, name, sender) for name in catalogue.contracts])
        return
    _show(catalogue, propose(catalogue, sample, dataset, sender), out)


def unrouted(
    brief: Annotated[bool, typer.Option("--brief", help="Without the proposed mappings.")] = False,
    project: Project = None,
    home: Home = None,
) -> None:
    """Files of the inbox that wait for a mapping: what the nearest one lacks, and a proposal for review."""
    from pipelines.settings import place
    from resources.catalogue.reading import load_catalogue
    from resources.landing.unrouted import read_unrouted

    where = place(home, project)
    catalogue = load_catalogue(where.project)
    waiting = read_unrouted(where.landing)
    for one in waiting:
        typer.echo(f"{one.origin}/{one.name}, since {one.since[:16]} UTC: {one.told()}")
        if one.new:
            typer.echo(f"  new: {', '.join(one.new)}")
        path = catalogue.inbox.resolved_path(where.project) / one.origin / one.name if catalogue.inbox else Path()
        if not brief and path.is_file():
            _show_proposal(catalogue, one, path)
    if not waiting:
        typer.echo("No file waits for a mapping.")


def _show_proposal(catalogue: Catalogue, one: Unrouted, path: Path) -> None:
    """The mapping proposed for a file that waits, for the dataset that it comes nearest to."""
    from resources.proposing.choosing import propose
    from resources.proposing.sample import take_sample

    try:
        sample = take_sample(path)
        names = [one.nearest] if one.nearest else list(one.between) or list(catalogue.contracts)
        proposals = [propose(catalogue, sample, name, one.origin or "sender") for name in names]
        _show(catalogue, max(proposals, key=lambda proposal: proposal.score), None)
    except KetenError as error:
        typer.echo(f"  no mapping can be proposed: {error}")


def origin_of(file: Path) -> str:
    """The name of a sender after the folder that its file lies in."""
    return re.sub(r"[^a-z0-9]+", "_", file.resolve().parent.name.lower()).strip("_") or "sender"


def _show(catalogue: Catalogue, proposal: Proposal, out: Path | None) -> None:
    from resources.landing.privacy import personal_columns
    from resources.proposing.next_step import next_step
    from resources.proposing.trial import try_out
    from resources.proposing.writing import write

    personal = tuple(personal_columns(proposal.sample.path, proposal.mapping()))
    told = write(catalogue, proposal, personal)
    if out:
        out.write_text(told, "utf-8")
        _say(f"written: {out}")
    else:
        typer.echo(told, nl=False)
    if personal:
        _say(f"REFUSED as it is: personal data in {', '.join(personal)}; ask the sender to leave it out")
    trial = None
    try:
        trial = try_out(catalogue, proposal)
        _show_trial(catalogue, proposal, trial)
    except KetenError as error:
        _say(f"REJECTED with this proposal: {error}")
    _say(f"Next: {next_step(catalogue, proposal, told, trial)}")


def _show_trial(catalogue: Catalogue, proposal: Proposal, trial: Trial) -> None:
    from resources.reason_words import reason_words

    _say(
        f"Judged with this proposal: {trial.received:,} received = {trial.accepted:,} accepted +"
        f" {trial.quarantined:,} quarantined + {trial.ignored:,} ignored"
    )
    for reason, count in trial.reasons.items():
        _say(f"  {count:,} {reason}: {reason_words(catalogue, proposal.dataset, reason).en}")
    _say("Whether its sites, meters and parties are known is told when it is delivered")


def _show_best(proposals: list[Proposal]) -> None:
    """The datasets that fit best, with what each was known by."""
    best = sorted(proposals, key=lambda p: -p.score)[:BEST]
    _say(f"No --dataset was given; of {len(proposals)} these fit best:")
    for proposal in best:
        found = [
            f"{line.key} from '{' + '.join(h)}'" for line in proposal.columns if (h := proposal.headings(line.key))
        ]
        missing = f"; nothing for {', '.join(proposal.missing)}" if proposal.missing else ""
        typer.echo(f"{proposal.dataset} ({proposal.score:.0%}): {', '.join(found) or 'no heading'}{missing}")
    _say(f"Then: keten map {best[0].sample.path} --dataset {best[0].dataset}")


def _say(told: str) -> None:
    typer.echo(told, err=True)
