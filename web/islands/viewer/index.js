// The diagram of a case, to look at and to move about in: <div data-diagram="ADDRESS OF THE XML"></div>.
// bpmn.io's watermark stays as it is, fully visible: its licence asks for that.
import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";
import "bpmn-js/dist/assets/diagram-js.css";
import "bpmn-js/dist/assets/bpmn-js.css";

for (const container of document.querySelectorAll("[data-diagram]")) {
  show(container);
}

async function show(container) {
  const viewer = new NavigatedViewer({ container });
  const answer = await fetch(container.dataset.diagram, { credentials: "same-origin" });
  await viewer.importXML(await answer.text());
  viewer.get("canvas").zoom("fit-viewport", "auto");
}
