"""Books in PostgreSQL: list, read, create, change, delete. The pool is a dependency that each worker makes once."""

from datetime import datetime
from typing import Annotated

import asyncpg
from msgspec import UNSET, Meta, Struct, UnsetType, structs
from spikard import HTTPException, Provide, Query, Router, Spikard

from database import Connection, Pool, database_url, migrate, pool, transaction

Text = Annotated[str, Meta(min_length=1, max_length=200)]
Year = Annotated[int, Meta(ge=-3000, le=3000)]
Isbn = Annotated[str, Meta(pattern="^[0-9]{13}$")]


class NewBook(Struct):
    """What a client sends."""

    title: Text
    author: Text
    year: Year | None = None
    isbn: Isbn | None = None


class Change(Struct):
    """The members that are to be changed; one that is absent stays as it is."""

    title: Text | UnsetType = UNSET
    author: Text | UnsetType = UNSET
    year: Year | UnsetType | None = UNSET
    isbn: Isbn | UnsetType | None = UNSET


class Book(Struct):
    """What a client gets."""

    id: int
    title: str
    author: str
    year: int | None
    isbn: str | None
    added: datetime


app = Spikard()
app.provide("database_url", Provide(database_url, singleton=True))
app.provide(Pool, Provide(pool, singleton=True))
app.provide(Connection, Provide(transaction, scope="function"))
books = Router(prefix="/books", tags=["books"])


@app.on_startup
async def prepare() -> None:
    await migrate(database_url())


@books.get("")
async def list_books(
    pool: Pool,
    author: str | None = None,
    after: int = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> list[Book]:
    """In pages: `after` is the id of the last book of the page before."""
    rows = await pool.fetch(
        "select * from books where id > $1 and ($2::text is null or author = $2) order by id limit $3",
        after, author, limit,
    )  # fmt: skip
    return [Book(**row) for row in rows]


@books.get("/{book_id}")
async def get_book(book_id: int, pool: Pool) -> Book:
    return found(await pool.fetchrow("select * from books where id = $1", book_id), book_id)


@books.post("", status_code=201)
async def create_book(book: NewBook, pool: Pool) -> Book:
    insert = "insert into books (title, author, year, isbn) values ($1, $2, $3, $4) returning *"
    try:
        row = await pool.fetchrow(insert, book.title, book.author, book.year, book.isbn)
    except asyncpg.UniqueViolationError:
        raise known(book.isbn) from None
    assert row is not None  # an insert returns what it has inserted
    return Book(**row)


@books.patch("/{book_id}")
async def change_book(book_id: int, change: Change, connection: Connection) -> Book:
    row = await connection.fetchrow("select * from books where id = $1 for update", book_id)
    changed = {name: value for name, value in structs.asdict(change).items() if value is not UNSET}
    book = structs.replace(found(row, book_id), **changed)
    update = "update books set title = $2, author = $3, year = $4, isbn = $5 where id = $1"
    try:
        await connection.execute(update, book_id, book.title, book.author, book.year, book.isbn)
    except asyncpg.UniqueViolationError:
        raise known(book.isbn) from None
    return book


@books.delete("/{book_id}", status_code=204)
async def delete_book(book_id: int, pool: Pool) -> None:
    found(await pool.fetchrow("delete from books where id = $1 returning *", book_id), book_id)


def found(row: asyncpg.Record | None, book_id: int) -> Book:
    """The book of a row, or a 404."""
    if row is None:
        raise HTTPException(404, f"there is no book {book_id}")
    return Book(**row)


def known(isbn: str | None) -> HTTPException:
    """Two books with one number."""
    return HTTPException(409, f"there is a book with the ISBN {isbn} already")


app.include_router(books)

if __name__ == "__main__":
    app.run()
