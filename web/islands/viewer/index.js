// The diagram of a case, to look at and to move about in:
// <div data-diagram="ADDRESS OF THE XML" data-now="ids" data-passed="ids" data-tokens="id:count" role="img" aria-label="…"></div>.
// bpmn.io's watermark stays as it is, fully visible: its licence asks for that.
import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";
import "bpmn-js/dist/assets/diagram-js.css";
import "bpmn-js/dist/assets/bpmn-js.css";

const ids = (text) => (text || "").split(" ").filter(Boolean);

// How many tokens stand at an element: data-tokens="id:count …".
function showTokens(viewer, id, count) {
  if (!viewer.get("elementRegistry").get(id)) return;
  const token = document.createElement("span");
  token.className = "diagram-token";
  token.textContent = count;
  viewer.get("overlays").add(id, { position: { top: -12, right: 12 }, html: token });
}

// A diagram that nobody has kept yet stands in the page: data-diagram="#id of a JSON text". Null where none can be had:
// the sign-in has ended (its page is no diagram, so no redirection is followed), or the network is away.
async function read(place) {
  if (place.startsWith("#")) return JSON.parse(document.querySelector(place).textContent);
  try {
    const answer = await fetch(place, { credentials: "same-origin", redirect: "manual" });
    return answer.ok ? await answer.text() : null;
  } catch {
    return null;
  }
}

async function show(container) {
  const xml = await read(container.dataset.diagram);
  if (xml === null) {
    container.textContent = "流程图暂时无法显示。";
    return;
  }
  const viewer = new NavigatedViewer({ container });
  await viewer.importXML(xml);
  const canvas = viewer.get("canvas");
  const registry = viewer.get("elementRegistry");
  for (const id of ids(container.dataset.passed)) if (registry.get(id)) canvas.addMarker(id, "diagram-step-passed");
  for (const id of ids(container.dataset.now)) if (registry.get(id)) canvas.addMarker(id, "diagram-step-now");
  for (const pair of ids(container.dataset.tokens)) showTokens(viewer, ...pair.split(":"));
  canvas.zoom("fit-viewport", "auto");
  container.dataset.ready = "yes";
}

// A diagram below the fold is fetched and drawn when it comes into sight.
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    seen.unobserve(entry.target);
    show(entry.target);
  }
});
for (const container of document.querySelectorAll("[data-diagram]")) seen.observe(container);
