"""A form with files: two routes that take them, and what they say of what they took."""

import hashlib

from spikard import Spikard, UploadFile

app = Spikard(max_body_size=100 * 1024 * 1024)


@app.post("/files")
async def take_one(file: UploadFile, title: str = "untitled") -> dict[str, object]:
    digest = hashlib.sha256()
    while piece := await file.aread(64 * 1024):
        digest.update(piece)
    return {"title": title, "name": file.filename, "size": file.size, "sha256": digest.hexdigest()}


@app.post("/albums")
async def take_many(pictures: list[UploadFile]) -> dict[str, int]:
    return {picture.filename or "unnamed": picture.size for picture in pictures}


if __name__ == "__main__":
    app.run()
