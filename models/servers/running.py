"""One running model server: the gate on its port, the engine behind it, and where the two meet."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from socket import socket
from tempfile import mkdtemp
from typing import Final, NamedTuple

import httpx

from ...errors import UserError
from ...settings import Settings
from ..llamacpp import Engine
from .child import Child
from .gate import Gate, GateServer, Upstream
from .vllm_command import VllmOptions, vllm_command, vllm_environment

_LONGEST_SOCKET: Final = 60
"""Letters that the path of our socket may have. The system's limit is 104 or 108, and vLLM puts some of its own, with
names of 36 letters, beside it."""
Progress = Callable[[str, float], None]


class Place(NamedTuple):
    """The private folder of the server on one port."""

    folder: Path

    @property
    def socket(self) -> Path:
        """Where vLLM listens: below a folder that only its owner may enter, so no other user gets round the gate."""
        return self.folder / "run" / "vllm.sock"

    @property
    def log(self) -> Path:
        """What it prints."""
        return self.folder / "vllm.log"

    @property
    def profile(self) -> Path:
        """For clients: which adapter answers for which role."""
        return self.folder / "profile.json"

    @property
    def inner(self) -> Path:
        """Socket and key between gate and server, for `wardround models load`; it goes when the server does."""
        return self.folder / "run" / "inner.json"


class Running(NamedTuple):
    """A server that answers."""

    address: str
    """With `/v1`."""
    names: tuple[str, ...]
    """What clients may ask for: the base model, then the adapters."""
    took_s: float
    check: Callable[[], None]
    """Raises when the server has ended by itself."""


def place_of(settings: Settings, port: int) -> Place:
    """Where the server on `port` keeps its socket and log."""
    return Place(settings.state_dir / "servers" / str(port))


@contextmanager
def running_vllm(
    options: VllmOptions,
    *,
    python: Path,
    listening: socket,
    key: str,
    settings: Settings,
    wait_s: float,
    progress: Progress | None = None,
) -> Generator[Running]:
    """vLLM behind the gate on `listening`, ready. At the end of the `with` all of it is gone.

    Raises:
        UserError, ModelUnavailable: it does not come up, with the cause from its log.
        MissingExtra: the gate's packages are missing.
    """
    place = place_of(settings, int(listening.getsockname()[1]))
    with _private(place) as path:
        upstream = Upstream("http://vllm", secrets.token_urlsafe(32), str(path))
        place.inner.touch(mode=0o600)
        place.inner.write_text(json.dumps(upstream._asdict()), encoding="utf-8")
        gate = Gate(upstream, key)
        with (
            GateServer(gate, listening) as front,
            Child(
                vllm_command(options, python=python, socket=path),
                environment=vllm_environment(options, key=upstream.key, folder=path.parent),
                log=place.log,
            ) as child,
            connection(upstream) as client,
        ):
            took = child.wait_ready(lambda: _healthy(client), most_s=wait_s, progress=progress)
            gate.open()

            def check() -> None:
                front.check()
                child.check()

            yield Running(_address(listening), _names(client), took, check)


@contextmanager
def running_llamacpp(engine: Engine, *, listening: socket, key: str) -> Generator[Running]:
    """The embedded llama.cpp behind the gate on `listening`, ready.

    Raises:
        UserError: the model can't be loaded.
        MissingExtra: the packages of the engine or of the gate are missing.
    """
    endpoint = engine.start()
    try:
        upstream = Upstream(endpoint.address.removesuffix("/v1"), endpoint.key)
        gate = Gate(upstream, key)
        with GateServer(gate, listening) as front, connection(upstream) as client:
            gate.open()
            yield Running(_address(listening), _names(client), 0.0, front.check)
    finally:
        engine.stop()


def connection(upstream: Upstream) -> httpx.Client:
    """A client of the server itself, past the gate."""
    transport = httpx.HTTPTransport(uds=upstream.socket)
    return httpx.Client(
        transport=transport,
        base_url=upstream.address,
        headers={"authorization": f"Bearer {upstream.key}"},
        timeout=60.0,
        trust_env=False,
    )


def upstream_of(settings: Settings, port: int) -> Upstream:
    """The server behind the gate on `port`, for whom its owner runs.

    Raises:
        UserError: none that wardround started runs there.
    """
    try:
        return Upstream(**json.loads(place_of(settings, port).inner.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise UserError(
            f"no vLLM that you started with `wardround models serve` runs on port `{port}`: name its `--port`"
        ) from None


@contextmanager
def _private(place: Place) -> Generator[Path]:
    """The path of a socket in a folder that is its owner's alone and lives as long as the server."""
    moved: Path | None = None
    run = place.socket.parent
    try:
        # What a server that was killed left behind. The port is ours by now, so none runs.
        shutil.rmtree(run, ignore_errors=True)
        run.mkdir(parents=True, exist_ok=True)
        for folder in (place.folder, run):
            folder.chmod(0o700)
        path = place.socket
        if len(str(path)) > _LONGEST_SOCKET:
            moved = Path(mkdtemp(prefix="wardround-"))
            path = moved / path.name
    except OSError as error:
        raise UserError(f"`{run}` cannot be written ({error.strerror}): set WARDROUND_STATE_DIR") from None
    try:
        yield path
    finally:
        for folder in filter(None, (run, moved)):
            shutil.rmtree(folder, ignore_errors=True)


def _healthy(client: httpx.Client) -> bool:
    try:
        return client.get("/health", timeout=5.0).is_success
    except httpx.HTTPError:
        return False


def _names(client: httpx.Client) -> tuple[str, ...]:
    return tuple(str(model["id"]) for model in client.get("/v1/models").raise_for_status().json()["data"])


def _address(listening: socket) -> str:
    host, port = listening.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}/v1"
