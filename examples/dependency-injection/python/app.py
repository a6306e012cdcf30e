"""A pool for the app, a session for each request, the user from a header: three dependencies that build on each other."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from spikard import Depends, Header, HTTPException, Provide, Spikard

NOTES = {"alice": ["buy milk"], "bob": []}


class Pool:
    """Stands for the pool of a database driver."""

    def __init__(self) -> None:
        self.open = 0


class Session:
    """One connection of the pool."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def notes_of(self, user: str) -> list[str]:
        return NOTES[user]


def pool() -> Iterator[Pool]:
    """Once for each worker: made by the first request that needs it, closed at shut-down."""
    pool = Pool()
    yield pool
    print(f"closing the pool, {pool.open} sessions are open")


async def session(pool: Pool) -> AsyncIterator[Session]:
    """Once for each request; what follows the `yield` runs when the response has been sent."""
    pool.open += 1
    try:
        yield Session(pool)
    finally:
        pool.open -= 1


def current_user(x_user: Annotated[str, Header()]) -> str:
    """A parameter of a dependency is one of the request: without the header, the answer is a 422."""
    if x_user not in NOTES:
        raise HTTPException(401, f"nobody is called {x_user}")
    return x_user


app = Spikard()
app.provide(Pool, Provide(pool, singleton=True))
app.provide(Session, session)


@app.get("/notes")
async def list_notes(session: Session, user: Annotated[str, Depends(current_user)]) -> list[str]:
    return await session.notes_of(user)


if __name__ == "__main__":
    app.run()
