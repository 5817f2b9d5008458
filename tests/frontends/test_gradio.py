"""`gr.load_chat`, used through gradio's own client; in an environment of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

CODE = """
import sys, gradio as gr
from gradio_client import Client
demo = gr.load_chat(sys.argv[1] + "/v1", model="by_rules", token="none")
_, address, _ = demo.launch(prevent_thread_lock=True, quiet=True, share=False, server_name="127.0.0.1")
asked = {"text": "Does warfarin interact with ibuprofen?", "files": []}
print(Client(address, verbose=False).predict(asked, api_name="/open_api_stream"))
"""


def test_load_chat(gateway: str, environment: Any) -> None:
    python: Path = environment("gradio")
    quiet = {**os.environ, "GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1"}
    command = [str(python), "-c", CODE, gateway]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=quiet, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "bleeding risk" in done.stdout
