"""The app with its dependencies, and with some of them replaced."""

from collections.abc import Iterator

import pytest
from app import Session, app, current_user
from spikard import TestClient


class FakeSession:
    """A session without a database."""

    async def notes_of(self, user: str) -> list[str]:
        return [f"a note of {user}"]


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


def test_the_notes_of_a_user(client: TestClient) -> None:
    assert client.get("/notes", headers={"x-user": "alice"}).json() == ["buy milk"]
    assert client.get("/notes", headers={"x-user": "eve"}).status_code == 401
    assert client.get("/notes").json()["errors"][0]["loc"] == ["headers", "x-user"]


def test_with_other_dependencies(client: TestClient) -> None:
    with app.override(Session, FakeSession()), app.override(current_user, lambda: "carol"):
        assert client.get("/notes").json() == ["a note of carol"]
