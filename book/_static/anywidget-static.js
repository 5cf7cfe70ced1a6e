// Runs anywidgets in a static page: no kernel, no network, no require.js; from http and from disk.
// Reads the widget state that nbclient stored in the notebook and myst-nb wrote into the page,
// gives each model the small interface that anywidget gives it in JupyterLab, and renders every
// view of it. Widgets that need a kernel get a note in their place.
(() => {
  "use strict";
  const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
  const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';

  const decode = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);

  class Model {
    #state;
    #listeners = new Map();
    constructor({ state, buffers = [] }) {
      this.#state = state;
      for (const { path, data } of buffers) { // bytes were cut out of the state, and are put back
        const parent = path.slice(0, -1).reduce((node, key) => (node[key] ??= {}), state);
        parent[path.at(-1)] = decode(data);
      }
    }
    get(key) { return this.#state[key]; }
    set(key, value) {
      if (Object.is(this.#state[key], value)) return;
      this.#state[key] = value;
      this.#emit(`change:${key}`, value);
      this.#emit("change", value);
    }
    #emit(event, value) { for (const f of this.#listeners.get(event) ?? []) f(this, value); }
    on(event, f) { this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), f]); }
    off(event, f) { this.#listeners.set(event, f ? (this.#listeners.get(event) ?? []).filter((g) => g !== f) : []); }
    save_changes() {}
    send() { console.warn("anywidget-static: no kernel to send to"); }
  }

  const once = (make) => { // the same promise for the same key
    const made = new Map();
    return (key, ...rest) => made.get(key) ?? made.set(key, make(key, ...rest)).get(key);
  };
  const style = once((css) => document.head.append(Object.assign(document.createElement("style"), { textContent: css })));
  const load = once(async (esm) => {
    const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
    try {
      const { default: widget } = await import(url);
      return typeof widget === "function" ? await widget() : widget;
    } finally {
      URL.revokeObjectURL(url);
    }
  });
  const start = once(async (id, entry) => { // views of one model share it, and stay in step
    const model = new Model(entry), widget = await load(model.get("_esm"));
    if (model.get("_css")) style(model.get("_css"));
    await widget.initialize?.({ model });
    return { model, widget };
  });

  const note = (tag, text) => {
    const p = Object.assign(document.createElement("p"), { className: "widget-static-note", textContent: text });
    p.setAttribute("role", "note");
    tag.before(p);
  };

  async function show(view, state) {
    const id = JSON.parse(view.textContent).model_id, entry = state[id];
    if (entry?.model_module !== "anywidget")
      return note(view, "This control needs a running kernel: download the notebook and open it in JupyterLab.");
    try {
      const { model, widget } = await start(id, entry);
      const el = Object.assign(document.createElement("div"), { className: "anywidget-static" });
      view.before(el);
      await widget.render?.({ model, el });
      el.dataset.ready = "true";
    } catch (error) { // one broken widget leaves the others alone
      console.error(error);
      note(view, `This widget could not be drawn: ${error.message}`);
    }
  }

  async function main() {
    const tag = document.querySelector(STATE);
    if (!tag) return;
    const { state } = JSON.parse(tag.textContent);
    for (const view of document.querySelectorAll(VIEW)) {
      if (view.dataset.seen) continue; // harmless if the page loads this file twice
      view.dataset.seen = "true";
      await show(view, state);
    }
  }
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", main);
  else main();
})();
