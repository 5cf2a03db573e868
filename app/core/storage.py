"""Files: a local folder or an S3 bucket behind one interface. Names are ours, never the uploader's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Protocol

from app.core.errors import NotFound
from app.core.ids import uuid7

_NAME = re.compile(r"[a-z0-9_-]+(/[a-z0-9_-]+)*(\.[a-z0-9]{1,8})?")


class Storage(Protocol):
    """What the market asks of a place for files."""

    def put(self, name: str, content: bytes, content_type: str) -> None:
        """Write the file, replacing one of the same name."""

    def get(self, name: str) -> bytes:
        """Read the file.

        Raises:
            NotFound: there is none.
        """

    def delete(self, name: str) -> None:
        """Remove the file if it is there."""


def new_name(folder: str, extension: str) -> str:
    """A fresh name nobody can guess or choose."""
    return f"{folder}/{uuid7().hex}.{extension}"


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a storage name: {name!r}")
    return name


class LocalStorage:
    """A folder of this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, name: str, content: bytes, content_type: str) -> None:
        path = self._root / _checked(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(path.suffix + ".part")
        part.write_bytes(content)
        part.replace(path)  # a reader sees the whole file or none

    def get(self, name: str) -> bytes:
        try:
            return (self._root / _checked(name)).read_bytes()
        except FileNotFoundError:
            raise NotFound() from None

    def delete(self, name: str) -> None:
        (self._root / _checked(name)).unlink(missing_ok=True)


class S3Storage:
    """A bucket; keys start with the prefix."""

    def __init__(self, bucket: str, prefix: str, endpoint: str) -> None:
        self._bucket, self._prefix, self._endpoint = bucket, prefix, endpoint
        self._made: Any = None

    @property
    def _client(self) -> Any:
        if self._made is None:
            import boto3  # 80 ms to import: only where a bucket is used

            self._made = boto3.client("s3", endpoint_url=self._endpoint or None)
        return self._made

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{_checked(name)}".lstrip("/")

    def put(self, name: str, content: bytes, content_type: str) -> None:
        self._client.put_object(Bucket=self._bucket, Key=self._key(name), Body=content, ContentType=content_type)

    def get(self, name: str) -> bytes:
        try:
            return bytes(self._client.get_object(Bucket=self._bucket, Key=self._key(name))["Body"].read())
        except self._client.exceptions.NoSuchKey:
            raise NotFound() from None

    def delete(self, name: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=self._key(name))


def open_storage(where: str, endpoint: str = "") -> Storage:
    """The storage that a setting names: a folder, or `s3://bucket/prefix`."""
    if where.startswith("s3://"):
        bucket, _, prefix = where.removeprefix("s3://").partition("/")
        return S3Storage(bucket, prefix, endpoint)
    return LocalStorage(Path(where))
