"""The check of what people upload and draw, in a process of its own with limits: no file can harm or stall the site.

`check` itself executes nothing of a diagram, but what it reads was written by anybody, and libraries below it parse XML,
Word files and expressions. So wherever a person is waiting, `checked` is asked instead: a breach of time or memory
costs a process that nobody misses, and comes back as a finding. Why pebble: docs/decisions/0004-checking-apart.md.

When not to use it: in a transaction (it may wait for seconds), and for the files that ship with the product.
"""

from __future__ import annotations

import importlib
import logging
import multiprocessing
import os
import pickle
import resource
import signal
import sys
import threading
from collections.abc import Iterable, Set
from concurrent.futures import TimeoutError as Late
from multiprocessing.util import Finalize
from pathlib import Path

from pebble import ProcessExpired, ProcessPool
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import logs
from engine.people.tables import Account, Appointment
from engine.process.check import check
from engine.process.check_forms import too_large
from engine.process.interpreter.document import refused
from engine.process.interpreter.model import Problem
from engine.process.operations import OPERATIONS, SUBJECTS, WORDS
from engine.process.package import Package

log = logging.getLogger("checking")

#: Processes that check; while one is busy with a costly file, the next person is served by the other.
WORKERS = 2
#: Checks after which a process is replaced by a fresh one.
CHECKS = 500
#: Seconds of computing time for one check: the largest shipped diagram takes a tenth of one.
CPU_SECONDS = 6
#: Seconds by the clock, on a machine that does much else; and with the wait for a free process.
PATIENCE, LONGEST_WAIT = 20, 45
#: Bytes of address space beyond what a fresh process has.
MEMORY = 512 * 1024 * 1024
#: Findings that are told; a file with more is no diagram.
FINDINGS_MAX = 500
#: A package's letters together.
DOCUMENTS_MAX = 20 * 1024 * 1024

_spawn = multiprocessing.get_context("spawn")
_lock = threading.Lock()
_pool: ProcessPool | None = None


def checked(
    package: Package, known: Set[str], *, base: Package | None = None, held: Set[str] | None = None
) -> list[Problem]:
    """`check.check` in a process apart: the same findings, errors first.

    A file that is refused at sight, or that takes too much time or memory, comes back as one finding; nothing is raised.
    The first call of a process waits a second or two for its helpers to start; see `warm`.
    """
    early = refused_early(package.xml) or _too_large(package)
    if early is not None:
        return [early]
    # Pickled here: what cannot be would end the pool's own thread. Whatever it holds is bounded by now.
    work = pickle.dumps((package, frozenset(known), base, frozenset(held) if held is not None else None))
    future = _ready().schedule(_check, args=(_modules(), work), timeout=PATIENCE)
    try:
        found: list[Problem] = future.result(timeout=LONGEST_WAIT)
    except Late:
        future.cancel()  # type: ignore[no-untyped-call]  # where it still waits for a free process
        logs.say(log, "check took too long", logging.WARNING, bytes=len(package.xml))
        return [_costly("用时过长")]
    except ProcessExpired as ended:
        logs.say(log, "check ended its process", logging.WARNING, bytes=len(package.xml), exit_code=ended.exitcode)
        return [_costly("用时过长" if ended.exitcode == -signal.SIGXCPU else "未能完成")]
    except (MemoryError, RecursionError):
        return [_costly("占用内存过多")]
    except Exception:
        # A fault of ours that a file has found: the site stays up, the log keeps the trace.
        log.exception("check failed")
        return [_costly("未能完成")]
    return found


def refused_early(data: bytes) -> Problem | None:
    """What is refused at sight, before any process is asked: too many bytes, or a DOCTYPE. None for everything else."""
    return refused(data)


def held_posts(session: Session) -> frozenset[str]:
    """The posts that at least one active person holds in some unit. One query."""
    query = select(Appointment.post).join(Account, Account.id == Appointment.account_id).where(Account.active).distinct()
    return frozenset(session.scalars(query))


def warm() -> None:
    """Starts the helpers without waiting for them, so that the first check of a page that is opened now is quick."""
    _ready().schedule(_nothing)


def close() -> None:
    """Ends the helpers; the next check starts new ones. Called at exit by itself."""
    global _pool
    with _lock:
        pool, _pool = _pool, None
    if pool is not None:
        pool.stop()  # type: ignore[no-untyped-call]
        pool.join()


# Web processes are children of multiprocessing: they never run what atexit was told, and wait for children of their own.
# A finalizer of a priority runs before that wait; in any other process, at its exit.
Finalize(None, close, exitpriority=10)


def _too_large(package: Package) -> Problem | None:
    if sum(map(len, package.documents.values())) > DOCUMENTS_MAX:
        return Problem(None, None, "documents-too-large", f"公文模板合计超过{DOCUMENTS_MAX // 1024 // 1024}MB")
    return too_large(package.forms)


def _costly(what: str) -> Problem:
    return Problem(None, None, "check-too-costly", f"检查{what}，已中止：流程图过于复杂或文件有异常，请简化后再试")


def _modules() -> tuple[str, ...]:
    """Where everything that a diagram may name is registered: a fresh process must import it to know it."""
    registered = [*(operation.run for operation in OPERATIONS.values()), *WORDS.values(), *SUBJECTS.values()]
    return tuple(sorted({function.__module__ for function in registered}))


def _ready() -> ProcessPool:
    global _pool
    with _lock:
        if _pool is None or not _pool.active:
            _pool = ProcessPool(
                max_workers=WORKERS, max_tasks=CHECKS, context=_spawn, initializer=_begin, initargs=(_modules(),)
            )
        return _pool


# -- in the process apart -----------------------------------------------------------------------


def _begin(modules: Iterable[str]) -> None:
    """Imports what a check needs, then takes the limits upon itself; and ends when the parent does, however that ends."""
    _know(modules)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _limit_memory()
    threading.Thread(target=_end_with_parent, name="watches the parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)


def _limit_memory() -> None:
    statm = Path("/proc/self/statm")
    if not statm.exists():  # no Linux: time is bounded all the same
        return
    pages = int(statm.read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + MEMORY
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _limit_time() -> None:
    """The kernel counts a process's seconds from its birth, so the limit moves on with each check."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = int(used.ru_utime + used.ru_stime) + 1 + CPU_SECONDS
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _know(modules: Iterable[str]) -> None:
    for name in modules:
        if name not in sys.modules:
            importlib.import_module(name)


def _check(modules: tuple[str, ...], work: bytes) -> list[Problem]:
    _limit_time()
    _know(modules)
    package, known, base, held = pickle.loads(work)
    found = check(package, known, base=base, held=held)
    if len(found) > FINDINGS_MAX:
        more = Problem(None, None, "more-findings", f"另有{len(found) - FINDINGS_MAX}个问题未列出", severity=found[0].severity)
        return [*found[:FINDINGS_MAX], more]
    return found


def _nothing() -> None:
    """For `warm`."""
