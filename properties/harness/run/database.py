"""Where failures are kept: in a folder here, and on a Redis server that machines share, which may fail at any time."""

import os
import re
import time
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from hypothesis.database import ExampleDatabase

from ..core.text import last_line

FAILED = b"backproof: ids of the properties that failed"
SILENCE, IN_ALL = 2.0, 30.0  # seconds that the server may be silent, and that it is waited for in all


_Answer = TypeVar("_Answer")


class SharingTrouble(UserWarning):
    """Why failures are not shared."""


def storage(kind: str, target: str, folder: str = "") -> Path:
    """Where things of this kind are kept of a target, by its name: beside what Hypothesis keeps in that folder."""
    home = Path(folder) / os.environ.get("HYPOTHESIS_STORAGE_DIRECTORY", ".hypothesis")
    return home / kind / re.sub(r"\W+", "-", target)


def address_of(text: str) -> str:
    """The address of a Redis server. Raises `ArgumentTypeError` if it is none, or the client is not installed.

    The message leaves the address out: it may hold a password.
    """
    try:
        from redis import Redis
    except ModuleNotFoundError:
        raise ArgumentTypeError("it needs the extra: pip install '.[database]' in a clone of backproof") from None
    try:
        Redis.from_url(text).connection_pool.make_connection()  # which does not connect yet
        sound = text.startswith("unix:") or re.fullmatch("/?[0-9]*", urlsplit(text).path)  # else the client takes 0
    except Exception:  # whatever the client makes of it
        sound = None
    if not sound:
        raise ArgumentTypeError("redis://HOST:PORT/N, rediss://HOST:PORT/N or unix://PATH is wanted")
    return text


class SharedDatabase(ExampleDatabase):
    """Hypothesis's database on a Redis server, for the target of this name; after an error it is not asked again.

    It is waited for `patience` seconds in all, and then given up too. `trouble` says why failures are not shared.
    """

    def __init__(self, address: str, name: str, patience: float = IN_ALL) -> None:
        super().__init__()
        from hypothesis.extra.redis import RedisExampleDatabase
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        silence, once = min(SILENCE, patience), Retry(NoBackoff(), 0)
        server = Redis.from_url(address, socket_timeout=silence, socket_connect_timeout=silence, retry=once)
        self._database = RedisExampleDatabase(server, key_prefix=f"backproof:{name}:".encode())
        self._left, self._answered, self.trouble = patience, False, ""

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """The values of a key; none if the server does not give them."""
        return self._answer(lambda: list(self._database.fetch(key))) or []

    def save(self, key: bytes, value: bytes) -> None:
        """Have a value kept."""
        self._answer(lambda: self._database.save(key, value))

    def delete(self, key: bytes, value: bytes) -> None:
        """Have a value forgotten."""
        self._answer(lambda: self._database.delete(key, value))

    def _answer(self, ask: Callable[[], _Answer]) -> _Answer | None:
        if self.trouble:
            return None
        started = time.monotonic()
        try:
            answer = ask()
        except Exception as error:  # whatever a server makes of it
            self._give_up(last_line(error))
            return None
        self._answered = True
        self._left -= time.monotonic() - started
        if self._left < 0:
            self._give_up("the server is too slow")
        return answer

    def _give_up(self, why: str) -> None:
        self.trouble = f"failures are not shared{' any more' if self._answered else ''}: {why}"
