// The menu that changes an element's type offers only what the engine runs: whatever else BPMN has would be refused by the
// check, and a reader should not learn that after drawing it. An element of another kind, from a file drawn elsewhere, keeps
// its kind until it is changed.
const RUNS = new Set([
  "none-start", "none-start-event", "message-start", "signal-start", "none-end", "none-end-event", "none-intermediate-throw", "none-intermediate-throwing",
  "message-intermediate-catch", "timer-intermediate-catch", "signal-intermediate-catch", "escalation-intermediate-throw", "signal-intermediate-throw",
  "escalation-end", "error-end", "terminate-end", "signal-end",
  "message-boundary", "timer-boundary", "signal-boundary", "escalation-boundary", "error-boundary",
  "non-interrupting-message-boundary", "non-interrupting-timer-boundary", "non-interrupting-signal-boundary", "non-interrupting-escalation-boundary",
  "user-task", "manual-task", "service-task", "send-task", "receive-task", "script-task", "call-activity",
  "expanded-subprocess", "collapsed-subprocess", "subprocess",
  "exclusive-gateway", "parallel-gateway", "inclusive-gateway", "event-based-gateway",
  "sequence-flow", "default-flow", "conditional-flow",
].map((name) => `replace-with-${name}`));
const HEADERS = new Set(["toggle-parallel-mi", "toggle-sequential-mi", "toggle-non-interrupting"]);

const only = (allowed) => (entries) => Object.fromEntries(Object.entries(entries).filter(([key]) => allowed.has(key)));

function Menus(popupMenu) {
  popupMenu.registerProvider("bpmn-replace", 500, {
    getPopupMenuEntries: () => only(RUNS),
    getPopupMenuHeaderEntries: () => only(HEADERS),
  });
}
Menus.$inject = ["popupMenu"];

export default { __init__: ["menus"], menus: ["type", Menus] };
