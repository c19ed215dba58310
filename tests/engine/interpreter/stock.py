"""SpiffWorkflow as it comes, behind the same few verbs as `Case`: the yardstick that shows each fault."""

from __future__ import annotations

from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.spiff.parser.process import SpiffBpmnParser
from SpiffWorkflow.util.task import TaskState


class StockCase:
    """A running process in stock SpiffWorkflow; case data lives in its task data."""

    def __init__(self, xml: bytes, **variables: Any) -> None:
        parser = SpiffBpmnParser()
        parser.add_bpmn_xml(etree.fromstring(xml))
        self.workflow = BpmnWorkflow(parser.get_spec("test"), parser.get_subprocess_specs("test"))
        self.workflow.task_tree.data.update(variables)
        self.workflow.do_engine_steps()

    def _ready(self) -> list[Any]:
        return [task for task in self.workflow.get_tasks(state=TaskState.READY) if task.task_spec.manual]

    @property
    def waits(self) -> list[str]:
        return sorted(task.task_spec.name for task in self._ready())

    def complete(self, step: str, **answers: Any) -> StockCase:
        task = next(task for task in self._ready() if task.task_spec.name == step)
        task.data.update(answers)
        task.run()
        self.workflow.do_engine_steps()
        return self

    @property
    def size(self) -> int:
        """How many tasks it keeps."""
        return len(self.workflow.tasks)
