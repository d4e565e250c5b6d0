"""The whole database as of one instant, in parts for an archive, and back again.

SQLite through its online backup, which holds up no writer. PostgreSQL by COPY in
one REPEATABLE READ transaction: that needs no client programs, works across
server versions, and its tables are made by the site's own migrations.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

CHUNK = 4 * 1024 * 1024
SQLITE_PART = "database.sqlite3"
MIGRATIONS = "django_migrations"
# Tables that `migrate` itself fills.
FILLED_BY_MIGRATE = {MIGRATIONS, "django_content_type", "auth_permission"}

# Takes a part's name and its content, or the file that holds it.
Add = Callable[[str, bytes | Path], None]


class CannotCopy(Exception):
    """The database can't be copied or brought back; the text says why, without content."""


@dataclass(frozen=True)
class DatabaseFacts:
    """What a copy must hold: rows in each table, and what made the tables. Columns and sequences are PostgreSQL's."""

    engine: str
    migrations: list[list[str]]
    rows: dict[str, int]
    columns: dict[str, list[str]] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)


def is_empty() -> bool:
    """Whether no table holds a row, beside what `migrate` writes. A database that was never migrated is empty."""
    with connection.cursor() as cursor:
        for table in _tables():
            if table in FILLED_BY_MIGRATE:
                continue
            cursor.execute(f"SELECT 1 FROM {_quoted(table)} LIMIT 1")
            if cursor.fetchone():
                return False
    return True


def dump(add: Add, work: Path) -> DatabaseFacts:
    """Hand every part of the database, as of one instant, to `add`. May keep a copy in the folder `work` meanwhile."""
    try:
        facts = _dump_sqlite(add, work) if connection.vendor == "sqlite" else _dump_postgresql(add)
    except sqlite3.Error as error:
        raise CannotCopy(f"SQLite: {error}") from error
    if not facts.migrations:
        raise CannotCopy("the database that DATABASE_URL names holds no site.")
    return facts


def refuse_foreign(facts: DatabaseFacts) -> None:
    """Raise CannotCopy where a copy is of another kind of database, or was made by migrations that this program lacks."""
    if facts.engine != connection.vendor:
        raise CannotCopy(f"it holds a {facts.engine} database, DATABASE_URL names {connection.vendor}.")
    known = MigrationExecutor(None).loader.disk_migrations
    if missing := [f"{app}.{name}" for app, name in facts.migrations if (app, name) not in known]:
        raise CannotCopy(
            f"it was made by another version of this program, with {missing[0]}. Restore with that version or a newer one."
        )


def load(facts: DatabaseFacts, parts: Iterable[tuple[str, bytes | Path]], digests: Mapping[str, str]) -> None:
    """Fill an empty database from `parts`, compare rows and checksums, then bring it to this program's migrations.

    All or nothing. Raises CannotCopy where that can't be done.
    """
    try:
        if connection.vendor == "sqlite":
            _load_sqlite(facts, parts)
        else:
            _load_postgresql(facts, parts, digests)
    except sqlite3.Error as error:
        raise CannotCopy(f"SQLite: {error}") from error
    call_command("migrate", verbosity=0)


def _tables() -> list[str]:
    """The site's own tables, as far as they exist; a database may hold others."""
    existing = set(connection.introspection.table_names())
    return sorted(existing & {MIGRATIONS, *connection.introspection.django_table_names()})


# --- SQLite --------------------------------------------------------------------------


def _dump_sqlite(add: Add, work: Path) -> DatabaseFacts:
    path = Path(connection.settings_dict["NAME"])
    if not path.is_file():
        raise CannotCopy(f"there is no database at {path}.")
    snapshot = work / SQLITE_PART
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(snapshot)) as copy:
        # All pages in one step: one read transaction, which writers go past.
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        facts = _sqlite_facts(copy)
    add(SQLITE_PART, snapshot)
    snapshot.unlink()
    return facts


def _sqlite_facts(database: sqlite3.Connection) -> DatabaseFacts:
    if (verdict := database.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
        raise CannotCopy(f"SQLite finds the database damaged: {verdict}")
    tables = [
        name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite_%'")
    ]
    rows = {name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in sorted(tables)}
    migrations = database.execute("SELECT app, name FROM django_migrations ORDER BY id").fetchall() if MIGRATIONS in rows else []
    return DatabaseFacts("sqlite", [list(row) for row in migrations], rows)


def _load_sqlite(facts: DatabaseFacts, parts: Iterable[tuple[str, bytes | Path]]) -> None:
    connection.close()
    for _, snapshot in parts:
        with closing(sqlite3.connect(snapshot)) as copy, closing(sqlite3.connect(connection.settings_dict["NAME"])) as target:
            if _sqlite_facts(copy) != facts:
                raise CannotCopy("its counts of rows differ from what it states.")
            copy.backup(target)
            if _sqlite_facts(target) != facts:
                raise CannotCopy("the restored database has other rows than the backup.")


# --- PostgreSQL ----------------------------------------------------------------------


@transaction.atomic
def _dump_postgresql(add: Add) -> DatabaseFacts:
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        _take_the_time_it_needs()
        columns = {table: _columns(table) for table in _tables()}
        rows = {table: _count(table) for table in columns}
        migrations = sorted(MigrationRecorder(connection).applied_migrations())
        for name, chunk in _copied_out(columns):
            add(name, chunk)
        # Sequences stand outside transactions: read last, they are past every copied row.
        cursor.execute(
            "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = current_schema() AND last_value IS NOT NULL"
        )
        sequences = dict(cursor.fetchall())
    return DatabaseFacts("postgresql", [list(key) for key in migrations], rows, columns, sequences)


def _load_postgresql(facts: DatabaseFacts, parts: Iterable[tuple[str, bytes | Path]], digests: Mapping[str, str]) -> None:
    _take_the_time_it_needs(is_local=False)
    with connection.cursor() as cursor:
        # All of them are empty, but their shape may be of other migrations.
        for table in _tables():
            cursor.execute(f"DROP TABLE {_quoted(table)} CASCADE")
    executor = MigrationExecutor(connection)
    executor.migrate(_last_of(facts.migrations, executor))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE " + ", ".join(_quoted(table) for table in facts.columns))
        for table, of_table in groupby(parts, key=lambda part: part[0].split("/")[0]):
            statement = f"COPY {_quoted(table)} ({_listed(facts.columns[table])}) FROM STDIN"
            with connection.wrap_database_errors, cursor.copy(statement) as copy:
                for _, content in of_table:
                    copy.write(content)
        for sequence, value in facts.sequences.items():
            cursor.execute("SELECT setval(%s::regclass, %s)", [_quoted(sequence), value])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        if {table: _count(table) for table in facts.columns} != facts.rows:
            raise CannotCopy("the restored database has other rows than the backup.")
        if {name: hashlib.sha256(chunk).hexdigest() for name, chunk in _copied_out(facts.columns)} != digests:
            raise CannotCopy("the restored rows have other checksums than the backup's.")


def _last_of(migrations: list[list[str]], executor: MigrationExecutor) -> list[tuple[str, str]]:
    """Those migrations that no other of them follows."""
    applied = {(app, name) for app, name in migrations}
    nodes = executor.loader.graph.node_map
    return sorted(key for key in applied if key in nodes and not any(child.key in applied for child in nodes[key].children))


def _copied_out(columns: Mapping[str, list[str]]) -> Iterator[tuple[str, bytes]]:
    with connection.cursor() as cursor:
        for table, names in columns.items():
            statement = f"COPY {_quoted(table)} ({_listed(names)}) TO STDOUT"
            with connection.wrap_database_errors, cursor.copy(statement) as copy:
                for number, chunk in enumerate(_chunks(copy)):
                    yield f"{table}/{number:06}", chunk


def _chunks(rows: Iterable[bytes]) -> Iterator[bytes]:
    waiting, size = [], 0
    for row in rows:
        waiting.append(bytes(row))
        size += len(row)
        if size >= CHUNK:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


def _take_the_time_it_needs(*, is_local: bool = True) -> None:
    scope = "LOCAL" if is_local else "SESSION"
    connection.answer_seconds = None
    with connection.cursor() as cursor:
        cursor.execute(f"SET {scope} statement_timeout = 0")
        # Rows come in the order they lie in, so that the same rows always give the same checksum.
        cursor.execute(f"SET {scope} synchronize_seqscans = off")


def _columns(table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
            " AND attgenerated = '' ORDER BY attnum",
            [_quoted(table)],
        )
        return [name for (name,) in cursor.fetchall()]


def _count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {_quoted(table)}")
        return cursor.fetchone()[0]


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _listed(names: list[str]) -> str:
    return ", ".join(map(_quoted, names))
