"""Path parameters: converted, enumerated, whole paths, the first route that fits."""

from enum import Enum
from typing import Annotated

from fastapi import FastAPI, Path, Query

app = FastAPI()


class ModelName(str, Enum):
    alexnet = "alexnet"
    resnet = "resnet"
    lenet = "lenet"


@app.get("/items/{item_id}")
async def read_item(item_id: int):
    return {"item_id": item_id}


@app.get("/users/me")
async def read_user_me():
    return {"user_id": "the current user"}


@app.get("/users/{user_id}")
async def read_user(user_id: str):
    return {"user_id": user_id}


@app.get("/models/{model_name}")
async def get_model(model_name: ModelName):
    if model_name is ModelName.alexnet:
        return {"model_name": model_name, "message": "Deep Learning FTW!"}
    if model_name.value == "lenet":
        return {"model_name": model_name, "message": "LeCNN all the images"}
    return {"model_name": model_name, "message": "Have some residuals"}


@app.get("/files/{file_path:path}")
async def read_file(file_path: str):
    return {"file_path": file_path}


@app.get("/numbers/{number}")
def numbers(
    number: Annotated[int, Path(title="The number", ge=0, le=1000)],
    size: Annotated[float, Query(gt=0, lt=10.5)],
    q: Annotated[str | None, Query(alias="item-query")] = None,
):
    return {"number": number, "size": size, "q": q}


REQUESTS = [
    ("GET", "/items/3"),
    ("GET", "/items/foo"),
    ("GET", "/items/4.2"),
    ("GET", "/items/-7"),
    ("GET", "/users/me"),
    ("GET", "/users/m%C3%A9"),
    ("GET", "/models/alexnet"),
    ("GET", "/models/lenet"),
    ("GET", "/models/resnet"),
    ("GET", "/models/vgg"),
    ("GET", "/files/home/johndoe/myfile.txt"),
    ("GET", "/files//home/johndoe/myfile.txt"),
    ("GET", "/numbers/1000?size=10.4&item-query=x"),
    ("GET", "/numbers/1001?size=10.5"),
    ("GET", "/numbers/-1?size=0"),
    ("GET", "/numbers/1"),
    ("POST", "/items/3"),
    ("GET", "/nowhere"),
]
