// The flows out of a choice: each has a condition or is the default; shown at the flow and, all together, at its gateway.
import { is } from "bpmn-js/lib/util/ModelUtil";

const chooses = (object) => is(object, "bpmn:ExclusiveGateway") || is(object, "bpmn:InclusiveGateway");

export function flowSections(subject) {
  if (subject.is("bpmn:SequenceFlow")) return flow(subject);
  return chooses(subject.object) ? gateway(subject) : [];
}

function conditionOf(object) {
  return (object.conditionExpression?.body || "").trim();
}

function conditionField(subject, connection, label, id) {
  const { modeling, writing } = subject;
  const object = connection.businessObject;
  return {
    id, kind: "expression", rows: 2, label, value: conditionOf(object), lists: subject.lists(),
    write: (value) => modeling.updateProperties(connection, { conditionExpression: writing.expression(object, value) }),
  };
}

// To make a flow the default one takes its condition away, as it would mean nothing.
function makeDefault({ modeling, writing }, connection, value) {
  writing.together(() => {
    if (value) modeling.updateProperties(connection, { conditionExpression: undefined });
    modeling.updateProperties(connection.source, { default: value ? connection.businessObject : undefined });
  });
}

function flow(subject) {
  const { object, element } = subject;
  if (!chooses(object.sourceRef)) {
    return conditionOf(object)
      ? [{ id: "condition", title: "条件", fields: [conditionField(subject, element, "条件（不起作用）", "field-condition")] }]
      : [];
  }
  const isDefault = object.sourceRef.default === object;
  return [{
    id: "condition", title: "条件",
    fields: [
      {
        id: "field-default", kind: "check", label: "默认流向", value: isDefault, help: "其他流向的条件都不成立时走这里。",
        write: (value) => makeDefault(subject, element, value),
      },
      ...(isDefault ? [] : [conditionField(subject, element, "成立条件", "field-condition")]),
    ],
  }];
}

function gateway(subject) {
  const { element, object } = subject;
  const flows = element.outgoing.filter((connection) => is(connection, "bpmn:SequenceFlow"));
  if (flows.length < 2) return [];
  const named = (connection) => connection.businessObject.name || `到“${connection.target.businessObject.name || connection.target.id}”`;
  const fallback = flows.find((connection) => connection.businessObject === object.default);
  return [{
    id: "choices", title: "走哪条流向",
    fields: [
      {
        id: "field-default", kind: "select", label: "默认流向", value: fallback?.id || "", help: "条件都不成立时走默认流向。",
        options: [{ value: "", label: "（没有默认流向）" }, ...flows.map((connection) => ({ value: connection.id, label: named(connection) }))],
        write: (value) => {
          if (value) makeDefault(subject, flows.find(({ id }) => id === value), true);
          else makeDefault(subject, fallback, false);
        },
      },
      ...flows.filter((connection) => connection !== fallback).map((connection) =>
        conditionField(subject, connection, `“${named(connection)}”的条件`, `field-condition-${connection.id}`)),
    ],
  }];
}
