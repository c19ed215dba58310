"""`token`: bearer tokens for programs, made for an account by whoever runs this machine.

The token itself is printed once, when it is made; the database keeps its hash.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from engine.commands.common import CLI, CommandError, add_json, emit, open_store, reading_settings, table

#: Days that a token lives where nothing else is said.
LIFE = 90


def add(commands: Any) -> None:
    from engine.people.tokens import LONGEST, SCOPES

    verbs = commands.add_parser("token", help="bearer tokens for programs").add_subparsers(metavar="VERB", required=True)
    new = verbs.add_parser("create", help="a new token, printed once")
    new.add_argument("login", metavar="LOGIN", help="as whom the program acts")
    new.add_argument("--name", required=True, help="which program uses it")
    new.add_argument("--scope", action="append", choices=sorted(SCOPES), required=True, help="what it may be used for; may be repeated")
    new.add_argument("--days", type=int, default=LIFE, help=f"how long it lives (default {LIFE}, at most {LONGEST.days})")
    add_json(new)
    new.set_defaults(run=run_create)
    listing = verbs.add_parser("list", help="all tokens, the newest first; never the tokens themselves")
    listing.add_argument("--login", metavar="LOGIN", help="of one account only")
    add_json(listing)
    listing.set_defaults(run=run_list)
    end = verbs.add_parser("revoke", help="end a token at once")
    end.add_argument("id", type=int, metavar="ID")
    end.set_defaults(run=run_revoke)


def run_create(options: argparse.Namespace) -> None:
    from engine.people.accounts import account_id_of
    from engine.people.tokens import LONGEST, create_token

    if not 0 < options.days <= LONGEST.days:
        raise CommandError(f"--days: from 1 to {LONGEST.days} is expected")
    with open_store(reading_settings()) as store:
        with store.read() as session:
            account_id = account_id_of(session, options.login)
        expires_at = store.clock.now() + timedelta(days=options.days)
        token = create_token(
            store, account_id=account_id, name=options.name, scopes=options.scope, expires_at=expires_at, actor=None, origin=CLI
        )
    if options.json:
        emit({"token": token, "login": options.login, "scopes": sorted(options.scope), "expires_at": expires_at.isoformat()})
    else:
        print(token)


def run_list(options: argparse.Namespace) -> None:
    from engine.people.accounts import account_id_of
    from engine.people.tokens import list_tokens

    with open_store(reading_settings()) as store:
        account_id = None
        if options.login:
            with store.read() as session:
                account_id = account_id_of(session, options.login)
        found = list_tokens(store, account_id=account_id)
    if options.json:
        emit([asdict(line) for line in found])
    else:
        rows = [[str(line.id), line.login, line.name, line.state, f"{line.expires_at:%Y-%m-%d}", " ".join(line.scopes)] for line in found]
        print(table(["id", "login", "name", "state", "expires", "scopes"], rows))


def run_revoke(options: argparse.Namespace) -> None:
    from engine.people.tokens import revoke_token

    with open_store(reading_settings()) as store:
        revoke_token(store, options.id, actor=None, origin=CLI)
    print(f"token {options.id} is revoked")
