"""`history verify`: proves that nobody touched what was recorded."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from engine.commands.common import FOUND_WRONG, add_json, emit, open_store, reading_settings


def add(commands: Any) -> None:
    verbs = commands.add_parser("history", help="the record of all acts").add_subparsers(metavar="VERB", required=True)
    verify = verbs.add_parser("verify", help="walk the hash chains; exit 1 and the first broken entry if they do not hold")
    verify.add_argument("--anchor", metavar="NUMBER:HASH", help="an anchor printed earlier, which must still be in the chain")
    add_json(verify)
    verify.set_defaults(run=run_verify)


def run_verify(options: argparse.Namespace) -> int:
    from engine.history_seal import verify

    with open_store(reading_settings()) as store:
        verdict = verify(store, options.anchor)
    if options.json:
        emit(asdict(verdict))
    elif verdict.ok:
        removed = f"，另有{verdict.removed}条已随办件经批准销毁" if verdict.removed else ""
        print(f"办理记录完整：{verdict.entries}条{removed}，封存{verdict.seals}批。凭证：{verdict.anchor or '尚无封存'}")
    else:
        print(f"办理记录不完整：{verdict.first_broken}（此前核对了{verdict.entries}条、{verdict.seals}批）")
    return 0 if verdict.ok else FOUND_WRONG
