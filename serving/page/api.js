// What the server is asked. The key is kept for this tab only.

const KEY = "wardround-key";

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Take a key that came in the address, and take it out of there. */
export function takeKey() {
  const found = /^#key=(.+)$/.exec(location.hash);
  if (!found) return;
  keepKey(decodeURIComponent(found[1]));
  history.replaceState(null, "", location.pathname);
}

export const keepKey = (key) => sessionStorage.setItem(KEY, key);

async function ask(path, about = {}) {
  const headers = { ...(about.body ? { "content-type": "application/json" } : {}) };
  const key = sessionStorage.getItem(KEY);
  if (key) headers.authorization = `Bearer ${key}`;
  let response;
  try {
    response = await fetch(path, { ...about, headers, credentials: "omit" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, "The server cannot be reached. Does it still run?");
  }
  if (response.ok) return response;
  let message = `The server answers with status ${response.status}.`;
  try {
    message = (await response.json()).error.message;
  } catch { /* not in our form: the status says it */ }
  throw new Refused(response.status, message);
}

export const fetchJson = async (path, about) => (await ask(path, about)).json();

/** Run a turn; `each` is called with every event. Resolves when it is over. */
export async function runTurn(body, signal, each) {
  const response = await ask("/api/turns", { method: "POST", body: JSON.stringify(body), signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let ended = false;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    const lines = (rest + value).split("\n\n");
    rest = lines.pop();
    for (const line of lines) {
      if (line === "data: [DONE]") ended = true;
      else if (line.startsWith("data: ")) each(JSON.parse(line.slice(6)));
    }
  }
  if (!ended) throw new Refused(0, "The connection broke before the answer was complete.");
}
