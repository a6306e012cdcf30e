"""Two routes: one reads a path parameter, the other a validated JSON body."""

from msgspec import Struct
from spikard import Spikard


class User(Struct):
    id: int
    name: str
    email: str


app = Spikard()


@app.get("/users/{user_id}")
async def get_user(user_id: int) -> User:
    return User(id=user_id, name="Alice", email="alice@example.com")


@app.post("/users")
async def create_user(user: User) -> User:
    # Automatic validation via msgspec
    return user


if __name__ == "__main__":
    app.run(port=8000)
