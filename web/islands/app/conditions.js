// Shows and hides the fields of a form by their `when` conditions while the form is filled in, with the meaning that the
// server gives them (engine/process/forms.py). The server judges again on submission; what this reader does not
// understand stays as the server has shown it.

const TOKEN = /\s*(?:(\d+(?:\.\d+)?)|"([^"\\]*)"|'([^'\\]*)'|([A-Za-z_]\w*)|(==|!=|<=|>=|[<>()[\],.]))/y;

function tokens(text) {
  const found = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const match = TOKEN.exec(text);
    if (!match) throw new SyntaxError(text);
    const [, number, double, single, word, sign] = match;
    if (number !== undefined) found.push({ value: Number(number) });
    else if (double !== undefined || single !== undefined) found.push({ value: double ?? single });
    else found.push({ word, sign });
  }
  return found;
}

// A recursive descent over: or, and, not, one comparison, a value. Each function gives the value at once.
export function evaluate(text, names) {
  const all = tokens(text);
  let at = 0;
  const peek = (what) => all[at] && (all[at].word === what || all[at].sign === what);
  const take = (what) => peek(what) && (at += 1) > 0;
  const need = (what) => {
    if (!take(what)) throw new SyntaxError(text);
  };

  function or() {
    let left = and();
    while (take("or")) {
      const right = and();
      left = truth(left) ? left : right;
    }
    return left;
  }
  function and() {
    let left = not();
    while (take("and")) {
      const right = not();
      left = truth(left) ? right : left;
    }
    return left;
  }
  function not() {
    return take("not") ? !truth(not()) : comparison();
  }
  function comparison() {
    const left = value();
    if (take("==")) return same(left, value());
    if (take("!=")) return !same(left, value());
    if (take("in")) return within(left, value());
    if (peek("not") && all[at + 1]?.word === "in") {
      at += 2;
      return !within(left, value());
    }
    for (const sign of ["<=", ">=", "<", ">"]) {
      if (take(sign)) return ordered(left, value(), sign);
    }
    return left;
  }
  function value() {
    if (take("(")) {
      const inside = or();
      need(")");
      return inside;
    }
    if (take("[")) {
      const items = [];
      while (!take("]")) {
        items.push(or());
        if (!peek("]")) need(",");
      }
      return items;
    }
    const token = all[at++];
    if (!token) throw new SyntaxError(text);
    if ("value" in token) return token.value;
    const literal = { True: true, true: true, False: false, false: false, None: null, null: null };
    if (token.word in literal) return literal[token.word];
    if (!token.word || peek("(")) throw new SyntaxError(text); // a function: the server's business
    let found = names[token.word] ?? null;
    while (take(".")) found = found?.[all[at++].word] ?? null;
    return found;
  }

  const result = or();
  if (at !== all.length) throw new SyntaxError(text);
  return truth(result);
}

const truth = (value) => (Array.isArray(value) ? value.length > 0 : Boolean(value));
const same = (a, b) => (a === null || b === null || typeof a === "boolean" ? a === b : String(a) === String(b));
const within = (item, whole) => (Array.isArray(whole) ? whole.some((one) => same(item, one)) : typeof whole === "string" && whole.includes(item));
function ordered(a, b, sign) {
  if (a === null || b === null) return false;
  const [x, y] = isNaN(a) || isNaN(b) ? [String(a), String(b)] : [Number(a), Number(b)];
  return { "<": x < y, ">": x > y, "<=": x <= y, ">=": x >= y }[sign];
}

function answer(field) {
  const inputs = [...field.querySelectorAll("input, select, textarea")];
  switch (field.dataset.type) {
    case "boolean":
      return inputs[0].checked;
    case "choice":
      return inputs.find((input) => input.checked)?.value ?? null;
    case "choices":
    case "fields":
      return inputs.filter((input) => input.checked).map((input) => input.value);
    default:
      return inputs[0]?.value || null;
  }
}

function apply(form) {
  // In the order of the form, as the server does: a hidden field has no answer for those after it.
  const names = JSON.parse(form.dataset.facts || "{}");
  for (const field of form.querySelectorAll("[data-field], [data-when]")) {
    let shown = !field.classList.contains("field-off");
    if (field.dataset.when) {
      try {
        shown = evaluate(field.dataset.when, names);
      } catch {
        // Left as the server has shown it.
      }
      field.classList.toggle("field-off", !shown);
    }
    if (field.dataset.field) names[field.dataset.field] = shown ? answer(field) : null;
  }
  const opinion = form.querySelector("[data-opinion-when]");
  if (opinion) {
    let needed = false;
    try {
      needed = evaluate(opinion.dataset.opinionWhen, names);
    } catch {
      // The server says so when it is missing.
    }
    opinion.querySelector(".required").hidden = !needed;
    opinion.querySelector(".optional").hidden = needed;
  }
}

export function watch(root) {
  for (const form of root.querySelectorAll("form[data-facts]")) {
    apply(form);
    form.addEventListener("input", () => apply(form));
    form.addEventListener("change", () => apply(form));
  }
}
