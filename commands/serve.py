"""The commands `wardround serve ...`. Thin, as in `cli.py`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ..errors import UserError
from .corpus import CorpusOption, JsonOption

serve_app = typer.Typer(help="Serve the agents to chat frontends (OpenAI's protocol).", invoke_without_command=True)
keys_app = typer.Typer(no_args_is_help=True, help="The keys that callers need.")
conversations_app = typer.Typer(no_args_is_help=True, help="What was asked and answered. Patient data.")
serve_app.add_typer(keys_app, name="keys")
serve_app.add_typer(conversations_app, name="conversations")

KeysOption = Annotated[Path, typer.Option("--keys", help="The key file.")]
StateOption = Annotated[Path | None, typer.Option("--state", help="Folder for what is kept (patient data).")]
EncryptionOption = Annotated[
    Path | None, typer.Option("--encryption-key", help="Key file under which texts are encrypted.")
]


@serve_app.callback()
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Where to listen; other than loopback only with keys.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    graph: Annotated[
        list[str] | None, typer.Option(help="A graph's name, MODULE:NAME or NAME=MODULE:NAME; may be repeated.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="local, openai:NAME@http://host:port/v1 or scripted:FILE.")] = None,
    corpus: CorpusOption = None,
    patient: Annotated[
        list[str] | None, typer.Option(help="Without keys: a patient that may be read; `*`: all. Default: none.")
    ] = None,
    review: Annotated[bool, typer.Option(help="A clinician reads every diagnosis before it goes out.")] = False,
    patients: Annotated[
        Path | None, typer.Option(help="Patient records, as `patients import` made; read under keys only.")
    ] = None,
    keys: Annotated[Path | None, typer.Option(help="Key file; without one no key is asked for.")] = None,
    user_secret: Annotated[
        Path | None, typer.Option(help="File with the secret that Open WebUI signs its users with.")
    ] = None,
    state: StateOption = None,
    conversations: Annotated[str | None, typer.Option(help="postgresql://... instead of a file in the state.")] = None,
    encryption_key: EncryptionOption = None,
    texts: Annotated[bool, typer.Option(help="Keep questions and answers, not only that there were some.")] = True,
    retention_days: Annotated[float | None, typer.Option(min=0, help="Delete turns after so many days.")] = None,
    sources_text: Annotated[bool, typer.Option(help="List the sources in the answer, too.")] = True,
    allow_origin: Annotated[list[str] | None, typer.Option(help="A page's origin that may call (CORS).")] = None,
    allow_host: Annotated[list[str] | None, typer.Option(help="A name under which it may be called; `*`: any.")] = None,
    turn_seconds: Annotated[float, typer.Option(min=1, help="What a turn may take.")] = 600.0,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = 1,
    json_logs: Annotated[bool, typer.Option(help="Logs as lines of JSON.")] = True,
    traces_to: Annotated[
        str | None, typer.Option(help="OpenTelemetry collector (OTLP, gRPC), such as http://127.0.0.1:4317.")
    ] = None,
    trace_content: Annotated[bool, typer.Option(help="Write what was said into traces, too (patient data).")] = False,
) -> None:
    """Serve the agents to chat frontends: each graph is a model of an OpenAI-compatible server."""
    if context.invoked_subcommand is not None:
        return
    if keys is not None and patient:
        raise UserError("`--patient` is for servers without keys: bind patients with `wardround serve keys add`")
    from ..serving.gateway import Options
    from .opening_server import SERVED, Parts, run_server

    if patients is not None and keys is None:
        raise UserError(
            "patient records are read under a key only: bind one with `wardround serve keys add NAME --patient ID "
            "--keys FILE` and give `--keys FILE`"
        )
    default = Options(state=_state(state))
    hosts = default.hosts if not allow_host else (*default.hosts, *allow_host)
    options = Options(
        state=_state(state),
        keys=keys,
        user_secret=user_secret,
        conversations=conversations,
        encryption_key=encryption_key,
        keep_texts=texts,
        retention_days=retention_days,
        sources_text=sources_text,
        origins=tuple(allow_origin or ()),
        hosts=hosts if keys is None or allow_host else (),
        longest_turn_s=turn_seconds,
        local_patients=None if "*" in (patient or ()) else frozenset(patient or ()),
    )
    parts = Parts(
        graphs=tuple(graph) if graph else SERVED,
        model=model,
        corpus=corpus,
        patients=patients,
        review=review,
        json_logs=json_logs,
        traces_to=traces_to,
        trace_content=trace_content,
    )
    run_server(parts, options, host=host, port=port, workers=workers)


@serve_app.command("new-key")
def new_key(file: Annotated[Path, typer.Argument(help="Where to write it.")]) -> None:
    """Make a key for `--encryption-key`. Without it what was encrypted cannot be read again."""
    from ..graphs.sealing import new_key_file

    new_key_file(file)
    print(file)  # noqa: T201


@keys_app.command("add")
def keys_add(
    name: Annotated[str, typer.Argument(help="Who uses it.")],
    keys: KeysOption,
    graph: Annotated[list[str] | None, typer.Option(help="A graph it may use; default: all.")] = None,
    patient: Annotated[list[str] | None, typer.Option(help="A patient it may read; `*`: all. Default: none.")] = None,
    turns_a_minute: Annotated[int | None, typer.Option(min=1)] = None,
    at_once: Annotated[int | None, typer.Option(min=1, help="Turns at the same time.")] = None,
    tokens_a_day: Annotated[int | None, typer.Option(min=1, help="Tokens of models, in and out, a UTC day.")] = None,
) -> None:
    """Make a key. It is shown once; the file keeps its hash."""
    from ..serving.keys import KeyFile

    _, secret = KeyFile(keys).add(
        name,
        agents=tuple(graph) if graph else None,
        patients=tuple(patient or ()),
        turns_a_minute=turns_a_minute,
        at_once=at_once,
        tokens_a_day=tokens_a_day,
    )
    print(secret)  # noqa: T201


@keys_app.command("list")
def keys_list(keys: KeysOption, as_json: JsonOption = False) -> None:
    """The keys, revoked ones too; not the secrets."""
    from ..serving.keys import KeyFile
    from .terminal import clean, out

    found = KeyFile(keys).all()
    if as_json:
        print(json.dumps([key.model_dump(exclude={"sha256"}) for key in found], indent=2))  # noqa: T201
        return
    for key in found:
        graphs = "all graphs" if key.agents is None else ", ".join(key.agents)
        limits = ", ".join(f"{name} {value}" for name, value in vars(key.allowance).items() if value is not None)
        patients = ", ".join(key.patients) or "no patients"
        gone = f"  revoked {key.revoked}" if key.revoked else ""
        out().print(clean(f"{key.id}  {key.name}  {graphs}; {patients}; {limits or 'no limits'}{gone}"))


@keys_app.command("revoke")
def keys_revoke(name: Annotated[str, typer.Argument(help="Name or id.")], keys: KeysOption) -> None:
    """Take a key back; a server that runs refuses it from the next request on."""
    from ..serving.keys import KeyFile

    print(f"revoked {KeyFile(keys).revoke(name).id}")  # noqa: T201


ConversationsOption = Annotated[
    str | None, typer.Option("--conversations", help="postgresql://... instead of the file in the state.")
]


@conversations_app.command("list")
def conversations_list(
    state: StateOption = None,
    conversations: ConversationsOption = None,
    encryption_key: EncryptionOption = None,
    as_json: JsonOption = False,
) -> None:
    """The conversations, the latest first."""
    from .serve_upkeep import listed

    listed(_state(state), conversations, encryption_key, as_json=as_json)


@conversations_app.command("show")
def conversations_show(
    name: Annotated[str, typer.Argument(help="Its id.")],
    state: StateOption = None,
    conversations: ConversationsOption = None,
    encryption_key: EncryptionOption = None,
    as_json: JsonOption = False,
) -> None:
    """One of them, turn by turn; a turn that has no end is shown as unfinished."""
    from .serve_upkeep import showed

    showed(name, _state(state), conversations, encryption_key, as_json=as_json)


@conversations_app.command("purge")
def conversations_purge(
    older_than_days: Annotated[float, typer.Option(min=0, help="0: all that have ended.")],
    state: StateOption = None,
    conversations: ConversationsOption = None,
    encryption_key: EncryptionOption = None,
) -> None:
    """Delete turns, and runs that wait, for good."""
    from .serve_upkeep import purged

    count = purged(older_than_days, _state(state), conversations, encryption_key)
    print(f"deleted {count} turns")  # noqa: T201


def _state(state: Path | None) -> Path:
    from ..settings import get_settings

    return state or get_settings().state_dir / "serve"
