"""Shared fixtures: the real data, the real servers, and no network but the loopback."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from sqlalchemy import create_engine, text

sys.path.insert(0, str(Path(__file__).parent))  # `from services.postgresql import ...`, `from support...`

from services import aws_server
from services.aws_server import AwsServer
from services.postgresql import find_binaries, postgresql

# In CI the examples are always the same ones: a property that fails there fails here. Locally they vary.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")

DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real labelled logs."""
    if not DATA.is_dir():
        pytest.skip("the real logs (../shared/data) are not on this machine")
    return DATA


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches the network: a connection to anything but the loopback is a failure, not a wait."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = str(address[0])
            try:
                local = ipaddress.ip_address(host.split("%")[0]).is_loopback
            except ValueError:
                local = host == "localhost"
            assert local, f"a test tried to reach {host}"
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """URL of a real PostgreSQL server. Missing server: skipped here, an error in CI."""
    binaries = find_binaries()
    if binaries is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs PostgreSQL: .ci/run installs it")
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with postgresql(binaries) as url:
        yield url


@pytest.fixture
def empty_postgresql(postgresql_url: str) -> str:
    """URL of the real PostgreSQL server, emptied."""
    engine = create_engine(postgresql_url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return postgresql_url


@pytest.fixture(scope="session")
def aws_server_running() -> Iterator[AwsServer]:
    """AWS' APIs over HTTP on this machine, started once."""
    with aws_server.running() as server:
        yield server


@pytest.fixture
def aws(aws_server_running: AwsServer, monkeypatch: pytest.MonkeyPatch) -> AwsServer:
    """AWS' APIs, emptied; the environment points every AWS client of the test at them."""
    aws_server_running.reset()
    for name, value in aws_server_running.environment.items():
        monkeypatch.setenv(name, value)
    return aws_server_running


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)])
def catalog_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database: a file of SQLite, then PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'catalog.db'}"
    url: str = request.getfixturevalue("empty_postgresql")
    return url


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Settings of whoever runs the tests do not leak in."""
    for name in list(os.environ):
        if name.startswith("CALI_"):
            monkeypatch.delenv(name)
