// The canvas speaks Chinese: this takes the place of diagram-js's translate. A string that has no translation is shown as it
// is and noted in data-untranslated of the page's root element, where a test finds it.
import { WORDS } from "./words.js";

const missing = new Set();

function translate(template, replacements = {}) {
  if (!(template in WORDS) && /[A-Za-z]/.test(template)) {
    missing.add(template);
    document.documentElement.dataset.untranslated = [...missing].join("|");
  }
  return (WORDS[template] ?? template).replace(/{([^}]+)}/g, (_, key) => replacements[key] ?? `{${key}}`);
}

export default { translate: ["value", translate] };
