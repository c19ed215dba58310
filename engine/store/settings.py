"""Settings from the environment. A bad value is refused at start, by name.

Every variable starts with `SHARING_BPM_`; docs/operations.md lists them.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

PREFIX = "SHARING_BPM_"
#: This machine: what goes there does not leave it.
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
#: Where the group robots of enterprise WeChat and DingTalk live.
ROBOT_HOSTS = "qyapi.weixin.qq.com, oapi.dingtalk.com"
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
    user: str = ""
    """Signs in with it; empty where the server asks for nobody."""
    password: str = field(default="", repr=False)
    security: str = "none"
    """none · starttls · tls (from the first octet on)"""


@dataclass(frozen=True, slots=True)
class Sms:
    """The gateway that short messages leave by: it is given JSON, signed with the secret that it shares with us."""

    url: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """All that an installation may set.

    `home` is the data folder (database, uploads, the generated secret); `base_url` is the address that links in
    messages start with; `robot_origins` are the only ones that a group robot's address may have; `webhook_hosts` are
    those that webhooks may reach inside one's own network or without encryption; `idle_minutes` signs a person out; `upload_bytes` caps one file.
    """

    home: Path
    database_url: str
    secret_key: str
    base_url: str
    mail: Mail | None = None
    sms: Sms | None = None
    robot_origins: frozenset[str] = frozenset()
    webhook_hosts: frozenset[str] = frozenset()
    idle_minutes: int = 30
    session_hours: int = 12
    upload_bytes: int = 20 * 1024 * 1024
    demo_password: str = "demo"
    rule_set: str = "liaoyang_2018"
    diagrams: Path = ROOT / "bpmn"
    secure_cookies: bool = False
    api_rate: int = 1200
    """Calls of `/engine-rest` a minute that one token (or one account with its password) may make of one web process."""
    api_deploy: str = "proposal"
    """What a deployment through the API becomes: proposal (a second person approves it) or direct."""

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
        mail=_mail(text, number("MAIL_PORT", 25, 1, 65535)),
        sms=_sms(text("SMS_URL", ""), text("SMS_SECRET", "")),
        robot_origins=_robot_origins(text("ROBOT_HOSTS", ROBOT_HOSTS)),
        webhook_hosts=_hosts("WEBHOOK_HOSTS", text("WEBHOOK_HOSTS", "")),
        idle_minutes=number("IDLE_MINUTES", 30, 1, 24 * 60),
        session_hours=number("SESSION_HOURS", 12, 1, 24 * 7),
        upload_bytes=number("UPLOAD_MEGABYTES", 20, 1, 1024) * 1024 * 1024,
        demo_password=text("DEMO_PASSWORD", "demo"),
        rule_set=rule_set,
        diagrams=diagrams,
        secure_cookies=base_url.startswith("https://"),
        api_rate=number("API_RATE", 1200, 1, 1_000_000),
        api_deploy=_one_of("API_DEPLOY", text("API_DEPLOY", "proposal"), ("proposal", "direct")),
    )


def _one_of(name: str, given: str, words: tuple[str, ...]) -> str:
    if given not in words:
        raise BadSetting(f"{PREFIX}{name}={given!r}: {' or '.join(words)} is expected")
    return given


def _database_url(url: str) -> str:
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise BadSetting(f"{PREFIX}DATABASE_URL: sqlite:///FILE or postgresql+psycopg://… is expected")
    return url


def _mail(text: Callable[[str, str], str], port: int) -> Mail | None:
    host, sender, security = text("MAIL_HOST", ""), text("MAIL_FROM", "sharing-bpm@localhost"), text("MAIL_TLS", "none")
    user, password = text("MAIL_USER", ""), text("MAIL_PASSWORD", "")
    if not host:
        return None
    if "@" not in sender:
        raise BadSetting(f"{PREFIX}MAIL_FROM={sender!r}: an e-mail address is expected")
    if security not in ("none", "starttls", "tls"):
        raise BadSetting(f"{PREFIX}MAIL_TLS={security!r}: none, starttls or tls is expected")
    if bool(user) != bool(password):
        raise BadSetting(f"{PREFIX}MAIL_PASSWORD: MAIL_USER and MAIL_PASSWORD are set together or not at all")
    if user and security == "none" and host not in LOOPBACK:
        raise BadSetting(f"{PREFIX}MAIL_TLS: a password would leave unencrypted; starttls or tls is expected with MAIL_USER")
    return Mail(host, port, sender, user, password, security)


def _sms(url: str, secret: str) -> Sms | None:
    if not url and not secret:
        return None
    if not url or origin_of(url) is None:
        raise BadSetting(f"{PREFIX}SMS_URL: an https address is expected (http only on this machine)")
    if len(secret) < 16:
        raise BadSetting(f"{PREFIX}SMS_SECRET: at least 16 characters are expected")
    return Sms(url, secret)


def _robot_origins(hosts: str) -> frozenset[str]:
    """Where robots may live: names of hosts (https), or a whole http address of this machine; `none` switches them off."""
    if hosts == "none":
        return frozenset()
    found = set()
    for host in filter(None, (part.strip() for part in hosts.split(","))):
        origin = origin_of(host if "://" in host else f"https://{host}")
        if origin is None or urlsplit(host if "://" in host else f"https://{host}").path not in ("", "/"):
            raise BadSetting(f"{PREFIX}ROBOT_HOSTS={host!r}: names of hosts with commas between them are expected, or none")
        found.add(origin)
    return frozenset(found)


def _hosts(name: str, hosts: str) -> frozenset[str]:
    """Names or addresses of hosts, each with a port where only that one is meant."""
    found = frozenset(filter(None, (part.strip().lower() for part in hosts.split(","))))
    for host in found:
        if "/" in host or "@" in host or origin_of(f"https://{host}") is None:
            raise BadSetting(f"{PREFIX}{name}={host!r}: names of hosts with commas between them are expected, such as oa.example.cn:8443")
    return found


def origin_of(url: str) -> str | None:
    """Scheme, host and port of an address that we would send to; None for any other.

    That is https, or http on this very machine, without a name and password in it and without any character that could make one
    reader see another host than the next.
    """
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = (parts.hostname or "").rstrip(".")
    if not host or "@" in parts.netloc or (parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK)):
        return None
    usual = {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, usual) else "")


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
