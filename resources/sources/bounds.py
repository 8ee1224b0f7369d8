"""How long and how often a server is asked, so that one that is slow or down delays only itself.

Belongs here: the time of one pull, pauses, repeats. Does not belong here: what is asked.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from resources.sources.port import TimeOver, Unreachable

T = TypeVar("T")
# What a call that looks at the time itself gets beyond it to end in order.
_GRACE_SECONDS = 2.0
_FIRST_PAUSE, _LONGEST_PAUSE, _JITTER = 1.0, 60.0, 1.0


class Bounds:
    """The time that one pull may take, and the number of tries of each question in it."""

    def __init__(self, seconds: float, tries: int = 1, sleep: Callable[[float], None] = time.sleep) -> None:
        self._seconds = seconds
        self._until = time.monotonic() + seconds
        self._tries = tries
        self._sleep = sleep

    def left(self, most: float = float("inf")) -> float:
        """Seconds that are left, at most so many. Raises TimeOver when none are."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise self._over()
        return min(left, most)

    def pause(self, seconds: float) -> None:
        """Wait. Raises TimeOver at once when the wait would outlast the time."""
        if seconds >= self.left():
            raise self._over()
        if seconds > 0:
            self._sleep(seconds)

    def again(self, ask: Callable[[], T]) -> T:
        """The answer, asked for again while the server does not answer: later each time, by chance, and as it asks."""
        from urllib3.exceptions import MaxRetryError
        from urllib3.util import Retry

        policy = Retry(
            total=self._tries - 1,
            backoff_factor=_FIRST_PAUSE,
            backoff_max=_LONGEST_PAUSE,
            backoff_jitter=_JITTER,
        )
        while True:
            self.left()
            try:
                return ask()
            except Unreachable as error:
                try:
                    policy = policy.increment()
                except MaxRetryError:
                    raise error from None
                try:
                    self.pause(max(error.after, policy.get_backoff_time()))
                except TimeOver as over:
                    raise TimeOver(f"{error}; {over}") from None

    def hold(self, call: Callable[[], T]) -> T:
        """The outcome of a call, which is left behind when it does not end in time, whatever it waits for.

        A server that sends a byte now and then keeps every timeout of a socket from passing.
        """
        done: list[T] = []
        failed: list[BaseException] = []

        def run() -> None:
            try:
                done.append(call())
            except BaseException as error:  # noqa: BLE001 - it is raised again where it was asked for
                failed.append(error)

        thread = threading.Thread(target=run, name="keten-source", daemon=True)
        thread.start()
        thread.join(self.left() + _GRACE_SECONDS)
        if failed:
            raise failed[0]
        if not done:
            raise self._over()
        return done[0]

    def _over(self) -> TimeOver:
        return TimeOver(
            f"the {self._seconds:g} s for one pull are over; the next run tries again."
            " Raise total_seconds when it always takes longer"
        )


def retry_after(header: str | None) -> float:
    """Seconds that a header Retry-After asks to wait, told as seconds or as a date; 0 without a good one."""
    from urllib3.exceptions import InvalidHeader
    from urllib3.util import Retry

    try:
        return Retry().parse_retry_after(header) if header else 0
    except (InvalidHeader, ValueError, OverflowError):
        return 0


def variables_of(setting: Any) -> list[str]:
    """The environment variables that a setting names."""
    from resources.environment import named

    return list(named(setting.model_dump_json()))
