"""`keten serve`: the published pages and a read-only Dagster at one address, for people who look and change nothing.

Belongs here: to whom is served, and what is started and ended for it. Does not belong here: what an answer looks like (web),
and the full user interface, which is Dagster's own (`make dev`).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING

import dagster as dg

from pipelines.definitions import build_definitions
from pipelines.instance import instance
from resources.errors import KetenError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dagster._core.workspace.context import WorkspaceProcessContext
    from starlette.applications import Starlette

    from pipelines.settings import Place

DAGSTER = "/dagster"
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
GRACE_SECONDS = 2


@dg.definitions
def served() -> dg.Definitions:
    """The deployment of the environment, with links to the pages at the same address."""
    return build_definitions(for_readers=True)


def serve(where: Place, host: str, port: int, behind_proxy: bool, tell: Callable[[str], None]) -> None:
    """Serve until interrupted. Raises KetenError for a host that others can reach without a proxy, or a port in use."""
    import uvicorn

    if not behind_proxy and not _is_loopback(host):
        raise KetenError(
            f"--host {host} can be reached by others and there is no log-in here; put a proxy that asks for one in front"
            " and add --behind-proxy, or leave --host out"
        )
    with _listening(host, port) as listener, _front(where, ["*"] if behind_proxy else [*LOOPBACK, host]) as app:
        address = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
        tell(f"Page: {address}/  Dagster, read-only: {address}{DAGSTER}/  Ctrl-C ends.")
        # An open browser holds a connection for news of runs; the end does not wait for it.
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=GRACE_SECONDS)
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise KetenError(f"--host {host} --port {port} cannot be used ({error.strerror}); choose others") from None
    with listener:
        yield listener


@contextmanager
def _front(where: Place, hosts: list[str]) -> Iterator[Starlette]:
    """The application: Dagster below its prefix, published files everywhere else."""
    from dagster_webserver.app import create_app_from_workspace_process_context
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.responses import RedirectResponse
    from starlette.routing import Mount, Route

    from pipelines.web import Guard, published_routes

    with instance(where) as dagster, _read_only(where, dagster) as workspace:
        below = create_app_from_workspace_process_context(workspace, DAGSTER).routes
        yield Starlette(
            routes=[
                *(route for route in below if isinstance(route, Mount)),
                Route(DAGSTER, lambda _: RedirectResponse(f"{DAGSTER}/")),
                *published_routes(where.published.parent),
            ],
            middleware=[
                # A name that leads to this machine by a trick of another site's DNS is not one of ours.
                Middleware(TrustedHostMiddleware, allowed_hosts=hosts),
                Middleware(Guard),
            ],
        )


@contextmanager
def _read_only(where: Place, dagster: dg.DagsterInstance) -> Iterator[WorkspaceProcessContext]:
    """Dagster's view of the deployment, loaded in this process: nothing is started that would have to be ended."""
    from dagster._core.remote_origin import InProcessCodeLocationOrigin
    from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
    from dagster._core.workspace.context import WorkspaceProcessContext
    from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget

    os.environ.update(KETEN_HOME=str(where.home), KETEN_PROJECT=str(where.project))  # for `served`, loaded by its name
    target = LoadableTargetOrigin(module_name=__name__, attribute="served")
    origin = InProcessCodeLocationOrigin(target, location_name="ketenimpact")
    with WorkspaceProcessContext(dagster, InProcessWorkspaceLoadTarget(origin), read_only=True) as workspace:
        yield workspace
