"""The shape of sources.yml: what is pulled from where, and how a server is asked for it.

Belongs here: fields, types, and what one line can tell about itself. Does not belong here: keten.yml (deployment_models),
and the asking (resources.sources).
"""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, ConfigDict, Field, field_validator, model_validator

from resources.catalogue.deployment_models import ENV_VARIABLE, filled
from resources.catalogue.models import Declared, Update
from resources.catalogue.paging_models import Paging, Place, RestSince
from resources.errors import KetenError

MAX_FILE_BYTES = 4 * 1024**3
_SECRET_NAME = re.compile(r"auth|token|key|secret|passw|pwd|sig|cookie|credential", re.IGNORECASE)
# Where nobody can listen in.
LOOPBACK = ("localhost", "127.0.0.1", "::1")
_REPAIR = "set it in an environment variable and write ${env:NAME}"


def _is_variable(text: str) -> str:
    """A secret stands in the environment only. Its text is not repeated: it may be the secret."""
    if not ENV_VARIABLE.fullmatch(text) or ":-" in text:
        raise ValueError(f"holds a secret; {_REPAIR}")
    return text


def _has_no_literal_secret(pairs: dict[str, str]) -> dict[str, str]:
    for name, value in pairs.items():
        if _SECRET_NAME.search(name) and value and not ENV_VARIABLE.search(value):
            raise ValueError(f"'{name}' holds a secret; {_REPAIR}")
    return pairs


Secret = Annotated[str, AfterValidator(_is_variable)]
Pairs = Annotated[dict[str, str], AfterValidator(_has_no_literal_secret)]


class Remote(Declared):
    """What every kind of server has: an address, and how long and how often it is asked.

    `total_seconds` bounds one pull of one source, its repeats and pauses included.
    """

    kind: ClassVar[str]
    schemes: ClassVar[tuple[str, ...]]

    url: str
    connect_seconds: float = Field(default=10, gt=0, le=600)
    read_seconds: float = Field(default=60, gt=0, le=3600)
    total_seconds: float = Field(default=900, gt=0, le=24 * 3600)
    tries: int = Field(default=4, ge=1, le=20)
    max_bytes: int = Field(default=MAX_FILE_BYTES, ge=1, le=MAX_FILE_BYTES)

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        plain = ENV_VARIABLE.sub("", url)
        if "${" in plain:
            raise ValueError("holds a bad variable; write ${env:NAME} or ${env:NAME:-default}")
        if re.search(r"://[^/@]*:[^/@]+@", plain):
            raise ValueError("holds a password; put the URL in an environment variable and write ${env:NAME}")
        if not ENV_VARIABLE.match(url):
            cls._require_scheme(url)
        _has_no_literal_secret(dict(parse_qsl(urlsplit(url).query)))
        return url

    @classmethod
    def _require_scheme(cls, url: str) -> None:
        if cls.schemes and not url.startswith(tuple(f"{scheme}://" for scheme in cls.schemes)):
            raise ValueError(f"begin the address with {' or '.join(f'{scheme}://' for scheme in cls.schemes)}")

    def address(self, place: str) -> str:
        """The URL with its variables filled in. Raises KetenError, without the value, for one of another kind."""
        url = filled(self.url, "sources.yml", place)
        try:
            self._require_scheme(url)
        except ValueError as error:
            raise KetenError(f"sources.yml: {place}: {self.kind}.url: {error}") from None
        return url

    @property
    def identity(self) -> str:
        """What makes it the same source as before: what was seen there counts as long as this does not change."""
        return f"{self.kind}|{self.url}"


class Sftp(Remote):
    """A folder on an SFTP server: `sftp://user@host:22/folder`. The key of the host must be known."""

    kind = "sftp"
    schemes = ("sftp",)

    password: Secret | None = None
    key_file: str | None = None
    key_password: Secret | None = None
    known_hosts: str = "~/.ssh/known_hosts"

    @model_validator(mode="after")
    def _has_credentials(self) -> Self:
        if not (self.password or self.key_file or "${env:" in self.url):
            raise ValueError("write password: ${env:NAME} or key_file: path of a private key")
        return self


class S3(Remote):
    """Objects in a bucket: `s3://bucket/prefix`; `endpoint_url` for what is not Amazon. Without keys those of the machine."""

    kind = "s3"
    schemes = ("s3",)

    endpoint_url: str | None = Field(default=None, pattern=r"^(https?://|\$\{env:)")
    region: str | None = None
    access_key: Secret | None = None
    secret_key: Secret | None = None
    ca_file: str | None = None


class Azure(Remote):
    """Blobs in a container of Azure Storage: `abfs://container/prefix`."""

    kind = "azure"
    schemes = ("abfs", "abfss", "az")

    connection_string: Secret


class OAuth(Declared):
    """Where a token is asked for by client credentials (OAuth 2.0, RFC 6749 section 4.4), anew when it runs out.

    The secret is sent as basic authentication, which every such server must know, or in the body, which some want.
    """

    url: str
    client_id: str
    client_secret: Secret
    scope: str | None = None
    send: Literal["basic", "body"] = "basic"

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        if not url.startswith("https://") and urlsplit(url).hostname not in LOOPBACK:
            raise ValueError("begin the address with https://")
        return url


class Http(Remote):
    """One file at an address. `name` is what it is called here, by default the last part of the address."""

    kind = "http"
    schemes = ("https", "http")

    name: str | None = Field(default=None, pattern=r"^[^/\\]+$")
    token: Secret | None = None
    oauth: OAuth | None = None
    user: str | None = None
    password: Secret | None = None
    headers: Pairs = {}
    params: Pairs = {}
    ca_file: str | None = None

    @model_validator(mode="after")
    def _has_a_name(self) -> Self:
        last = urlsplit(self.url).path.rpartition("/")[2]
        if self.kind == "http" and not self.name and (not last or "${" in last or ENV_VARIABLE.match(self.url)):
            raise ValueError("its address does not tell what the file is called; add name: such as export.csv")
        if bool(self.user) != bool(self.password):
            raise ValueError("user and password go together; write both or neither")
        if sum(map(bool, (self.token, self.oauth, self.user))) > 1:
            raise ValueError("token, oauth and user are three ways to sign in; keep one")
        return self


class Rest(Http):
    """Records of a REST interface, page by page. `expect` are places in each answer and what must stand there."""

    kind = "rest"

    records: Place | None = None
    paging: Paging | None = None
    since: RestSince | None = None
    expect: dict[str, str] = {}
    requests_per_minute: float | None = Field(default=None, gt=0)

    @property
    def identity(self) -> str:
        """Other records or another field to go on from are another source."""
        return f"{super().identity}|{self.records}|{self.since}|{sorted(self.params.items())}"


class SqlSince(Declared):
    """Only what changed: `:since` in the query is the greatest value of `column` before."""

    column: str
    start: int | date | datetime | str


class Sql(Remote):
    """The rows of a query. The URL is that of SQLAlchemy: `postgresql+psycopg://user@host/database`."""

    kind = "sql"
    schemes = ()

    query: str = Field(min_length=1)
    since: SqlSince | None = None

    @model_validator(mode="after")
    def _since_is_used(self) -> Self:
        if bool(self.since) != bool(re.search(r"(?<!:):since\b", self.query)):
            raise ValueError("since: and :since in the query go together; write both or neither")
        return self

    @property
    def identity(self) -> str:
        """Another query is another source."""
        return f"{super().identity}|{self.query}|{self.since}"


KINDS = ("path", "sftp", "s3", "azure", "http", "rest", "sql")


class Source(Declared):
    """One line of sources.yml: what is pulled from where; `update` where this sender delivers at another pace.

    Just one key says where: `path` a folder, or a server of the kind that the key names. `layout` names a mapping of the
    product that reads the files of this origin; `given` are the columns that such files leave unsaid, `files` a narrower
    pattern for their names.
    """

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [kind]} for kind in KINDS]})

    dataset: str
    origin: str
    path: str | None = None
    sftp: Sftp | None = None
    s3: S3 | None = None
    azure: Azure | None = None
    http: Http | None = None
    rest: Rest | None = None
    sql: Sql | None = None
    update: Update | None = None
    layout: str | None = None
    given: dict[str, str] = {}
    files: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _is_in_one_place(cls, facts: Any) -> Any:
        if isinstance(facts, dict):
            named = [kind for kind in KINDS if facts.get(kind) is not None]
            if len(named) != 1:
                told = f"{' and '.join(named)} stand together; keep one" if named else "where it is, is missing"
                raise ValueError(f"{told}: write path, or one of {', '.join(KINDS[1:])}")
        return facts

    @property
    def title(self) -> str:
        """How messages name it."""
        return f"{self.origin}/{self.dataset}"

    @property
    def remote(self) -> Remote | None:
        """The server it is pulled from; None for a folder."""
        return self.sftp or self.s3 or self.azure or self.rest or self.http or self.sql

    def resolved_path(self, project: Path) -> Path:
        """The folder of a source that is one. Raises KetenError for an environment variable that is not set."""
        assert self.path is not None, "only a folder has a path"
        return project / filled(self.path, "sources.yml", self.title)


class Inbox(Declared):
    """The inbox of sources.yml: a folder with a folder per sender, whose files are told apart by their headings."""

    path: str

    def resolved_path(self, project: Path) -> Path:
        """The folder. Raises KetenError for an environment variable that is not set."""
        return project / filled(self.path, "sources.yml", "inbox")


class Sources(Declared):
    """sources.yml."""

    sources: tuple[Source, ...] = ()
    inbox: Inbox | None = None
