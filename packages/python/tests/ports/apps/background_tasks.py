"""Background tasks: of the handler, of a dependency, several of them."""

from typing import Annotated

from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException

app = FastAPI()

log: list[str] = []


def write_log(message: str, mark: str = ""):
    log.append(f"{message}{mark}")


async def write_log_later(message: str):
    log.append(message)


def get_query(background_tasks: BackgroundTasks, q: str | None = None):
    if q:
        background_tasks.add_task(write_log, f"found query: {q}")
    return q


@app.get("/send-notification/{email}")
async def send_notification(
    email: str, background_tasks: BackgroundTasks, q: Annotated[str | None, Depends(get_query)]
):
    if email == "nobody":
        raise HTTPException(status_code=404)
    background_tasks.add_task(write_log, f"message to {email}", mark="!")
    background_tasks.add_task(write_log_later, "sent")
    return {"message": "Message sent", "q": q}


@app.get("/log")
async def read_log():
    return log


REQUESTS = [
    ("GET", "/send-notification/foo@example.com?q=some"),
    ("GET", "/log"),
    ("GET", "/send-notification/bar@example.com"),
    ("GET", "/log"),
    ("GET", "/send-notification/nobody"),
    ("GET", "/log"),
]
SOON = ("/log",)
