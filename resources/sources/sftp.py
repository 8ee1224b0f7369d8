"""A folder on an SFTP server.

Belongs here: its address, its credentials, the key of its host, what its errors mean. Does not belong here: listing and
fetching (location).

Only the credentials of sources.yml are used: no agent, no keys or configuration of the user that runs this.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from resources.catalogue.deployment_models import filled
from resources.catalogue.source_models import Sftp
from resources.environment import hidden
from resources.errors import KetenError
from resources.sources.bounds import variables_of
from resources.sources.location import Location
from resources.sources.port import Unreachable

_TOLD = 300


class SftpServer:
    """What is needed to connect. Raises KetenError for a setting that cannot be used."""

    def __init__(self, setting: Sftp, place: str, project: Path) -> None:
        self._setting, self._place = setting, place
        self._variables = variables_of(setting)
        split = urlsplit(setting.address(place))
        try:
            self._port = split.port or 22
        except ValueError:
            raise self._wrong("its port is no number; correct the url") from None
        if not split.hostname or not split.username:
            raise self._wrong("write the url as sftp://user@host/folder")
        self._host, self._user = split.hostname, unquote(split.username)
        self._folder = unquote(split.path) or "/"
        password = filled(setting.password, "sources.yml", place) if setting.password else split.password
        self._password = unquote(password) if password and not setting.password else password
        self._key_password = filled(setting.key_password, "sources.yml", place) if setting.key_password else None
        self._key = self._file(project, setting.key_file, "key_file") if setting.key_file else None
        self._known_hosts = self._file(project, setting.known_hosts, "known_hosts")

    def location(self) -> Location:
        """The folder, not yet connected."""
        return Location(self._folder, self._connect, self._explained, self._setting.max_bytes, settles=True)

    def _file(self, project: Path, name: str, key: str) -> Path:
        path = project / Path(filled(name, "sources.yml", self._place)).expanduser()
        if not path.is_file():
            repair = self._scan() if key == "known_hosts" else "correct the path"
            raise self._wrong(f"{key} {name} is not there; {repair}")
        return path

    def _scan(self) -> str:
        port = f"-p {self._port} " if self._port != 22 else ""
        return (
            f"write its key there with `ssh-keyscan {port}{self._host}`, and compare it with the one the sender tells"
        )

    def _connect(self) -> Any:
        from sshfs import SSHFileSystem

        return SSHFileSystem(
            self._host,
            port=self._port,
            username=self._user,
            password=self._password,
            client_keys=[str(self._key)] if self._key else None,
            passphrase=self._key_password,
            known_hosts=str(self._known_hosts),
            agent_path=None,
            config=None,
            connect_timeout=self._setting.connect_seconds,
            login_timeout=self._setting.connect_seconds,
            keepalive_interval=max(1, round(self._setting.read_seconds / 2)),
            timeout=2 * self._setting.connect_seconds + 1,
            skip_instance_cache=True,
        )

    def _explained(self, error: BaseException) -> KetenError:
        import asyncssh

        match error:
            case asyncssh.HostKeyNotVerifiable():
                return self._wrong(f"the key of the host is not the one in {self._setting.known_hosts}; {self._scan()}")
            case asyncssh.KeyImportError() | asyncssh.KeyEncryptionError():
                return self._wrong("key_file cannot be read as a private key; correct it, or its key_password")
            case asyncssh.PermissionDenied() | PermissionError():  # sshfs makes the second of the first
                return self._wrong("it refuses the user, password or key; see that they are right and still valid")
            case FileNotFoundError():
                return self._wrong("the folder or file does not exist; correct the path, or ask the sender")
            case asyncssh.SFTPPermissionDenied():
                return self._wrong("the folder or file may not be read; ask the sender to allow it")
        said = hidden(" ".join(str(error).split()), self._variables)[:_TOLD]
        return Unreachable(self._told(f"it does not answer ({type(error).__name__}{': ' if said else ''}{said})"))

    def _told(self, what: str) -> str:
        return f"sources.yml: {self._place}: {self._setting.url}: {hidden(what, self._variables)}"

    def _wrong(self, what: str) -> KetenError:
        return KetenError(self._told(what))
