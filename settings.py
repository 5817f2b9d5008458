"""All configuration. Nothing else reads the environment.

Every field is an environment variable `WARDROUND_<FIELD>`, or a line in a `.env` file in the working folder.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from platformdirs import user_cache_path, user_state_path
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from .errors import UserError


class Settings(BaseSettings):
    """What a deployment may change without touching code."""

    model_config = SettingsConfigDict(env_prefix="WARDROUND_", env_file=".env", extra="ignore")

    model: str = "local"
    """The chat model: `local`, `openai:NAME@http://host:port/v1` or `scripted:FILE`."""
    api_key: SecretStr | None = None
    """Sent to the model server as bearer token. Local servers mostly need none."""
    profile: Path | None = None
    """A JSON file with a `ModelProfile`, where the declared defaults for the model's name are wrong."""
    corpus: Path | None = None
    """A corpus index directory. Unset: the shipped corpus of 60 essential medicines."""
    patients: Path | None = None
    """The patient records that `wardround patients import` made: an SQLite file. Patient data."""
    encoder: str | None = None
    """An encoder whose vectors `wardround corpus embed` made: full-text search then ranks by words and by meaning."""
    cache_dir: Path = Field(default_factory=lambda: user_cache_path("wardround"))
    """Pulled models and the built index of the shipped corpus."""
    state_dir: Path = Field(default_factory=lambda: user_state_path("wardround"))
    """Runs that wait for a person. Patient data: only its owner may read it."""
    vllm_python: Path | None = None
    """The Python of the environment that has vLLM. Unset: `.venv-vllm` in the working folder."""
    timeout_s: float = Field(default=120.0, gt=0)
    """Seconds without a byte from the model server before a try is given up."""
    retries: int = Field(default=4, ge=0)
    """Further tries after a fault of the model server (refused, 429, 5xx, cut streams), with backoff."""


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The process's settings, read once.

    Raises:
        UserError: a value that cannot be one.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = f"WARDROUND_{'_'.join(map(str, first['loc'])).upper()}"
        raise UserError(f"{name}=`{first['input']}` cannot be used: {first['msg']}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"`.env` in this folder cannot be read ({error}): mend or move it") from None
