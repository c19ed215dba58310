"""Which addresses a webhook may have: https on the internet, or a host that the installation lists by name.

An operator's webhook must not become a door into one's own network: what is private, or without encryption, is for the settings
to allow (SHARING_BPM_WEBHOOK_HOSTS), not for a page.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

URL_MAX = 500


def wrong_with(url: str, hosts: frozenset[str]) -> str | None:
    """What is wrong with an address, in words; None where it may be used. Names are not looked up."""
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url or len(url) > URL_MAX:
        return "请填写完整的网址，只用英文字符，如 https://oa.example.cn/hook"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return "网址写法不正确"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "请填写以 https:// 开头的网址"
    if "@" in parts.netloc or parts.fragment:
        return "网址中不能带用户名、密码或#"
    if is_allowed(url, hosts):
        return None
    if parts.scheme != "https":
        return "只能使用 https；内网的 http 地址须先由管理员写入 SHARING_BPM_WEBHOOK_HOSTS"
    if _is_local_name(parts.hostname) or not is_public(parts.hostname, unknown=True):
        return "内网地址须先由管理员写入 SHARING_BPM_WEBHOOK_HOSTS"
    return None


def is_allowed(url: str, hosts: frozenset[str]) -> bool:
    """Whether the settings list the host of the address, with its port or without one."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    written = f"[{host}]" if ":" in host else host
    return host in hosts or written in hosts or f"{written}:{parts.port or {'https': 443, 'http': 80}.get(parts.scheme)}" in hosts


def is_public(address: str, *, unknown: bool = False) -> bool:
    """Whether an IP address is on the internet; `unknown` is the answer for what is no address."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0].strip("[]"))
    except ValueError:
        return unknown and not _is_numeric(address)
    mapped = getattr(found, "ipv4_mapped", None)
    return bool((mapped or found).is_global) and not found.is_multicast


def _is_numeric(host: str) -> bool:
    """2130706433 and 0x7f000001 are addresses to some resolvers."""
    last = host.rstrip(".").rpartition(".")[2]
    return last.isdigit() or last.lower().startswith("0x")


def _is_local_name(host: str) -> bool:
    name = host.rstrip(".").lower()
    return "." not in name and ":" not in name or name.endswith((".localhost", ".local", ".internal"))
