"""Cases in processes of their own: a case that raises, crashes or hangs takes no other case with it.

Workers are spawned (never forked: threads of Polars would not survive) and restarted after a crash or a timeout.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from core.errors import PermanentError
from eval.system import CaseInput, System, TemplateSystem

SystemFactory = Callable[[], System]
"""Makes the system inside the worker; must be picklable (a function of a module, or a partial of one)."""


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to ask of one system: a prediction, or the templates of messages (then `messages` is set)."""

    system: str
    key: str
    case: CaseInput
    messages: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `value` (None where there is an `error`) after `seconds` of wall time."""

    task: Task
    seconds: float
    value: Any = None
    error: str | None = None


class _UnableError(Exception):
    """The system cannot do what the task asks (it mines no templates)."""


@dataclass(slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Connection
    task: Task | None = None
    started: float = 0.0


@dataclass(slots=True)
class WorkerPool:
    """Runs tasks on `jobs` processes. `timeout`: seconds per task, after which its worker is ended."""

    factories: Mapping[str, SystemFactory]
    jobs: int = 1
    timeout: float = 600.0
    _workers: list[_Worker] = field(default_factory=list)

    def run(self, tasks: Sequence[Task]) -> Iterator[Answer]:
        """Answers in the order in which they come. Raises PermanentError where a system cannot be started at all."""
        waiting = deque(tasks)
        try:
            while waiting or any(worker.task for worker in self._workers):
                self._feed(waiting)
                yield from self._collect()
        finally:
            self._end()

    def _feed(self, waiting: deque[Task]) -> None:
        while waiting and len(self._workers) < max(1, self.jobs):
            self._workers.append(_start(self.factories))
        for worker in self._workers:
            if waiting and worker.task is None:
                worker.task, worker.started = waiting.popleft(), time.monotonic()
                try:
                    worker.pipe.send(worker.task)
                except OSError:
                    continue  # it died idle; _collect sees the closed pipe and says so

    def _collect(self) -> Iterator[Answer]:
        busy = [worker for worker in self._workers if worker.task]
        patience = min((worker.started + self.timeout - time.monotonic() for worker in busy), default=0.0)
        ready = wait([worker.pipe for worker in busy], timeout=max(0.0, patience))
        for worker in busy:
            task, seconds = worker.task, time.monotonic() - worker.started
            if task is None:
                continue
            if worker.pipe in ready:
                try:
                    status, seconds, value = worker.pipe.recv()
                except (EOFError, OSError):
                    worker.process.join()
                    yield Answer(task, seconds, error=f"the process ended with exit code {worker.process.exitcode}")
                    self._drop(worker)
                    continue
                worker.task = None
                if status == "start":
                    raise PermanentError(f"the system {task.system} cannot be started: {value}")
                yield Answer(task, seconds, value=value) if status == "ok" else Answer(task, seconds, error=value)
            elif seconds >= self.timeout:
                yield Answer(task, seconds, error=f"no answer within {self.timeout:g} seconds")
                self._drop(worker)

    def _drop(self, worker: _Worker) -> None:
        worker.process.kill()
        worker.process.join()
        worker.pipe.close()
        self._workers.remove(worker)

    def _end(self) -> None:
        for worker in list(self._workers):
            self._drop(worker)


def _start(factories: Mapping[str, SystemFactory]) -> _Worker:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(there, dict(factories)), daemon=True)
    process.start()
    there.close()
    return _Worker(process, here)


def _work(pipe: Connection, factories: dict[str, SystemFactory]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle: it ends the workers
    systems: dict[str, System] = {}
    while True:
        try:
            task: Task = pipe.recv()
        except EOFError:
            return
        if task.system not in systems:
            try:
                systems[task.system] = factories[task.system]()
            except Exception as exc:  # noqa: BLE001 - reported to the parent, which stops the run
                pipe.send(("start", 0.0, f"{type(exc).__name__}: {exc}"))
                continue
        started = time.perf_counter()
        try:
            value = _answer(systems[task.system], task)
        except Exception:  # noqa: BLE001 - any failure of the measured system is its answer to this case
            pipe.send(("error", time.perf_counter() - started, traceback.format_exc(limit=-6).strip()))
        else:
            pipe.send(("ok", time.perf_counter() - started, value))


def _answer(system: System, task: Task) -> object:
    if task.messages is None:
        return system.predict(task.case)
    if not isinstance(system, TemplateSystem):
        raise _UnableError(f"{task.system} mines no templates")
    return list(system.templates(task.messages))
