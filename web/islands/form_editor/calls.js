// The modeler's way to speak with the server, with a refusal as an answer too: 401 when the sign-in has ended, 0 when nobody answers.
import { Refused, SignedOut, createRequests } from "../modeler/requests.js";

export function createCalls(token, page) {
  const ask = createRequests(token, page);
  return async function call(method, path, body) {
    try {
      return { status: 200, json: await ask(method, `${page}${path}`, body) };
    } catch (error) {
      if (error instanceof SignedOut) return { status: 401, json: {} };
      if (error instanceof Refused) return { status: error.status, json: error.answer };
      return { status: 0, json: {} };
    }
  };
}
