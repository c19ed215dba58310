"""Does what a diagram says about the officer's desk make sense: its verbs, and where a step may be returned to?

A misspelt verb would silently allow nothing, a target that is no step would never be offered: both are refused by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from engine.process.actions import ACTIONS, ANY, NONE, PREVIOUS, STARTER, actions_of, listed, works
from engine.process.interpreter.model import Diagram, Problem, Step


def desk_problems(diagram: Diagram) -> Iterator[Problem]:
    """All findings about the properties `actions` and `returnTo`."""
    for what in _verbs(diagram.properties.get("actions", "")):
        yield Problem(None, diagram.name, "action-unknown", f"流程“{diagram.name}”的{what}")
    for step in diagram.steps.values():
        if works(step):
            for what in _verbs(step.properties.get("actions", "")):
                yield _problem(step, "action-unknown", f"的{what}")
            yield from _targets(step, diagram)


def _verbs(text: str) -> Iterator[str]:
    """What is wrong with a list of verbs."""
    verbs = listed(text)
    for verb in verbs:
        if verb == NONE and len(verbs) > 1:
            yield "可用动作（actions）写有none，就不能再写其他动作"
        elif verb != NONE and verb not in ACTIONS:
            close = get_close_matches(verb, ACTIONS, n=1, cutoff=0.7)
            meant = f"，是否应为“{close[0]}”？" if close else f"，应为{'、'.join(ACTIONS)}或none"
            yield f"可用动作（actions）中没有“{verb}”{meant}"


def _targets(step: Step, diagram: Diagram) -> Iterator[Problem]:
    targets = listed(step.properties.get("returnTo", ""))
    if not targets:
        return
    if "return" not in actions_of(diagram, step.id):
        text = "不允许退回（actions中没有return），写明的退回去向（returnTo）不起作用"
        yield _problem(step, "return-not-allowed", text)
    for target in targets:
        if target in (STARTER, PREVIOUS, ANY):
            continue
        found = diagram.steps.get(target)
        if found is None:
            yield _problem(step, "return-to-unknown", f"的退回去向（returnTo）“{target}”不是本流程的环节，也不是starter、previous或any")
        elif not works(found):
            yield _problem(step, "return-to-no-task", f"的退回去向“{found.name or target}”（{target}）不是由人办理的环节，不能退回到那里")
        elif target == step.id:
            yield _problem(step, "return-to-itself", "不能退回到自己")


def _problem(step: Step, rule: str, text: str) -> Problem:
    return Problem(step.id, step.name, rule, f"环节“{step.name or step.id}”（{step.id}）{text}", step.article)
