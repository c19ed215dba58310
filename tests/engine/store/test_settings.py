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


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("MAIL_TLS", {"MAIL_TLS": "ssl"}), ("MAIL_PASSWORD", {"MAIL_USER": "sharing"}), ("MAIL_PASSWORD", {"MAIL_PASSWORD": "x"}),
        ("MAIL_TLS", {"MAIL_USER": "sharing", "MAIL_PASSWORD": "in the clear"}),
        ("SMS_URL", {"SMS_URL": "http://gateway.example.org/sms", "SMS_SECRET": "x" * 16}),
        ("SMS_URL", {"SMS_SECRET": "x" * 16}), ("SMS_SECRET", {"SMS_URL": "https://gateway.example.org/sms", "SMS_SECRET": "short"}),
        ("ROBOT_HOSTS", {"ROBOT_HOSTS": "http://robots.example.org"}), ("ROBOT_HOSTS", {"ROBOT_HOSTS": "a.example.org/path"}),
        ("ROBOT_HOSTS", {"ROBOT_HOSTS": "user@example.org"}), ("ROBOT_HOSTS", {"ROBOT_HOSTS": "例.example.org"}),
    ],
)  # fmt: skip
def test_a_channel_that_could_leak_or_cannot_work_is_refused_by_name(tmp_path: Path, name: str, given: dict[str, str]) -> None:
    with pytest.raises(BadSetting, match=f"SHARING_BPM_{name}") as told:
        read(tmp_path, MAIL_HOST="mail.example.org", **given)
    assert "in the clear" not in str(told.value) and "short" not in str(told.value)


def test_secrets_of_channels_do_not_show_when_settings_are_printed(tmp_path: Path) -> None:
    given = {"MAIL_HOST": "m.example.org", "MAIL_USER": "u", "MAIL_PASSWORD": "hidden", "MAIL_TLS": "tls",
             "SMS_URL": "https://g.example.org", "SMS_SECRET": "hidden" * 3}  # fmt: skip
    assert "hidden" not in repr(read(tmp_path, **given))


def test_robots_live_at_the_two_products_unless_told_otherwise(tmp_path: Path) -> None:
    def origins(**given: str) -> object:
        return getattr(read(tmp_path, **given), "robot_origins")  # noqa: B009

    assert origins() == {"https://qyapi.weixin.qq.com", "https://oapi.dingtalk.com"}
    assert origins(ROBOT_HOSTS="robots.example.gov.cn:8443, http://127.0.0.1:9000") == {
        "https://robots.example.gov.cn:8443", "http://127.0.0.1:9000",
    }  # fmt: skip
    assert origins(ROBOT_HOSTS="none") == frozenset()
