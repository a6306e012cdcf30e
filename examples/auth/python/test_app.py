"""Logging in, being let in, being kept out."""

from collections.abc import Iterator

import app as example
import pytest
from app import Accounts, User, app, current_user
from spikard import TestClient


@pytest.fixture
def client() -> Iterator[TestClient]:
    accounts = Accounts()
    accounts.add(User("alice", ["admin"]), "open sesame")
    accounts.add(User("bob", []), "hunter2")
    with TestClient(app) as client, app.override(Accounts, accounts):
        yield client


def headers(client: TestClient, name: str, password: str) -> dict[str, str]:
    token = client.post("/token", json={"name": name, "password": password}).assert_status_ok().json()["access_token"]
    return {"authorization": f"Bearer {token}"}


def test_a_token_says_who_asks(client: TestClient) -> None:
    alice, bob = headers(client, "alice", "open sesame"), headers(client, "bob", "hunter2")
    assert client.get("/me", headers=alice).json() == {"name": "alice", "roles": ["admin"]}
    assert client.get("/me", headers=bob).json()["name"] == "bob"


@pytest.mark.parametrize("credentials", [("alice", "hunter2"), ("eve", "open sesame"), ("alice", "")])
def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(
    client: TestClient, credentials: tuple[str, str]
) -> None:
    refused = client.post("/token", json=dict(zip(("name", "password"), credentials, strict=True)))
    assert (refused.status_code, refused.json()["detail"]) == (401, "name or password is wrong")


@pytest.mark.parametrize(
    ("header", "challenge"),
    [(None, "Bearer"), ("Basic YTpi", "Bearer"), ("Bearer", "Bearer"), ("Bearer x", 'Bearer error="invalid_token"')],
)
def test_without_a_valid_token_nobody_gets_in(client: TestClient, header: str | None, challenge: str) -> None:
    for path in ("/me", "/admin/settings"):
        refused = client.get(path, headers={} if header is None else {"authorization": header})
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, challenge)


def test_a_role_opens_the_router_of_its_own(client: TestClient) -> None:
    assert client.get("/admin/settings", headers=headers(client, "alice", "open sesame")).json() == {"open": True}
    client.get("/admin/settings", headers=headers(client, "bob", "hunter2")).assert_status(403)


def test_a_token_ends_with_the_log_out(client: TestClient) -> None:
    alice = headers(client, "alice", "open sesame")
    client.delete("/token", headers=alice).assert_status(204)
    client.get("/me", headers=alice).assert_status(401)


def test_a_token_ends_with_its_time(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(example, "LIFETIME", 0.0)
    client.get("/me", headers=headers(client, "alice", "open sesame")).assert_status(401)


def test_who_asks_may_be_replaced_in_a_test(client: TestClient) -> None:
    with app.override(current_user, lambda: User("carol", ["admin"])):
        assert client.get("/admin/settings").json() == {"open": True}
