"""The errors of CALI.

    CaliError
    ├── ConfigError      a setting is wrong: its name, its value and what it takes       (exit 2)
    ├── InputError       an input cannot be used: a path, a log, a dataset, a snapshot   (exit 2)
    ├── PermanentError   a service refused, and would refuse again: bad key, no such index (exit 3)
    └── RetryableError   a service failed in a way that may pass: timeout, 429, 5xx      (exit 3)

An adapter translates the errors of its vendor into these, `from exc`. Messages are for people: they say what
happened and what to do next. A bad *line* is no error: it is counted and quarantined.
"""


class CaliError(Exception):
    """Base of every error that CALI raises on purpose. `exit_code` is the process's exit status."""

    exit_code = 3


class ConfigError(CaliError):
    """A setting is wrong."""

    exit_code = 2

    def __init__(self, name: str, value: object, expected: str) -> None:
        super().__init__(f"setting {name}: {value!r} is not valid; expected {expected}")
        self.name = name


class InputError(CaliError):
    """An input given by the user cannot be used."""

    exit_code = 2


class PermanentError(CaliError):
    """A service refused, and the same request would be refused again."""


class RetryableError(CaliError):
    """A service failed in a way that may pass.

    `retry_after` is the number of seconds the service asked to wait, where it said so.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
