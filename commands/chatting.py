"""`wardround chat`: the gateway on loopback with a key of its own, and the browser opened at the page."""

from __future__ import annotations

import sys
import tempfile
import threading
import webbrowser
from pathlib import Path
from typing import Final

from ..errors import MissingExtra
from .opening_server import SERVER, Parts, listen, open_app
from .terminal import say

_HOST: Final = "127.0.0.1"


def serve_page(parts: Parts, state: Path, *, port: int, browser: bool) -> None:
    """Serve until Ctrl-C. Whoever starts it owns the files: the key may read every patient that is in them.

    The key holds for this run. It stands in the part of the address that no browser sends, and the page takes it out
    of there; it keeps other people and other programs of this machine from asking.

    Raises:
        UserError: the port is in use, or a part can't be opened.
        MissingExtra: the extra `serve` is not installed.
    """
    try:
        import uvicorn

        from ..serving.gateway import Options
        from ..serving.keys import KeyFile
    except ImportError as error:
        raise MissingExtra(f"`{error.name}` is missing: run `pip install 'wardround[serve]'`") from None
    with tempfile.TemporaryDirectory(prefix="wardround-chat-") as folder:
        keys = KeyFile(Path(folder) / "keys.json")
        # Always the same id: conversations belong to it, and are still there at the next start.
        _, secret = keys.add("page", id="page", patients=("*",))
        options = Options(state=state, keys=keys.path)
        app = open_app(parts, options)
        listening = listen(_HOST, port)
        address = f"http://{_HOST}:{listening.getsockname()[1]}/chat/#key={secret}"
        say(f"The page: {address}")
        say("For research and decision support, not for care. Ctrl-C stops it.")
        sys.stderr.flush()
        if browser:  # beside the server: some browsers return only when they are closed
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        uvicorn.Server(uvicorn.Config(app, **SERVER)).run(sockets=[listening])
