// How the modeler speaks with the server: JSON both ways, and a refusal as an error that says what to tell the reader.
export class Refused extends Error {
  constructor(status, answer) {
    super(answer.message || "系统暂时无法处理，请稍后重试");
    this.status = status;
    this.answer = answer;
  }
}

// The sign-in has ended, or the right was taken away: nothing can be saved until the person has signed in again.
export class SignedOut extends Error {}

// Whoever signs in again gets another token for forms; the page that was open all along asks for it.
async function freshToken(page) {
  const answer = await fetch(page, { credentials: "same-origin", redirect: "manual" });
  if (!answer.ok) throw new SignedOut();
  const document = new DOMParser().parseFromString(await answer.text(), "text/html");
  return document.querySelector("[data-csrf]")?.dataset.csrf;
}

export function createRequests(first, page) {
  let token = first;

  const send = (method, address, body) =>
    fetch(address, {
      method,
      credentials: "same-origin",
      // A page of sign-in in the place of an answer is not followed.
      redirect: "manual",
      headers: { Accept: "application/json", ...(body && { "Content-Type": "application/json", "X-CSRFToken": token }) },
      body: body && JSON.stringify(body),
    });

  return async function ask(method, address, body) {
    let answer = await send(method, address, body);
    if (answer.status === 400 && body) {
      token = await freshToken(page);
      answer = await send(method, address, body);
    }
    if (answer.type === "opaqueredirect" || answer.status === 401) throw new SignedOut();
    let content = {};
    try {
      content = await answer.json();
    } catch {
      // A page instead of data: only its status counts.
    }
    if (!answer.ok) throw new Refused(answer.status, content);
    return content;
  };
}
