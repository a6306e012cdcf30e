"""The quick start's app, tested without a server."""

from collections.abc import Iterator

import pytest
from app import User, app
from spikard import TestClient


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


def test_a_user_is_found(client: TestClient) -> None:
    assert client.get("/users/7").json() == {"id": 7, "name": "Alice", "email": "alice@example.com"}


def test_a_user_is_created(client: TestClient) -> None:
    user = User(id=1, name="Bob", email="b@example.com")
    response = client.post("/users", json={"id": 1, "name": "Bob", "email": "b@example.com"})
    assert response.assert_status_ok().json() == {"id": user.id, "name": user.name, "email": user.email}


def test_every_error_of_a_request_is_told(client: TestClient) -> None:
    problem = client.post("/users", json={"id": "x"}).assert_status(422).json()
    assert [error["loc"] for error in problem["errors"]] == [["body", "id"], ["body", "name"], ["body", "email"]]
