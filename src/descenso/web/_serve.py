"""Start the server."""

from __future__ import annotations

import errno
import os
import socket
import threading
import webbrowser
from collections.abc import Sequence

from descenso.errors import DescensoError, SettingError
from descenso.language import _
from descenso.language import reason as reason_of
from descenso.web._security import LOCAL_HOSTS


class ServerError(DescensoError, OSError):
    """The web server cannot be started."""


def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 8765,
    store: str | None = None,
    open_browser: bool = False,
    names: Sequence[str] = (),
    announce: bool = True,
) -> None:
    """Serve the web page until interrupted.

    Parameters
    ----------
    host : address to bind; only this machine can reach the default.
    port : from 0 (any that is free) to 65535.
    store : where studies are kept; see :class:`descenso.store.Store`.
    open_browser : whether to open the page.
    names : host names that requests may call the server by, beside ``host`` and the local ones.

    Raises
    ------
    SettingError
        If the port is no port.
    ServerError
        If the port is in use, or the address cannot be bound.
    StoreError
        If the store cannot be opened.
    """
    import uvicorn

    from descenso.web._app import create_app
    from descenso.web._connections import PatientProtocol

    if not 0 <= port <= 65535:
        raise SettingError(_("a port lies between 0 and 65535; got {port}").format(port=port))
    listening = _bind(host, port)
    app = create_app(store, hosts=[*LOCAL_HOSTS, host, *names])
    address = f"http://{_shown(host)}:{listening.getsockname()[1]}/"
    if announce:
        print(_("descenso is at {address} (Ctrl+C ends it)").format(address=address), flush=True)
        if host not in LOCAL_HOSTS:
            print(_("others on the network can reach it, and see and start studies"), flush=True)
    if open_browser:
        threading.Timer(0.5, webbrowser.open, [address]).start()
    config = uvicorn.Config(
        app, log_level="warning", server_header=False, access_log=False, timeout_keep_alive=30,
        h11_max_incomplete_event_size=32_768, http=PatientProtocol, ws="none", lifespan="on",
        timeout_graceful_shutdown=5,
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[listening])


def _shown(host: str) -> str:
    if host in ("0.0.0.0", "::"):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    if os.name != "nt":
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(256)
    except (OSError, OverflowError) as error:
        listening.close()
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            raise ServerError(
                _("port {port} is in use; choose another with --port").format(port=port)
            ) from error
        raise ServerError(
            _("{host}:{port} cannot be bound: {reason}").format(
                host=host, port=port, reason=reason_of(error)
            )
        ) from error
    return listening
