// The laboratory: the page of a network that a worker trains, prunes and trains again. The worker runs `engine`; here is
// what a reader chooses and sees. Nothing is asked of JupyterLab or of the static page but model.get.

const CHOICES = { // setting -> [[value, words]]
  images: [["photographs", "photographs"], ["shuffled", "photographs, pixels shuffled"], ["clones", "Gaussian clones of them"], ["digits", "handwritten digits"]],
  labels: [["places", "true"], ["random", "random"]],
  criterion: [["magnitude", "the smallest weights"], ["once", "the smallest, by the first training (one-shot)"], ["random", "weights at random"]],
  rewind: [["true", "yes"], ["false", "no, go on"]],
};
const RANGES = { share: [0.1, 0.6, 0.05], steps: [200, 3000, 100], levels: [2, 12, 1], seed: [1, 999, 1] }; // least, most, step
const STANDARD = { images: "photographs", labels: "places", criterion: "magnitude", rewind: true, share: 0.3, steps: 1000, levels: 8, seed: 1 };
const ANEW = ["images", "labels", "seed"]; // settings that a run which has begun cannot change
const HASH = "#lab?";
const LEGENDS = { locality: "0: random masks (gray), 1: compact spots", accuracy: "dashed: guessing" };

// Settings as the end of an address, those that differ from the standard; and back, where what makes no sense is left out.
export function address(settings) {
  const other = Object.entries(settings).filter(([name, value]) => value !== STANDARD[name]);
  return HASH + new URLSearchParams(other.map(([name, value]) => [name, String(value)]));
}
export function settingsOf(hash) {
  if (!hash.startsWith(HASH)) return null;
  const found = { ...STANDARD };
  for (const [name, text] of new URLSearchParams(hash.slice(HASH.length))) {
    if (CHOICES[name]?.some(([value]) => value === text)) found[name] = name === "rewind" ? text === "true" : text;
    const [low, high, step] = RANGES[name] ?? [];
    if (step && text && Number.isFinite(+text)) found[name] = +(Math.round(clamp(+text, low, high) / step) * step).toFixed(2);
  }
  return found;
}

// A run as arrays that the package reads: the level at which each weight was removed (255: never), and what was measured.
export function arraysOf({ shape, levels }) {
  const inputs = shape.reduce((a, b) => a * b), removed = new Uint8Array(levels[0].mask.length).fill(255);
  for (const { level, mask } of [...levels].reverse()) mask.forEach((bit, n) => { if (!bit) removed[n] = level; });
  const column = (value) => [Float64Array.from(levels, value), [levels.length]];
  return {
    removed_at: [removed, [removed.length / inputs, inputs]],
    shape: [Int32Array.from(shape), [shape.length]],
    density: column(({ measured }) => measured.kept / removed.length),
    accuracy: column(({ accuracy }) => accuracy),
    locality: column(({ measured }) => measured.locality),
    locality_random: column(({ measured }) => measured.random.reduce((a, b) => a + b, 0) / measured.random.length),
  };
}
export const npz = (run) => zip(Object.fromEntries(Object.entries(arraysOf(run)).map(([name, array]) => [`${name}.npy`, npy(...array)])));
export function json(run) {
  const rows = ([values, [count, size]]) =>
    (size ? Array.from({ length: count }, (_, n) => Array.from(values.subarray(n * size, (n + 1) * size))) : Array.from(values));
  const arrays = Object.fromEntries(Object.entries(arraysOf(run)).map(([name, array]) => [name, rows(array)]));
  return JSON.stringify({ settings: run.levels.map(({ how }) => how), ...arrays });
}

const wordsOf = (settings) => {
  const find = (name) => CHOICES[name].find(([value]) => value === String(settings[name]))[1];
  const words = [find("images")];
  if (settings.labels !== STANDARD.labels) words.push("random labels");
  if (settings.criterion !== STANDARD.criterion) words.push(find("criterion"));
  if (!settings.rewind) words.push("not rewound");
  for (const [name, unit] of [["share", (v) => `${Math.round(100 * v)} % a level`], ["steps", (v) => `${count(v)} steps`], ["seed", (v) => `seed ${v}`]])
    if (settings[name] !== STANDARD[name]) words.push(unit(settings[name]));
  return words.join(", ");
};
const average = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const lambda = (x) => minus((Math.round(1000 * x) / 1000 + 0).toFixed(3));
const share = (x) => `${(100 * x).toFixed(x < 0.1 ? 1 : 0)} %`;

// Many small images in one, with a pixel between them: values channel first, each to a byte.
const sheet = (canvas, values, [channels, height, width], columns, byte) => {
  const size = height * width, inputs = channels * size, units = values.length / inputs, rows = Math.ceil(units / columns);
  const wide = columns * (width + 1) - 1, tall = rows * (height + 1) - 1, rgba = new Uint8ClampedArray(4 * wide * tall);
  for (let unit = 0; unit < units; unit++) {
    const left = (unit % columns) * (width + 1), top = Math.floor(unit / columns) * (height + 1), to = byte(unit * inputs, inputs);
    for (let n = 0; n < size; n++) {
      const at = 4 * ((top + Math.floor(n / width)) * wide + left + (n % width));
      for (let c = 0; c < 3; c++) rgba[at + c] = to(values[unit * inputs + (channels === 3 ? c : 0) * size + n]);
      rgba[at + 3] = 255;
    }
  }
  paint(canvas, wide, tall, rgba);
};
const putBack = (values, order) => { // pixels that were shuffled, in the places of the photograph
  const found = new values.constructor(values.length);
  for (let start = 0; start < values.length; start += order.length) order.forEach((to, n) => { found[start + to] = values[start + n]; });
  return found;
};

// Numbers against the share of weights kept, a line a run: [{ points: [[density, value]], style, band: [[density, low, high]] }].
const drawCurves = (node, label, { curves, least, low, high, ys, yTitle, level, line }) => {
  const scale = {
    x: (v) => Math.log(v) / Math.log(least), y: (v) => (v - low) / (high - low),
    xs: [1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.001].filter((v) => v >= least).map((v) => [v, +(100 * v).toPrecision(2)]),
    ys, xTitle: "weights kept, %", yTitle,
  };
  chart(node, label, scale, (X, Y) => {
    const path = (points) => `M${points.map(([d, v]) => `${X(d)},${Y(v)}`).join("L")}`;
    const band = (rows) => rows.length > 1 ? `<path class="mx-null" d="${path([...rows.map(([d, a]) => [d, a]), ...rows.map(([d, , b]) => [d, b]).reverse()])}Z"/>` : "";
    const drawn = ({ points, style, band: rows = [] }) => band(rows) + (points.length ? `<path class="mx-curve ${style}" d="${path(points)}"/>` : "") +
      points.map(([d, v], n) => `<circle class="mx-dot ${style}${!style && n === level ? " mx-mine" : ""}" cx="${X(d)}" cy="${Y(v)}" r="${!style && n === level ? 5 : 2.5}"/>`).join("");
    return (line === undefined ? "" : `<path class="mx-random" d="M${X(1)},${Y(line)}H${X(least)}"/>`) + curves.map(drawn).join("");
  });
};

async function render({ model, el }) {
  const small = model.get("small"), calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const id = `lab${Math.random().toString(36).slice(2, 8)}`;
  let settings = settingsOf(location.hash) ?? { ...STANDARD };
  let run = null, kept = null, patches = null; // { settings, shape, classes, order, levels, live }; the same; what it trains on
  let going = false, over = false, waiting = false, watched = null, show = "mask", restored = false, trouble = "";

  // --- the worker, which is made when it is needed

  let worker = null;
  const ask = async (message) => {
    worker ??= (async () => {
      const source = URL.createObjectURL(new Blob([model.get("engine")], { type: "text/javascript" }));
      const made = new Worker(source);
      made.onmessage = ({ data }) => { refresh(!hear[data.is](data)); };
      made.onerror = (event) => { trouble = `The network could not be trained here: ${event.message ?? "this browser refuses it"}`; refresh(); };
      const opened = async ({ bytes, ...rest }) => ({ ...rest, bytes: new Uint8Array(await inflate(bytes)) });
      made.postMessage({ do: "open", packed: { photographs: await opened(model.get("photographs")), digits: await opened(model.get("digits")) } });
      return made;
    })();
    (await worker).postMessage(message);
  };
  const hear = {
    patches: (found) => { patches = found; },
    // what a message returns: whether little of the picture changes, or another message follows at once
    begun: (found) => {
      run = { ...found, settings: { ...settings }, levels: [], live: null };
      over = waiting = false;
      watched = null;
      return true;
    },
    progress: (live) => {
      const { level, weights } = run.live ?? {};
      run.live = calm && level === live.level ? { ...live, weights } : live;
      return level === live.level;
    },
    level: (record) => {
      run.levels = [...run.levels, record];
      run.live = null;
      run.remaining = record.remaining;
      say(status, sentence(record));
      return true;
    },
    over: () => { over = true; going = false; },
  };
  const look = () => { if (!run) ask({ do: "look", settings }); };

  // --- what is shown

  const levels = () => (run ? run.levels.length + (run.live ? 1 : 0) : 0);
  const shown = () => { // the level in view: a record, or what is in training
    if (!run || !levels()) return null;
    const level = watched === null ? levels() - 1 : Math.min(watched, levels() - 1);
    return run.levels[level] ?? run.live;
  };
  const measuredOf = (record) => (restored && record.back) || record.measured;
  const how = (record) => (record.level ? show : "weights"); // before anything is pruned, masks are nothing to look at
  const densityOf = (record) => record.measured.kept / record.mask.length;
  const sentence = (record) => {
    const { locality, random } = measuredOf(record), [low, high] = [Math.min(...random), Math.max(...random)];
    return `Level ${record.level} of ${run.settings.levels}: ${share(densityOf(record))} of the weights are kept, and ${share(record.accuracy)} of new images are ` +
      `recognized, where guessing gives ${share(1 / run.classes)}. ` + (record.level ? `Λ is ${lambda(locality)}; ${random.length} random masks with as many weights have ${lambda(low)} to ${lambda(high)}.` :
      "Nothing is pruned yet.");
  };

  // --- controls

  const task = () => (settings.images === "digits" ? "is to tell handwritten digits apart" : "is to tell from a patch of 12 × 12 pixels which photograph it was cut " +
    "from, and from which quarter of it") + (settings.labels === "random" ? "; but all labels are drawn at random, so that there is nothing to be learned" : "");
  const begin = () => { over = false; going = waiting = true; watched = null; say(status, "The network begins to train."); ask({ do: "start", settings: { ...settings } }); refresh(); };
  const stale = () => !run || over || ANEW.some((name) => run.settings[name] !== settings[name]);
  // what a reader is told whose settings are no more those of what is shown; "" where they are
  const aged = () => {
    const last = run?.levels.at(-1)?.how, names = over ? Object.keys(STANDARD).filter((name) => name !== "levels") : ANEW;
    const press = going ? "Press Pause and then Start anew" : "Press Start anew";
    return last && names.some((name) => last[name] !== settings[name]) ? `Settings have changed. Masks and numbers are still those of the run before: ${wordsOf(last)}. ${press} to train with the new settings.` : "";
  };
  const press = () => {
    if (waiting) return;
    if (going) { going = false; ask({ do: "pause" }); } else if (stale()) return begin();
    else { going = true; ask({ do: "go" }); }
    refresh();
  };
  const play = iconButton(press), wordOfPlay = h("span", { className: "mx-word" });
  const level = slider("Level", (value) => { watched = value >= levels() - 1 ? null : value; refresh(); });
  const facts = h("div", { className: "mx-facts" });
  const bar = h("i"), line = h("p", { className: "mx-told" }), status = h("p", { className: "mx-status", "aria-live": "polite" });
  const change = (values) => {
    settings = { ...settings, ...values };
    if (run && !ANEW.some((name) => name in values)) {
      run.settings = { ...run.settings, ...values };
      ask({ do: "settings", settings: values });
      if (over && values.levels > run.levels.length - 1) { over = false; watched = null; }
    }
    if (run?.levels.length) say(status, aged() || sentence(run.levels.at(-1)));
    look();
    refresh();
  };
  const pick = (name, label, Kind = dropdown) => {
    const options = CHOICES[name].filter(([value]) => !small || value !== "clones");
    const read = (value) => change({ [name]: name === "rewind" ? value === "true" : value });
    const made = Kind === dropdown ? dropdown(label, options, read) : segments(`${id}-${name}`, label, read);
    return { node: made.node, set: () => made.set(String(settings[name]), options) };
  };
  const range = (name, label, words) => {
    const [low, high, step] = RANGES[name], made = slider(label, (place) => change({ [name]: +(low + place * step).toFixed(2) }));
    return { node: made.node, set: () => made.set(Math.round((settings[name] - low) / step), Math.round((high - low) / step), words(settings[name])) };
  };
  const controls = [
    pick("images", "Images"), pick("labels", "Labels", segments), pick("criterion", "Remove"), pick("rewind", "Rewind", segments),
    range("share", "Prune a level", (v) => `${Math.round(100 * v)} %`), range("steps", "Training", (v) => `${count(v)} steps`),
    range("levels", "Levels", String), range("seed", "Seed", String),
  ].slice(0, small ? 1 : 8);
  const modes = segments(`${id}-show`, "Show", (value) => { show = value; refresh(); });
  const places = segments(`${id}-places`, "Pixels", (value) => { restored = value === "back"; refresh(); });
  const action = (label, act) => {
    const node = focusable(h("button", { type: "button", textContent: label }));
    node.addEventListener("click", act);
    return node;
  };
  const target = () => Math.max(0, watched ?? run.levels.length - (run.live || over ? 2 : 1)); // the level to go back to
  const again = action("Start over", begin);
  const back = action("Back a level", () => {
    const to = target();
    run.levels = run.levels.slice(0, to + 1);
    run.live = null;
    [over, going, watched] = [false, false, null];
    ask({ do: "pause" });
    ask({ do: "back", level: to + 1 });
    say(status, `Back at level ${to}: the next level begins there, with the settings as they are now.`);
    refresh();
  });
  const keep = action("Keep to compare", () => { kept = kept ? null : run; refresh(); });
  const name = () => `lab-${settings.images}-${settings.seed}`;
  const saved = [
    action("Masks as .npz", () => offer(npz(run), `${name()}.npz`)),
    action("as JSON", () => offer(new Blob([json(run)], { type: "application/json" }), `${name()}.json`)),
  ];
  const link = focusable(h("a", { textContent: small ? "All controls" : "Link to this run" }));
  link.addEventListener("click", () => { if (!small) say(status, "The address of this page now names this run: its settings and its seed."); });

  // --- panels

  const board = (title) => {
    const canvas = h("canvas", { role: "img" }), part = panel("board", title, h("div", { className: "mx-frame" }, canvas));
    return { ...part, canvas, title: part.node.querySelector("strong") };
  };
  const mine = board("Masks"), other = board("Kept run");
  const plot = (name, title, note) => {
    const node = h("div", { className: "mx-chart" }), made = panel(name, title, node);
    made.note.textContent = note;
    return { ...made, plot: node };
  };
  const plots = {
    locality: plot("locality", "Locality Λ", LEGENDS.locality),
    accuracy: plot("accuracy", "Accuracy on new images", LEGENDS.accuracy),
    degrees: plot("degrees", "In-degrees", "dashed: random"),
    loss: plot("loss", "Loss of this level", "while it trains"),
  };
  const pairs = h("canvas", { role: "img" }), ofPairs = h("div", { className: "mx-scale" });
  const pairsPanel = panel("pairs", "Displacements", h("div", { className: "mx-frame" }, pairs), ofPairs);
  pairsPanel.note.textContent = "S(d), all units";
  const visible = small ? [plots.locality.node] : [plots.locality.node, plots.accuracy.node, plots.degrees.node, pairsPanel.node, plots.loss.node];
  const chosen = h("div", { className: "mx-choices" }, ...controls.map(({ node }) => node), ...(small ? [link] : []));
  const root = h("section", { className: `mx mx-lab${small ? " mx-small" : ""}`, "aria-label": "Prune a network in the page" },
    h("div", { className: "mx-time" }, h("div", { className: "mx-go" }, play.node, wordOfPlay), level.node, facts),
    h("div", { className: "mx-doing" }, h("div", { className: "mx-bar-of-time", "aria-hidden": "true" }, bar), line),
    small ? chosen : h("details", { className: "mx-settings", open: innerWidth >= 700 }, h("summary", { textContent: "Settings" }), chosen),
    status,
    h("div", { className: "mx-views" }, modes.node, places.node),
    h("div", { className: "mx-body" }, mine.node, other.node, ...visible),
    ...(small ? [] : [h("div", { className: "mx-actions" }, again, back, keep, ...saved, link)]));

  // --- drawing

  const drawBoard = ({ canvas, note, title }, of, record, label) => {
    const room = canvas.parentNode.clientWidth, shape = of?.shape ?? patches?.shape ?? [3, 12, 12], values = record?.[how(record)];
    const columns = room >= 640 ? 16 : 8, wide = columns * (shape[2] + 1) - 1;
    canvas.style.width = `${crisp(wide, room)}px`;
    if (!record) {
      if (patches) sheet(canvas, patches.pixels, shape, columns, () => (v) => v);
      title.textContent = "What it sees";
      note.textContent = patches ? `64 of ${count(patches.count)} patches to train on` : "";
      canvas.setAttribute("aria-label", "64 of the patches that the network trains on");
      return;
    }
    const arranged = restored && of.settings.images === "shuffled" ? putBack(values, of.order) : values;
    const most = (start, size) => { // the largest weight of a unit is white or black, and what is pruned gray
      let top = 0;
      for (let n = start; n < start + size; n++) top = Math.max(top, Math.abs(values[n]));
      return (w) => 127.5 * (1 + w / (top || 1));
    };
    sheet(canvas, arranged, shape, columns, how(record) === "mask" ? () => (v) => 255 * v : most);
    title.textContent = `${how(record) === "mask" ? "Masks" : "Weights"}: ${label}`;
    note.textContent = !record.level ? "level 0, nothing is pruned yet" : `level ${record.level}, ${share(densityOf(record))} of the weights, Λ ${lambda(measuredOf(record).locality)}`;
    canvas.setAttribute("aria-label", `${how(record) === "mask" ? "Masks" : "Weights"} of 64 units at level ${record.level}: ${share(densityOf(record))} kept, Λ ${lambda(measuredOf(record).locality)}`);
  };
  const drawCourses = (record) => {
    const beside = kept && kept !== run, runs = [beside ? [kept, "mx-kept"] : null, run ? [run, ""] : null].filter(Boolean);
    for (const [name, words] of Object.entries(LEGENDS)) plots[name].note.textContent = words + (beside ? "; orange: the kept run" : "");
    const masked = (of) => (of.live ? [...of.levels, of.live] : of.levels); // the masks of a level are known before it is trained
    const points = (of, value) => of.levels.map((one) => [densityOf(one), value(one)]);
    const least = Math.min((1 - settings.share) ** settings.levels, ...runs.flatMap(([of]) => of.levels.map(densityOf))) * 0.95;
    const at = record ? record.level : -1;
    const ofLocality = runs.map(([of, style]) => ({ style, points: masked(of).map((one) => [densityOf(one), measuredOf(one).locality]),
      band: style ? [] : masked(of).map((one) => [densityOf(one), Math.min(...measuredOf(one).random), Math.max(...measuredOf(one).random)]) }));
    const top = Math.max(0.1, ...ofLocality.flatMap((curve) => curve.points.map(([, v]) => v))) * 1.1;
    drawCurves(plots.locality.plot, `Locality Λ of the masks against the share of weights kept, beside random masks`,
      { curves: ofLocality, least, low: -0.03, high: top, ys: ticks(0, top, 4).map((v) => [v, v]), level: at, line: 0 });
    if (small) return;
    const ofAccuracy = runs.map(([of, style]) => ({ style, points: points(of, (one) => one.accuracy) }));
    const best = Math.min(1, Math.max(0.2, ...ofAccuracy.flatMap((curve) => curve.points.map(([, v]) => v))) * 1.15);
    drawCurves(plots.accuracy.plot, "Accuracy on new images against the share of weights kept",
      { curves: ofAccuracy, least, low: 0, high: best, ys: ticks(0, 100 * best, 4).map((v) => [v / 100, `${v} %`]), level: at, line: run ? 1 / run.classes : undefined });
  };
  const drawMasks = (record) => {
    for (const { node } of [plots.degrees, plots.loss, pairsPanel]) node.hidden = !record;
    if (!record) return;
    const { degrees, S } = measuredOf(record), inputs = run.shape.reduce((a, b) => a * b), middle = average(degrees);
    const expected = binomial(inputs, middle / inputs).map((p) => p * degrees.length);
    drawDegrees(plots.degrees.plot, `Inputs kept by each of ${degrees.length} units: ${middle.toFixed(0)} on average, ${Math.max(...degrees)} at most`,
      { degrees, expected, mine: -1 });
    pairs.style.width = `${crisp(2 * run.shape[2] - 1, Math.min(230, pairs.parentNode.clientWidth - 2))}px`;
    const count_ = paintDisplacements(pairs, S, run.shape);
    pairs.setAttribute("aria-label", `Pairs of kept inputs of one unit in one channel at each displacement, ${count(count_)} at most`);
    ofPairs.innerHTML = `<span>0</span><i class="mx-viridis"></i><span>${count(count_)} pairs</span>`;
  };
  const drawLoss = (record) => {
    const { losses } = record, all = run.levels.flatMap((one) => one.losses).concat(losses), ceiling = Math.max(0.1, ...all) * 1.05, steps = record.steps ?? record.how.steps;
    const scale = { x: (v) => v / steps, y: (v) => v / ceiling, xs: ticks(0, steps, 4).map((v) => [v, count(v)]), ys: ticks(0, ceiling, 4).map((v) => [v, v]), xTitle: "steps" };
    chart(plots.loss.plot, `Training loss of level ${record.level}`, scale, (X, Y) =>
      losses.length > 1 ? `<path class="mx-curve" d="M${losses.map((v, n) => `${X(((n + 1) * steps) / Math.max(losses.length, Math.round(steps / Math.max(1, Math.round(steps / 50)))))},${Y(v)}`).join("L")}"/>` : "");
  };
  const seconds = (s) => (Number.isFinite(s) ? (s < 2 ? "nearly done" : `about ${s < 100 ? `${Math.round(s)} s` : `${Math.round(s / 60)} minutes`} to go`) : "measuring how long it takes");
  const progress = () => {
    const live = run?.live, total = settings.levels + 1;
    const share_ = run ? clamp((run.levels.length + (live ? live.step / live.steps : 0)) / total, 0, 1) : 0;
    bar.style.width = `${100 * share_}%`;
    if (trouble) return trouble;
    if (waiting) return "Preparing the images.";
    if (!run) return "Press Start: it is trained, pruned and trained again, here on this page.";
    if (over) return `Done in ${Math.round(run.levels.reduce((sum, one) => sum + one.seconds, 0))} s of training.`;
    const where = live ? `Level ${live.level} of ${settings.levels}, step ${count(live.step)} of ${count(live.steps)}` :
      run.levels.length ? `Level ${run.levels.length - 1} of ${settings.levels} is done` : "The images are ready";
    return `${where}: ${going ? seconds(live?.remaining ?? run.remaining) : "paused"}.`;
  };
  const draw = () => {
    if (!root.clientWidth) return; // folded away
    const record = shown(), begun = run && levels();
    play.set(going ? "Pause" : stale() ? "Start" : "Continue", going ? "M4 3h3v10H4ZM9 3h3v10H9Z" : "M4.5 2.5v11l9-5.5Z");
    wordOfPlay.textContent = going ? "Pause" : stale() ? (run ? "Start anew" : "Start") : "Continue";
    level.set(begun ? record.level : 0, Math.max(0, levels() - 1), begun ? `${record.level} of ${settings.levels}` : "–");
    level.input.disabled = levels() < 2;
    const measured = record && measuredOf(record);
    tell(facts, [["weights kept", record ? share(densityOf(record)) : "–"], ["accuracy", record?.accuracy === undefined ? "–" : share(record.accuracy)], ["Λ", measured ? lambda(measured.locality) : "–"]]);
    line.textContent = progress();
    if (!run && !waiting) say(status, `A network of 64 units, each of which sees every pixel, ${task()}.`);
    for (const control of controls) control.set();
    modes.set(show, [["mask", "masks"], ["weights", "weights"]]);
    places.set(restored ? "back" : "shuffled", [["shuffled", "shuffled"], ["back", "put back"]]);
    places.node.hidden = (run ?? { settings }).settings.images !== "shuffled";
    modes.node.hidden = !record;
    again.disabled = !run;
    back.disabled = !run || !run.levels.length || (run.levels.length === 1 && !run.live && !over);
    back.textContent = run?.levels.length && watched !== null ? `Back to level ${target()}` : "Back a level";
    keep.disabled = !run?.levels.length && !kept;
    keep.textContent = kept ? "Let go of the kept run" : "Keep to compare";
    for (const node of saved) node.disabled = !run?.levels.length;
    link.href = (small ? "lab.html" : "") + address(settings);
    const beside = kept && kept !== run;
    root.classList.toggle("mx-two", !!beside);
    other.node.hidden = !beside;
    const board = () => drawBoard(mine, run, record, run ? wordsOf(record?.how ?? run.settings) : ""), loss = () => record && !small && drawLoss(record);
    if (!whole) {
      if (record && how(record) === "weights" && !calm) board();
      return loss();
    }
    whole = false;
    const then = beside ? kept.levels[Math.min(record ? record.level : Infinity, kept.levels.length - 1)] : null;
    const parts = [board, () => beside && drawBoard(other, kept, then, `${wordsOf(then.how)} (kept)`), () => drawCourses(record),
      () => small || drawMasks(record), loss];
    const next = () => requestAnimationFrame(() => { // frame by frame, so that nothing waits for all of it
      parts.shift()();
      if (parts.length) next();
    });
    next();
  };
  // Once a frame, however much asks for it; while a level is trained, only what changes meanwhile.
  let asked = 0, whole = true;
  const refresh = (all = true) => {
    whole ||= all;
    asked ||= requestAnimationFrame(() => { asked = 0; draw(); });
  };
  const observer = new ResizeObserver(() => refresh());
  observer.observe(root);
  const seen = new IntersectionObserver(([entry]) => { if (entry.isIntersecting) { seen.disconnect(); look(); } });
  seen.observe(root);
  const read = () => {
    const found = settingsOf(location.hash);
    if (found) change(found);
  };
  addEventListener("hashchange", read);
  el.append(root);
  refresh();
  return async () => {
    removeEventListener("hashchange", read);
    observer.disconnect();
    seen.disconnect();
    (await worker)?.terminate();
  };
}

export default { render };
