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

export function createRequests(token) {
  return async function ask(method, address, body) {
    const answer = await fetch(address, {
      method,
      credentials: "same-origin",
      // A page of sign-in in the place of an answer is not followed.
      redirect: "manual",
      headers: { Accept: "application/json", ...(body && { "Content-Type": "application/json", "X-CSRFToken": token }) },
      body: body && JSON.stringify(body),
    });
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
