"""Shards on a Dask cluster: one that others started, or one of our own on loopback."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import Executor
from typing import Any

from roomtone.core.errors import RoomtoneError
from roomtone.core.extras import how_to_install
from roomtone.core.workers.engine import Engine, one_thread_below


class DaskEngine(Engine):
    """A Dask cluster: the one at an address, or one of its own on loopback.

    A scheduler takes tasks, which are programs, from whoever reaches its port. So an address beyond this machine must be `tls://…`
    (certificates as Dask's own configuration says), unless `allow_insecure` vouches for the network.
    """

    def __init__(self, address: str | None, workers: int, *, allow_insecure: bool = False) -> None:
        super().__init__(workers)
        try:
            import distributed
        except ImportError as error:
            raise RoomtoneError(f"executor=dask needs the extra 'dask': {how_to_install('dask')}") from error
        self._cluster: Any = None
        if address is None:
            self._cluster = _own_cluster(workers)
        else:
            _refuse_open_scheduler(address, allow_insecure)
            self.attempts = 1  # that scheduler has tried several times by itself
        try:
            client: Any = distributed.Client  # untyped there
            self._client: Any = client(self._cluster or address, timeout="10s", set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise RoomtoneError(f"executor.address: no Dask scheduler answers at {address!r} ({error})") from error
        self._executor: Executor = self._client.get_executor(pure=False, retries=0)
        self._counted = 0.0

    def at_once(self) -> int:
        """Return how many tasks the cluster runs at once now: workers may leave and join."""
        if self._cluster is None and time.monotonic() - self._counted > 2.0:
            self._counted = time.monotonic()
            self.workers = max(
                len(self._client.nthreads()), 1
            )  # a worker takes one shard at a time, however many threads
        return self.workers

    def executor(self) -> Executor:
        """Return the client's executor.

        Raises:
            RoomtoneError: the scheduler has gone.
        """
        if self._client.status not in ("running", "connecting"):
            raise RoomtoneError("the Dask scheduler has gone; the same command goes on where it left off")
        return self._executor

    def died(self, error: BaseException | None) -> bool:
        """Return whether the scheduler gave a task up because its workers died."""
        return type(error).__name__ in ("KilledWorker", "CancelledError", "FutureCancelledError")

    def close(self) -> None:
        """Leave the cluster, and end it if it is ours."""
        with contextlib.suppress(Exception):
            self._client.close()
        if self._cluster is not None:
            with contextlib.suppress(Exception):
                self._cluster.close()


#: What a cluster does many times a second beside its work, less often: on two cores it took a twentieth of them [measured].
_SELDOM = {
    "distributed.admin.tick.interval": "5s",
    "distributed.admin.tick.limit": "60s",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "2s",
}


def _own_cluster(workers: int) -> Any:
    """Return a cluster on loopback, one thread a worker; it reports a death at once, and suspects run alone."""
    import dask
    import distributed

    with one_thread_below(), dask.config.set({"distributed.scheduler.allowed-failures": 0, **_SELDOM}):
        cluster: Any = distributed.LocalCluster  # untyped there
        return cluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            # without a dashboard it serves plain pages still, on a port that a second cluster would ask for too
            scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
            silence_logs=50,
        )


def _refuse_open_scheduler(address: str, allow_insecure: bool) -> None:
    import ipaddress
    import socket

    protocol, _, rest = address.partition("://")
    if not rest or protocol not in ("tcp", "tls"):
        raise RoomtoneError(f"executor.address: expected tcp://HOST:PORT or tls://HOST:PORT, got {address!r}")
    host = rest.rsplit(":", 1)[0].strip("[]")
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    except OSError as error:
        raise RoomtoneError(f"executor.address: {host!r} is no host that this machine knows") from error
    if protocol == "tcp" and not allow_insecure and not all(ipaddress.ip_address(ip).is_loopback for ip in found):
        raise RoomtoneError(
            f"executor.address: {address} is beyond this machine and not encrypted; whoever reaches a Dask scheduler runs "
            "programs on it. Use tls://…, or vouch for the network with executor.allow_insecure=true"
        )
