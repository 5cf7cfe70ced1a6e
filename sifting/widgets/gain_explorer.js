// The gain explorer: one slider, and all that is stored at its gain.

async function render({ model, el }) {
  const data = await parsed(model.get("data")), { gains, images, units, localization, kurtosis } = data, set = setter(model);
  const fields = new Int8Array(await inflate(model.get("fields"))), bits = new Uint8Array(await inflate(model.get("masks")));
  const shape = model.get("shape"), [channels, height, width] = shape, size = channels * height * width, pixels = height * width;
  const now = () => clamp(model.get("place"), 0, gains.length - 1);

  const dial = slider("Gain", (place) => set({ place })), facts = h("div", { className: "mx-facts" });
  const canvas = () => h("canvas", { role: "img" }), shown = { fields: canvas(), edges: canvas(), masks: canvas() };
  const plots = { localization: h("div", { className: "mx-chart" }), kurtosis: h("div", { className: "mx-chart" }) };
  const status = h("p", { className: "mx-status", "aria-live": "polite" });
  const panels = [panel("fields", "Fields, two of each class", shown.fields), panel("edges", "Where they change most", shown.edges),
    panel("masks", "Masks, the most connected units", shown.masks), panel("local", "Localization Λ", plots.localization),
    panel("kurt", "Kurtosis of preactivations", plots.kurtosis)];
  const root = h("section", { className: "mx mx-gain-explorer", "aria-label": "Gain explorer" },
    h("div", { className: "mx-time" }, dial.node, facts), status, h("div", { className: "mx-body" }, ...panels.map(({ node }) => node)));

  // Images in rows with gaps of a pixel; `value` gives [red, green, blue] of a pixel of one of them.
  const mosaic = (node, count, columns, value) => {
    const [wide, tall] = [columns * (width + 1) - 1, Math.ceil(count / columns) * (height + 1) - 1], rgba = new Uint8ClampedArray(4 * wide * tall);
    for (let n = 0; n < count; n++) for (let i = 0; i < pixels; i++) {
      const y = Math.floor(n / columns) * (height + 1) + Math.floor(i / width), x = (n % columns) * (width + 1) + (i % width);
      rgba.set([...value(n, i), 255], 4 * (y * wide + x));
    }
    paint(node, wide, tall, rgba);
    node.style.width = `${crisp(wide, node.parentNode.clientWidth)}px`;
  };
  const plot = (name, node, [mean, low, high], place, level) => {
    const all = [...mean, ...low, ...high, level].filter((v) => v !== null), bottom = Math.min(...all), top = Math.max(...all), room = 0.08 * (top - bottom || 1);
    const last = gains.length - 1, scale = { x: (n) => 0.06 + (0.88 * n) / (last || 1), y: (v) => (v - bottom + room) / (top - bottom + 2 * room),
      xs: gains.map((v, n) => [n, v]), ys: ticks(bottom, top, 4).map((v) => [v, minus(v)]), xTitle: "gain" };
    chart(node, `${name} against gain; ${gains[place]} is marked`, scale, (X, Y, above, below) => {
      const bars = low.map((v, n) => (v === null ? "" : `M${X(n)},${Y(v)}V${Y(high[n])}`)).join("");
      return `<path class="mx-random" d="M${X(0)},${Y(level)}H${X(last)}"/><path class="mx-cursor" d="M${X(place)},${above}V${below}"/>
        <path class="mx-interval" d="${bars}"/><path class="mx-curve" d="M${mean.map((v, n) => `${X(n)},${Y(v)}`).join("L")}"/>` +
        mean.map((v, n) => `<circle class="mx-dot${n === place ? " mx-mine" : ""}" cx="${X(n)}" cy="${Y(v)}" r="${n === place ? 6 : 3}"/>`).join("");
    });
  };

  const draw = () => {
    if (!root.clientWidth) return; // folded away
    const place = now(), field = (n) => fields.subarray((place * images + n) * pixels, (place * images + n + 1) * pixels);
    const steep = [...Array(images).keys()].map((n) => edges(field(n), height, width)), most = Math.max(...steep.map((each) => Math.max(...each))) || 1;
    const bit = (at) => (bits[at >> 3] >> (at & 7)) & 1;
    dial.set(place, gains.length - 1, gains[place]);
    mosaic(shown.fields, images, images / 2, (n, i) => Array(3).fill(127.5 * (1 + field(n)[i] / 127)));
    mosaic(shown.edges, images, images / 2, (n, i) => Array(3).fill((255 * steep[n][i]) / most));
    mosaic(shown.masks, units, 8, (n, i) => [0, 1, 2].map((c) => 255 * bit((place * units + n) * size + (channels === 3 ? c : 0) * pixels + i)));
    plot("Localization", plots.localization, localization, place, 0);
    plot("Kurtosis", plots.kurtosis, kurtosis, place, 3);
    const [local, low, high] = localization.map((row) => row[place]), three = (v) => minus(v.toFixed(3));
    tell(facts, [["Λ", three(local)], ["kurtosis of a pixel", minus(data.input[place].toFixed(2))], ["of preactivations", minus(kurtosis[0][place].toFixed(2))]]);
    const interval = low === null ? "" : ` (95 % interval ${three(low)} to ${three(high)}, ${data.runs} runs)`;
    say(status, `Gain ${gains[place]}: the kurtosis of a pixel is ${minus(data.input[place].toFixed(2))}, where 3 is Gaussian, that of preactivations ` +
      `${minus(kurtosis[0][place].toFixed(2))}; masks have a Λ of ${three(local)}${interval}.`);
    shown.fields.setAttribute("aria-label", `${images} fields of gain ${gains[place]}`);
    shown.edges.setAttribute("aria-label", `How steep these fields are at every pixel`);
    shown.masks.setAttribute("aria-label", `Masks of ${units} units, pruned on fields of gain ${gains[place]}`);
  };
  const stop = keepDrawn(model, ["place"], draw, root);
  el.append(root);
  return stop;
}

export default { render };
