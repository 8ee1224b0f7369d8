"""Where deliveries come from beside a folder: SFTP, S3, Azure, a file on the web, a REST interface, a database.

Belongs here: choosing the connector that a line of sources.yml asks for; a module for each kind. Does not belong here:
folders (landing), and what becomes of what is fetched (assets).
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from resources.catalogue.source_models import S3, Azure, Http, Rest, Sftp, Source, Sql
from resources.errors import KetenError

if TYPE_CHECKING:
    from resources.sources.port import Connector

# Packages that not every deployment needs, by the kind of source that needs them.
EXTRA = {"sftp": "sshfs", "s3": "s3fs", "azure": "adlfs"}


def make_connector(source: Source, project: Path) -> Connector:
    """The connector of a source that is not a folder, not yet connected. Raises KetenError for what cannot be used.

    Imports are inside, so that a deployment loads the libraries of its own sources only.
    """
    place, setting = source.title, source.remote
    package = EXTRA.get(setting.kind) if setting else None
    if package and find_spec(package) is None:
        raise KetenError(f"sources.yml: {place}: the package {package} is not installed; run pip install '.[remote]'")
    match setting:
        case Sftp():
            from resources.sources.sftp import SftpServer

            return SftpServer(setting, place, project).location()
        case S3():
            from resources.sources.object_stores import s3_location

            return s3_location(setting, place, project)
        case Azure():
            from resources.sources.object_stores import azure_location

            return azure_location(setting, place)
        case Rest():
            from resources.sources.rest import RestRecords

            return RestRecords(setting, place, source.dataset, project)
        case Http():
            from resources.sources.http_file import HttpFile

            return HttpFile(setting, place, project)
        case Sql():
            from resources.sources.sql import SqlRows

            return SqlRows(setting, place, source.dataset)
    raise KetenError(f"sources.yml: {place}: a folder has no connector")
