"""Settings from the environment. A bad value is refused at start, by name.

Every variable starts with `SHARING_BPM_`; docs/operations.md lists them.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

PREFIX = "SHARING_BPM_"
#: The checkout: bpmn/ and web/static are found beside the packages.
ROOT = Path(__file__).resolve().parents[2]


class BadSetting(ValueError):
    """A setting has a value that cannot be used; the message names the variable."""


@dataclass(frozen=True, slots=True)
class Mail:
    """Where notices leave as e-mail."""

    host: str
    port: int
    sender: str


@dataclass(frozen=True, slots=True)
class Settings:
    """All that an installation may set.

    `home` is the data folder (database, uploads, the generated secret); `base_url` is the address that links in
    messages start with; `idle_minutes` signs a person out; `upload_bytes` caps one file.
    """

    home: Path
    database_url: str
    secret_key: str
    base_url: str
    mail: Mail | None = None
    idle_minutes: int = 30
    session_hours: int = 12
    upload_bytes: int = 20 * 1024 * 1024
    demo_password: str = "demo"
    rule_set: str = "liaoyang_2018"
    diagrams: Path = ROOT / "bpmn"
    secure_cookies: bool = False

    @property
    def uploads(self) -> Path:
        """Where attachments lie: outside the web root."""
        return self.home / "attachments"


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. Raises BadSetting naming the variable that is wrong."""
    env = dict(os.environ if environ is None else environ)

    def text(name: str, default: str) -> str:
        return env.get(PREFIX + name, "").strip() or default

    def number(name: str, default: int, low: int, high: int) -> int:
        raw = text(name, str(default))
        if not raw.isascii() or not raw.isdigit() or not low <= int(raw) <= high:
            raise BadSetting(f"{PREFIX}{name}={raw!r}: a whole number from {low} to {high} is expected")
        return int(raw)

    home = Path(text("HOME", str(ROOT / "var"))).expanduser().absolute()
    if home.exists() and not home.is_dir():
        raise BadSetting(f"{PREFIX}HOME={str(home)!r}: not a folder")
    base_url = text("BASE_URL", "http://127.0.0.1:8000").rstrip("/")
    if urlsplit(base_url).scheme not in ("http", "https") or not urlsplit(base_url).netloc:
        raise BadSetting(f"{PREFIX}BASE_URL={base_url!r}: an http(s) address is expected")
    diagrams = Path(text("DIAGRAMS", str(ROOT / "bpmn")))
    rule_set = text("RULE_SET", "liaoyang_2018")
    if not (diagrams / rule_set).is_dir():
        raise BadSetting(f"{PREFIX}RULE_SET={rule_set!r}: no such folder in {diagrams}")
    return Settings(
        home=home,
        database_url=_database_url(text("DATABASE_URL", f"sqlite:///{home / 'sharing.db'}")),
        secret_key=_secret(text("SECRET_KEY", ""), home),
        base_url=base_url,
        mail=_mail(text("MAIL_HOST", ""), number("MAIL_PORT", 25, 1, 65535), text("MAIL_FROM", "sharing-bpm@localhost")),
        idle_minutes=number("IDLE_MINUTES", 30, 1, 24 * 60),
        session_hours=number("SESSION_HOURS", 12, 1, 24 * 7),
        upload_bytes=number("UPLOAD_MEGABYTES", 20, 1, 1024) * 1024 * 1024,
        demo_password=text("DEMO_PASSWORD", "demo"),
        rule_set=rule_set,
        diagrams=diagrams,
        secure_cookies=base_url.startswith("https://"),
    )


def _database_url(url: str) -> str:
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise BadSetting(f"{PREFIX}DATABASE_URL: sqlite:///FILE or postgresql+psycopg://… is expected")
    return url


def _mail(host: str, port: int, sender: str) -> Mail | None:
    if host and "@" not in sender:
        raise BadSetting(f"{PREFIX}MAIL_FROM={sender!r}: an e-mail address is expected")
    return Mail(host, port, sender) if host else None


def _secret(given: str, home: Path) -> str:
    """The key that signs cookies: from the environment, or made once and kept in the data folder (mode 600)."""
    if given:
        if len(given) < 32:
            raise BadSetting(f"{PREFIX}SECRET_KEY: at least 32 characters are expected")
        return given
    file = home / "secret_key"
    if not file.exists():
        home.mkdir(parents=True, exist_ok=True)
        try:
            with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as out:
                out.write(secrets.token_urlsafe(48))
        except FileExistsError:  # another process of the same start was quicker
            pass
    return file.read_text().strip()
