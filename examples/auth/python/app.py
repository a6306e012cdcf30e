"""Who asks, and what they may: a dependency checks the token of a request, another one what its user may do."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Annotated

from msgspec import Struct
from spikard import Depends, Header, HTTPException, Router, Spikard

LIFETIME = 3600.0


class User(Struct):
    """Somebody who may log in."""

    name: str
    roles: list[str]


class Credentials(Struct):
    """What a log-in takes."""

    name: str
    password: str


class Token(Struct):
    """What a log-in answers."""

    access_token: str
    expires_in: float
    token_type: str = "bearer"


class Accounts:
    """Passwords and tokens, in memory. Of both it keeps only what cannot be turned back."""

    def __init__(self) -> None:
        self._users: dict[str, tuple[User, bytes, bytes]] = {}
        self._tokens: dict[bytes, tuple[User, float]] = {}

    def add(self, user: User, password: str) -> None:
        salt = secrets.token_bytes(16)
        self._users[user.name] = (user, salt, _scrypt(password, salt))

    def log_in(self, name: str, password: str) -> str | None:
        """A new token. As slow for an unknown name as for a wrong password."""
        user, salt, wanted = self._users.get(name, (None, b"", b""))
        if not hmac.compare_digest(_scrypt(password, salt), wanted) or user is None:
            return None
        token = secrets.token_urlsafe(32)
        self._tokens[_digest(token)] = (user, time.monotonic() + LIFETIME)
        return token

    def user_of(self, token: str) -> User | None:
        user, end = self._tokens.get(_digest(token), (None, 0.0))
        return user if time.monotonic() < end else None

    def log_out(self, token: str) -> None:
        self._tokens.pop(_digest(token), None)


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def bearer(authorization: Annotated[str | None, Header()] = None) -> str:
    """The token of the request."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise HTTPException(401, "a token is needed", {"www-authenticate": "Bearer"})
    return token


async def current_user(token: Annotated[str, Depends(bearer)], accounts: Accounts) -> User:
    """Whose token it is."""
    user = accounts.user_of(token)
    if user is None:
        raise HTTPException(401, "the token is not valid", {"www-authenticate": 'Bearer error="invalid_token"'})
    return user


def has_role(role: str) -> Callable[[User], Awaitable[None]]:
    """A dependency that lets pass who has the role."""

    async def check(user: Annotated[User, Depends(current_user)]) -> None:
        if role not in user.roles:
            raise HTTPException(403, f"only for those with the role {role!r}")

    return check


accounts = Accounts()
app = Spikard()
app.provide(Accounts, accounts)


@app.post("/token")
def log_in(given: Credentials, accounts: Accounts) -> Token:
    """A `def` handler: the hash takes its time on a thread."""
    token = accounts.log_in(given.name, given.password)
    if token is None:
        raise HTTPException(401, "name or password is wrong")
    return Token(token, LIFETIME)


@app.delete("/token", status_code=204)
async def log_out(token: Annotated[str, Depends(bearer)], accounts: Accounts) -> None:
    accounts.log_out(token)


@app.get("/me")
async def me(user: Annotated[User, Depends(current_user)]) -> User:
    return user


admin = Router(prefix="/admin", dependencies=[has_role("admin")])


@admin.get("/settings")
async def settings() -> dict[str, bool]:
    return {"open": True}


app.include_router(admin)

if __name__ == "__main__":
    password = secrets.token_urlsafe(9)
    accounts.add(User("alice", ["admin"]), password)
    print(f"log in as alice with {password}", flush=True)
    app.run()
