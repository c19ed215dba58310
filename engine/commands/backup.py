"""`backup` and `restore` of an embedded installation: database and attachments in one file.

For PostgreSQL use its own tools (docs/operations.md): they do it better than we could. The secret key is not in a
backup: a new one only makes forms that were open at that moment ask to be sent again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from engine.commands.common import CLI, CommandError, database_file, open_store
from engine.store.settings import Settings, read_settings

MANIFEST, DATABASE, ATTACHMENTS = "manifest.json", "database.sqlite", "attachments"
#: The names that attachments are stored under: nothing else of an archive is ever written to disk.
_ATTACHMENT = re.compile(rf"{ATTACHMENTS}/([0-9a-f]{{2}})/(\1[0-9a-f]{{38}})")


def add(commands: Any) -> None:
    backup = commands.add_parser("backup", help="database and attachments into one file, while people work")
    backup.add_argument("file", type=Path, metavar="FILE", help="a new file (.tar.gz)")
    backup.set_defaults(run=run_backup)
    restore = commands.add_parser("restore", help="bring an installation back from a backup")
    restore.add_argument("file", type=Path, metavar="FILE")
    restore.add_argument("--replace", action="store_true", help="replace the database that is there")
    restore.set_defaults(run=run_restore)


def _embedded(settings: Settings, verb: str) -> Path:
    file = database_file(settings)
    if file is None:
        tool = "pg_dump" if verb == "backup" else "pg_restore"
        raise CommandError(
            f"{verb} is for the embedded SQLite; for PostgreSQL use {tool}, and copy {settings.uploads} (docs/operations.md)"
        )
    return file


# -- backup -----------------------------------------------------------------------------------


def run_backup(options: argparse.Namespace) -> None:
    settings = read_settings()
    source, target = _embedded(settings, "backup"), options.file
    if target.exists():
        raise CommandError(f"{target} exists already")
    with open_store(settings) as store, store.work(None, CLI) as work:
        from engine.history import Entry, append

        append(work, "system", [Entry("backed_up", data={"file": target.name})])
    files = write_backup(source, settings.uploads, target)
    print(f"{target}: the database and {files} attachments")


def write_backup(database: Path, uploads: Path, target: Path) -> int:
    """Writes a backup of a database that may be in use; returns how many attachments are in it.

    The database is copied first: an attachment's bytes are written before its row, so every row in the copy has its file.
    The manifest comes last and has the digest of everything, so a backup without its end is none. The target appears only
    when it is whole.
    """
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=target.absolute().parent) as name:
        folder = Path(name)
        with closing(sqlite3.connect(database, timeout=30)) as source, closing(sqlite3.connect(folder / DATABASE)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
        members = {DATABASE: folder / DATABASE}
        for file in sorted(uploads.glob("??/*")):
            member = f"{ATTACHMENTS}/{file.parent.name}/{file.name}"
            if _ATTACHMENT.fullmatch(member) and file.is_file():
                members[member] = file
        made = folder / "backup.tar.gz"
        with os.fdopen(os.open(made, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
            with tarfile.open(fileobj=out, mode="w:gz") as archive:
                for member, file in members.items():
                    archive.add(file, member)
                digests = {member: _sha256(file) for member, file in members.items()}
                manifest = {"product": "sharing-bpm", "version": version("sharing-bpm"), "sha256": digests}
                (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
                archive.add(folder / MANIFEST, MANIFEST)
            out.flush()
            os.fsync(out.fileno())
        os.link(made, target)  # unlike a rename, never over a file that somebody made meanwhile
    return len(members) - 1


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


# -- restore ----------------------------------------------------------------------------------


def run_restore(options: argparse.Namespace) -> None:
    settings = read_settings()
    target = _embedded(settings, "restore")
    if target.exists():
        if not options.replace:
            raise CommandError(f"there is a database already: {target}; --replace puts the backup in its place")
        _refuse_while_working(target, settings)
    target.parent.mkdir(parents=True, exist_ok=True)
    with _unpacked(options.file, target.parent) as folder:
        _refuse_newer(folder / DATABASE)
        files = _bring_attachments(folder, settings.uploads)
        with closing(sqlite3.connect(folder / DATABASE)) as source, closing(sqlite3.connect(target, timeout=30)) as place:
            source.backup(place)  # one transaction: a crash in it leaves what was there
    from engine.history import Entry, append
    from engine.store.migrate import upgrade

    upgrade(settings.database_url)
    with open_store(settings) as store, store.work(None, CLI) as work:
        append(work, "system", [Entry("restored", data={"file": options.file.name, "sha256": _sha256(options.file)})])
    print(f"{target}: restored, with {files} attachments")


def _refuse_while_working(database: Path, settings: Settings) -> None:
    """A worker or a server that goes on would write what it remembers over what comes back."""
    from engine.health import look
    from engine.store.store import Store

    store = Store(settings.database_url, pool_size=1)
    try:
        busy = look(store).worker
    finally:
        store.close()
    if busy:
        raise CommandError(f"a worker is running on {database}; stop it first (a minute after a crash it counts as stopped)")


@contextmanager
def _unpacked(file: Path, near: Path) -> Iterator[Path]:
    """The checked content of a backup in a folder on the target's disk. Raises CommandError for a file that is no whole backup."""
    file.stat()  # a file that is not there is told as such
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=near) as name:
        folder = Path(name)
        try:
            with tarfile.open(file, "r:gz") as archive:
                found = {_unpack(archive, member, folder) for member in archive}
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            digests = {member: _sha256(folder / member) for member in found - {MANIFEST}}
            whole = manifest["product"] == "sharing-bpm" and manifest["sha256"] == digests and DATABASE in digests
        except (tarfile.TarError, zlib.error, EOFError, ValueError, KeyError, TypeError, OSError) as error:
            raise CommandError(f"{file} is no backup of sharing-bpm, or a damaged one ({error})") from error
        if not whole:
            raise CommandError(f"{file} is a damaged backup: what is in it is not what was backed up")
        yield folder


def _unpack(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> str:
    """Writes one member; raises ValueError for one that no backup holds, such as a path that leads elsewhere."""
    known = member.name in (MANIFEST, DATABASE) or _ATTACHMENT.fullmatch(member.name)
    stream = archive.extractfile(member) if member.isreg() and known else None
    if stream is None:
        raise ValueError(f"it holds {member.name!r}")
    target = folder / member.name
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as out:
        shutil.copyfileobj(stream, out)
    return member.name


def _refuse_newer(database: Path) -> None:
    """A backup of a newer version has tables that this one does not know."""
    with closing(sqlite3.connect(database)) as connection:
        try:
            [whole] = connection.execute("PRAGMA integrity_check(1)").fetchone()
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.DatabaseError as error:
            raise CommandError(f"the database in the backup is damaged: {error}") from error
    if whole != "ok":
        raise CommandError(f"the database in the backup is damaged: {whole}")
    if row is None or not _knows(row[0]):
        raise CommandError("the backup is of a newer version of sharing-bpm; install that version first")


def _knows(revision: str) -> bool:
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError as Unknown

    from engine.store.migrate import config

    try:
        return ScriptDirectory.from_config(config("sqlite://")).get_revision(revision) is not None
    except Unknown:
        return False


def _bring_attachments(folder: Path, uploads: Path) -> int:
    """Puts the attachments in place; their names are random, so one that is there already is the same file."""
    files = sorted((folder / ATTACHMENTS).glob("*/*"))
    for file in files:
        place = uploads / file.parent.name / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            shutil.copyfile(file, place.with_suffix(".part"))
            os.replace(place.with_suffix(".part"), place)
    return len(files)
