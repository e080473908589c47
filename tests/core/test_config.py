"""Settings: where they come from, and what a bad one says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.config import Settings, load
from core.errors import ConfigError, InputError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_arguments_win_over_the_environment_over_the_profile_over_the_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "cali.toml").write_text(
        'timezone = "Asia/Seoul"\n[llm]\nmodel = "file"\ntimeout = 5\nretries = 1\n'
        '[profile.prod.llm]\nmodel = "profile"\ntimeout = 6\n'
    )
    assert (load().llm_model, load().llm_timeout, load().timezone) == ("file", 5.0, "Asia/Seoul")
    monkeypatch.setenv("CALI_PROFILE", "prod")
    monkeypatch.setenv("CALI_LLM_TIMEOUT", "7")
    settings = load(llm_retries=2, timezone=None)
    assert (settings.llm_model, settings.llm_timeout, settings.llm_retries) == ("profile", 7.0, 2)
    assert settings.profile == "prod"


def test_all_bad_settings_are_named_together_and_secrets_are_not_shown(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "cali.toml").write_text('timezone = "Mars/Base"\n[llm]\ntimout = 3\n[memory]\ntoken = 5\n')
    monkeypatch.setenv("CALI_DETECTION_THREADS", "none")
    with pytest.raises(ConfigError) as error:
        load()
    text = str(error.value)
    assert "timezone: 'Mars/Base'" in text and "IANA" in text
    assert "did you mean llm_timeout?" in text
    assert "detection_threads: 'none'" in text
    assert "memory_token: '***'" in text and "5" not in text


def test_secrets_come_from_files_and_never_show(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "key").write_text("sk-very-secret\n")
    monkeypatch.setenv("CALI_LLM_API_KEY_FILE", str(folder / "key"))
    settings = load()
    assert settings.llm_api_key is not None
    assert settings.llm_api_key.get_secret_value() == "sk-very-secret"
    assert "secret" not in repr(settings)
    monkeypatch.setenv("CALI_LLM_API_KEY_FILE", str(folder / "missing"))
    with pytest.raises(ConfigError, match="CALI_LLM_API_KEY_FILE"):
        load()


@pytest.mark.parametrize("content", [b"not = = toml", b"\xff\xfe\x00"])
def test_a_broken_file_is_an_input_error(folder: Path, content: bytes) -> None:
    (folder / "cali.toml").write_bytes(content)
    with pytest.raises(InputError, match=r"cali\.toml is no valid TOML"):
        load()


def test_a_named_file_that_is_missing_is_an_input_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALI_CONFIG", "nowhere.toml")
    with pytest.raises(InputError, match="CALI_CONFIG"):
        load()


def test_the_guide_lists_every_setting() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `(\w+)` \|", guide, flags=re.MULTILINE)
    assert documented == list(Settings.model_fields)
