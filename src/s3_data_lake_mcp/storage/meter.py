"""What one call costs, and the deadline, budget and cancellation that end it."""

import threading
import time

from s3_data_lake_mcp.errors import DeadlineExceededError, LimitExceededError

_GUESSING_SHARE = 32
"""One part in so many of the budget may be spent on what nobody asked for."""


class ScanMeter:
    """Counts what one call costs, and stops it at its deadline, budget or cancellation.

    Safe for many threads: all readers of a call share one meter.
    """

    def __init__(self, *, timeout_seconds: float = 50.0, max_bytes: int = 5 << 30) -> None:
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._max_bytes = max_bytes
        self._cancelled = threading.Event()
        self.deadline = self._started + timeout_seconds
        self.timeout_seconds = timeout_seconds
        self._claimed = 0
        self.kept_bytes = 0
        """Bytes of the budget that are left alone, for what comes behind."""

        self.requests = 0
        self.bytes_read = 0

    def as_json(self) -> dict[str, int]:
        """Return the `scan` part of an answer."""
        return {
            "requests": self.requests,
            "bytes_read": self.bytes_read,
            "elapsed_ms": self.elapsed_ms,
        }

    @property
    def elapsed_ms(self) -> int:
        """Milliseconds since the call began."""
        return round((time.monotonic() - self._started) * 1000)

    @property
    def remaining_seconds(self) -> float:
        """Seconds until the deadline, never below zero."""
        return max(0.0, self.deadline - time.monotonic())

    def spare_seconds(self, most: float = 5.0, share: float = 0.2) -> float:
        """Return what remains beside a share of all time, at most so much, kept for the answer."""
        return self.remaining_seconds - min(most, share * self.timeout_seconds)

    @property
    def remaining_bytes(self) -> int:
        """Bytes that the scan budget still allows."""
        return max(0, self._max_bytes - self.kept_bytes - self.bytes_read)

    @property
    def may_guess(self) -> bool:
        """Whether so little of the budget is spent that bytes may come which nobody asked for."""
        return self.bytes_read * _GUESSING_SHARE < self._max_bytes

    @property
    def cancelled(self) -> bool:
        """Whether the caller has gone away."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Make every further `check` fail."""
        self._cancelled.set()

    @property
    def over(self) -> bool:
        """Whether the call must stop: its deadline has passed, or it was cancelled."""
        return self._cancelled.is_set() or time.monotonic() > self.deadline

    def check(self) -> None:
        """Raise if the call must stop.

        Raises:
            DeadlineExceededError: If the deadline has passed or the call was cancelled.
        """
        if self.over:
            raise self.overdue()

    def overdue(self) -> DeadlineExceededError:
        """Return the error of a call that took too long."""
        message = f"The call took longer than {self.timeout_seconds:g} s"
        hint = (
            "Ask for less: fewer columns, a narrower prefix or predicate; or raise "
            "S3_DATA_LAKE_TIMEOUT_SECONDS."
        )
        return DeadlineExceededError(message, hint=hint)

    def count_request(self) -> None:
        """Count one request that is about to be sent."""
        self.check()
        with self._lock:
            self.requests += 1

    def claim_bytes(self, most: int) -> int:
        """Return how many bytes may be read now: reads side by side share what is left.

        Raises:
            LimitExceededError: If the scan budget is spent, or about to be by other reads.
        """
        with self._lock:
            claimed = min(most, self.remaining_bytes - self._claimed)
            if claimed > 0:
                self._claimed += claimed
                return claimed
        message = f"The call needs more than its budget of {self._max_bytes:,} bytes"
        raise LimitExceededError(
            message,
            hint="Narrow columns, predicate or prefix, or raise S3_DATA_LAKE_MAX_SCAN_BYTES.",
        )

    def count_bytes(self, claimed: int, size: int) -> None:
        """Count the bytes that have arrived of those that were claimed."""
        with self._lock:
            self._claimed -= claimed
            self.bytes_read += size
