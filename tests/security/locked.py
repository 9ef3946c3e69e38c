"""Runs statements as a worker would: a locked DuckDB in a process that is killed at its deadline.

Started as a script with a file of statements (JSON), a table file and a deadline; writes one JSON
line for each: how it ended, how long it took, and the first bytes of what came back.
"""

import json
import os
import resource
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

ADDRESS_BYTES = 3 << 30
AT_ONCE = 3
CANARY = "canary-6b1f"
LOCK = """
SET max_expression_depth=250; SET threads=1; SET memory_limit='512MB'; SET pivot_limit=1000;
SET autoinstall_known_extensions=false; SET autoload_known_extensions=false;
SET allow_community_extensions=false; SET allow_extension_repositories='forbidden';
SET allow_persistent_secrets=false; SET secret_directory=''; SET python_enable_replacements=false;
SET temp_directory=''; SET enable_external_access=false; SET lock_configuration=true;
"""


def locked_connection(table: pa.Table) -> duckdb.DuckDBPyConnection:
    """Return a locked instance over the table `data`, with a canary beside it."""
    connection = duckdb.connect()
    connection.register("data", table)
    connection.execute(f"CREATE TABLE canary AS SELECT '{CANARY}' AS x")
    connection.execute(LOCK)
    return connection


def main(statements: Path, table: Path, deadline_seconds: float) -> None:
    """Run each statement in a process of its own, a few at a time."""
    with pa.OSFile(str(table), "rb") as file:
        data = pa.ipc.open_file(file).read_all()
    todo = list(json.loads(statements.read_text()).items())
    running: dict[int, tuple[str, int, float]] = {}
    while todo or running:
        while todo and len(running) < AT_ONCE:
            name, sql = todo.pop(0)
            pid, pipe = _start(sql, data)
            running[pipe] = (name, pid, time.monotonic())
        ready, _, _ = select.select(list(running), [], [], 0.02)
        for pipe, (name, pid, began) in list(running.items()):
            seconds = time.monotonic() - began
            if pipe not in ready and seconds < deadline_seconds:
                continue
            answer = os.read(pipe, 65_536).decode(errors="replace") if pipe in ready else "killed"
            os.kill(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
            os.close(pipe)
            del running[pipe]
            line = {"id": name, "answer": answer, "seconds": time.monotonic() - began}
            print(json.dumps(line | {"signal": os.WTERMSIG(status)}), flush=True)  # noqa: T201 - its output


def _start(sql: str, data: pa.Table) -> tuple[int, int]:
    receiving, sending = os.pipe()
    pid = os.fork()
    if pid:
        os.close(sending)
        return pid, receiving
    try:
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_BYTES, ADDRESS_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.write(sending, _run(sql, data).encode()[:65_000])
    finally:
        os._exit(0)


def _run(sql: str, data: pa.Table) -> str:
    try:
        rows: list[Any] = locked_connection(data).execute(sql).fetchmany(100)
        return "rows: " + str(rows)[:10_000]
    except Exception as exc:  # noqa: BLE001 - whatever it raises is the answer
        return f"error: {exc}"[:10_000]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
