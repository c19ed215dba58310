"""`serve` and `worker`: what runs for years."""

from __future__ import annotations

import argparse
import ipaddress
import sys
from dataclasses import asdict
from typing import Any

from engine.commands.common import CommandError, add_json, emit, open_store
from engine.store.settings import Settings, read_settings
from engine.store.store import Store


def add(commands: Any) -> None:
    serve = commands.add_parser("serve", help="the web, with a worker beside it")
    serve.add_argument("--host", default="127.0.0.1", help="where to listen (default: this machine only)")
    serve.add_argument("--port", type=_port, default=8000)
    serve.add_argument("--processes", type=_processes, default=1, metavar="N", help="web processes (default 1)")
    serve.add_argument("--no-worker", action="store_true", help="workers run elsewhere")
    serve.set_defaults(run=run_serve)
    worker = commands.add_parser("worker", help="the background worker; any number may run")
    worker.add_argument("--once", action="store_true", help="do all that is due now and exit")
    add_json(worker)
    worker.set_defaults(run=run_worker)


def _port(text: str) -> int:
    return _whole(text, 1, 65535)


def _processes(text: str) -> int:
    return _whole(text, 1, 64)


def _whole(text: str, low: int, high: int) -> int:
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise argparse.ArgumentTypeError(f"{text!r}: a whole number from {low} to {high} is expected")
    return int(text)


def run_serve(options: argparse.Namespace) -> int:
    from engine import logs
    from engine.server import serve

    settings = read_settings()
    with open_store(settings) as store:
        demo = _demo_accounts(store)
    logs.to_stderr()

    def started() -> None:
        host = f"[{options.host}]" if ":" in options.host else options.host
        if demo:
            print(_about_demo(demo, settings, options.host), end="\n\n")
        print(f"sharing-bpm serves http://{host}:{options.port}", flush=True)

    return serve(
        settings, host=options.host, port=options.port, processes=options.processes, worker=not options.no_worker, started=started
    )


def run_worker(options: argparse.Namespace) -> None:
    from engine import logs
    from engine.server import stop_on_signals
    from engine.worker import Worker

    if options.json and not options.once:
        raise CommandError("--json goes with --once")
    settings = read_settings()
    with open_store(settings) as store:
        logs.to_stderr()
        worker = Worker(store, settings)
        stop_on_signals(worker.stop)
        if not options.once:
            return worker.run()
        swept = worker.once()
    if options.json:
        emit(asdict(swept))
    else:
        print(f"{swept.fired} timers fired, {swept.delivered} letters sent, {swept.sealed} entries sealed, {swept.removed} leftovers removed")


def _demo_accounts(store: Store) -> dict[str, list[str]]:
    """Who holds the same posts: "posts" → ["unit login", …]; empty in an installation without the demo town."""
    from sqlalchemy import select

    from engine.people.posts import post_label
    from engine.people.tables import Account, Appointment, Unit

    with store.read() as session:
        rows = session.execute(
            select(Account.login, Unit.short, Appointment.post)
            .join(Unit, Unit.id == Account.unit_id).outerjoin(Appointment, Appointment.account_id == Account.id)
            .where(Account.login.like("demo%"), Account.active).order_by(Account.login, Appointment.post)
        ).all()
    posts: dict[str, list[str]] = {}
    for login, unit, post in rows:
        if login.removeprefix("demo").isdigit():
            posts.setdefault(f"{unit} {login}", []).extend([post_label(post)] if post else [])
    alike: dict[str, list[str]] = {}
    for who, labels in posts.items():
        alike.setdefault("、".join(labels), []).append(who)
    return alike


def _about_demo(accounts: dict[str, list[str]], settings: Settings, host: str) -> str:
    """Posts, and who holds them: a dozen and a half lines for all accounts."""
    from engine.commands.common import table

    password = "demo" if settings.demo_password == "demo" else "that of SHARING_BPM_DEMO_PASSWORD when they were made"
    text = f"Demo accounts (password: {password}):\n"
    text += table(["posts", "unit and login"], [[labels, " · ".join(people)] for labels, people in accounts.items()])
    if not _is_loopback(host):
        print(f"sharing-bpm: the demo accounts can be used from other machines, as {host} is not loopback", file=sys.stderr)
    return text


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
