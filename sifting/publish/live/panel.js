// The panel of a chapter: settings to try, what they cost, and the command that tries them.
// In a notebook it computes, too, and shows what came out beside what the book has.

let panels = 0; // for ids that differ between the panels of a page
const WAIT = 300; // milliseconds without a key, before what is typed is looked at

const button = (text, onClick, className = "") => {
  const node = focusable(h("button", { type: "button", className: `mx-button ${className}`, textContent: text }));
  node.addEventListener("click", onClick);
  return node;
};

const copier = (text, of) => {
  const node = button(text, async () => {
    try {
      await navigator.clipboard.writeText(of());
      node.textContent = "Copied";
    } catch {
      node.textContent = "Not copied: select it by hand";
    }
    setTimeout(() => { node.textContent = text; }, 2000);
  });
  return node;
};

const same = (a, b) => a === b || (a !== "" && b !== "" && Number(a) === Number(b));

function render({ model, el }) {
  const id = `kn${++panels}`, set = setter(model), facts = model.get("facts"), live = model.get("live");
  const at = () => facts.presets.find(({ name }) => name === model.get("preset")).at;
  const changed = () => Object.entries(model.get("values")).filter(([name, value]) => value !== "" && !same(value, at()[name]));
  const fits = (one) => one.preset === model.get("preset") && one.seeds === model.get("seeds")
    && facts.fields.every(({ name }) => same(one.values[name] ?? at()[name], Object.fromEntries(changed())[name] ?? at()[name]))
    && Object.keys(one.values).every((name) => name in at());
  const command = () => {
    const values = changed().map(([name, value]) => `${name}=${value.replace(/\s*,\s*|\s+/g, ",")}`).join(" ");
    const words = `make chapter=${facts.chapter} preset=${model.get("preset")} seeds=${model.get("seeds")}`;
    return values ? `${words} set="${values}"` : words;
  };

  // what is chosen
  const presets = segments(`${id}-preset`, "Preset", (name) => set({ preset: name, seeds: facts.presets.find((one) => one.name === name).seeds }));
  const seeds = focusable(h("input", { type: "number", min: 1, max: 99, step: 1, id: `${id}-seeds` }));
  seeds.addEventListener("input", () => { if (seeds.validity.valid && seeds.value) set({ seeds: +seeds.value }); });
  const rows = facts.fields.map(({ name, says, takes, choices }) => {
    const key = `${id}-${name}`, range = h("span"), help = h("small", { id: `${key}-help` }, h("span", { textContent: says }), range);
    const input = focusable(choices ? h("select", { id: key }) : h("input", { type: "text", id: key, autocomplete: "off", spellcheck: false }));
    input.setAttribute("aria-describedby", help.id);
    let timer = 0; // while it runs, what is typed is not taken yet, and not written over
    const take = () => {
      timer = 0;
      set({ values: { ...model.get("values"), [name]: input.value.trim() } });
    };
    input.addEventListener(choices ? "change" : "input", () => { clearTimeout(timer); timer = setTimeout(take, choices ? 0 : WAIT); });
    const update = () => {
      const usual = at()[name], value = model.get("values")[name] ?? "";
      if (choices) {
        const options = [["", usual], ...choices.filter((one) => one !== usual).map((one) => [one, one])];
        if (input.dataset.made !== usual) input.replaceChildren(...options.map(([value, textContent]) => h("option", { value, textContent })));
        input.dataset.made = usual;
        if (!timer) input.value = value === usual ? "" : value;
      } else {
        input.placeholder = usual;
        if (!timer && input.value.trim() !== value) input.value = value;
      }
      range.textContent = choices ? takes : `${takes}; ${usual} at this preset`;
      node.classList.toggle("mx-set", changed().some(([one]) => one === name));
    };
    const node = h("div", { className: "mx-field" }, h("label", { htmlFor: key }, h("code", { textContent: name })), input, help);
    return { node, update };
  });

  // what it costs, and what to do
  const status = h("p", { className: "mx-status", "aria-live": "polite" }), words = h("code", { className: "mx-command" });
  const run = button("Run", () => model.send({ do: "run" }), "mx-main"), stop = button("Stop", () => model.send({ do: "stop" }));
  const bar = h("progress", { max: 1, "aria-label": "Progress" }), doing = h("span", { className: "mx-doing" });
  const reset = button("As in the book", () => set(facts.own));
  const actions = h("div", { className: "mx-actions" }, ...(live ? [run, stop] : []), copier("Copy as a command", command), reset);
  if (live) actions.append(copier("Copy for the cell of parameters", () => model.get("cell")));
  const stored = h("ul", { className: "mx-trials" }), fold = h("details", {}, h("summary"), stored);
  const results = h("div", { className: "mx-results jp-RenderedHTMLCommon jp-RenderedHTML" });
  const root = h("section", { className: "mx mx-knobs", "aria-label": `Settings to try in ${facts.chapter}` },
    h("div", { className: "mx-choices" }, presets.node, h("label", { className: "mx-choice" }, h("span", { textContent: "Seeds" }), seeds),
      h("span", { className: "mx-choice" }, h("span", { textContent: "at first the book's or the chapter's number; with 1, no intervals over seeds" }))),
    h("div", { className: "mx-fields" }, ...rows.map(({ node }) => node)),
    status, h("div", { className: "mx-scroll", tabIndex: 0, role: "region", "aria-label": "The command" }, words), actions,
    h("div", { className: "mx-progress", hidden: true }, bar, doing), fold, results);
  const progress = root.querySelector(".mx-progress");

  const draw = () => {
    presets.set(model.get("preset"), facts.presets.map(({ name }) => [name, name]));
    if (+seeds.value !== model.get("seeds")) seeds.value = model.get("seeds");
    for (const { update } of rows) update();
    words.textContent = command();
    const match = model.get("trials").find(fits), here = fits(model.get("here") ?? facts.own);
    if (live) say(status, model.get("said"));
    else if (here) say(status, "These are the settings of this page.");
    else if (match) status.replaceChildren("A trial with these settings is stored: ", h("a", { href: match.page, textContent: match.said }), ".");
    else say(status, "Not stored yet. The command below computes what is missing, and draws a page of its own, with your results beside those of this page.");
    status.classList.toggle("mx-wrong", live && model.get("wrong"));
    run.disabled = !model.get("ready") || model.get("running") || root.classList.contains("mx-wait");
    stop.disabled = !model.get("running");
    progress.hidden = !model.get("doing");
    if (model.get("done") < 0) bar.removeAttribute("value");
    else bar.value = model.get("done");
    bar.hidden = !model.get("running");
    say(doing, model.get("doing"));
  };
  const list = () => {
    const trials = model.get("trials");
    fold.hidden = !trials.length;
    fold.querySelector("summary").textContent = `Stored trials of this chapter: ${trials.length}`;
    stored.replaceChildren(...trials.map((one) => h("li", {},
      button("Choose", () => set({ preset: one.preset, seeds: one.seeds, values: one.values })), " ",
      h("a", { href: one.page, textContent: one.said, ...(live ? { target: "_blank" } : {}) }))));
    draw();
  };

  // what came out: all statements, and one figure at a time
  const show = () => {
    const { said, statements, figures, page } = model.get("results");
    if (!said) return results.replaceChildren();
    const box = h("div"), before = model.get("figure");
    const pick = dropdown("Figure", figures.map(({ name, title }) => [name, title]), (name) => set({ figure: name }));
    const step = (by) => {
      const now = figures.findIndex(({ name }) => name === model.get("figure"));
      set({ figure: figures[clamp(now + by, 0, figures.length - 1)].name });
    };
    const table = h("div", { innerHTML: statements });
    const head = h("p", {}, h("strong", { textContent: said }), " ", page ? h("a", { href: page, target: "_blank", textContent: "its page" }) : "");
    const one = () => {
      const found = figures.find(({ name }) => name === model.get("figure")) ?? figures[0];
      if (!found) return;
      pick.set(found.name);
      box.innerHTML = found.html;
    };
    results.replaceChildren(head, table, h("div", { className: "mx-choices" }, pick.node, button("Previous", () => step(-1)), button("Next", () => step(1))), box);
    results.draw = one;
    if (!figures.some(({ name }) => name === before) && figures.length) set({ figure: figures[0].name });
    one();
  };
  const wait = () => { root.classList.toggle("mx-wait", live); draw(); }; // until the kernel has looked at it
  for (const name of ["preset", "seeds", "values"]) model.on(`change:${name}`, wait);
  model.on("change:looks", () => { root.classList.remove("mx-wait"); draw(); });
  for (const name of ["said", "wrong", "ready", "running", "done", "doing"]) model.on(`change:${name}`, draw);
  model.on("change:trials", list);
  model.on("change:results", show);
  model.on("change:figure", () => results.draw?.());
  el.append(root);
  list();
  show();
}

export default { render };
