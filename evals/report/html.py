"""A run as one HTML file: figures with intervals, and for each example why it was scored as it was.

The file needs nothing else and asks for nothing: a content security policy forbids every request. Text of others is in
it as JSON only, and its script puts text into the page as text. Examples and traces are packed in pieces, which are
unpacked when somebody looks at them; so a large run opens at once.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final

from pydantic import JsonValue

from ...errors import UserError
from ..benchmark import Example
from ..comparing import compare_runs
from ..result import Result
from ..run_folder import RunFolder
from ..summary import Summary, summarize
from .chunks import json_block, packed, packed_block, without_images
from .rows import Examples, Rows

MAX_TRACES_MB: Final = 60.0
_RECORDS_A_CHUNK: Final = 16
_TRACES_A_CHUNK: Final = 4
_LONGEST_TRACE: Final = 4_000_000
_SCRIPTS: Final = ("dom", "format", "data", "plots", "overview", "comparison", "list", "example", "trace", "main")
_POLICY: Final = (
    "default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; img-src data:; "
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)


def write_report(
    folder: Path, out: Path | None = None, *, compare: Sequence[Path] = (), max_traces_mb: float = MAX_TRACES_MB
) -> Path:
    """Write the report of the run in `folder`.

    Args:
        folder: the run.
        out: the file; `report.html` in the folder if not given. Only its owner may read it: it is patient data.
        compare: folders of other runs of the same benchmark, to be shown beside this one.
        max_traces_mb: packed traces, in MB (10^6 bytes), after which further ones are left out; the report says so.

    Returns:
        The file that was written.

    Raises:
        UserError: a folder is no run, runs cannot be compared, or the file cannot be written.
    """
    run = RunFolder.open(folder)
    summary = summarize(folder)
    others = [_other(folder, path) for path in compare]
    target = out or folder / "report.html"
    part = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            _write(file, run, summary, others, max_traces_mb)
        part.replace(target)
    except OSError as error:
        raise UserError(f"the report `{target}` cannot be written ({error.strerror}): name another file") from None
    return target


def _write(file: IO[bytes], run: RunFolder, summary: Summary, others: list[Any], max_traces_mb: float) -> None:
    head, tail = _page(f"{summary.benchmark} · {summary.target}")
    with Examples(run.path / "examples.jsonl") as examples:
        rows = Rows(run.manifest, examples)
        for result in run.results():
            rows.add(result)
        file.write(head)
        file.write(json_block("run", _about(run, summary, others, rows)))
        file.write(json_block("rows", [*rows.rows]))
        file.write(tail)
        for n, some in enumerate(_batched(run.results(), _RECORDS_A_CHUNK)):
            records = [_record(examples.get(result.key), result) for result in some]
            file.write(packed_block(f"records-{n}", packed(records)))
    left_out = _write_traces(file, run, round(max_traces_mb * 1e6))
    file.write(json_block("end", {"traces_left_out": left_out, "max_traces_mb": max_traces_mb}))
    file.write(b"</body>\n</html>\n")


def _page(title: str) -> tuple[bytes, bytes]:
    """The page up to its data, and from there to the end of its script."""
    folder = files("wardround.evals.report") / "page"
    style = (folder / "report.css").read_text(encoding="utf-8")
    parts = [(folder / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS]
    script = '"use strict";\n(() => {\n' + "\n".join(parts) + "})();\n"
    page = (folder / "page.html").read_text(encoding="utf-8")
    head, _, tail = page.partition("{{data}}\n")
    policy = _POLICY.format(script=_hash(script), style=_hash(style))
    for name, text in (("policy", policy), ("title", html.escape(title)), ("style", style)):
        head = head.replace("{{" + name + "}}", text)
    return head.encode("utf-8", "replace"), tail.replace("{{script}}", script).encode()


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _about(run: RunFolder, summary: Summary, others: list[Any], rows: Rows) -> JsonValue:
    return {
        "manifest": run.manifest.model_dump(mode="json"),
        "folder": run.path.resolve().name,
        "summary": summary.model_dump(mode="json"),
        "others": others,
        "groups": [[dimension, group] for dimension, group in rows.groups.things],
        "flags": [*rows.flags.things],
        "causes": [*rows.causes.things],
        "node_seconds": dict(rows.node_seconds.most_common()),
        "chunks": {"records": _RECORDS_A_CHUNK, "traces": _TRACES_A_CHUNK},
    }


def _other(folder: Path, path: Path) -> dict[str, Any]:
    """Another run, and this one compared with it."""
    return {
        "name": path.resolve().name,
        "summary": summarize(path).model_dump(mode="json"),
        "comparison": compare_runs(path, folder).model_dump(mode="json"),
    }


def _record(example: Example | None, result: Result) -> JsonValue:
    shown = result.model_dump(mode="json", exclude={"key", "sample", "id", "status"})
    about = example.model_dump(mode="json", exclude={"id"}) if example else None
    return without_images({"example": about, "result": shown})


def _write_traces(file: IO[bytes], run: RunFolder, most: int) -> int:
    """Write the traces, as long as there is room; how many were left out."""
    written = left_out = 0
    for n, some in enumerate(_batched(run.results(), _TRACES_A_CHUNK)):
        if written >= most:
            left_out += sum(result.trace is not None for result in some)
            continue
        traces = [_trace(run.path, result) for result in some]
        left_out += sum(isinstance(trace, int) for trace in traces)
        content = packed(traces)
        written += len(content)
        file.write(packed_block(f"traces-{n}", content))
    return left_out


def _trace(folder: Path, result: Result) -> JsonValue:
    """The events of a result's trace; None where there is none, its size in bytes where it is too long to show."""
    if result.trace is None:
        return None
    path = (folder / result.trace).resolve()
    # A results file that came from elsewhere must not bring other files of this machine into the report.
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        return None
    if (size := path.stat().st_size) > _LONGEST_TRACE:
        return size
    return [_event(line) for line in path.read_bytes().splitlines() if line.strip()]


def _event(line: bytes) -> JsonValue:
    try:
        return without_images(json.loads(line))
    except ValueError:  # a process that was killed leaves half a line
        return {"event": "unreadable", "text": line[:500].decode("utf-8", "replace")}


def _batched(results: Iterable[Result], size: int) -> Iterator[list[Result]]:
    remaining = iter(results)
    while some := list(islice(remaining, size)):
        yield some
