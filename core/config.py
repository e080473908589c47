"""Settings: `cali.toml` and `CALI_*` variables, checked at start.

Order of precedence: arguments (command-line options), `CALI_*` variables, `CALI_*_FILE` for secrets, the table of the
profile in `cali.toml`, the other tables of the file, the defaults below. The name of a table is a prefix:
`[llm] model = "m"` sets `llm_model`, as does `CALI_LLM_MODEL`; `[profile.prod.llm] model = "n"` wins in `prod`.

This is the one module of core that reads from outside.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from core.errors import ConfigError, InputError

Profile = Literal["dev", "stage", "prod"]


class Settings(BaseSettings):
    """Every setting of CALI, with its unit and default."""

    model_config = SettingsConfigDict(env_prefix="CALI_", extra="forbid", frozen=True)

    profile: Profile = "dev"
    state: Annotated[Path, Field(description="folder of the learned state")] = Path(".cali")
    catalog_url: Annotated[
        str | None, Field(description="SQLAlchemy URL of the catalog; default: SQLite in the state folder")
    ] = None
    timezone: Annotated[str, Field(description="IANA zone that naive times take")] = "UTC"
    display_timezone: Annotated[str, Field(description="IANA zone of the times that people read")] = "UTC"

    detection_false_discovery_rate: Annotated[
        float, Field(gt=0, lt=1, description="expected share of false anomalies among those reported")
    ] = 0.01
    detection_threads: Annotated[int, Field(ge=1, le=64, description="threads that decode lines; 1: no threads")] = 2

    templates_masks: Annotated[
        dict[str, str], Field(description="own typed masks of templates: TYPE -> regular expression (Rust's)")
    ] = {}

    memory_uri: Annotated[
        str | None, Field(description="URI of a Milvus server; default: Milvus Lite in the state")
    ] = None
    memory_token: SecretStr | None = None
    memory_model: Annotated[str, Field(description="sentence-transformers model of the embedder")] = "all-MiniLM-L6-v2"
    memory_tenant: Annotated[str, Field(description="whose incidents these are")] = "default"
    memory_embedding_base_url: Annotated[
        str | None, Field(description="OpenAI-compatible endpoint for embeddings; default: run the model here")
    ] = None
    memory_embedding_api_key: SecretStr | None = None
    memory_reranker: Annotated[
        str | None, Field(description="sentence-transformers cross-encoder that reorders the best matches; none: off")
    ] = None

    llm_base_url: Annotated[str | None, Field(description="OpenAI-compatible endpoint; none: no model is asked")] = None
    llm_model: Annotated[str | None, Field(description="name of the model at the endpoint")] = None
    llm_api_key: SecretStr | None = None
    llm_timeout: Annotated[float, Field(gt=0, description="seconds that one request may take")] = 60.0
    llm_retries: Annotated[int, Field(ge=0, le=10, description="tries after the first, on 429, 5xx and time-outs")] = 3
    llm_evidence_tokens: Annotated[int, Field(ge=500, description="tokens of the evidence pack")] = 4000
    llm_max_output_tokens: Annotated[int, Field(ge=100, description="tokens of one reply")] = 1500
    llm_incident_token_cap: Annotated[int, Field(ge=1000, description="tokens per incident, in and out")] = 20_000
    llm_daily_token_cap: Annotated[int, Field(ge=1000, description="tokens per day, in and out")] = 1_000_000
    llm_incident_cost_cap: Annotated[float | None, Field(ge=0, description="US dollars per incident; needs prices")] = (
        None
    )
    llm_daily_cost_cap: Annotated[float | None, Field(ge=0, description="US dollars per day; needs the prices")] = None
    llm_input_price: Annotated[float | None, Field(ge=0, description="US dollars per million input tokens")] = None
    llm_output_price: Annotated[float | None, Field(ge=0, description="US dollars per million output tokens")] = None
    llm_second_opinion: Annotated[bool, Field(description="a second pass that may only lower confidence")] = False

    redaction_mask_ips: Annotated[bool, Field(description="mask IP addresses too")] = False
    redaction_patterns: Annotated[
        dict[str, str], Field(description="own patterns: type name -> regular expression")
    ] = {}

    @field_validator("timezone", "display_timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
            raise ValueError("an IANA time zone such as Asia/Seoul or UTC") from exc
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # `load` merges the file below the environment itself: arguments arrive by init, the rest by `_Layers`.
        return (init_settings, env_settings, _FileLayers(settings_cls))

    @property
    def zone(self) -> ZoneInfo:
        """The zone of naive times."""
        return ZoneInfo(self.timezone)

    @property
    def display_zone(self) -> ZoneInfo:
        """The zone of times shown to people."""
        return ZoneInfo(self.display_timezone)

    @property
    def model_configured(self) -> bool:
        """Whether a language model may be asked."""
        return self.llm_model is not None

    def catalog_location(self) -> str:
        """The SQLAlchemy URL of the catalog."""
        return self.catalog_url or f"sqlite:///{self.state / 'catalog.db'}"


class _FileLayers(PydanticBaseSettingsSource):
    """Values of `cali.toml` (see `load`), and of files named by `CALI_<SECRET>_FILE`."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        return {**_read_toml(self.settings_cls), **_read_secret_files(self.settings_cls)}


def config_path() -> Path | None:
    """The configuration file: `CALI_CONFIG`, else `cali.toml` of the working folder where there is one."""
    named = os.environ.get("CALI_CONFIG")
    if named:
        return Path(named)
    default = Path("cali.toml")
    return default if default.is_file() else None


def _read_toml(settings: type[BaseSettings]) -> dict[str, Any]:
    path = config_path()
    if path is None:
        return {}
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise InputError(f"configuration file {path}: {exc.strerror}; check CALI_CONFIG") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise InputError(f"configuration file {path} is no valid TOML: {exc}") from exc
    profiles = document.pop("profile", {})
    if isinstance(profiles, str):
        document["profile"], profiles = profiles, {}
    profile = os.environ.get("CALI_PROFILE", document.get("profile", "dev"))
    names = frozenset(settings.model_fields)
    values = _flatten(document, names)
    if isinstance(profiles, dict):
        values |= _flatten(profiles.get(profile, {}), names)
    return values


def _flatten(table: Mapping[str, Any], names: frozenset[str], prefix: str = "") -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{prefix}{key}".replace("-", "_")
        if isinstance(value, dict) and name not in names:
            values |= _flatten(value, names, f"{name}_")
        else:
            values[name] = value
    return values


def _read_secret_files(settings: type[BaseSettings]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, info in settings.model_fields.items():
        variable = f"CALI_{name.upper()}_FILE"
        named = os.environ.get(variable)
        if named and "SecretStr" in str(info.annotation):
            try:
                values[name] = Path(named).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as exc:
                raise ConfigError(variable, named, "a readable text file that holds the secret") from exc
    return values


def load(**overrides: object) -> Settings:
    """The settings, with `overrides` (command-line options; None means not given) on top.

    Raises ConfigError that names every bad setting at once, its value and what it takes; InputError for a file that is
    no TOML.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]  # values are checked by pydantic right here
    except ValidationError as exc:
        raise _config_error(exc) from exc


def _config_error(exc: ValidationError) -> ConfigError:
    problems: list[tuple[str, object, str]] = []
    for error in exc.errors():
        name = ".".join(str(part) for part in error["loc"]) or "settings"
        if error["type"] == "extra_forbidden":
            near = difflib.get_close_matches(name, Settings.model_fields, n=1)
            expected = (
                f"no such setting; did you mean {near[0]}?" if near else "a known setting (docs/configuration.md)"
            )
        else:
            expected = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        secret = "key" in name or "token" in name
        problems.append((name, "***" if secret else error.get("input"), expected))
    name, value, expected = problems[0]
    rest = "".join(f"; setting {n}: {v!r} is not valid; expected {e}" for n, v, e in problems[1:])
    return ConfigError(name, value, expected + rest)
