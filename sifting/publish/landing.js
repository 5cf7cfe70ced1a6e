// The laboratory in small, in the place that the first page has for it: a widget as pages of chapters have them.
{
  const place = document.querySelector(".small-lab"), from = document.currentScript.src;
  const data = (kind, value) => Object.assign(document.createElement("script"), {
    type: `application/vnd.jupyter.widget-${kind}+json`, textContent: JSON.stringify(value),
  });
  if (place && LAB) {
    place.replaceChildren(data("view", { model_id: LAB.model }));
    document.body.append(data("state", { state: LAB.state }));
    document.body.append(Object.assign(document.createElement("script"), { src: new URL("anywidget-static.js", from) }));
  }
}
