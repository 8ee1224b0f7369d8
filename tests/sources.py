"""Servers on this machine that hold deliveries, and one pull of a source from them.

Belongs here: starting and ending servers, and pulling. Does not belong here: any assertion.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import asyncssh
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from assets.fetching import fetch
from assets.taking import Pulled
from resources.catalogue import Catalogue
from resources.catalogue.reading import load_catalogue
from resources.landing.finished import SETTLE_SECONDS
from tests.deployment import Deployment

USER, PASSWORD = "keten", "s3cret-of-sftp"


@dataclass
class Pulling:
    """A deployment whose readings come from a source on a server; `pauses` are those a pull would have made."""

    made: Deployment
    pauses: list[float] = field(default_factory=list)

    def declare(self, dataset: str = "meter_reading", **where: Any) -> None:
        """Let a dataset come from there, and from nowhere else."""
        path = self.made.project / "sources.yml"
        sources = yaml.safe_load(path.read_text("utf-8"))["sources"]
        others = [source for source in sources if source["dataset"] != dataset]
        self.made.declare("sources.yml", {"sources": [*others, {"dataset": dataset, "origin": "us", **where}]})

    @property
    def catalogue(self) -> Catalogue:
        return load_catalogue(self.made.project)

    def pull(self, dataset: str = "meter_reading") -> Pulled:
        """Pull a dataset once, without waiting where a pull waits."""
        done, catalogue = Pulled(), self.catalogue
        source = next(source for source in catalogue.sources if source.dataset == dataset)
        fetch(catalogue, self.made.project, self.made.landing, source, done, self.pauses.append)
        return done

    def bytes(self) -> dict[str, bytes]:
        """What was landed, by name, in the order in which it came; the last of a name counts."""
        landing = self.made.landing
        return {r.file_name: landing.path(r).read_bytes() for r in landing.receipts() if r.dataset == "meter_reading"}

    def count(self) -> int:
        """The number of receipts."""
        return sum(r.dataset == "meter_reading" for r in self.made.landing.receipts())

    def left_over(self) -> list[str]:
        """What lies in the landing zone besides what belongs there."""
        return [path.name for path in self.made.landing.folder.glob(".*")]


class _Door(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)


@dataclass
class SftpFolder:
    """A folder behind an SFTP server."""

    folder: Path
    port: int
    known_hosts: Path
    key_file: Path

    @property
    def url(self) -> str:
        return f"sftp://{USER}@127.0.0.1:{self.port}/out"

    def put(self, name: str, content: bytes, age: float = 2 * SETTLE_SECONDS) -> Path:
        """A file that changed so many seconds ago."""
        path = self.folder / "out" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        changed = time.time() - age
        os.utime(path, (changed, changed))
        return path


@contextmanager
def sftp_server(folder: Path, sftp: type[asyncssh.SFTPServer] = asyncssh.SFTPServer) -> Iterator[SftpFolder]:
    """An SFTP server for the time of the block, that lets in a user by password or key."""
    root = folder / "sftp"
    (root / "out").mkdir(parents=True)
    host, user = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    key_file, allowed, known_hosts = folder / "id", folder / "allowed", folder / "known_hosts"
    user.write_private_key(str(key_file))
    user.write_public_key(str(allowed))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=_Door,
            server_host_keys=[host],
            authorized_client_keys=str(allowed),
            sftp_factory=lambda channel: sftp(channel, chroot=str(root).encode()),
        )

    async def close() -> None:
        server.close()
        await server.wait_closed()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result(30)
    try:
        port = server.get_port()
        known_hosts.write_bytes(f"[127.0.0.1]:{port} ".encode() + host.export_public_key())
        yield SftpFolder(root, port, known_hosts, key_file)
    finally:
        asyncio.run_coroutine_threadsafe(close(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


@contextmanager
def half_answers(
    body: bytes, is_same: bool = True, times: int = 1, drips: bool = False
) -> Iterator[tuple[str, list[str]]]:
    """A web server that breaks off in the middle so many times; its address, and the ranges it was asked for.

    Unless `is_same`, the file is another one after the break. With `drips` it sends a byte at a time, without an end.
    """
    ranges: list[str] = []
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            ranges.append(self.headers.get("Range", ""))
            number = len(ranges)
            etag = '"1"' if is_same or number == 1 else '"2"'
            start = 0
            if ranges[-1] and self.headers["If-Range"] == etag:
                start = int(ranges[-1].removeprefix("bytes=").removesuffix("-"))
            rest = body[start:]
            self.send_response(206 if start else 200)
            self.send_header("ETag", etag)
            self.send_header("Content-Length", str(len(rest)))
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            self.end_headers()
            while drips and not over.wait(0.02):
                self.wfile.write(b"x")
                self.wfile.flush()
            self.wfile.write(rest[: len(rest) // 2] if number <= times else rest)
            self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", ranges
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join(30)


def certificate(folder: Path) -> ssl.SSLContext:
    """A certificate for `localhost` that signs itself, as a server shows it; it stands in `ca.pem` of the folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    (folder / "ca.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    return context
