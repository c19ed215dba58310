"""Operations whose review does what no check may: they stand for the fault that nobody has found yet."""

from __future__ import annotations

import os
from collections.abc import Iterator

from engine.process.interpreter.model import Step
from engine.process.operations import Call, operation
from engine.process.package import Package


def stalls(step: Step, package: Package) -> Iterator[tuple[str, str]]:
    while True:
        pass


def swallows(step: Step, package: Package) -> Iterator[tuple[str, str]]:
    yield "swallowed", str(len([bytes(64 * 1024 * 1024) for _ in range(1000)]))


def falls(step: Step, package: Package) -> Iterator[tuple[str, str]]:
    os._exit(3)


def raises(step: Step, package: Package) -> Iterator[tuple[str, str]]:
    raise ZeroDivisionError


@operation("test.stalls", {}, review=stalls)
@operation("test.swallows", {}, review=swallows)
@operation("test.falls", {}, review=falls)
@operation("test.raises", {}, review=raises)
def nothing(call: Call) -> None:
    """Never run."""
