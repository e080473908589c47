"""What the log of a job says of its own outcome.

Tests print the exceptions that they provoke, scripts try what may be missing, and a build may go on without a part that
did not compile. Whether the job failed is what the program that ran it says last: Jenkins, GitLab, Travis, GitHub's
runner, Maven, Gradle, Bazel, MSBuild. A log that ends with success is no incident, whatever was said before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import polars as pl

from core import severity

LAST: Final = 10
"""Records at the end of a log among which its outcome stands."""

_ESCAPES: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_SUCCEEDED: Final = re.compile(
    r"""(?x)
    ^\W*(?:Finished:[ ]SUCCESS | Job[ ]succeeded | Done\.[ ]Your[ ]build[ ]exited[ ]with[ ]0\.? | Build[ ]succeeded\.?
      | (?:\[?INFO\]?:?[ ])?BUILD[ ]SUCCESS(?:FUL)?(?:[ ]in[ ].*)?
      | (?:INFO:[ ])?Build[ ]completed[ ]successfully(?:,[ ].*)?)\W*$
    """
)
_FAILED: Final = re.compile(
    r"""(?x)
    ^\W*(?:Finished:[ ](?:FAILURE|UNSTABLE|ABORTED) | (?:ERROR:[ ])?Job[ ]failed\b | .*\bbuild[ ]exited[ ]with[ ][1-9]
      | .*\bBUILD[ ]FAIL(?:ED|URE)\b | .*\bdid[ ]NOT[ ]complete[ ]successfully)
    """
)
_RUNNER_ENDS: Final = "Cleaning up orphan processes"
"""The last line of GitHub's runner, which speaks of failed steps only, in lines that begin with `_RUNNER_ERROR`. That
it is silent weighs less than a fatal error."""

_RUNNER_ERROR: Final = "##[error]"


def succeeded(tables: Iterable[pl.DataFrame]) -> bool:
    """Whether all sources of a run (`ingest.counts.TABLE`, in parts) end with the success of a job. False for none."""
    outcomes = [
        _outcome(rows)
        for table in tables
        for _, rows in table.group_by(pl.col("last_source").cast(pl.String), maintain_order=True)
    ]
    return bool(outcomes) and all(outcomes)


def _outcome(rows: pl.DataFrame) -> bool:
    last = rows.sort("last_position", descending=True).head(LAST)["sample"].fill_null("").to_list()
    for text in last:
        line = _ESCAPES.sub("", text).split("\n", 1)[0].strip()
        if _FAILED.search(line):
            return False
        if _SUCCEEDED.search(line):
            return True
        if line == _RUNNER_ENDS:
            failed = pl.col("sample").str.contains(_RUNNER_ERROR, literal=True)
            return rows.filter(failed | (pl.col("severity") >= severity.FATAL)).is_empty()
    return False
