"""The commands `keten reference`: the product's reference tables made from their sources.

Belongs here: arguments, help and what is printed. Does not belong here: how tables are made (reference_build).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

references = typer.Typer(no_args_is_help=True, help="Reference tables of the product: made from their sources.")


@references.callback()
def reference() -> None:
    """Keep `reference` a group, whatever the number of its commands."""


@references.command("build")
def build(
    source: Annotated[Path, typer.Option("--from", help="Folder with emission_factors.csv and the other sources.")],
    out: Annotated[Path | None, typer.Option("--out", help="Where to write. Default: dbt_like_sql/reference.")] = None,
) -> None:
    """Make the generated tables of dbt_like_sql/reference again, by reference_selection.yml."""
    from assets.reference_build import build_reference
    from resources.catalogue.reading import ROOT

    for path in build_reference(source, out or ROOT / "reference"):
        typer.echo(f"written: {path}")
