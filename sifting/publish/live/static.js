
// The same panel on the static page of a chapter, closed until it is asked for: no kernel, no network.
addEventListener("DOMContentLoaded", async () => {
  const { esm, css, fields, chapters } = SIFTING, page = location.pathname.split("/").pop();
  const name = page.replace(/\.html$/, ""), trial = name.match(/^trial-(.+)-[0-9a-f]{6}$/);
  const facts = chapters[trial?.[1] ?? name], title = document.querySelector("article h1");
  if (!facts || !title) return;
  const below = title.parentElement.querySelector(":scope > section, :scope > .cell");
  const fold = Object.assign(document.createElement("details"), { className: "sifting-panel" });
  fold.append(Object.assign(document.createElement("summary"), { textContent: "Try other settings" }));
  const asked = title.parentElement.querySelector(':scope > .cell:has(script[type$="widget-view+json"])'); // the prediction
  if (asked) asked.after(fold);
  else below ? below.before(fold) : title.parentElement.append(fold);
  const here = facts.trials.find((one) => one.page === page);
  const state = {
    facts: { ...facts, fields: facts.fields.map((name) => fields[name]) }, trials: facts.trials, live: false,
    ...facts.own, ...here, here, doing: "", done: 0, results: {},
  };
  const heard = {};
  const model = {
    get: (key) => state[key],
    set: (key, value) => { state[key] = value; heard[`change:${key}`]?.forEach((hear) => hear()); },
    on: (event, hear) => (heard[event] ??= []).push(hear),
    save_changes() {},
  };
  document.head.append(Object.assign(document.createElement("style"), { textContent: css }));
  const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
  const { default: panel } = await import(url);
  URL.revokeObjectURL(url);
  const box = document.createElement("div");
  fold.append(box);
  panel.render({ model, el: box });
  fold.dataset.ready = "true";
});
