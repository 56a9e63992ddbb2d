"""An opener of requests that follows no redirect, and whose answers end at a moment, however slowly they come.

A socket's time-out is one of each read: a server that sends a byte a minute, of headers or of an error, keeps a request for days. Here a timer
shuts the connection down.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import socket
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any

_under_way = threading.local()


class Deadline:
    """Shuts down the connections that were made under it once its time is over; `passed` says whether it was."""

    def __init__(self) -> None:
        self.passed = False
        self._lock = threading.Lock()
        self._twins: list[socket.socket] = []

    def watch(self, connection: socket.socket) -> None:
        """Take a connection on; the duplicate reaches it under TLS too, which takes the socket itself away."""
        with self._lock:
            self._twins.append(connection.dup())
        if self.passed:
            self.end()

    def end(self) -> None:
        """End what is under way."""
        with self._lock:
            self.passed = True
            for twin in self._twins:
                with contextlib.suppress(OSError):
                    twin.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the connections."""
        with self._lock:
            for twin in self._twins:
                twin.close()
            self._twins.clear()


@contextlib.contextmanager
def ended_after(seconds: float) -> Iterator[Deadline]:
    """End what this thread asks `opener` for within the block after so many seconds, from the first connection to the last byte.

    Args:
        seconds: of the wall clock.
    """
    deadline = _under_way.deadline = Deadline()
    timer = threading.Timer(seconds, deadline.end)
    timer.daemon = True
    timer.start()
    try:
        yield deadline
    finally:
        timer.cancel()
        deadline.close()
        del _under_way.deadline


def _connect(*args: Any, **kwargs: Any) -> socket.socket:
    connection = socket.create_connection(*args, **kwargs)
    _under_way.deadline.watch(connection)
    return connection


class _Plain(http.client.HTTPConnection):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._create_connection = _connect


class _Tls(http.client.HTTPSConnection):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._create_connection = _connect


class _PlainHandler(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_Plain, req)


class _TlsHandler(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_Tls, req)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows nothing: a redirect takes the key and the recording to whom the user did not name."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """Return None, so that the answer counts as an error."""


@functools.cache
def opener() -> urllib.request.OpenerDirector:
    """Return the opener; it is used within `ended_after`, and verifies certificates."""
    return urllib.request.build_opener(_NoRedirects(), _PlainHandler(), _TlsHandler())
