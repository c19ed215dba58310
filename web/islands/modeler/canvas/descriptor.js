// Our attributes of a timer (bpmn/README.md, "When"), so that they are read, copied and written as what they are.
// SpiffWorkflow's properties are deliberately not declared: bpmn-moddle drops what a declared namespace does not know, and a
// file from SpiffWorkflow's own modeler has more in it than properties. Undeclared, everything survives (properties.js).
const attribute = (name) => ({ name, isAttr: true, type: "String" });

export const SHARING = {
  name: "Sharing",
  prefix: "sharing",
  uri: "urn:sharing-bpm:diagram:1",
  // Counts for the types that are extended too: without it a timer would be written with a capital letter, and be none.
  xml: { tagAlias: "lowerCase" },
  types: [
    {
      name: "Timer",
      extends: ["bpmn:TimerEventDefinition"],
      properties: [
        "workingDays", "beforeDeadline", "afterDeadline", "calendarDate", "duration", "countFrom", "role", "statutoryMax",
        "article", "onPause", "officeHours",
      ].map(attribute),
    },
  ],
};
