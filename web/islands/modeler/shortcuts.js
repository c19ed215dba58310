// The keys, and the overlay that lists them. bpmn-js listens while the canvas has the focus; undo, redo, save and help also work
// beside it, but never while somebody types.
import { askReader } from "./dialogs.js";
import { element } from "./panel/dom.js";

const KEYS = [
  ["Ctrl + Z", "撤销"], ["Ctrl + Y 或 Ctrl + Shift + Z", "重做"], ["Ctrl + S", "立即保存"], ["Ctrl + C / X / V", "复制、剪切、粘贴选中的元素"],
  ["Delete", "删除选中的元素"], ["方向键", "移动选中的元素（按住 Shift 移动得更快）"], ["Ctrl + 方向键", "移动画布"],
  ["Ctrl + 加号 / 减号", "放大、缩小"], ["Ctrl + 0", "原大"], ["Ctrl + A", "全选"], ["Ctrl + F", "按名称查找元素"],
  ["E", "修改名称"], ["R", "更改类型"], ["C", "连线工具"], ["H", "移动画布工具"], ["L", "框选工具"], ["S", "腾出空间工具"],
  ["F8", "下一个问题"], ["?", "显示本说明"],
];

export function showShortcuts() {
  const rows = KEYS.map(([key, what]) => element("tr", {}, [element("td", {}, [element("kbd", { text: key })]), element("td", { text: what })]));
  return askReader({
    title: "快捷键", words: ["先点一下画布，字母键才起作用。"],
    details: [element("div", { class: "modeler-keys", tabindex: "0", role: "region", "aria-label": "快捷键列表" }, [element("table", {}, [element("tbody", {}, rows)])])],
    choices: [{ value: "close", label: "关闭", primary: true }],
  });
}

export function bindKeys({ modeler, saving, findings }) {
  const stack = modeler.get("commandStack");
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const control = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (control && key === "s") {
      event.preventDefault();
      saving.now();
    } else if (event.key === "F8") {
      event.preventDefault();
      findings.next();
    } else if (!typing && event.key === "?") {
      event.preventDefault();
      showShortcuts();
    } else if (!typing && !event.target.closest?.(".djs-container") && control && key === "z" && !event.shiftKey) {
      event.preventDefault();
      stack.undo();
    } else if (!typing && !event.target.closest?.(".djs-container") && control && (key === "y" || (key === "z" && event.shiftKey))) {
      event.preventDefault();
      stack.redo();
    }
  });
}
