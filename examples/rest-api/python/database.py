"""The database: where it is, its pool, and the migrations that bring it to the state that the app expects."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 7_238_431  # any number that is the same in every worker

Pool = asyncpg.Pool
Connection = asyncpg.pool.PoolConnectionProxy


def database_url() -> str:
    """From the environment, else a server on this machine."""
    return os.environ.get("DATABASE_URL", "postgresql://localhost/books")


async def pool(database_url: str) -> AsyncIterator[Pool]:
    """The connections of one worker; closed when it stops."""
    async with asyncpg.create_pool(database_url, min_size=1, max_size=10) as pool:
        yield pool


async def transaction(pool: Pool) -> AsyncIterator[Connection]:
    """A connection for one handler: what the handler raises rolls back, else it is committed."""
    async with pool.acquire() as connection, connection.transaction():
        yield connection


async def migrate(url: str) -> list[str]:
    """Applies, in the order of their names, the files that the database has not seen, and answers which those were.

    Workers that start at the same time wait for each other; a file that fails leaves nothing behind.
    """
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1)", LOCK)
            await connection.execute("create table if not exists migrations (name text primary key)")
            known = {row["name"] for row in await connection.fetch("select name from migrations")}
            applied = [file for file in sorted(MIGRATIONS.glob("*.sql")) if file.stem not in known]
            for file in applied:
                await connection.execute(file.read_text(encoding="utf-8"))
                await connection.execute("insert into migrations values ($1)", file.stem)
            return [file.stem for file in applied]
    finally:
        await connection.close()
