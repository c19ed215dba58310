// The middle: the attributes of the chosen field, or of the form itself, each with what is wrong with it.
import { h } from "preact";
import { useState } from "preact/hooks";
import { Options } from "./options.js";
import { EXPRESSIONS, FLAGS, HELP, LONG, NUMBERS, TYPES } from "./words.js";

export function Properties({ store }) {
  const { form, selected, ids } = store.now;
  if (selected === "form") return h(FormSettings, { store, form, key: "form" });
  return h(FieldSettings, { store, field: form.fields[selected], place: selected, key: ids[selected] });
}

function FormSettings({ store, form }) {
  const line = (name) => h(Line, {
    store, name, value: form[name], wrong: store.found(null, name), write: (value) => store.setForm(name, value || (name === "title" ? "" : undefined)),
  });
  const rest = store.found(null).filter((one) => !["title", "opinion_when", "bulk"].includes(one.attribute));
  return h("div", null, h("h2", null, "表单设置"), line("title"), line("opinion_when"),
    h(Flag, { store, name: "bulk", value: form.bulk, wrong: store.found(null, "bulk"), write: (value) => store.setForm("bulk", value) }), h(Wrong, { found: rest }));
}

function FieldSettings({ store, field, place }) {
  const article = store.article(field);
  const shown = store.server.attributes[field.type] ?? ["type"];
  const known = [...shown, "options"];
  return h("div", null,
    h("h2", null, `${field.label || field.key || "字段"}`, article && h("span", { class: "chip" }, `法定必填（${article}）`)),
    store.editable && h(Acts, { store, place, article }),
    article && h("p", { class: "help" }, "条款要求的必填字段：不能删除，不能改为选填，字段键不能修改。"),
    shown.filter((name) => !(name === "options_from" && field.options) && !(name === "options" && field.options_from)).map((name) =>
      h(Attribute, { key: name, store, field, place, name, article })),
    h(Wrong, { found: store.found(place).filter((one) => !known.includes(one.attribute)) }));
}

function Acts({ store, place, article }) {
  const button = (words, act, disabled = false) => h("button", { type: "button", class: "btn btn-sm", disabled, onClick: act }, words);
  return h("div", { class: "edit-acts" },
    button("上移", () => store.move(place, place - 1), place === 0),
    button("下移", () => store.move(place, place + 1), place === store.form.fields.length - 1),
    button("复制", () => store.duplicate()),
    button("删除", () => store.remove(), Boolean(article)));
}

function Attribute({ store, field, place, name, article }) {
  const wrong = store.found(place, name);
  const props = { store, name, wrong, value: field[name] };
  if (name === "type") return h(Type, { ...props });
  if (name === "options") return h(Choices, { ...props });
  if (FLAGS.includes(name)) return h(Flag, { ...props, locked: name === "required" && Boolean(article) && field.required === true });
  if (name === "key") {
    const readers = store.server.readers[field.key];
    return h("div", null, h(Line, { ...props, locked: Boolean(article), late: true, write: (value) => store.rename(value) }),
      readers && h("p", { class: "help" }, `流程图中引用：${readers.join("、")}。改键或删除后须同步修改流程图。`));
  }
  const write = (value) => store.set(name, name === "label" ? value : written(name, field.type, value));
  return h("div", null, h(Line, { ...props, kind: field.type === "date" && NUMBERS.includes(name) ? "date" : "text", note: field.type === "note", write }),
    name === "options_from" && store.editable && h("button", { type: "button", class: "btn btn-sm", onClick: () => swap(store, "options") }, "改为逐项列出选项"));
}

// What was typed, as the definition keeps it: nothing for an empty text, a number where one is meant and one was typed.
function written(name, type, text) {
  if (text === "") return undefined;
  const number = NUMBERS.includes(name) && type !== "date" ? Number(text) : NaN;
  return Number.isFinite(number) && text.trim() ? number : text;
}

function swap(store, to) {
  const gone = to === "options" ? "options_from" : "options";
  const next = { ...store.field, [to]: to === "options" ? [{ value: "yes", label: "是" }] : "resource.items" };
  delete next[gone];
  const fields = store.form.fields.map((field, at) => (at === store.selected ? next : field));
  store.commit({ form: { ...store.form, fields } });
}

function Type({ store, value, wrong }) {
  return h(Row, { name: "type", words: "类型", wrong },
    h("select", { id: "edit-a-type", class: "form-select", value, disabled: !store.editable, onChange: (event) => store.setType(event.target.value) },
      Object.entries(TYPES).map(([type, words]) => h("option", { value: type, selected: type === value }, words))));
}

function Choices({ store, value, wrong }) {
  return h("fieldset", { class: "field" }, h("legend", null, "选项"), h(Options, { store, options: value }), h(Wrong, { found: wrong }),
    store.editable && h("button", { type: "button", class: "btn btn-sm", onClick: () => swap(store, "options_from") }, "改为取自办件数据"));
}

function Flag({ store, name, value, wrong, locked, write = (next) => store.set(name, next, false) }) {
  return h("div", { class: `field${wrong.length ? " field-wrong" : ""}` },
    h("label", { class: "form-check m-0" },
      h("input", {
        id: `edit-a-${name}`, class: "form-check-input", type: "checkbox", checked: value === true, disabled: locked || !store.editable,
        onChange: (event) => write(event.target.checked || undefined),
      }), " ", h("span", { class: "form-check-label" }, store.server.labels[name])),
    HELP[name] && h("p", { class: "help" }, HELP[name]), h(Wrong, { found: wrong }));
}

// One line of text, or several; `late` writes when the field is left, not with every letter.
function Line({ store, name, value, wrong, write, locked = false, late = false, kind = "text", note = false }) {
  const [draft, type] = useState(null);
  const long = LONG.includes(name) || (note && name === "label");
  const text = draft ?? (value === undefined || value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value));
  const id = `edit-a-${name}`;
  const leave = (event) => {
    type(null);
    if (late && event.target.value !== (value ?? "")) write(event.target.value.trim());
  };
  const input = h(long ? "textarea" : "input", {
    id, class: `form-control${EXPRESSIONS.includes(name) || name === "key" || name === "pattern" ? " edit-code" : ""}`, value: text, readOnly: locked || !store.editable,
    rows: long ? (note ? 4 : 2) : undefined, type: long ? undefined : kind, spellcheck: false, autocomplete: "off",
    "aria-invalid": wrong.some((one) => one.severity === "error") ? "true" : undefined,
    "aria-describedby": [HELP[name] && `${id}-help`, wrong.length && `${id}-problem`].filter(Boolean).join(" ") || undefined,
    onInput: (event) => (late ? type(event.target.value) : write(event.target.value)),
    onChange: late ? leave : undefined,
  });
  return h(Row, { name, words: note && name === "label" ? "文字" : store.server.labels[name], wrong }, input,
    EXPRESSIONS.includes(name) && store.editable && h(Names, { store, name, id, write }));
}

function Row({ name, words, wrong, children }) {
  const id = `edit-a-${name}`;
  return h("div", { class: `field${wrong.some((one) => one.severity === "error") ? " field-wrong" : ""}` },
    h("label", { for: id }, words), children,
    HELP[name] && h("p", { class: "help", id: `${id}-help` }, HELP[name]), h(Wrong, { found: wrong, id: `${id}-problem` }));
}

function Wrong({ found, id }) {
  if (!found.length) return null;
  return h("div", { id }, found.map((one) => h("p", { class: one.severity === "error" ? "problem" : "help edit-hint" }, one.message)));
}

// What an expression may name here, put in where the cursor stands.
function Names({ store, name, id, write }) {
  const own = store.form.fields.slice(0, typeof store.selected === "number" ? store.selected : undefined).filter((field) => field.key);
  const answers = name === "when" || name === "opinion_when" ? own.flatMap(asked) : [];
  const above = new Set(own.map((field) => field.key));
  const outside = Object.entries(store.server.names).filter(([key]) => !above.has(key));
  const put = (event) => {
    const input = document.getElementById(id);
    const [from, to] = [input.selectionStart, input.selectionEnd];
    write(input.value.slice(0, from) + event.target.value + input.value.slice(to));
    event.target.value = "";
    input.focus();
  };
  const option = ([value, words]) => h("option", { value }, words ? `${value}　${words}` : value);
  return h("select", { class: "form-select edit-names", "aria-label": `${store.server.labels[name]}：插入名称`, onChange: put },
    h("option", { value: "" }, "插入名称…"),
    answers.length > 0 && h("optgroup", { label: "上面字段的回答" }, answers.map(option)),
    h("optgroup", { label: "办件数据" }, outside.map(option)),
    h("optgroup", { label: "函数" }, Object.entries(store.server.words).map(([word, words]) => option([`${word}()`, words]))));
}

function asked(field) {
  if (field.type === "boolean") return [[field.key, `${field.label}：是`]];
  if (!Array.isArray(field.options)) return [[field.key, field.label]];
  const several = field.type === "choices" || field.type === "fields";
  return field.options.map(({ value, label }) => [several ? `${JSON.stringify(value)} in ${field.key}` : `${field.key} == ${JSON.stringify(value)}`, `${field.label}：${label}`]);
}
