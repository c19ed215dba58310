// Two diagrams side by side that move together, coloured by what changed, with a list whose lines lead into both:
// <div data-comparison> around two <div data-side="before|after" data-diagram="ADDRESS OF THE XML">, the ids to colour in
// <script type="application/json" id="comparison-marks">, and anywhere <button data-was="id before" data-element="id after">.
// With one side only it is a viewer whose findings can be clicked. bpmn.io's watermark stays as it is.
import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";
import "bpmn-js/dist/assets/diagram-js.css";
import "bpmn-js/dist/assets/bpmn-js.css";
import "./comparison.css";

const KINDS = ["added", "removed", "changed", "moved"];
const FLASH_MS = 2400;
// What holds others: its ground would colour them too.
const FRAMES = ["bpmn:Lane", "bpmn:Participant", "bpmn:SubProcess"];
const marks = JSON.parse(document.getElementById("comparison-marks").textContent);
const told = document.querySelector("[data-told]");
const frame = document.querySelector("[data-comparison]");
const sides = {};

async function show(container) {
  const side = container.dataset.side;
  const answer = await fetch(container.dataset.diagram, { credentials: "same-origin", redirect: "manual" });
  if (!answer.ok) throw new Error();
  const viewer = new NavigatedViewer({ container });
  await viewer.importXML(await answer.text());
  sides[side] = viewer;
  colour(viewer, marks[side] || {});
  viewer.get("eventBus").on("element.click", ({ element }) => pointOut(side, element.id.replace(/_label$/, "")));
}

function colour(viewer, found) {
  const canvas = viewer.get("canvas");
  const registry = viewer.get("elementRegistry");
  for (const frame of registry.filter((element) => FRAMES.includes(element.type))) canvas.addMarker(frame, "diff-frame");
  for (const kind of KINDS) {
    for (const id of found[kind] || []) {
      for (const name of [id, `${id}_label`]) if (registry.get(name)) canvas.addMarker(name, `diff-${kind}`);
    }
  }
}

// -- moving together --------------------------------------------------------------------------

let following = false;

function follow(from, to) {
  from.get("eventBus").on("canvas.viewbox.changed", () => {
    if (following) return;
    const { x, y, width, height } = from.get("canvas").viewbox();
    move(to, { x, y, width, height });
  });
}

function move(viewer, box) {
  following = true;
  viewer.get("canvas").viewbox(box);
  following = false;
}

function everything() {
  const boxes = Object.values(sides).map((viewer) => viewer.get("canvas").viewbox().inner);
  const left = Math.min(...boxes.map((box) => box.x));
  const top = Math.min(...boxes.map((box) => box.y));
  const right = Math.max(...boxes.map((box) => box.x + box.width));
  const bottom = Math.max(...boxes.map((box) => box.y + box.height));
  const margin = 20;
  const { outer } = Object.values(sides)[0].get("canvas").viewbox();
  // As wide or as high as it takes, and in the middle of the frame.
  const scale = Math.max((right - left + 2 * margin) / outer.width, (bottom - top + 2 * margin) / outer.height);
  const [width, height] = [outer.width * scale, outer.height * scale];
  const box = { x: (left + right - width) / 2, y: (top + bottom - height) / 2, width, height };
  for (const viewer of Object.values(sides)) move(viewer, box);
}

function zoom(factor) {
  const canvas = Object.values(sides)[0].get("canvas");
  canvas.zoom(Math.min(4, Math.max(0.1, canvas.zoom() * factor)));
}

// -- from the list into the diagrams, and back ------------------------------------------------

const partner = (id, side) =>
  side === "after" ? marks.pairs[id] || id : Object.keys(marks.pairs).find((old) => marks.pairs[old] === id) || id;

function lead(was, element) {
  const wanted = { before: was || (element && partner(element, "before")), after: element || (was && partner(was, "after")) };
  const found = Object.entries(sides)
    .map(([side, viewer]) => [viewer, viewer.get("elementRegistry").get(wanted[side])])
    .filter(([, shape]) => shape && shape.parent);
  if (!found.length) return tell("这一处不在图上显示。");
  // Where both show it, the side after leads; the other follows, as always.
  const [viewer, shape] = found[found.length - 1];
  const canvas = viewer.get("canvas");
  const root = canvas.findRoot(shape);
  if (root && root !== canvas.getRootElement()) canvas.setRootElement(root);
  if (canvas.zoom() < 0.6) canvas.zoom(0.6);
  const { width, height } = canvas.viewbox();
  const middle = centre(shape);
  canvas.viewbox({ x: middle.x - width / 2, y: middle.y - height / 2, width, height });
  for (const [each, one] of found) flash(each.get("canvas"), one.id);
  frame.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  tell("已在流程图中标出。");
}

function centre(shape) {
  if (!shape.waypoints) return { x: shape.x + shape.width / 2, y: shape.y + shape.height / 2 };
  const half = shape.waypoints.length / 2;
  const [one, other] = [shape.waypoints[Math.ceil(half) - 1], shape.waypoints[Math.floor(half)]];
  return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
}

function flash(canvas, id) {
  canvas.addMarker(id, "diff-flash");
  setTimeout(() => canvas.removeMarker(id, "diff-flash"), FLASH_MS);
}

function pointOut(side, id) {
  const name = side === "before" ? "was" : "element";
  const lines = [...document.querySelectorAll(`.diff-lines button[data-${name}]`)].filter((line) => line.dataset[name] === id);
  for (const line of document.querySelectorAll(".diff-lines .diff-pointed")) line.classList.remove("diff-pointed");
  for (const line of lines) line.closest("li").classList.add("diff-pointed");
  if (lines[0]) lines[0].scrollIntoView({ block: "nearest" });
}

const tell = (words) => {
  if (told) told.textContent = words;
};

document.addEventListener("click", (event) => {
  const line = event.target.closest(".diff-lines button");
  if (line) return lead(line.dataset.was, line.dataset.element);
  const tool = event.target.closest("[data-zoom]");
  if (tool && tool.dataset.zoom === "fit") everything();
  else if (tool) zoom(tool.dataset.zoom === "in" ? 1.25 : 0.8);
});

(async () => {
  for (const container of frame.querySelectorAll("[data-side]")) {
    try {
      await show(container);
    } catch {
      container.textContent = "流程图暂时无法显示：文件中没有图形，或不是正确的流程图。";
    }
  }
  const viewers = Object.values(sides);
  if (!viewers.length) return;
  everything();
  if (viewers.length === 2) {
    follow(viewers[0], viewers[1]);
    follow(viewers[1], viewers[0]);
  }
  for (const [event, on] of [["beforeprint", true], ["afterprint", false]]) {
    window.addEventListener(event, () => {
      frame.classList.toggle("diff-printing", on);
      for (const viewer of viewers) viewer.get("canvas").resized();
      everything();
    });
  }
  frame.dataset.ready = "yes";
})();
