"""Logs: one JSON object a line on standard error, never data, never on standard output."""

import json
import logging
import sys
from datetime import UTC, datetime

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_QUIET = ("mcp", "fastmcp", "botocore", "boto3", "urllib3", "uvicorn", "httpx2", "werkzeug")


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON, its extra fields beside the message."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON; control characters are escaped by JSON itself."""
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry |= {k: v for k, v in vars(record).items() if k not in _STANDARD}
        if record.exc_info and record.levelno >= logging.ERROR:
            entry["exception"] = self.formatException(record.exc_info)
        elif record.exc_info and record.exc_info[0]:
            # What a client did wrong, which the framework logs with a stack too.
            entry["reason"] = record.exc_info[0].__name__
        return json.dumps(entry, default=repr)


def configure(level: str) -> None:
    """Send the logs of the process to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(max(logging.WARNING, root.level))
