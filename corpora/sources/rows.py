"""Rows of JSON out of a file, streaming: JSONL, an openFDA answer or bulk file, plain, gzipped or zipped."""

from __future__ import annotations

import codecs
import gzip
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple, cast

from pydantic import ValidationError
from typing_extensions import Buffer

from ...errors import UserError
from ..medicines import Medicine
from .problems import Problems, RowError

MAX_ROW_BYTES = 32 * 2**20
"""A row larger than this is skipped. Labels have some tens to hundreds of kilobytes."""
MAX_FILE_BYTES = 8 * 2**30
"""A file is not read beyond this many bytes, counted unpacked, so that a zip bomb ends."""

_BUFFER = 2**20
_CHUNK = 2**20
_ANSWER = re.compile(rb'\s*\{\s*"(?:meta|results|error)"\s*:')


class Row(NamedTuple):
    """One JSON object and the 1-based line on which it begins."""

    line: int
    data: dict[str, object]


def medicines(
    path: Path, rows: Iterator[Row], make: Callable[[dict[str, object]], Medicine], problems: Problems
) -> Iterator[Medicine]:
    """`make` applied to every row; rows from which it makes no Medicine are reported and skipped."""
    for line, data in rows:
        try:
            medicine = make(data)
        except RowError as error:
            problems.add(path, line, str(error))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            problems.add(path, line, f"not a valid medicine: `{place}`: {first['msg']}")
        else:
            yield medicine


def json_rows(path: Path, problems: Problems) -> Iterator[Row]:
    """The JSON objects in `path`, told apart by content: gzip, zip or plain; JSONL or `{"results": [...]}`."""
    with opened(path, problems) as file:
        head = file.peek(_BUFFER)[:4096]
        rows = _answer_rows if _ANSWER.match(head.removeprefix(codecs.BOM_UTF8)) else _line_rows
        yield from rows(path, file, problems)


def lines(path: Path, file: IO[bytes], problems: Problems, encoding: str = "utf-8") -> Iterator[tuple[int, str]]:
    """Numbered lines of `file` with their ends; too long ones and bytes that are no text are reported."""
    number = 0
    while raw := file.readline(MAX_ROW_BYTES):
        number += 1
        if len(raw) == MAX_ROW_BYTES and not raw.endswith(b"\n"):
            while (rest := file.readline(MAX_ROW_BYTES)) and not rest.endswith(b"\n"):
                pass
            problems.add(path, number, f"row too long: more than {MAX_ROW_BYTES >> 20} MiB")
            continue
        if number == 1:
            raw = raw.removeprefix(codecs.BOM_UTF8)
        try:
            line = raw.decode(encoding)
        except UnicodeDecodeError as error:
            problems.add(path, number, f"not {encoding}: byte {error.object[error.start]:#04x} at {error.start}")
            continue
        yield number, line


def _line_rows(path: Path, file: IO[bytes], problems: Problems) -> Iterator[Row]:
    for number, line in lines(path, file, problems):
        if not line.strip():
            continue
        try:
            data: object = json.loads(line)
        except (ValueError, RecursionError) as error:
            problems.add(path, number, f"not JSON: {error}")
            continue
        if isinstance(data, dict):
            yield Row(number, cast("dict[str, object]", data))
        else:
            problems.add(path, number, f"not a JSON object: {type(data).__name__}")


def _answer_rows(path: Path, file: io.BufferedReader[io.RawIOBase], problems: Problems) -> Iterator[Row]:
    stream = _JsonStream(file)
    try:
        stream.expect("{")
        while True:
            key = stream.value()
            stream.expect(":")
            if key == "results":
                break
            value = stream.value()
            if key == "error":
                problems.add(path, stream.line, f"an error message of the openFDA server: {value}")
            if stream.peek() == "}":
                return
            stream.expect(",")
        stream.expect("[")
        while stream.peek() != "]":
            line = stream.line
            data = stream.value()
            if isinstance(data, dict):
                yield Row(line, cast("dict[str, object]", data))
            else:
                problems.add(path, line, f"not a JSON object: {type(data).__name__}")
            if stream.peek() == ",":
                stream.expect(",")
    except (ValueError, RecursionError) as error:
        problems.add(path, stream.line, f"not JSON, the rest of the file was not read: {error}")


class _JsonStream:
    """JSON values one after another out of a byte stream, holding no more than one of them."""

    def __init__(self, file: io.BufferedReader[io.RawIOBase]) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("strict")
        self._json = json.JSONDecoder()
        self._text = ""
        self._at = 0
        self._ended = False
        self.line = 1

    def peek(self) -> str:
        """The next character that is not white space."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in " \t\r\n":
                self.line += self._text[self._at] == "\n"
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                raise ValueError("the file ends within the list of results")
            self._fill(_CHUNK)

    def expect(self, char: str) -> None:
        """Step over `char`; ValueError where something else stands."""
        if (found := self.peek()) != char:
            raise ValueError(f"`{char}` expected, `{found}` found")
        self._at += 1

    def value(self) -> object:
        """The next JSON value."""
        self.peek()
        size = _CHUNK
        while True:
            try:
                value, end = self._json.raw_decode(self._text, self._at)
                if end < len(self._text) or self._ended:
                    break
            except json.JSONDecodeError:
                if self._ended or len(self._text) - self._at > MAX_ROW_BYTES:
                    raise
            self._fill(size)
            size *= 2
        self.line += self._text.count("\n", self._at, end)
        self._at = end
        return cast("object", value)

    def _fill(self, size: int) -> None:
        chunk = self._file.read1(size)
        self._ended = not chunk
        self._text = self._text[self._at :] + self._decoder.decode(chunk, final=self._ended)
        self._at = 0


class _TooLarge(Exception):
    pass


_DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile)
_STEP = 2**13


class _Limited(io.RawIOBase):
    """A byte stream that refuses to go on beyond `MAX_FILE_BYTES` and gives all there is before a fault."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._left = MAX_FILE_BYTES
        self._fault: Exception | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer)
        got = 0
        while got < len(view) and self._fault is None:
            try:
                # Small reads, because an unpacker drops what it has when it meets a fault midway.
                data = self._file.read(min(len(view) - got, _STEP))
            except _DAMAGED as error:
                self._fault = error
                break
            if not data:
                break
            view[got : got + len(data)] = data
            got += len(data)
        self._left -= got
        if self._left < 0:
            raise _TooLarge(f"more than {MAX_FILE_BYTES >> 30} GiB unpacked")
        if self._fault is not None and not got:
            raise self._fault
        return got


@contextmanager
def opened(path: Path, problems: Problems) -> Generator[io.BufferedReader[io.RawIOBase]]:
    """`path` as plain bytes, unpacked where it is gzip or zip by content.

    A packed file that turns out truncated, damaged or too large while it is read is reported; what was read
    until then counts. UserError where the file cannot be opened at all.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise UserError(f"cannot read `{path}`: {error.strerror}") from error
    with file:
        magic = file.read(4)
        file.seek(0)
        if magic[:2] == b"\x1f\x8b":
            inner: IO[bytes] = cast("IO[bytes]", gzip.GzipFile(fileobj=file))
        elif magic == b"PK\x03\x04":
            inner = _zip_member(path, file)
        else:
            inner = file
        try:
            with inner, io.BufferedReader(cast("io.RawIOBase", _Limited(inner)), _BUFFER) as reader:
                yield reader
        except (*_DAMAGED, _TooLarge) as error:
            problems.add(path, 0, f"file ends early or is damaged, only what stands before was read: {error}")


def _zip_member(path: Path, file: IO[bytes]) -> IO[bytes]:
    try:
        archive = zipfile.ZipFile(file)
        members = [info for info in archive.infolist() if not info.is_dir()]
        if len(members) != 1:
            raise UserError(f"`{path}` holds {len(members)} files: one JSON file in it was expected")
        if members[0].flag_bits & 1:
            raise UserError(f"`{path}` is encrypted: unpack it first")
        if members[0].file_size > MAX_FILE_BYTES:
            raise UserError(f"`{path}` unpacks to more than {MAX_FILE_BYTES >> 30} GiB: split it first")
        return archive.open(members[0])
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise UserError(f"`{path}` is a damaged zip file ({error}): fetch it again") from error
