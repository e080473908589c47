"""Opening, creating, migrating; what a broken or full database says."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from catalog import history, runs
from catalog.engine import HEAD, MIGRATIONS, migrate, open_catalog
from catalog.schema import metadata
from core.errors import CaliError, ConfigError, InputError, PermanentError


def test_the_newest_revision_is_the_one_the_code_expects() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_migrations_make_the_tables_of_the_schema(catalog_url: str) -> None:
    engine = create_engine(catalog_url)
    migrate(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()
    open_catalog(catalog_url).close()  # a migrated catalog opens like a created one


def test_an_older_catalog_is_migrated_with_what_it_holds(catalog_url: str) -> None:
    engine = create_engine(catalog_url)
    migrate(engine, "0001")
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO template_history VALUES ('a', 1, '', 0, 0, 0, 1, 1.0)"))
    engine.dispose()
    catalog = open_catalog(catalog_url)
    with catalog.transaction() as connection:
        assert history.load(connection) == [("a", 1, "", 0, 0, 0, 1, 1.0, "")]
        assert runs.covering(connection, None, None) == []
    catalog.close()


def test_opening_again_keeps_what_is_there(catalog_url: str) -> None:
    row = ("app.log", 7, "checkout", 1_000_000, 10_000_000, 17, 3, 1.0, '[1,[null,{"took_ms":"12"}]]')
    first = open_catalog(catalog_url)
    with first.transaction() as connection:
        history.save(connection, [row])
    first.close()
    second = open_catalog(catalog_url)
    with second.transaction() as connection:
        assert history.load(connection) == [row]
    second.close()


def test_a_failed_transaction_leaves_nothing(catalog_url: str) -> None:
    catalog = open_catalog(catalog_url)
    with pytest.raises(RuntimeError), catalog.transaction() as connection:
        history.save(connection, [("a", 1, "", 0, 0, 0, 1, 1.0, "")])
        raise RuntimeError
    with catalog.transaction() as connection:
        assert history.load(connection) == []
    catalog.close()


def test_learning_the_same_inputs_again_replaces_them(catalog_url: str) -> None:
    catalog = open_catalog(catalog_url)
    other = ("other.log", 1, "", 0, 0, 0, 9, 1.0, "")
    with catalog.transaction() as connection:
        history.save(connection, [("a.log", 1, "", 0, 0, 0, 1, 1.0, ""), ("a.log", 2, "", 0, 0, 0, 1, 1.0, ""), other])
        history.save(connection, [("a.log", 1, "", 0, 0, 0, 5, 1.0, "")])
        assert history.load(connection) == [("a.log", 1, "", 0, 0, 0, 5, 1.0, ""), other]
        assert history.forget(connection, before=1) == 2
    catalog.close()


def test_a_newer_catalog_is_refused(catalog_url: str) -> None:
    catalog = open_catalog(catalog_url)
    with catalog.transaction() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    catalog.close()
    with pytest.raises(InputError, match="newer catalog"):
        open_catalog(catalog_url)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "catalog.db").write_bytes(b"not a database at all, but long enough to be looked at" * 40)
    with pytest.raises(InputError, match="damaged"):
        open_catalog(f"sqlite:///{tmp_path / 'catalog.db'}")


def test_a_database_of_somebody_else(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'other.db'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE mine (x int)"))
    with pytest.raises(InputError, match="not CALI's"):
        open_catalog(f"sqlite:///{tmp_path / 'other.db'}")


@pytest.mark.parametrize("bad", ["nonsense", "oracle://x/y", "mystery://x"])
def test_a_bad_url_names_the_setting(bad: str) -> None:
    with pytest.raises(ConfigError, match="catalog_url"):
        open_catalog(bad)


def test_a_server_that_is_not_there_does_not_hang() -> None:
    with pytest.raises(CaliError, match=r"could not|refused|failed"):
        open_catalog("postgresql+psycopg://cali@127.0.0.1:1/none")


def test_a_full_database_says_so_and_keeps_the_old(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'catalog.db'}"
    catalog = open_catalog(url)
    with catalog.transaction() as connection:
        history.save(connection, [("a", 1, "", 0, 0, 0, 1, 1.0, "")])
    with pytest.raises(PermanentError, match="free some space"), catalog.transaction() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar()
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))
        history.save(connection, [("b", i, "s" * 200, 0, 0, 0, 1, 1.0, "") for i in range(5000)])
    catalog.close()
    again = open_catalog(url)
    with again.transaction() as connection:
        assert history.load(connection) == [("a", 1, "", 0, 0, 0, 1, 1.0, "")]
    again.close()
