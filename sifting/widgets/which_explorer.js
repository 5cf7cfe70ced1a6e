// The which explorer: masks without names; click on those that you look for, or give all of them their names.

async function render({ model, el }) {
  const data = await parsed(model.get("data")), { names, answer, units, local, density } = data, shape = model.get("shape");
  const bytes = new Uint8Array(await inflate(model.get("masks"))), set = setter(model), size = shape.reduce((a, b) => a * b);
  const bit = (at) => (bytes[at >> 3] >> (at & 7)) & 1;
  const choices = [...names.keys()].sort((a, b) => names[a].localeCompare(names[b]));
  const picks = () => names.map((_, n) => model.get("picks")[n] ?? -1);
  const give = (place, name) => set({ picks: picks().map((was, n) => (n === place ? name : was)) });
  const find = (place) => { // one picture alone can be the one that is looked for
    if (!model.get("shown")) set({ picks: picks().map((was, n) => (n === place ? answer : was === answer ? -1 : was)) });
  };

  const tiles = names.map((_, place) => {
    const canvas = h("canvas", { "aria-hidden": "true" }), label = `Picture ${place + 1}`;
    const pick = focusable(h("button", { type: "button", className: "mx-pick", "aria-label": `${label}: this is ${names[answer]}` }, canvas));
    pick.addEventListener("click", () => find(place));
    const select = focusable(h("select", { "aria-label": `${label} is` }, h("option", { value: -1, textContent: "?" }),
      ...choices.map((n) => h("option", { value: n, textContent: names[n] }))));
    select.addEventListener("change", () => give(place, +select.value));
    const told = h("p", { className: "mx-told" });
    return { canvas, pick, select, told, node: h("div", { className: "mx-tile" }, pick, h("b", { textContent: `${place + 1} ` }), select, told) };
  });
  const show = textButton("Show", () => {
    if (model.get("shown")) set({ shown: false, picks: names.map(() => -1) });
    else if (picks().some((n) => n >= 0)) set({ shown: true });
  });
  const skip = textButton("Just show me", () => set({ shown: true }));
  const status = h("p", { className: "mx-status", "aria-live": "polite" });
  const root = h("section", { className: "mx mx-which-explorer", "aria-label": `Predict, then see: ${data.ask}` },
    h("p", { className: "mx-ask" }, h("strong", { textContent: "Predict, then see. " }), data.ask),
    h("div", { className: "mx-tiles" }, ...tiles.map(({ node }) => node)), h("div", { className: "mx-buttons" }, show, skip), status,
    h("div", { className: "mx-print" }, ...names.map((name, n) => h("p", { textContent: `${n + 1}: ${name}, Λ = ${words(local[n])}` }))));

  // Units of a picture in a square, with gaps of a pixel.
  const [channels, height, width] = shape, columns = Math.ceil(Math.sqrt(units)), rows = Math.ceil(units / columns);
  const [wide, tall] = [columns * (width + 1) + 1, rows * (height + 1) + 1];
  tiles.forEach(({ canvas }, n) => {
    const rgba = new Uint8ClampedArray(4 * wide * tall);
    for (let unit = 0; unit < units; unit++) for (let i = 0; i < height * width; i++) {
      const at = (n * units + unit) * size + i, y = 1 + Math.floor(unit / columns) * (height + 1) + Math.floor(i / width), x = 1 + (unit % columns) * (width + 1) + (i % width);
      const on = [...Array(channels).keys()].map((c) => bit(at + c * height * width)), any = on.some(Boolean) ? 1 : 0;
      for (let c = 0; c < 3; c++) rgba[4 * (y * wide + x) + c] = 255 * (channels === 3 ? on[c] : any);
      rgba[4 * (y * wide + x) + 3] = 255;
    }
    paint(canvas, wide, tall, rgba);
  });

  const tellAll = answers(el);
  const draw = () => {
    if (!root.clientWidth) return; // folded away
    const shown = model.get("shown"), picked = picks(), begun = picked.some((n) => n >= 0), mine = picked.indexOf(answer);
    tiles.forEach(({ canvas, pick, select, told }, n) => {
      canvas.style.width = `${crisp(wide, pick.parentNode.clientWidth - 6)}px`;
      pick.setAttribute("aria-pressed", picked[n] === answer);
      pick.setAttribute("aria-disabled", shown);
      select.value = picked[n];
      select.disabled = shown;
      pick.classList.toggle("mx-right", shown && n === answer);
      told.replaceChildren(...(shown ? [h("b", { textContent: names[n] }), ` Λ = ${words(local[n])}, ${percent(density[n])} kept`,
        ...(picked[n] >= 0 ? [picked[n] === n ? " ✓ right" : ` ✗ you said ${names[picked[n]]}`] : [])] : []));
    });
    show.textContent = shown ? "Guess again" : "Show";
    show.setAttribute("aria-disabled", !shown && !begun);
    skip.hidden = shown;
    tellAll(shown);
    if (!shown) return say(status, mine < 0 ? `Click on the picture that is ${names[answer]}, or name as many as you can.` : `You say that picture ${mine + 1} is ${names[answer]}.`);
    const given = picked.filter((n) => n >= 0).length, right = picked.filter((name, n) => name === n).length;
    const order = [...names.keys()].filter((n) => local[n] !== null).sort((a, b) => local[b] - local[a]);
    say(status, `Picture ${answer + 1} is ${names[answer]}, with a Λ of ${words(local[answer])}.` +
      (mine >= 0 && mine !== answer ? ` You took picture ${mine + 1} for it, which is ${names[mine]}.` : mine === answer ? " You found it." : "") +
      (given > 1 ? ` You have named ${right} of ${given} rightly.` : "") +
      ` From the most local to the least: ${order.map((n) => `${names[n]} ${words(local[n])}`).join(", ")}.`);
  };
  const stop = keepDrawn(model, ["picks", "shown"], draw, root);
  el.append(root);
  return stop;
}

const words = (v) => (v === null ? "–" : minus((+v.toFixed(3) + 0).toFixed(3)));

export default { render };
