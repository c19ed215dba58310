// The properties panel: what is selected, in sections of fields. It is drawn anew only when other fields are to be shown; a
// changed value is put into the field that stands there, so that nobody loses their place while typing.
import { element } from "./dom.js";
import { sectionsOf } from "./sections.js";
import { WIDGETS } from "./widgets.js";

// Everything that makes a field look as it does but its value.
function shape(sections) {
  return JSON.stringify(sections, (key, value) => {
    if (typeof value === "function") return undefined;
    return key === "value" && Array.isArray(value) ? value.length : value;
  });
}

function withoutValues(sections) {
  return sections.map((section) => ({
    ...section, fields: section.fields.map((field) => ({ ...field, value: Array.isArray(field.value) ? field.value : "" })),
  }));
}

export function createPanel(container, modeler, vocabulary, draft) {
  const widgets = new Map();
  const closed = new Set();
  let drawn = "";

  const heading = container.querySelector("[data-panel-title]");
  const body = container.querySelector("[data-panel-body]");

  const selected = () => {
    const chosen = modeler.get("selection").get();
    if (chosen.length > 1) return null;
    const [first] = chosen;
    return first?.labelTarget || first || modeler.get("canvas").getRootElement();
  };

  const section = ({ id, title, fields, folded }) => {
    const own = fields.map((field) => {
      const widget = WIDGETS[field.kind](field);
      widgets.set(field.id, widget);
      return widget.root;
    });
    const details = element("details", { class: "modeler-section", "data-section": id }, [element("summary", { text: title }), ...own]);
    details.open = folded ? closed.has(`open:${id}`) : !closed.has(id);
    details.addEventListener("toggle", () => {
      const key = folded ? `open:${id}` : id;
      if (details.open === Boolean(folded)) closed.add(key);
      else closed.delete(key);
    });
    return details;
  };

  const draw = () => {
    const shown = selected();
    if (shown === null) {
      commit();
      heading.textContent = "选中了多个元素";
      body.replaceChildren(element("p", { class: "modeler-help", text: "选中一个元素时，这里显示它的属性；也可以一起拖动、对齐、删除。" }));
      widgets.clear();
      drawn = "";
      return;
    }
    const { title, sections } = sectionsOf(shown, { modeler, vocabulary, draft });
    heading.textContent = title;
    const now = `${shown.id}${shape(withoutValues(sections))}`;
    if (now === drawn) {
      for (const field of sections.flatMap(({ fields }) => fields)) widgets.get(field.id).update(field);
      return;
    }
    const focused = body.contains(document.activeElement) ? document.activeElement.id : "";
    drawn = now;
    widgets.clear();
    body.replaceChildren(...sections.map(section));
    if (focused) document.getElementById(focused)?.focus();
  };

  const commit = () => [...widgets.values()].forEach((widget) => widget.commit());

  let waiting = false;
  const later = () => {
    if (waiting) return;
    waiting = true;
    // Many events tell of one change.
    queueMicrotask(() => {
      waiting = false;
      draw();
    });
  };
  modeler.on("selection.changed", () => {
    // What was typed belongs to what was selected before.
    commit();
    later();
  });
  modeler.on(["elements.changed", "commandStack.changed", "import.done", "root.set"], later);
  draw();
  return { draw, commit, pending: () => [...widgets.values()].some((widget) => widget.pending()) };
}
