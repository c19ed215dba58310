// What stands in a form now, in the shape in which the server keeps and validates it: by field key, with the opinion beside.

function answer(field) {
  const inputs = [...field.querySelectorAll("input, select, textarea")].filter((input) => input.type !== "file" && !input.name.startsWith("stored."));
  switch (field.dataset.type) {
    case "boolean":
      return inputs[0]?.checked ?? false;
    case "choice":
      return inputs.find((input) => input.checked)?.value ?? null;
    case "choices":
    case "fields":
    case "file":
      return inputs.filter((input) => input.checked).map((input) => input.value);
    default:
      return inputs[0]?.value ?? null;
  }
}

export function answersOf(form) {
  const answers = {};
  for (const field of form.querySelectorAll("[data-field]")) {
    if (field.dataset.type !== "note") answers[field.dataset.field] = answer(field);
  }
  return { answers, opinion: form.elements.opinion?.value ?? "" };
}

export function send(form, address, method, body, more = {}) {
  return fetch(address, {
    method,
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", "X-CSRFToken": form.elements.csrf_token.value, ...more.headers },
    signal: more.signal,
    keepalive: more.keepalive ?? false,
    redirect: "error", // the sign-in page is no answer
  });
}
