"""`keten receipt`: deliveries as they were received.

Belongs here: arguments, help and what is printed. Does not belong here: what becomes of a delivery (landing, running).
"""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.options import Home, Project, opened
from resources.errors import KetenError

receipts = typer.Typer(no_args_is_help=True, help="Deliveries as received: list, show, withdraw, purge.")


@receipts.command("list")
def receipt_list(project: Project = None, home: Home = None) -> None:
    """All deliveries in order, with what became of them."""
    from pipelines.report import show_receipts

    where, _ = opened(home, project)
    show_receipts(where)


@receipts.command("show")
def receipt_show(receipt_id: str, project: Project = None, home: Home = None) -> None:
    """One delivery: its facts, its counts, its corrections and its rejected rows, with what to do about them."""
    from pipelines.report import show_receipt

    where, catalogue = opened(home, project)
    show_receipt(where, receipt_id, catalogue)


@receipts.command("withdraw")
def receipt_withdraw(
    receipt_id: str,
    reason: Annotated[str, typer.Option(prompt=True, help="Why, for the record.")],
    project: Project = None,
    home: Home = None,
) -> None:
    """Take the rows of a delivery out of the results at the next run; the bytes stay."""
    from pipelines.lock import run_lock
    from resources.landing import Landing

    where, _ = opened(home, project)
    with run_lock(where.home, typer.echo):
        receipt = Landing(where.landing).withdraw(receipt_id, reason)
    typer.echo(f"{receipt.receipt_id} is withdrawn; run `keten run` to take it out of the results")


@receipts.command("purge")
def receipt_purge(
    receipt_id: str,
    reason: Annotated[str, typer.Option(prompt=True, help="Why, for the record.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    project: Project = None,
    home: Home = None,
) -> None:
    """Destroy the bytes, rows and rejected text of a delivery and publish without it; a tombstone stays. No way back."""
    from pipelines.report import progress_display
    from pipelines.running import purge

    where, catalogue = opened(home, project)
    if not yes:
        typer.confirm(f"Destroy the bytes of {receipt_id}?", abort=True)
    with progress_display() as progress:
        (purged,), outcome = purge(where, catalogue, [receipt_id], reason, progress)
    if not outcome.published:
        raise KetenError(
            f"the bytes of {purged} are destroyed, but the run that takes its rows and texts out of engine and results"
            f" failed: {outcome.failure}; mend it and run `keten receipt purge` again"
        )
    if not outcome.success:
        raise KetenError(f"{purged} is purged from the engine and the published file; {outcome.told()}")
    typer.echo(f"{purged} is purged: its bytes, rows and texts are gone; the receipt stays as a tombstone")
