"""What else than completing a step may be done with it: the verbs of the desk, as the diagram allows them.

The property `actions` of the process holds for all its steps, that of a user task instead of it: verbs separated by
commas, or `none`. Where both are silent, a task is claimed, put back and completed, and nothing else.
"""

from __future__ import annotations

from types import MappingProxyType

from engine.process.interpreter.model import Diagram, Step

#: Key of a verb, as a diagram writes it, and what the screens call it.
ACTIONS = MappingProxyType({
    "return": "退回", "withdraw": "撤回", "transfer": "转办", "delegate": "委派", "add_signer": "加签", "copy_to": "抄送", "urge": "催办",
})  # fmt: skip
#: Instead of verbs: nothing beside completing.
NONE = "none"
#: What `returnTo` may say beside the ids of steps.
STARTER, PREVIOUS, ANY = "starter", "previous", "any"


def actions_of(diagram: Diagram, step_id: str) -> frozenset[str]:
    """The verbs that the diagram allows at a step: keys of ACTIONS. What is written and no verb allows nothing.

    A step that the diagram does not know, such as one of an older version, has those of the process.
    """
    step = diagram.steps.get(step_id)
    own = step.properties.get("actions") if step is not None and works(step) else None
    return frozenset(listed(own or diagram.properties.get("actions") or NONE)) & ACTIONS.keys()


def return_targets_named(diagram: Diagram, step_id: str) -> frozenset[str]:
    """Where the diagram lets a step be returned to: ids of steps, STARTER, PREVIOUS, ANY (any earlier step).

    Where it does not say: the starter and any earlier step. Whether a case may soundly stand there is for `returning`.
    """
    step = diagram.steps.get(step_id)
    text = step.properties.get("returnTo") if step is not None else None
    return frozenset(listed(text)) if text else frozenset({STARTER, ANY})


def works(step: Step) -> bool:
    """Whether a person does this step."""
    return step.kind in ("user", "manual")


def listed(text: str) -> list[str]:
    """The parts of a property that lists keys, in their order."""
    return [part for part in (part.strip() for part in text.split(",")) if part]
