// The choices of a field, as a table of values and labels.
import { h } from "preact";
import { replaced, spliced } from "./store.js";

export function Options({ store, options }) {
  const list = Array.isArray(options) ? options : [];
  const put = (next, typing = false) => store.set("options", next, typing);
  const change = (place, name, value) => put(replaced(list, place, { ...list[place], [name]: value }), true);
  const move = (place, to) => put(spliced(spliced(list, place, 1), to, 0, list[place]));
  const cell = (place, name, words) => h("input", {
    class: "form-control", "aria-label": `选项${place + 1}的${words}`, value: String(list[place]?.[name] ?? ""), readOnly: !store.editable,
    onInput: (event) => change(place, name, event.target.value),
  });
  const button = (words, label, act, disabled = false) => h("button", { type: "button", class: "btn btn-sm", "aria-label": label, disabled, onClick: act }, words);
  return h("div", { class: "edit-options" },
    h("table", null,
      h("thead", null, h("tr", null, h("th", { scope: "col" }, "值"), h("th", { scope: "col" }, "名称"), store.editable && h("th", { scope: "col" }, h("span", { class: "visually-hidden" }, "操作")))),
      h("tbody", null, list.map((option, place) => h("tr", { key: place },
        h("td", null, cell(place, "value", "值")), h("td", null, cell(place, "label", "名称")),
        store.editable && h("td", null,
          button("↑", `选项${place + 1}上移`, () => move(place, place - 1), place === 0),
          button("↓", `选项${place + 1}下移`, () => move(place, place + 1), place === list.length - 1),
          button("删除", `删除选项${place + 1}`, () => put(spliced(list, place, 1)))))))),
    store.editable && h("button", { type: "button", class: "btn btn-sm", onClick: () => put([...list, { value: "", label: "" }]) }, "添加选项"));
}
