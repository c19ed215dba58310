"""Settings: a bad value is refused at start, by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.store.settings import BadSetting, read_settings


def read(home: Path, **given: str) -> object:
    return read_settings({"SHARING_BPM_HOME": str(home), **{f"SHARING_BPM_{name}": value for name, value in given.items()}})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://x"), ("SECRET_KEY", "short"), ("BASE_URL", "example.org"), ("MAIL_PORT", "smtp"), ("MAIL_PORT", "0"),
        ("IDLE_MINUTES", "-5"), ("UPLOAD_MEGABYTES", "1.5"), ("RULE_SET", "utopia"), ("SESSION_HOURS", "９"),
    ],
)
def test_a_bad_value_is_refused_by_name(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=f"SHARING_BPM_{name}"):
        read(tmp_path, **{name: value})


def test_a_sender_without_at_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="SHARING_BPM_MAIL_FROM"):
        read(tmp_path, MAIL_HOST="mail.example.org", MAIL_FROM="nobody")


def test_a_file_is_no_home(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadSetting, match="SHARING_BPM_HOME"):
        read(tmp_path / "file")


def test_the_secret_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    first, second = read_settings({"SHARING_BPM_HOME": str(tmp_path)}), read_settings({"SHARING_BPM_HOME": str(tmp_path)})
    assert first.secret_key == second.secret_key and len(first.secret_key) >= 32
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0
