"""Asking over HTTP: one question, its answer, and what went wrong with it in a sentence.

Belongs here: credentials, certificates, redirects, timeouts, what a status means. Does not belong here: what is in an
answer (http_file, rest).

Credentials go to the host of sources.yml and to no other, however a server redirects.
"""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from resources.catalogue.deployment_models import filled
from resources.catalogue.source_models import LOOPBACK, Http, OAuth
from resources.environment import HIDDEN, hidden
from resources.errors import KetenError
from resources.sources.bounds import Bounds, retry_after, variables_of
from resources.sources.json_records import document_of
from resources.sources.port import Unreachable

if TYPE_CHECKING:
    import requests

_OK = 200
# A token is renewed so long before it runs out.
_TOKEN_SECONDS = 30
_MOST_REDIRECTS = 5
_REDIRECTS = {301, 302, 303, 307, 308}
# 416 is the answer to a wish for the rest of a file that has none; it is then fetched from its beginning.
_PASSING = {408, 416, 425, 429, 500, 502, 503, 504}
_TOLD = 200


class Web:
    """A server of one source. Raises KetenError for a setting that cannot be used; it connects only when asked."""

    def __init__(self, setting: Http, place: str, project: Path) -> None:
        self._setting, self._place = setting, place
        self._variables = variables_of(setting)
        fill = self._filled
        split = urlsplit(setting.address(place))
        self.url = split._replace(netloc=split.netloc.rpartition("@")[2]).geturl()
        self._headers = {name: fill(value) for name, value in setting.headers.items()}
        self._params = {name: fill(value) for name, value in setting.params.items()}
        if setting.token:
            self._headers["Authorization"] = f"Bearer {fill(setting.token)}"
        self._basic = (unquote(split.username), unquote(split.password or "")) if split.username else None
        if setting.user and setting.password:
            self._basic = (fill(setting.user), fill(setting.password))
        self._verify: str | bool = str(project / Path(setting.ca_file).expanduser()) if setting.ca_file else True
        self._token, self._token_ends = "", 0.0
        self._require_secrecy()

    def _filled(self, text: str) -> str:
        return filled(text, "sources.yml", self._place)

    def _require_secrecy(self) -> None:
        split = urlsplit(self.url)
        is_open = split.scheme == "http" and split.hostname not in LOOPBACK
        if is_open and (self._basic or self._headers or self._params or self._setting.oauth):
            raise self.wrong("credentials would go over the network for all to read; use https")

    def wrong(self, what: str) -> KetenError:
        """A sentence about this source, without a secret."""
        return KetenError(self.told(what))

    def told(self, what: str) -> str:
        """What is told of this source, without a secret."""
        return f"sources.yml: {self._place}: {self._setting.url}: {self._hidden(what)}"

    def _hidden(self, text: str) -> str:
        """A text without secrets, also in the form in which HTTP sends a password."""
        if self._basic:
            text = text.replace(b64encode(":".join(self._basic).encode()).decode(), HIDDEN)
        if self._token:
            text = text.replace(self._token, HIDDEN)
        return hidden(text, self._variables)

    @contextmanager
    def get(
        self,
        bounds: Bounds,
        url: str | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[requests.Response]:
        """The answer to one question, its body still to be read. Raises Unreachable for what may pass, or else KetenError."""
        import requests

        with requests.Session() as session, self._explained():
            if self._setting.oauth:
                self._headers["Authorization"] = f"Bearer {self._signed_in(session, bounds, self._setting.oauth)}"
            response = self._follow(session, bounds, url or self.url, {**self._params, **(params or {})}, headers or {})
            with response:
                self._require_good(response)
                yield response

    def _signed_in(self, session: requests.Session, bounds: Bounds, oauth: OAuth) -> str:
        """A token that is still valid for some time."""
        if time.monotonic() < self._token_ends:
            return self._token
        client, secret = self._filled(oauth.client_id), self._filled(oauth.client_secret)
        form = {"grant_type": "client_credentials", **({"scope": oauth.scope} if oauth.scope else {})}
        in_body = oauth.send == "body"
        with session.post(
            oauth.url,
            data={**form, **({"client_id": client, "client_secret": secret} if in_body else {})},
            auth=_nobody if in_body else (client, secret),
            verify=self._verify,
            timeout=self._timeouts(bounds),
            allow_redirects=False,
        ) as response:
            self._require_good(response)
            try:
                answer = document_of(response.content)[1] if response.status_code == _OK else None
            except KetenError:
                answer = None
        if not isinstance(answer, dict) or not isinstance(answer.get("access_token"), str):
            raise self.wrong("the server of oauth.url gives no access_token; correct the address, or ask the sender")
        self._token = answer["access_token"]
        lasts = str(answer.get("expires_in"))
        self._token_ends = time.monotonic() + (float(lasts) if lasts.isdecimal() else 0) - _TOKEN_SECONDS
        return self._token

    def _timeouts(self, bounds: Bounds) -> tuple[float, float]:
        return bounds.left(self._setting.connect_seconds), bounds.left(self._setting.read_seconds)

    def _follow(
        self,
        session: requests.Session,
        bounds: Bounds,
        url: str,
        params: Mapping[str, str],
        headers: Mapping[str, str],
    ) -> requests.Response:
        there_already = {name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
        asked: Mapping[str, str] | None = {n: v for n, v in params.items() if n not in there_already}
        for _ in range(_MOST_REDIRECTS + 1):
            is_home = _origin(url) == _origin(self.url)
            response = session.get(
                url,
                params=asked,
                headers={"Accept-Encoding": "identity", **headers, **(self._headers if is_home else {})},
                # Without an own one, requests would look for credentials of the machine in .netrc.
                auth=self._basic if is_home and self._basic else _nobody,
                verify=self._verify,
                timeout=self._timeouts(bounds),
                allow_redirects=False,
                stream=True,
            )
            if response.status_code not in _REDIRECTS:
                return response
            response.close()
            there = urljoin(url, response.headers.get("Location", ""))
            if not there.startswith("https://" if url.startswith("https://") else ("https://", "http://")):
                raise self.wrong("it redirects to an address that is not https; ask for the right one")
            url, asked = there, None
        raise self.wrong(f"it redirects more than {_MOST_REDIRECTS} times; ask for the right address")

    def require_home(self, url: str) -> str:
        """The address of a next page, which is on the same host. Raises KetenError for another."""
        there = urljoin(self.url, url)
        if _origin(there) != _origin(self.url):
            raise self.wrong(f"the next page is on another host ({urlsplit(there).hostname}); ask the sender why")
        return there

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Errors of the library as those of this source."""
        import requests
        import urllib3

        try:
            yield
        except requests.exceptions.SSLError as error:
            raise self.wrong(
                f"its certificate cannot be trusted ({_cause(error)}); give the authority that signed it as ca_file"
            ) from None
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, requests.exceptions.InvalidHeader):
            raise self.wrong("the address or a header cannot be used; correct it") from None
        except requests.exceptions.RequestException as error:
            raise Unreachable(self.told(f"it does not answer to the end ({_cause(error)})")) from None
        except urllib3.exceptions.HTTPError as error:
            raise Unreachable(self.told(f"it does not answer to the end ({_cause(error)})")) from None
        except OSError as error:
            if isinstance(error, FileNotFoundError) or "CA" in str(error):
                raise self.wrong(f"ca_file cannot be read ({error})") from None
            raise

    def _require_good(self, response: requests.Response) -> None:
        status = response.status_code
        if status < 400:
            return
        if status in _PASSING:
            told = f"it answers {status} {response.reason}"
            raise Unreachable(self.told(told), retry_after(response.headers.get("Retry-After")))
        said = self.said(response.raw.read(4 * _TOLD, decode_content=True))
        if status in (401, 403):
            raise self.wrong(f"it refuses the credentials ({status}){said}; see that they are right and still valid")
        raise self.wrong(f"it answers {status} {response.reason}{said}; correct the address or its parameters")

    def said(self, body: bytes) -> str:
        """The beginning of an answer, as the end of a sentence."""
        words = " ".join(body.decode("utf-8", errors="replace").split())
        return f", and says: {self._hidden(words)[:_TOLD]}" if words else ""


def _origin(url: str) -> tuple[str, str, int | None]:
    split = urlsplit(url)
    return split.scheme, split.hostname or "", split.port or {"https": 443, "http": 80}.get(split.scheme)


def _nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _cause(error: BaseException) -> str:
    """What happened, in a few words: the innermost error, whose text holds no address."""
    while error.args and isinstance(error.args[-1], BaseException):
        error = error.args[-1]
    inner = getattr(error, "reason", None)
    if isinstance(inner, BaseException):
        return _cause(inner)
    return f"{type(error).__name__}: {str(error).rpartition(': ')[2]}".removesuffix(": ")
