"""The templates known at one moment, found by their ids and by the aliases of these."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from core.domain import LogTemplate


class KnownTemplates(Mapping[int, LogTemplate]):
    """Templates by id as they were at one moment; an alias leads to the template that it lives under."""

    def __init__(self, known: Mapping[int, LogTemplate], resolve: Callable[[int], int]) -> None:
        self._known = known
        self._resolve = resolve

    def __getitem__(self, template_id: int) -> LogTemplate:
        found = self._known.get(template_id)
        return self._known[self._resolve(template_id)] if found is None else found

    def __iter__(self) -> Iterator[int]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)
