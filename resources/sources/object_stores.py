"""Objects in S3, or in what speaks its language, and blobs in Azure Storage.

Belongs here: their addresses, their credentials, what their errors mean. Does not belong here: listing and fetching
(location).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from resources.catalogue.deployment_models import filled
from resources.catalogue.source_models import S3, Azure
from resources.environment import hidden
from resources.errors import KetenError
from resources.sources.bounds import variables_of
from resources.sources.location import Location
from resources.sources.port import Unreachable

_TOLD = 300
# Errors of these libraries are told apart by name and text: they have no common classes.
_REFUSED = ("AccessDenied", "Forbidden", "InvalidAccessKeyId", "SignatureDoesNotMatch", "AuthenticationFailed")
_NO_CREDENTIALS = ("NoCredentials", "PartialCredentials", "AuthorizationFailure", "ClientAuthentication")


def s3_location(setting: S3, place: str, project: Path) -> Location:
    """The folder of a bucket, not yet connected. Raises KetenError for a setting that cannot be used."""

    def value(text: str | None) -> str | None:
        return filled(text, "sources.yml", place) if text else None

    key, secret, endpoint = value(setting.access_key), value(setting.secret_key), value(setting.endpoint_url)
    client: dict[str, Any] = {"region_name": value(setting.region)}
    if setting.ca_file:
        client["verify"] = str(project / Path(setting.ca_file).expanduser())

    def connect() -> Any:
        from s3fs import S3FileSystem

        return S3FileSystem(
            key=key,
            secret=secret,
            endpoint_url=endpoint,
            client_kwargs={name: given for name, given in client.items() if given},
            config_kwargs={
                "connect_timeout": setting.connect_seconds,
                "read_timeout": setting.read_seconds,
                "retries": {"total_max_attempts": 1},  # how often is decided here (bounds)
            },
            use_listings_cache=False,
            skip_instance_cache=True,
        )

    return _location(setting, place, connect)


def azure_location(setting: Azure, place: str) -> Location:
    """The folder of a container, not yet connected. Raises KetenError for a setting that cannot be used."""
    connection_string = filled(setting.connection_string, "sources.yml", place)

    def connect() -> Any:
        from adlfs import AzureBlobFileSystem

        return AzureBlobFileSystem(
            connection_string=connection_string,
            connection_timeout=setting.connect_seconds,
            read_timeout=setting.read_seconds,
            use_listings_cache=False,
            skip_instance_cache=True,
        )

    return _location(setting, place, connect)


def _location(setting: S3 | Azure, place: str, connect: Callable[[], Any]) -> Location:
    variables = variables_of(setting)

    def told(what: str) -> str:
        return f"sources.yml: {place}: {setting.url}: {hidden(what, variables)}"

    def wrong(error: BaseException) -> KetenError:
        said = hidden(f"{type(error).__name__}: {' '.join(str(error).split())}", variables)
        if isinstance(error, FileNotFoundError) or "NoSuchBucket" in said or "ContainerNotFound" in said:
            return KetenError(told("it does not exist, or holds nothing; correct the url, or ask the sender"))
        if isinstance(error, PermissionError) or any(word in said for word in _REFUSED):
            return KetenError(told("it refuses the credentials; see that they are right and may list and read"))
        if any(word in said for word in _NO_CREDENTIALS):
            return KetenError(told("it has no credentials; set them in environment variables and name these"))
        if isinstance(error, ValueError):
            return KetenError(told(f"the setting cannot be used ({said[:_TOLD]}); correct it"))
        return Unreachable(told(f"it does not answer ({said[:_TOLD]})"))

    split = urlsplit(setting.address(place))
    if not split.netloc:
        raise KetenError(told(f"names no bucket or container; write {setting.schemes[0]}://name/folder"))
    return Location(f"{split.netloc}{split.path}".rstrip("/"), connect, wrong, setting.max_bytes)
