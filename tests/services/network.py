"""A private network in which a node can vanish: two nodes behind a router, each in a network namespace of its own.

    with Network() as network:
        network.serve(network.old, 5432, to_port=server.port)
        network.serve(network.new, 5432, to_port=other.port)
        network.vanish()     # no FIN, no RST, no ICMP: packets in both directions are lost
        network.take_over()

`network.address` belongs to the old node, and to the new one after `take_over`; each node has an address of its own,
too. The servers run on 127.0.0.1 of this machine; a node is a listening socket inside its namespace, whose connections
are forwarded to them. Each namespace is held by a process, so the network is gone when the processes are.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import random
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.services import limits
from tests.services.folder import ServiceFolder, ServiceUnavailable
from tests.services.waiting import wait_until

MISSING = (
    "Network namespaces are not possible here: they need root (CAP_NET_ADMIN, CAP_SYS_ADMIN) and Debian's iproute2."
)
_CLONE_NEWNET = 0x40000000  # sched.h
_FORWARD = "echo 1 > /proc/sys/net/ipv4/ip_forward"
_any_order = random.SystemRandom()


@dataclass(frozen=True)
class Node:
    """A machine of the network."""

    name: str
    process_id: int
    address: str

    @property
    def namespace(self) -> str:
        return f"/proc/{self.process_id}/ns/net"


def find_program() -> str | None:
    """iproute2's `ip`, when we may make namespaces with it."""
    found = shutil.which("ip") or shutil.which("ip", path="/usr/sbin:/sbin")
    if found is None or shutil.which("unshare") is None or shutil.which("nsenter") is None:
        return None
    tried = subprocess.run(
        ["unshare", "--net", found, "link", "add", "tried", "type", "veth"], capture_output=True, check=False
    )
    return found if tried.returncode == 0 and os.geteuid() == 0 else None


_looks_at_end = 4  # a tenth of a second each


class Network:
    """Made by `with`. Raises ServiceUnavailable."""

    def __init__(self) -> None:
        program = find_program()
        if program is None:
            raise ServiceUnavailable(MISSING)
        self._program = program
        self._folder = ServiceFolder("network")
        self._holders: list[subprocess.Popen[bytes]] = []
        self._serving: list[Forwarder] = []
        self._prefix = self._free_prefix()
        self._link = f"nestor{_any_order.randrange(16**6):06x}"
        self.address = self._host(100)

    def serve(self, node: Node, port: int, *, to_port: int) -> Forwarder:
        """Let a node listen on `port` of all its addresses, for the server on 127.0.0.1:`to_port`."""
        forwarder = Forwarder(node, port, to_port)
        self._serving.append(forwarder)
        return forwarder

    def vanish(self) -> None:
        """Take the old node off the network, as a loss of power would; nobody hears of it. Its connections to servers
        end.
        """
        for address in (self.address, self.old.address):
            self._ip(self._router, "route", "replace", "blackhole", f"{address}/32")
        self._ip(self._router, "link", "set", "old", "down")
        for forwarder in self._serving:
            if forwarder.node is self.old:
                forwarder.close()

    def take_over(self) -> None:
        """Give the address to the new node."""
        self._ip(self._router, "route", "replace", f"{self.address}/32", "via", self.new.address)

    def close(self) -> None:
        for forwarder in self._serving:
            forwarder.close()
        for holder in self._holders:
            holder.kill()
            holder.wait()
            self._folder.untrack(holder.pid)
        self._holders.clear()
        self._folder.close()

    def __enter__(self) -> Self:
        try:
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _build(self) -> None:
        self._router = self._namespace("router", 2)
        self.old, self.new = self._namespace("old", 6), self._namespace("new", 10)
        self._ip(
            None,
            "link",
            "add",
            self._link,
            "type",
            "veth",
            "peer",
            "name",
            "desk",
            "netns",
            str(self._router.process_id),
        )
        self._up(None, self._link, 1)
        self._up(self._router, "desk", 2)
        subprocess.run(
            ["nsenter", f"--net={self._router.namespace}", "sh", "-c", _FORWARD],
            check=True,
            capture_output=True,
        )
        for node, own, routers in ((self.old, 6, 5), (self.new, 10, 9)):
            self._ip(
                self._router,
                "link",
                "add",
                node.name,
                "type",
                "veth",
                "peer",
                "name",
                "eth",
                "netns",
                str(node.process_id),
            )
            self._up(self._router, node.name, routers)
            self._up(node, "eth", own)
            self._ip(node, "link", "set", "lo", "up")
            self._ip(node, "address", "add", f"{self.address}/32", "dev", "lo")
            self._ip(node, "route", "add", "default", "via", self._host(routers))
        self._ip(None, "route", "add", f"{self._prefix}.0/24", "via", self._host(2))
        self._ip(self._router, "route", "add", f"{self.address}/32", "via", self.old.address)

    def _free_prefix(self) -> str:
        """A /24 that no other test run uses. RFC 2544 sets 198.18.0.0/15 apart for tests of networks, so it is nobody
        else's.
        """
        taken = subprocess.run(
            [self._program, "-4", "address", "show"], capture_output=True, text=True, check=True
        ).stdout
        numbers = [number for number in range(1, 255) if f" 198.18.{number}." not in taken]
        return f"198.18.{_any_order.choice(numbers)}"

    def _host(self, number: int) -> str:
        return f"{self._prefix}.{number}"

    def _namespace(self, name: str, number: int) -> Node:
        holder = subprocess.Popen(
            ["unshare", "--net", "sleep", "infinity"], stdin=subprocess.DEVNULL, start_new_session=True
        )
        self._holders.append(holder)
        self._folder.track(holder.pid)
        ours = os.readlink("/proc/self/ns/net")
        wait_until(
            lambda: os.readlink(f"/proc/{holder.pid}/ns/net") != ours,
            within_s=limits.namespace_s,
            what="a network namespace",
        )
        return Node(name, holder.pid, self._host(number))

    def _up(self, node: Node | None, link: str, number: int) -> None:
        self._ip(node, "address", "add", f"{self._host(number)}/30", "dev", link)
        self._ip(node, "link", "set", link, "up")

    def _ip(self, node: Node | None, *arguments: str) -> None:
        inside = [] if node is None else ["nsenter", f"--net={node.namespace}"]
        done = subprocess.run([*inside, self._program, *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ServiceUnavailable(f"ip {' '.join(arguments)} in {node}: {done.stderr}")


class Forwarder:
    """A listening socket of a node; what connects to it is connected to a server of this machine."""

    def __init__(self, node: Node, port: int, to_port: int) -> None:
        self.node, self._to_port = node, to_port
        listening = _inside(node.namespace, lambda: socket.create_server(("0.0.0.0", port), backlog=100))
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._run, args=(listening,), name="forwarder", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End every connection. Twice is once."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(limits.namespace_s)

    def _run(self, listening: socket.socket) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._forward, sock=listening))
        self._loop.run_forever()
        server.close()
        # A connection that was just accepted gets its transport first; its socket would stay open without one.
        # On a busy machine that takes more than one look.
        for _ in range(_looks_at_end):
            self._loop.run_until_complete(asyncio.sleep(0.1))
            for writer in list(self._writers):
                writer.transport.abort()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.1))  # lets the cancelled tasks end
        self._loop.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = {writer}
        # Known before the first wait: `close` may come while the connection to the server is being made.
        self._writers |= ends
        # An OSError of the first call: the server does not run, and the client gets a reset, as from a node without it.
        with contextlib.suppress(OSError, asyncio.CancelledError):
            back_reader, back_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
            ends.add(back_writer)
            self._writers.add(back_writer)
            await asyncio.gather(_pump(reader, back_writer), _pump(back_reader, writer))
        self._writers -= ends
        for end in ends:
            end.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65_536):
        writer.write(piece)
        await writer.drain()
    writer.close()


def _inside(namespace: str, make: Callable[[], socket.socket]) -> socket.socket:
    """Make a socket in a namespace, by a thread that ends afterwards; a socket stays where it was made."""

    def enter() -> socket.socket:
        with Path(namespace).open() as entered:
            if ctypes.CDLL(None, use_errno=True).setns(entered.fileno(), _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
        return make()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(enter).result()
