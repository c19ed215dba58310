// The kinds of fields of the properties panel. A widget shows a field's value, says at once what is wrong with what is being
// typed, and hands a changed value to the field's write(): on leaving the input, or when the typing pauses.
//
// field: { id, kind, label, value, write, help, options, warn, placeholder, readonly, offer } (sections.js builds them)
import { element, option } from "./dom.js";

const PAUSE = 800;

// An input that is typed into.
function typed(input, field, after = () => {}) {
  const state = { field, pending: false, timer: 0 };
  const commit = () => {
    clearTimeout(state.timer);
    if (!state.pending) return;
    state.pending = false;
    const value = input.value.trim();
    if (value !== state.field.value) state.field.write(value);
  };
  input.addEventListener("input", () => {
    state.pending = true;
    after(input.value.trim());
    clearTimeout(state.timer);
    if (!state.field.whole) state.timer = setTimeout(commit, PAUSE);
  });
  input.addEventListener("change", commit);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && input.tagName === "INPUT") commit();
  });
  return {
    pending: () => state.pending,
    commit,
    update: (next) => {
      state.field = next;
      if (!state.pending && input.value.trim() !== next.value) input.value = next.value;
      after(input.value.trim());
    },
  };
}

// Label, input, help and warning, tied together for those who hear the page.
function framed(field, input, extra = []) {
  const help = field.help ? element("p", { class: "modeler-help", id: `${field.id}-help`, text: field.help }) : null;
  const warning = element("p", { class: "modeler-warning", id: `${field.id}-warning`, role: "status" });
  input.id = field.id;
  input.setAttribute("aria-describedby", [help?.id, warning.id].filter(Boolean).join(" "));
  if (field.readonly) input.disabled = true;
  const label = element("label", { class: "form-label", for: field.id, text: field.label });
  if (field.required) label.append(element("span", { class: "modeler-required", text: "必填" }));
  const warn = (value) => {
    const text = field.warn?.(value) || "";
    // Written only when it changes: a status is read out each time.
    if (warning.textContent !== text) warning.textContent = text;
    input.classList.toggle("is-invalid", Boolean(text));
  };
  warn(field.value);
  return { root: element("div", { class: "modeler-field" }, [label, input, ...extra, help, warning]), warn };
}

function text(field) {
  const input = element("input", { type: "text", class: "form-control", autocomplete: "off", spellcheck: "false", placeholder: field.placeholder });
  if (field.offer) input.setAttribute("list", `${field.id}-offer`);
  input.value = field.value;
  const offer = field.offer ? [element("datalist", { id: `${field.id}-offer` }, field.offer.map((entry) => option(entry)))] : [];
  const { root, warn } = framed(field, input, offer);
  return { root, ...typed(input, field, warn) };
}

function area(field) {
  const input = element("textarea", { class: "form-control modeler-code", rows: field.rows || 2, spellcheck: "false", placeholder: field.placeholder });
  input.value = field.value;
  const { root, warn } = framed(field, input);
  return { root, ...typed(input, field, warn) };
}

// An expression with the names and ready-made conditions that it may use, each put in by a click.
function expression(field) {
  const input = element("textarea", { class: "form-control modeler-code", rows: field.rows || 2, spellcheck: "false", placeholder: field.placeholder });
  input.value = field.value;
  const insert = (words) => {
    input.setRangeText(words, input.selectionStart, input.selectionEnd, "end");
    input.focus();
    input.dispatchEvent(new Event("input"));
  };
  const list = (title, entries) =>
    element("details", { class: "modeler-names" }, [
      element("summary", { text: `${title}（${entries.length}）` }),
      element("ul", {}, entries.map(({ value, label }) =>
        element("li", {}, [element("button", { type: "button", onclick: () => insert(value) }, [element("code", { text: value }), ` ${label}`])]))),
    ]);
  const lists = (field.lists || []).filter(([, entries]) => entries.length).map(([title, entries]) => list(title, entries));
  const { root, warn } = framed(field, input, lists);
  return { root, ...typed(input, field, warn) };
}

function select(field) {
  const input = element("select", { class: "form-select" });
  const fill = (current) => {
    const known = current.options.some(({ value }) => value === current.value);
    const options = known ? current.options : [...current.options, { value: current.value, label: `${current.value}（未登记）` }];
    input.replaceChildren(...options.map((entry) => option(entry)));
    input.value = current.value;
  };
  fill(field);
  let now = field;
  input.addEventListener("change", () => now.write(input.value));
  const { root, warn } = framed(field, input);
  return {
    root, pending: () => false, commit: () => {},
    update: (next) => {
      now = next;
      if (input.value !== next.value) fill(next);
      warn(next.value);
    },
  };
}

// A choice from a list, or an expression of one's own.
function pick(field) {
  const OWN = "\u0000";
  const options = [{ value: "", label: field.empty || "（未填写）" }, ...field.options, { value: OWN, label: "自定义表达式…" }];
  const known = (value) => options.some((entry) => entry.value === value);
  const input = element("select", { class: "form-select" }, options.map((entry) => option(entry)));
  const own = element("input", {
    type: "text", class: "form-control modeler-code", id: `${field.id}-own`, "aria-label": `${field.label}：自定义表达式`, spellcheck: "false", autocomplete: "off",
  });
  const { root, warn } = framed(field, input, [own]);
  const typing = typed(own, field, warn);
  let now = field;
  const show = (value) => {
    input.value = known(value) ? value : OWN;
    own.hidden = known(value);
    if (!typing.pending()) own.value = value;
  };
  show(field.value);
  input.addEventListener("change", () => {
    own.hidden = input.value !== OWN;
    if (input.value === OWN) own.focus();
    else now.write(input.value);
  });
  return {
    root, pending: typing.pending, commit: typing.commit,
    update: (next) => {
      now = next;
      typing.update(next);
      // Whoever has just asked for an expression of their own is not sent back before they have typed one.
      if (document.activeElement !== own) show(next.value);
      warn(next.value);
    },
  };
}

function check(field) {
  const input = element("input", { type: "checkbox", class: "form-check-input", id: field.id });
  const help = field.help ? element("p", { class: "modeler-help", id: `${field.id}-help`, text: field.help }) : null;
  if (help) input.setAttribute("aria-describedby", help.id);
  input.checked = field.value;
  let now = field;
  input.addEventListener("change", () => now.write(input.checked));
  const label = element("label", { class: "form-check" }, [input, element("span", { class: "form-check-label", text: field.label })]);
  return {
    root: element("div", { class: "modeler-field" }, [label, help]), pending: () => false, commit: () => {},
    update: (next) => {
      now = next;
      input.checked = next.value;
    },
  };
}

// Several of a list, kept as texts separated by commas; what is in the text and not in the list stays in it.
function several(field) {
  const parts = (value) => value.split(",").map((part) => part.trim()).filter(Boolean);
  let now = field;
  const boxes = field.options.map(({ value, label }) => {
    const input = element("input", { type: "checkbox", class: "form-check-input", value });
    input.addEventListener("change", () => {
      const others = parts(now.value).filter((part) => part !== value);
      now.write([...others, ...(input.checked ? [value] : [])].join(","));
    });
    return [input, element("label", { class: "form-check" }, [input, element("span", { class: "form-check-label", text: label })])];
  });
  const update = (next) => {
    now = next;
    for (const [input] of boxes) input.checked = parts(next.value).includes(input.value);
  };
  update(field);
  const help = field.help ? element("p", { class: "modeler-help", text: field.help }) : null;
  const root = element("fieldset", { class: "modeler-field", id: field.id }, [
    element("legend", { class: "form-label", text: field.label }), element("div", { class: "modeler-several" }, boxes.map(([, label]) => label)), help,
  ]);
  return { root, update, pending: () => false, commit: () => {} };
}

// What is known and not changed here.
function fact(field) {
  const value = element("p", { class: "modeler-fact", text: field.value });
  const root = element("div", { class: "modeler-field", id: field.id }, [
    field.label ? element("span", { class: "form-label", text: field.label }) : null, value,
    field.help ? element("p", { class: "modeler-help", text: field.help }) : null,
    field.link ? element("a", { href: field.link.href, text: field.link.text }) : null,
  ]);
  return { root, pending: () => false, commit: () => {}, update: (next) => { value.textContent = next.value; } };
}

function buttons(field) {
  let now = field;
  const made = field.options.map(({ value, label, title }) =>
    element("button", { type: "button", class: "btn btn-sm", text: label, title, onclick: () => now.write(value) }));
  const root = element("div", { class: "modeler-field modeler-buttons", id: field.id, role: "group", "aria-label": field.label }, made);
  return { root, pending: () => false, commit: () => {}, update: (next) => { now = next; } };
}

// Names with an expression each: parameters, mappings, parties.
function pairs(field) {
  let now = field;
  const inner = [];
  const rows = field.value.map(({ name, value }, index) => {
    const key = element("input", { type: "text", class: "form-control modeler-code", "aria-label": `${field.label}：第${index + 1}项的名字`, spellcheck: "false" });
    const body = element("input", { type: "text", class: "form-control modeler-code", "aria-label": `${field.label}：${name || "新项"}的表达式`, spellcheck: "false" });
    key.id = `${field.id}-${index}-name`;
    body.id = `${field.id}-${index}-value`;
    key.value = name;
    body.value = value;
    const replaced = (part) => now.write(now.value.map((entry, place) => (place === index ? { ...entry, ...part } : entry)));
    const first = typed(key, { value: name, whole: true, write: (text) => replaced({ name: text }) });
    const second = typed(body, { value, write: (text) => replaced({ value: text }) });
    inner.push([first, second]);
    const remove = element("button", {
      type: "button", class: "btn btn-sm", text: "删除", "aria-label": `删除${name || "新项"}`, onclick: () => now.write(now.value.filter((_, place) => place !== index)),
    });
    return element("div", { class: "modeler-pair" }, [key, body, remove]);
  });
  const add = element("button", { type: "button", class: "btn btn-sm", text: field.add, onclick: () => now.write([...now.value, { name: field.fresh(now.value), value: '""' }]) });
  const root = element("fieldset", { class: "modeler-field", id: field.id }, [
    element("legend", { class: "form-label", text: field.label }), ...rows, add, field.help ? element("p", { class: "modeler-help", text: field.help }) : null,
  ]);
  return {
    root,
    pending: () => inner.flat().some((one) => one.pending()),
    commit: () => inner.flat().forEach((one) => one.commit()),
    update: (next) => {
      now = next;
      next.value.forEach(({ name, value }, index) => {
        inner[index][0].update({ value: name, whole: true, write: (text) => now.write(now.value.map((entry, place) => (place === index ? { ...entry, name: text } : entry))) });
        inner[index][1].update({ value, write: (text) => now.write(now.value.map((entry, place) => (place === index ? { ...entry, value: text } : entry))) });
      });
    },
  };
}

export const WIDGETS = { text, area, expression, select, pick, check, several, fact, buttons, pairs };
