"""Time stamps of the simulated programs: seconds since the start of a case -> the text that each program writes.

Nothing here reads the machine's clock, zone or locale: the same seconds give the same bytes anywhere.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Clock:
    """Formats `t`, seconds since `start` (an aware datetime, taken to UTC and cut to the second)."""

    def __init__(self, start: datetime) -> None:
        self.start = start.astimezone(UTC).replace(microsecond=0)
        self._epoch = int(self.start.timestamp())
        self._seconds: dict[int, datetime] = {}

    def at(self, t: float) -> datetime:
        """The instant, to the microsecond."""
        return self.start + timedelta(microseconds=round(t * 1e6))

    def hour(self, t: float) -> float:
        """Hour of the UTC day, with its fraction."""
        return ((self._epoch + t) % 86400) / 3600

    def _split(self, t: float) -> tuple[datetime, int]:
        micros = round(t * 1e6)
        second, micro = divmod(micros, 1_000_000)
        instant = self._seconds.get(second)
        if instant is None:
            if len(self._seconds) > 50_000:
                self._seconds.clear()
            instant = self._seconds[second] = self.start + timedelta(seconds=second)
        return instant, micro

    def iso(self, t: float) -> str:
        """`2026-03-02T10:00:00.123Z`"""
        d, micro = self._split(t)
        return f"{d.year}-{d.month:02}-{d.day:02}T{d.hour:02}:{d.minute:02}:{d.second:02}.{micro // 1000:03}Z"

    def iso_micros(self, t: float) -> str:
        """`2026-03-02T10:00:00.123456Z`"""
        d, micro = self._split(t)
        return f"{d.year}-{d.month:02}-{d.day:02}T{d.hour:02}:{d.minute:02}:{d.second:02}.{micro:06}Z"

    def iso_seconds(self, t: float) -> str:
        """`2026-03-02T10:00:00Z`"""
        d, _ = self._split(t)
        return f"{d.year}-{d.month:02}-{d.day:02}T{d.hour:02}:{d.minute:02}:{d.second:02}Z"

    def dotted(self, t: float) -> str:
        """`2026-03-02 10:00:00.123`"""
        d, micro = self._split(t)
        return f"{d.year}-{d.month:02}-{d.day:02} {d.hour:02}:{d.minute:02}:{d.second:02}.{micro // 1000:03}"

    def comma(self, t: float) -> str:
        """`2026-03-02 10:00:00,123`"""
        d, micro = self._split(t)
        return f"{d.year}-{d.month:02}-{d.day:02} {d.hour:02}:{d.minute:02}:{d.second:02},{micro // 1000:03}"

    def nginx_access(self, t: float) -> str:
        """`02/Mar/2026:10:00:00 +0000`"""
        d, _ = self._split(t)
        return f"{d.day:02}/{_MONTHS[d.month - 1]}/{d.year}:{d.hour:02}:{d.minute:02}:{d.second:02} +0000"

    def nginx_error(self, t: float) -> str:
        """`2026/03/02 10:00:00`"""
        d, _ = self._split(t)
        return f"{d.year}/{d.month:02}/{d.day:02} {d.hour:02}:{d.minute:02}:{d.second:02}"

    def redis(self, t: float) -> str:
        """`02 Mar 2026 10:00:00.123`"""
        d, micro = self._split(t)
        month = _MONTHS[d.month - 1]
        return f"{d.day:02} {month} {d.year} {d.hour:02}:{d.minute:02}:{d.second:02}.{micro // 1000:03}"

    def syslog(self, t: float) -> str:
        """`Mar  2 10:00:00`"""
        d, _ = self._split(t)
        return f"{_MONTHS[d.month - 1]} {d.day:>2} {d.hour:02}:{d.minute:02}:{d.second:02}"

    def klog(self, t: float) -> str:
        """`0302 10:00:00.123456`"""
        d, micro = self._split(t)
        return f"{d.month:02}{d.day:02} {d.hour:02}:{d.minute:02}:{d.second:02}.{micro:06}"

    def epoch(self, t: float) -> str:
        """`1772445600.123456`, seconds as zap writes them"""
        micros = round(t * 1e6)
        return f"{self._epoch + micros // 1_000_000}.{micros % 1_000_000:06}"

    def epoch_ms(self, t: float) -> int:
        """`1772445600123`"""
        return self._epoch * 1000 + round(t * 1e6) // 1000
