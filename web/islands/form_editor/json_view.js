// The form as JSON, for experts: edited as text, read by the server, which says in which line something is wrong.
import { element, open } from "./dialogs.js";
import { drawable } from "./store.js";

export async function showJson(store) {
  const text = element("textarea", {
    id: "edit-json", className: "form-control edit-code", rows: 24, spellcheck: false, readOnly: !store.editable, value: JSON.stringify(store.broken ?? store.form, null, 2),
  });
  const problem = element("p", { className: "problem", id: "edit-json-problem", role: "alert" });
  text.setAttribute("aria-describedby", problem.id);
  const take = async () => {
    const { status, json } = await store.call("POST", "/read", { text: text.value });
    if (status !== 200) return complain(json.message || "暂时无法读取，请稍后再试", json.line);
    if (!drawable(json.form)) return complain("应有标题（title）和字段列表（fields），每个字段应有类型（type）");
    store.replace(json.form);
    return true;
  };
  const complain = (message, line) => {
    problem.textContent = message;
    text.setAttribute("aria-invalid", "true");
    if (line) {
      const lines = text.value.split("\n");
      const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
      text.focus();
      text.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
    }
    return false;
  };
  const buttons = store.editable ? [["take", "采用", take], ["", "取消"]] : [["", "关闭"]];
  // It begins at its beginning, not where its text ends.
  text.setSelectionRange(0, 0);
  requestAnimationFrame(() => (text.scrollTop = 0));
  await open("表单定义（JSON）", [element("label", { htmlFor: text.id }, "表单定义"), text, problem], buttons);
}
