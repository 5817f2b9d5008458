"""Downloading openFDA's drug labels, for people with internet. Nothing else calls this."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from ...errors import UserError

BASE_URL = "https://api.fda.gov"
_PARTIAL_CONTENT, _RANGE_NOT_SATISFIABLE = 206, 416

Progress = Callable[[str, int, int], None]
"""Called with the file's name, the bytes there so far and the bytes in all."""


class _Part(BaseModel):
    file: str
    size_mb: float | None = None
    records: int


class _Labels(BaseModel):
    export_date: str
    total_records: int
    partitions: list[_Part]


class _Drug(BaseModel):
    label: _Labels


class _Results(BaseModel):
    drug: _Drug


class _Index(BaseModel):
    results: _Results


class Fetched(BaseModel):
    """What was downloaded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    export_date: str
    """The day of openFDA's export, as it states it."""
    records: int
    files: tuple[Path, ...]


def fetch_openfda(
    folder: Path, *, base_url: str = BASE_URL, progress: Progress | None = None, timeout_s: float = 60.0
) -> Fetched:
    """Download the parts of openFDA's drug labels that `<base_url>/download.json` lists into `folder`.

    A file is written as `<name>.part` and renamed once it has its full size; a `.part` left by a broken download
    is continued, whole files are kept. Where the folder holds files of another export, all are fetched anew.
    Addresses in the list are followed only to the index's own host and to `download.open.fda.gov`.

    Raises:
        UserError: the server cannot be reached, refuses, or answers something else; running it again continues.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with httpx.Client(timeout=timeout_s, follow_redirects=False) as client:
        try:
            labels = _index(client, base_url)
            _start_over_on_new_export(folder, labels.export_date)
            files = tuple(_part(client, base_url, part.file, folder, progress) for part in labels.partitions)
        except httpx.HTTPStatusError as error:
            raise UserError(
                f"`{error.request.url}` answered {error.response.status_code}: try again later, it goes on from here"
            ) from error
        except httpx.HTTPError as error:
            raise UserError(
                f"cannot download from `{base_url}` ({error or type(error).__name__}): check the connection and run "
                "it again, it goes on from here"
            ) from error
    return Fetched(export_date=labels.export_date, records=labels.total_records, files=files)


def _index(client: httpx.Client, base_url: str) -> _Labels:
    url = f"{base_url.rstrip('/')}/download.json"
    answer = client.get(url).raise_for_status()
    try:
        labels = _Index.model_validate_json(answer.content).results.drug.label
    except ValidationError as error:
        raise UserError(f"`{url}` is not openFDA's list of downloads: check the address") from error
    if not labels.partitions:
        raise UserError(f"`{url}` lists no drug labels: try again later")
    return labels


def _start_over_on_new_export(folder: Path, export_date: str) -> None:
    stamp = folder / "export_date.txt"
    if stamp.exists() and stamp.read_text(encoding="utf-8").strip() != export_date:
        for old in (*folder.glob("drug-label-*.json.zip"), *folder.glob("drug-label-*.json.zip.part")):
            old.unlink()
    stamp.write_text(export_date + "\n", encoding="utf-8")


def _part(client: httpx.Client, base_url: str, url: str, folder: Path, progress: Progress | None) -> Path:
    allowed = {urlsplit(base_url).netloc, "download.open.fda.gov"}
    parts = urlsplit(url)
    name = parts.path.rpartition("/")[2]
    if parts.netloc not in allowed or parts.scheme not in ("https", urlsplit(base_url).scheme):
        raise UserError(f"the list of downloads names a foreign address `{url}`: not followed")
    if not (name.startswith("drug-label-") and name.endswith(".json.zip")):
        raise UserError(f"the list of downloads names an unexpected file `{name}`: not fetched")
    target, partial = folder / name, folder / f"{name}.part"
    if target.exists():
        if progress:
            progress(name, target.stat().st_size, target.stat().st_size)
        return target
    have = partial.stat().st_size if partial.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with client.stream("GET", url, headers=headers) as answer:
        if answer.status_code == _RANGE_NOT_SATISFIABLE:
            partial.unlink()
            return _part(client, base_url, url, folder, progress)
        answer.raise_for_status()
        have = have if answer.status_code == _PARTIAL_CONTENT else 0
        size = have + int(answer.headers.get("Content-Length", -1 - have))
        with partial.open("ab" if have else "wb") as file:
            for chunk in answer.iter_raw():
                file.write(chunk)
                have += len(chunk)
                if progress:
                    progress(name, have, size)
    if size >= 0 and have != size:
        raise UserError(f"`{name}` has {have} of {size} bytes: run it again, it goes on from here")
    partial.replace(target)
    return target
