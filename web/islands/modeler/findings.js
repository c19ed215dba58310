// Check as you draw: the server judges the diagram a moment after each change; what it finds stands in a list, errors first, and
// marks its elements. A finding that is chosen selects its element and brings it into sight.
import { element } from "./panel/dom.js";
import { Refused, SignedOut } from "./requests.js";

const DELAY = 900;
const BADGE = "modeler-finding";

export function createFindings({ container, modeler, ask, draft, read }) {
  const summary = container.querySelector("[data-findings-summary]");
  const list = container.querySelector("[data-findings-list]");
  const registry = modeler.get("elementRegistry");
  let timer = 0;
  let asked = 0;
  let marked = [];
  let found = [];
  let place = -1;

  function mark() {
    const canvas = modeler.get("canvas");
    const overlays = modeler.get("overlays");
    for (const [id, name] of marked) if (registry.get(id)) canvas.removeMarker(id, name);
    overlays.remove({ type: BADGE });
    marked = [];
    const worst = new Map();
    for (const { element: id, severity } of found) {
      if (id && registry.get(id) && worst.get(id) !== "error") worst.set(id, severity);
    }
    for (const [id, severity] of worst) {
      const name = `modeler-${severity}`;
      canvas.addMarker(id, name);
      marked.push([id, name]);
      if (registry.get(id).waypoints) continue;
      // The list says it in words; the badge is for the eye.
      const html = element("div", { class: `modeler-badge modeler-badge-${severity}`, "aria-hidden": "true", text: "!" });
      overlays.add(id, BADGE, { position: { top: -9, right: 9 }, html });
    }
  }

  function show(index) {
    place = index;
    const shape = found[index].element && registry.get(found[index].element);
    const canvas = modeler.get("canvas");
    if (!shape) {
      modeler.get("selection").select([]);
      return;
    }
    const root = canvas.findRoot(shape);
    if (root) canvas.setRootElement(root);
    modeler.get("selection").select(shape);
    canvas.scrollToElement(shape, 120);
  }

  function draw() {
    const errors = found.filter(({ severity }) => severity === "error").length;
    const warnings = found.length - errors;
    const words = found.length
      ? [errors && `${errors}个错误`, warnings && `${warnings}个提醒`].filter(Boolean).join("、")
      : "没有发现问题";
    if (summary.textContent !== words) summary.textContent = words;
    container.dataset.state = errors ? "error" : warnings ? "warning" : "clear";
    list.replaceChildren(...found.map(({ message, severity, article }, index) =>
      element("li", {}, [
        element("button", { type: "button", class: `modeler-finding modeler-finding-${severity}`, onclick: () => show(index) }, [
          element("span", { class: "modeler-severity", text: severity === "error" ? "错误" : "提醒" }), ` ${message}`,
          article ? element("span", { class: "chip", text: article }) : null,
        ]),
      ])));
    mark();
  }

  async function check() {
    const number = ++asked;
    try {
      const answer = await ask("POST", `/drafts/${draft.id}/check`, { xml: await read() });
      // An answer to an older diagram is of no use any more.
      if (number !== asked) return;
      found = [...answer.problems].sort((one, other) => (one.severity === "error" ? 0 : 1) - (other.severity === "error" ? 0 : 1));
      place = -1;
      draw();
    } catch (error) {
      if (number !== asked) return;
      container.dataset.state = "unknown";
      const why = error instanceof SignedOut ? "登录已过期" : error instanceof Refused ? error.message : "网络中断";
      summary.textContent = `检查未完成：${why}`;
    }
  }

  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(check, DELAY);
  };
  return {
    soon,
    check,
    next: () => {
      if (found.length) show((place + 1) % found.length);
    },
  };
}
