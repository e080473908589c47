"""What differs from one shop to the next: names, addresses, versions, layouts and the wording of messages.

A program says the same thing the same way all day, so a choice is made once per key and kept for the case. Choices hang
on (seed, key) alone: asking in another order gives the same answers.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final, TypeVar

T = TypeVar("T")

HEX: Final = "0123456789abcdef"
_POD: Final = "bcdfghjklmnpqrstvwxz2456789"

LAYOUTS: Final[dict[str, tuple[str, ...]]] = {
    "python": ("structlog", "jsonlogger", "logging"),
    "java": ("spring", "logback", "logstash"),
    "go": ("zap", "slog"),
    "node": ("pino",),
}
"""Log layouts that each runtime may use."""


def hexes(rng: random.Random, length: int) -> str:
    """A random lower-case hexadecimal string."""
    return f"{rng.getrandbits(4 * length):0{length}x}"


def suffix(rng: random.Random, length: int) -> str:
    """A random suffix as Kubernetes makes them: no vowels, no look-alikes."""
    return "".join(rng.choice(_POD) for _ in range(length))


class Style:
    """The choices of one shop, by key."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._chosen: dict[str, int] = {}
        rng = self.rng("names")
        self.namespace = rng.choice(("shop", "prod", "store", "shop-prod"))
        self.package = rng.choice(("com.acme", "io.northwind", "com.kioskly", "org.brightcart"))
        self.registry = rng.choice(("registry.internal", "ghcr.io/brightcart", "docker.acme.dev"))
        self.database = rng.choice(("shop", "store", "commerce"))
        self.psp = rng.choice(("api.paylane.example", "gateway.cardpoint.example", "eu1.settly.example"))
        self.smtp = rng.choice(("smtp.mailhop.example", "mail.postbird.example"))
        self.subnet = f"10.{rng.randrange(8, 250)}"
        self.nodes = tuple(
            f"ip-{self.subnet.replace('.', '-')}-{rng.randrange(1, 250)}-{rng.randrange(1, 250)}" for _ in range(3)
        )

    def rng(self, key: str) -> random.Random:
        """A generator of its own for a key (`random` seeds from the text's SHA-512: no hash randomisation)."""
        return random.Random(f"{self._seed}/{key}")

    def pick(self, key: str, options: Sequence[T]) -> T:
        """The option of this shop for `key`."""
        index = self._chosen.get(key)
        if index is None:
            index = self._chosen[key] = self.rng(key).randrange(1 << 30)
        return options[index % len(options)]

    def number(self, key: str, low: int, high: int) -> int:
        """The integer of this shop for `key`, in [low, high]."""
        return self.pick(key, range(low, high + 1))

    def layout(self, service: str, runtime: str) -> str:
        return self.pick(f"layout/{service}", LAYOUTS[runtime])
