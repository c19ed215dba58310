// The form being edited, with its history: every change is a new value, so undo covers everything and costs nothing.
// `ids` runs beside the fields: a field keeps its id wherever it is moved and whatever is changed in it.

import { createCalls } from "./calls.js";

let last = 0;
const fresh = () => `f${(last += 1)}`;

export class Store {
  constructor(state) {
    this.server = state;
    this.call = createCalls(state.token, state.address);
    this.findings = [];
    this.notice = "";
    this.listeners = new Set();
    this.past = [];
    this.future = [];
    this.group = null;
    // What is no form at all begins as an empty one; the JSON view shows what is there.
    this.broken = drawable(state.form) ? null : state.form;
    this.now = this.taken(this.broken ? { title: "", fields: [] } : state.form, 0);
  }

  // A form from outside: as it is, with ids; `selected` is a place, or "form" for the settings of the form itself.
  taken(form, selected) {
    return { form, ids: form.fields.map(fresh), selected: form.fields.length ? Math.min(selected, form.fields.length - 1) : "form" };
  }

  get form() {
    return this.now.form;
  }
  get selected() {
    return this.now.selected;
  }
  get field() {
    return this.now.form.fields[this.now.selected];
  }
  get editable() {
    return this.server.editable;
  }
  article(field) {
    return field?.key ? this.server.protected[field.key] : undefined;
  }
  found(place, attribute) {
    return this.findings.filter((one) => one.field === place && (attribute === undefined || one.attribute === attribute));
  }

  listen(listener) {
    this.listeners.add(listener);
  }
  tell(what) {
    for (const listener of this.listeners) listener(what);
  }

  // `group` names what is being typed: one run of typing is one step back.
  commit(next, group = null) {
    if (!this.editable) return;
    if (group === null || group !== this.group) this.past.push(this.now);
    if (this.past.length > 300) this.past.shift();
    this.group = group;
    this.future = [];
    this.now = { ...this.now, ...next };
    this.notice = "";
    this.broken = null;
    this.tell("form");
  }
  undo() {
    this.step(this.past, this.future);
  }
  redo() {
    this.step(this.future, this.past);
  }
  step(from, to) {
    if (!from.length) return;
    to.push(this.now);
    this.now = from.pop();
    this.group = null;
    this.notice = "";
    this.tell("form");
  }

  select(place) {
    this.now = { ...this.now, selected: place };
    this.group = null;
    this.tell("selection");
  }

  setForm(attribute, value) {
    this.commit({ form: set(this.form, attribute, value) }, `form.${attribute}`);
  }
  set(attribute, value, typing = true) {
    const place = this.selected;
    const fields = replaced(this.form.fields, place, set(this.field, attribute, value));
    this.commit({ form: { ...this.form, fields } }, typing ? `${this.now.ids[place]}.${attribute}` : null);
  }
  // Conditions of this form that ask for the field go on asking for it.
  rename(key) {
    const old = this.field.key;
    const follow = (holder, name) => (old && typeof holder[name] === "string" ? set(holder, name, renamed(holder[name], old, key)) : holder);
    const fields = this.form.fields.map((field, place) => (place === this.selected ? set(field, "key", key) : follow(field, "when")));
    this.commit({ form: follow({ ...this.form, fields }, "opinion_when") });
  }
  setType(type) {
    const allowed = this.server.attributes[type];
    const field = Object.fromEntries(Object.entries({ ...this.field, type }).filter(([name]) => allowed.includes(name)));
    if (allowed.includes("key") && !field.key) field.key = this.freeKey("field");
    if (allowed.includes("options") && !field.options && !field.options_from) field.options = [{ value: "yes", label: "是" }, { value: "no", label: "否" }];
    for (const name of ["min", "max"]) if (this.field.type === "date" || type === "date") delete field[name];
    this.commit({ form: { ...this.form, fields: replaced(this.form.fields, this.selected, field) } });
  }

  add(type) {
    const field = type === "note" ? { type, label: "说明文字" } : { key: this.freeKey("field"), type, label: "新字段" };
    if (this.server.with_options.includes(type)) field.options = [{ value: "yes", label: "是" }, { value: "no", label: "否" }];
    this.insert(typeof this.selected === "number" ? this.selected + 1 : this.form.fields.length, field);
  }
  duplicate() {
    const field = structuredClone(this.field);
    if (field.key) field.key = this.freeKey(field.key);
    this.insert(this.selected + 1, field);
  }
  insert(place, field) {
    this.commit({
      form: { ...this.form, fields: spliced(this.form.fields, place, 0, field) }, ids: spliced(this.now.ids, place, 0, fresh()), selected: place,
    });
  }
  remove() {
    if (this.article(this.field)) return;
    const { label, key } = this.field;
    const place = this.selected;
    const fields = spliced(this.form.fields, place, 1);
    this.commit({ form: { ...this.form, fields }, ids: spliced(this.now.ids, place, 1), selected: fields.length ? Math.min(place, fields.length - 1) : "form" });
    this.notice = `已删除“${label || key || "未命名"}”。`;
    this.tell("notice");
  }
  move(from, to) {
    if (to < 0 || to >= this.form.fields.length || from === to) return;
    const carry = (list) => spliced(spliced(list, from, 1), to, 0, list[from]);
    this.commit({ form: { ...this.form, fields: carry(this.form.fields) }, ids: carry(this.now.ids), selected: to });
  }
  replace(form) {
    this.commit(this.taken(form, 0));
  }

  freeKey(wanted) {
    const taken = new Set(this.form.fields.map((field) => field.key));
    const stem = wanted.replace(/_\d+$/, "").slice(0, 58);
    if (!taken.has(stem)) return stem;
    let number = 2;
    while (taken.has(`${stem}_${number}`)) number += 1;
    return `${stem}_${number}`;
  }
}

export function spliced(list, place, gone, ...added) {
  return [...list.slice(0, place), ...added, ...list.slice(place + gone)];
}
export const replaced = (list, place, item) => spliced(list, place, 1, item);

// The holder with one attribute changed, in its place; undefined takes it away.
function set(holder, attribute, value) {
  const next = { ...holder, [attribute]: value };
  if (value === undefined) delete next[attribute];
  return next;
}

// The expression with a name in place of another, outside of its texts.
export function renamed(text, old, name) {
  return text.replace(/"[^"]*"|'[^']*'|\.?[A-Za-z_]\w*/g, (part) => (part === old ? name : part));
}

// Whether this is a form that the editor can show field by field; others are for the JSON view.
export function drawable(form) {
  const sane = (field) => field && typeof field === "object" && !Array.isArray(field) && typeof field.type === "string";
  return Boolean(form && typeof form === "object" && Array.isArray(form.fields) && form.fields.every(sane));
}
