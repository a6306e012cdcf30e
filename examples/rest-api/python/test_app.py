"""The books, against a real PostgreSQL."""

import asyncio
import os
from collections.abc import AsyncIterator

import asyncpg
import pytest
from app import app
from spikard import TestClient

from database import MIGRATIONS, migrate

URL = os.environ.get("DATABASE_URL", "")
pytestmark = pytest.mark.skipif(not URL, reason="DATABASE_URL says where the database is")

DUNE = {"title": "Dune", "author": "Frank Herbert", "year": 1965, "isbn": "9780441172719"}
EMMA = {"title": "Emma", "author": "Jane Austen", "year": 1815}


async def empty() -> None:
    connection = await asyncpg.connect(URL)
    await connection.execute("drop table if exists books, migrations")
    await connection.close()


@pytest.fixture
async def client() -> AsyncIterator[TestClient]:
    """Of the app on an empty database, on the loop of the test."""
    await empty()
    async with TestClient(app) as client:
        yield client


async def test_a_book_is_created_read_changed_and_deleted(client: TestClient) -> None:
    created = (await client.post("/books", json=DUNE)).assert_status(201).json()
    assert created == {**DUNE, "id": 1, "added": created["added"]}
    assert (await client.get("/books/1")).json() == created
    changed = (await client.patch("/books/1", json={"title": "Dune Messiah", "isbn": None})).json()
    assert changed == {**created, "title": "Dune Messiah", "isbn": None}
    assert (await client.get("/books/1")).json() == changed
    assert (await client.delete("/books/1")).assert_status(204).content == b""
    (await client.get("/books/1")).assert_status(404)
    (await client.delete("/books/1")).assert_status(404)


async def test_books_come_in_pages_and_by_their_author(client: TestClient) -> None:
    for book in (DUNE, EMMA, {**EMMA, "title": "Persuasion"}):
        await client.post("/books", json=book)
    first = (await client.get("/books?limit=2")).json()
    assert [book["title"] for book in first] == ["Dune", "Emma"]
    rest = (await client.get("/books", params={"after": first[-1]["id"]})).json()
    assert [book["title"] for book in rest] == ["Persuasion"]
    assert len((await client.get("/books", params={"author": "Jane Austen"})).json()) == 2


async def test_what_is_wrong_is_refused_and_changes_nothing(client: TestClient) -> None:
    refused = (await client.post("/books", json={"title": "", "year": "old", "isbn": "1"})).assert_status(422).json()
    assert [error["loc"] for error in refused["errors"]] == [
        ["body", "title"], ["body", "author"], ["body", "year"], ["body", "isbn"],
    ]  # fmt: skip
    (await client.get("/books?limit=101")).assert_status(422)
    (await client.patch("/books/7", json={"title": "x"})).assert_status(404)
    assert (await client.get("/books")).json() == []


async def test_two_books_never_share_an_isbn(client: TestClient) -> None:
    answers = [client.post("/books", json=DUNE) for _ in range(5)]
    assert sorted([(await answer).status_code for answer in answers]) == [201, 409, 409, 409, 409]
    (await client.post("/books", json=EMMA)).assert_status(201)
    other = (await client.get("/books", params={"author": "Jane Austen"})).json()[0]["id"]
    (await client.patch(f"/books/{other}", json={"isbn": DUNE["isbn"]})).assert_status(409)
    assert (await client.get(f"/books/{other}")).json()["isbn"] is None


async def test_migrations_run_once_though_many_workers_start() -> None:
    await empty()
    applied = await asyncio.gather(*(migrate(URL) for _ in range(5)))
    assert sorted(name for names in applied for name in names) == sorted(file.stem for file in MIGRATIONS.glob("*.sql"))
    assert await migrate(URL) == []


async def test_a_database_that_is_gone_is_a_500_without_its_address(client: TestClient) -> None:
    with app.override("database_url", "postgresql://nobody:secret@127.0.0.1:9/gone"):
        answer = (await client.get("/books")).assert_status(500)
    assert "secret" not in answer.text
    (await client.get("/books")).assert_status(200)
