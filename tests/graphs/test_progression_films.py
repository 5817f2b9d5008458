"""Films go the whole way to a model server, and what it received is looked at: pixels, order, labels, nothing else."""

from __future__ import annotations

import asyncio
import base64
import csv
import json
from collections.abc import Iterator
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chat_server import ChatServer, say
from cohort_store import Kept, ids_of, kept
from PIL import Image
from wardround.agents.asked_films import Film, film_message
from wardround.corpora.cohort.drawing import draw
from wardround.graphs import progression
from wardround.graphs.progress import Progressed, progress

SERIES = Path(__file__).parents[2].parent / "shared" / "data" / "cxr_series"
REPLY = say(json.dumps({"reason": "It looks denser.", "letter": "B"}))
OPTIONS = {"A": "It has improved.", "B": "It has worsened.", "C": "It is unchanged.", "D": "It is new."}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    held = kept(tmp_path_factory.mktemp("cohort"), patients=5)
    yield held
    held.store.close()


def received(server: ChatServer) -> list[Any]:
    """The parts of the last message of the last request: a picture for each image, the text for each text."""
    content = server.requests[-1].body["messages"][-1]["content"]
    found: list[Any] = []
    for part in content:
        if part["type"] == "text":
            found.append(part["text"])
            continue
        url = part["image_url"]["url"]
        assert url.startswith(("data:image/png;base64,", "data:image/jpeg;base64,"))
        opened = Image.open(BytesIO(base64.b64decode(url.partition(",")[2])))
        assert opened.info == {} or opened.format == "JPEG"
        found.append(np.asarray(opened))
    return found


def ask(served: Any, films: list[Film], question: str, **more: Any) -> Progressed:
    graph = progression.build(model=served(vision=True), store=more.pop("store", None))
    message = film_message(question, films, options=OPTIONS, pixels=more.pop("pixels", 1_000_000))
    return asyncio.run(progress(graph, [message], **more))


def test_the_cohorts_films_and_records_arrive_as_they_are(
    data: Kept, chat_server: ChatServer, served: Any, tmp_path: Path
) -> None:
    question = data.questions[0]
    patient, study = ids_of(question)
    who = next(one.who for one in data.cohort.patients if one.who.id == patient)
    now = next(n for n, film in enumerate(who.films) if film.study == study)
    for name, film in (("before", now - 1), ("now", now)):
        draw(who, film, data.cohort.seed).save(tmp_path / f"{patient}-{name}.png")
    left, top, right, bottom = question.cur_image_bboxs[0]
    films = [
        Film(tmp_path / f"{patient}-before.png", "Earlier film"),
        Film(tmp_path / f"{patient}-now.png", "Current film"),
        Film(tmp_path / f"{patient}-now.png", "Current film, region", (left, top, right, bottom)),
    ]
    chat_server.always(REPLY)
    result = ask(served, films, question.question, store=data.store, context=data.context(question))
    assert result.letter == "B"
    before, earlier, current, shown, crop_label, crop, text = received(chat_server)
    assert (before, current, crop_label) == ("Earlier film:", "Current film:", "Current film, region:")
    assert (earlier == np.asarray(draw(who, now - 1, data.cohort.seed))).all()
    assert (shown == np.asarray(draw(who, now, data.cohort.seed))).all()
    assert (crop == shown[top:bottom, left:right]).all()
    assert text.index("<record") < text.index(question.question) < text.index("A. It has improved.")
    for record in result.records:
        assert record.date in text
    sent = json.dumps(chat_server.requests[-1].body)
    assert patient not in sent
    assert study not in sent
    for sentence in data.later(question):
        assert json.dumps(sentence)[1:-1] not in sent


def test_films_larger_than_the_budget_arrive_smaller(chat_server: ChatServer, served: Any, tmp_path: Path) -> None:
    Image.linear_gradient("L").resize((1000, 500)).save(tmp_path / "film.png")
    chat_server.always(REPLY)
    ask(served, [Film(tmp_path / "film.png", "Current film")], "What changed?", pixels=20_000)
    assert received(chat_server)[1].shape == (100, 200)


@pytest.mark.skipif(not SERIES.exists(), reason=f"no {SERIES}: the real two-film series are not here")
def test_real_series_go_the_whole_way(chat_server: ChatServer, served: Any) -> None:
    with (SERIES / "series.csv").open() as file:
        rows = sorted(csv.DictReader(file), key=lambda row: (row["patient_id"], int(row["admission_offset"])))
    series: dict[str, list[str]] = {}
    for row in rows:
        series.setdefault(row["patient_id"], []).append(row["image_id"])
    chat_server.always(REPLY)
    pairs = 0
    for patient, images in series.items():
        for earlier, current in pairwise(images):
            paths = [SERIES / "png" / f"{name}.png" for name in (earlier, current)]
            films = [Film(paths[0], "Earlier film"), Film(paths[1], "Current film")]
            assert ask(served, films, "What changed in the lungs?").letter == "B"
            got = received(chat_server)
            for path, picture in zip(paths, (got[1], got[3]), strict=True):
                assert (picture == np.asarray(Image.open(path))).all(), path
            sent = json.dumps(chat_server.requests[-1].body)
            assert not any(name in sent for name in (patient, earlier, current))
            pairs += 1
    assert (len(series), pairs) == (10, 24)
