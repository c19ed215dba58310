// Export as .bpmn, SVG and PNG, and opening a .bpmn file into the draft, all in the browser.
import { askReader } from "./dialogs.js";
import { element } from "./panel/dom.js";

const today = () => new Date().toLocaleDateString("sv-SE").replaceAll("-", "");

function download(content, name) {
  const address = URL.createObjectURL(content);
  const link = element("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  // The download has begun by then.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

// What a file may be called on every system.
const called = (name) => (name || "流程图").replace(/[\\/:*?"<>|\s]+/g, "_").slice(0, 60);

// Twice the size on paper, and within what browsers can draw.
const SCALE = 2;
const LARGEST = 16_000;

async function picture(svg) {
  const [, width, height] = svg.match(/<svg[^>]*?width="([\d.]+)"[^>]*?height="([\d.]+)"/).map(Number);
  const scale = Math.min(SCALE, LARGEST / width, LARGEST / height);
  const image = new Image();
  // A data address: the page's policy allows no other source of pictures.
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = element("canvas", { width: Math.ceil(width * scale), height: Math.ceil(height * scale) });
  const context = canvas.getContext("2d");
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

export function createFiles({ modeler, draft, read, load, say }) {
  const name = () => `${called(draft.name)}_${today()}`;
  const exports = {
    bpmn: async () => download(new Blob([await read()], { type: "application/xml" }), `${name()}.bpmn`),
    svg: async () => download(new Blob([(await modeler.saveSVG()).svg], { type: "image/svg+xml" }), `${name()}.svg`),
    png: async () => download(await picture((await modeler.saveSVG()).svg), `${name()}.png`),
  };

  async function take(file) {
    const text = await file.text();
    // Of our own language only: what other tools write goes through the import, which lists what it rewrites.
    const own = text.includes("http://spiffworkflow.org/bpmn/schema/1.0/core") && text.includes("http://www.omg.org/spec/BPMN/20100524/MODEL");
    const key = text.match(/<(?:\w+:)?process\b[^>]*?\bid="([^"]+)"/)?.[1];
    if (!own) {
      await askReader({
        title: "这不是本系统导出的文件",
        words: ["其他工具画的流程图，请从“导入”打开：它会列出作了哪些改写、还要补充什么。"],
        details: [element("p", {}, [element("a", { href: "/imports", text: "前往导入" })])],
        choices: [{ value: "no", label: "关闭" }],
      });
      return;
    }
    if (key !== draft.key) {
      await askReader({
        title: "这是另一个流程的文件",
        words: [`文件中的流程标识是“${key || "（无）"}”，本草稿是“${draft.key}”。请在“导入”中作为另一份草稿打开。`],
        details: [element("p", {}, [element("a", { href: "/imports", text: "前往导入" })])],
        choices: [{ value: "no", label: "关闭" }],
      });
      return;
    }
    const choice = await askReader({
      title: "用文件替换当前的流程图？",
      words: [`“${file.name}”将替换画布上的流程图，随后自动保存。替换后不能用“撤销”退回；需要留存的，请先导出。`],
      choices: [{ value: "yes", label: "替换", primary: true }, { value: "no", label: "取消" }],
    });
    if (choice !== "yes") return;
    try {
      await load(text);
    } catch {
      say("文件不是可以打开的流程图，画布没有改变。");
    }
  }
  return { exports, take };
}
