// Runs anywidgets in a static page: no kernel, no network, no require.js; from http and from disk.
// Reads the widget state that nbclient stored in the notebook and myst-nb wrote into the page,
// gives each model the small interface that anywidget gives it in JupyterLab, and renders every
// view of it. Widgets that need a kernel get a note in their place.
(() => {
  "use strict";
  const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
  const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';

  const HERE = document.currentScript.src;
  const decode = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);

  class Model {
    #state;
    #listeners = new Map();
    constructor(state, buffers) {
      this.#state = state;
      for (const [path, data] of buffers) { // bytes were cut out of the state, and are put back
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
  // What is long lies beside this file, once for all pages: a script, since a browser fetches no file from disk.
  const shared = once((name) => new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: new URL(`shared/${name}.js`, HERE) });
    script.onload = () => resolve(siftingShared[name]);
    script.onerror = () => reject(new Error(`${script.src} is missing`));
    document.head.append(script);
  }));
  const whole = (value) => (value?.shared ? shared(value.shared) : value);
  const start = once(async (id, { state, buffers = [] }) => { // views of one model share it, and stay in step
    const values = await Promise.all(Object.entries(state).map(async ([key, value]) => [key, await whole(value)]));
    const bytes = await Promise.all(buffers.map(async (one) => [one.path, await whole(one.data ?? one)]));
    const model = new Model(Object.fromEntries(values), bytes), widget = await load(model.get("_esm"));
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
