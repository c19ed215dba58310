// JSON to the server and back. Never throws: no answer, or no JSON (the session has ended), is an answer too.

export async function call(method, address, token, body) {
  try {
    const answer = await fetch(address, {
      method, credentials: "same-origin", redirect: "error", body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": token },
    });
    const kind = answer.headers.get("Content-Type") || "";
    return { status: answer.status, json: kind.includes("json") ? await answer.json() : {} };
  } catch {
    return { status: 0, json: {} };
  }
}
