// The diagram of a case, to look at and to move about in:
// <div data-diagram="ADDRESS OF THE XML" data-now="ids" data-passed="ids" role="img" aria-label="…"></div>.
// bpmn.io's watermark stays as it is, fully visible: its licence asks for that.
import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";
import "bpmn-js/dist/assets/diagram-js.css";
import "bpmn-js/dist/assets/bpmn-js.css";

const ids = (text) => (text || "").split(" ").filter(Boolean);

async function show(container) {
  const answer = await fetch(container.dataset.diagram, { credentials: "same-origin" });
  if (!answer.ok) {
    container.textContent = "流程图暂时无法显示。";
    return;
  }
  const viewer = new NavigatedViewer({ container });
  await viewer.importXML(await answer.text());
  const canvas = viewer.get("canvas");
  const registry = viewer.get("elementRegistry");
  for (const id of ids(container.dataset.passed)) if (registry.get(id)) canvas.addMarker(id, "diagram-step-passed");
  for (const id of ids(container.dataset.now)) if (registry.get(id)) canvas.addMarker(id, "diagram-step-now");
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
