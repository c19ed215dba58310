// The left side: the form's fields in their order, moved by dragging or by keys, and what can be done with the chosen one.
import { h } from "preact";
import { useState } from "preact/hooks";
import { TYPES } from "./words.js";

export function Fields({ store }) {
  const [dragged, drag] = useState(null);
  const [over, hover] = useState(null);
  const [type, choose] = useState("text");
  const { form, ids, selected } = store.now;
  const worst = (place) => (store.found(place).some((one) => one.severity === "error") ? "edit-wrong" : store.found(place).length ? "edit-doubt" : "");

  const dragging = (place) => store.editable && {
    draggable: true,
    onDragStart: (event) => {
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", String(place));
      drag(place);
    },
    onDragEnd: () => (drag(null), hover(null)),
    onDragOver: (event) => dragged !== null && (event.preventDefault(), hover(place)),
    onDrop: (event) => {
      event.preventDefault();
      if (dragged !== null) store.move(dragged, place);
      drag(null);
      hover(null);
    },
  };
  const keys = (event, place) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const to = place + step;
    if (to < 0 || to >= form.fields.length) return;
    if (event.altKey && store.editable) store.move(place, to);
    else store.select(to);
    // The field that was moved, or gone to, keeps the focus.
    requestAnimationFrame(() => document.querySelectorAll("#edit-fields .edit-item")[to + 1]?.focus());
  };

  return h("div", null,
    h("h2", null, `字段（${form.fields.length}）`),
    h("button", { type: "button", class: `edit-item edit-whole ${worst(null)}`, "aria-pressed": String(selected === "form"), onClick: () => store.select("form") },
      h("span", { class: "edit-label" }, form.title || "（无标题）"), h("span", { class: "edit-kind" }, "表单设置")),
    h("ol", { class: "edit-list" }, form.fields.map((field, place) => h("li", {
      key: ids[place], class: over === place && dragged !== place ? "edit-over" : "", ...dragging(place),
    },
      h("button", {
        type: "button", class: `edit-item ${worst(place)}`, "aria-pressed": String(selected === place), onClick: () => store.select(place),
        onKeyDown: (event) => keys(event, place),
      },
        h("span", { class: "edit-label" }, String(field.label || field.key || "（未命名）")),
        h("span", { class: "edit-kind" }, TYPES[field.type] || field.type,
          field.required === true && h("span", { class: "required" }, " 必填"), field.when && " · 有条件",
          store.article(field) && h("span", { class: "chip" }, "法定"),
          worst(place) === "edit-wrong" && h("span", { class: "edit-mark" }, " 有问题")))))),
    store.editable && h("div", { class: "edit-add" },
      h("label", { for: "edit-type" }, "添加字段"),
      h("select", { id: "edit-type", class: "form-select", value: type, onChange: (event) => choose(event.target.value) },
        Object.entries(TYPES).map(([value, words]) => h("option", { value }, words))),
      h("button", { type: "button", class: "btn", onClick: () => store.add(type) }, "添加")),
    store.editable && h("p", { class: "help" }, "拖动可调整顺序；用键盘时按 Alt+↑ 或 Alt+↓。"));
}
