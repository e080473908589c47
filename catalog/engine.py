"""Opening the catalog: SQLite by default, PostgreSQL by URL; the schema is created, or migrated by Alembic.

What belongs together is written in one transaction (`Catalog.transaction`): all of it is there afterwards, or nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError, SQLAlchemyError

from catalog.schema import metadata
from core.errors import CaliError, ConfigError, InputError, PermanentError, RetryableError

HEAD: Final = "0003"
"""The newest revision in `catalog/migrations/versions`; a test holds it there."""

MIGRATIONS: Final = Path(__file__).parent / "migrations"


class Catalog:
    """An open catalog."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction: committed at the end, rolled back on any exception.

        Raises RetryableError (locked, connection lost), PermanentError (disk full, refused).
        """
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as exc:
            raise translate(exc, self._engine) from exc

    def close(self) -> None:
        """Closes every connection."""
        self._engine.dispose()


def open_catalog(url: str) -> Catalog:
    """Opens the catalog at a SQLAlchemy URL, creating or migrating its schema.

    Raises ConfigError for a bad URL, InputError for a file that is no catalog or a newer one, RetryableError or
    PermanentError where the database does not answer or refuses.
    """
    try:
        parsed = make_url(url)
        engine = create_engine(parsed, pool_pre_ping=parsed.get_backend_name() != "sqlite")
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as exc:
        raise ConfigError("catalog_url", url, "sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE") from exc
    if engine.dialect.name == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        event.listen(engine, "connect", _configure_sqlite)
    try:
        _ensure_schema(engine)
    except SQLAlchemyError as exc:
        engine.dispose()
        raise translate(exc, engine) from exc
    return Catalog(engine)


def _configure_sqlite(connection: Any, record: object) -> None:
    # WAL lets a reader look while one process writes; NORMAL is safe with WAL against a killed process.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _ensure_schema(engine: Engine) -> None:
    with engine.begin() as connection:
        tables = inspect(connection).get_table_names()
        if not tables:
            # A fresh catalog takes the newest schema at once: Alembic costs 0.4 s to import. A test holds that
            # this and the migrations make the same tables.
            metadata.create_all(connection)
            connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
            connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})
            return
        revision = (
            connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            if "alembic_version" in tables
            else None
        )
    if revision == HEAD:
        return
    if revision is None or revision > HEAD:
        raise InputError(
            f"{engine.url.render_as_string(hide_password=True)} holds "
            + ("tables that are not CALI's" if revision is None else f"a newer catalog (revision {revision})")
            + "; name another place with --state or CALI_CATALOG_URL, or update CALI"
        )
    migrate(engine)


def migrate(engine: Engine, revision: str = "head") -> None:
    """Runs the migrations up to a revision."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def translate(exc: SQLAlchemyError, engine: Engine) -> CaliError:
    """The error of CALI that stands for one of the database's."""
    where = engine.url.render_as_string(hide_password=True)
    detail = str(exc.orig if isinstance(exc, DBAPIError) and exc.orig else exc).strip().splitlines()[0]
    lowered = detail.lower()
    if "full" in lowered or "i/o error" in lowered:
        return PermanentError(
            f"catalog {where}: {detail}; free some space and run again, what was stored before is intact"
        )
    if "not a database" in lowered or "malformed" in lowered:
        return InputError(f"catalog {where} is damaged ({detail}); move it away or name another --state")
    if "readonly" in lowered or "read-only" in lowered or "unable to open" in lowered or "denied" in lowered:
        return PermanentError(f"catalog {where}: {detail}; is the folder writable? --no-state works without one")
    if isinstance(exc, OperationalError):
        return RetryableError(f"catalog {where}: {detail}")
    return PermanentError(f"catalog {where}: {detail}")
