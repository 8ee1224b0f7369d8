"""What every command takes: the folders of a deployment, and the deployment opened.

Belongs here: options that commands share. Does not belong here: any command.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.settings import Place, place

if TYPE_CHECKING:
    from resources.catalogue import Catalogue

Home = Annotated[
    Path | None, typer.Option("--home", help="Folder for all that is written. Default: KETEN_HOME or ./var.")
]
Project = Annotated[
    Path | None, typer.Option("--project", help="Deployment folder with keten.yml. Default: KETEN_PROJECT or the demo.")
]


def opened(home: Path | None, project: Path | None) -> tuple[Place, Catalogue]:
    """The deployment and its catalogue. Raises KetenError, before any work, for settings that cannot be used."""
    from pipelines.running import require_settings
    from resources.catalogue.reading import load_catalogue

    where = place(home, project)
    catalogue = load_catalogue(where.project)
    require_settings(catalogue, where)
    return where, catalogue
