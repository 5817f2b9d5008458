from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from wardround.errors import UserError
from wardround.models.servers.keys import server_key
from wardround.settings import Settings


def settings(tmp_path: Path, **more: Any) -> Settings:
    return Settings(_env_file=None, state_dir=tmp_path / "state", **more)  # type: ignore[call-arg]


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    first, second = (server_key(settings(tmp_path)) for _ in range(2))
    assert first == second
    assert len(first.value) >= 32
    assert first.file is not None
    assert first.file.stat().st_mode & 0o777 == 0o600


def test_a_file_wins_over_the_settings_and_they_over_the_state_folder(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from-the-file-0123456789\n")
    held = settings(tmp_path, api_key="from-the-settings-0123456789")
    assert server_key(held, file).value == "from-the-file-0123456789"
    assert server_key(held).value == "from-the-settings-0123456789"
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("text", ["", "short", "two words that are long enough", "ключ-ключ-ключ-ключ"])
def test_what_is_no_key_is_refused_without_showing_it(tmp_path: Path, text: str) -> None:
    file = tmp_path / "key"
    file.write_text(text)
    with pytest.raises(UserError, match="16 printable characters") as refused:
        server_key(settings(tmp_path), file)
    assert not text or text not in str(refused.value)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"key file .* cannot be read"):
        server_key(settings(tmp_path), tmp_path / "absent")
