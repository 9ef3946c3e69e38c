"""Ports of loopback for servers that must be told theirs."""

import itertools
import os
import socket

_FIRST = 20_000
_EACH = 500
"""Below the ports that systems give to connections and for port 0: nobody gets one meanwhile."""

# Two runs on one machine have workers of the same names: each begins elsewhere.
_turns = itertools.count(os.getpid())


def free_port() -> int:
    """Return a port that nothing listens on, out of this test process's own."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = _FIRST + worker % 20 * _EACH
    while True:
        port = first + next(_turns) % _EACH
        with socket.socket() as probe:
            # As servers do: what an ended server's connections leave behind is in nobody's way.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
