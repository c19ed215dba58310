// The line above the editor: whether all is saved, what was just deleted, undo and redo, the form as JSON.
import { h } from "preact";
import { showJson } from "./json_view.js";

export function Bar({ store, saving }) {
  const errors = store.findings.filter((one) => one.severity === "error").length;
  const button = (words, act, disabled = false) => h("button", { type: "button", class: "btn btn-sm", disabled, onClick: act }, words);
  return h("div", { class: "edit-bar" },
    store.editable
      ? h("span", { role: "status", class: `edit-state edit-state-${saving.state}`, "data-state": saving.state }, store.notice, " ", saving.words)
      : h("span", { role: "status", class: "edit-state" }, "只供查看"),
    saving.state === "conflict" && button("处理冲突", () => saving.settle()),
    ["refused", "offline", "signed-out"].includes(saving.state) && button("立即保存", () => saving.now()),
    h("span", { class: errors ? "light light-red" : "light light-green" }, errors ? `${errors} 个问题` : "没有问题"),
    store.editable && button("撤销", () => store.undo(), !store.past.length),
    store.editable && button("重做", () => store.redo(), !store.future.length),
    button("JSON", () => showJson(store)));
}
