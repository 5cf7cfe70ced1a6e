// What the explorers compute, without a page: tests compare every function here with NumPy.

export async function inflate(view) {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

// JSON as Python deflated it.
export const parsed = async (view) => JSON.parse(new TextDecoder().decode(await inflate(view)));

// A run as Python packed it, with its arrays inflated.
export async function unpack(run) {
  const layers = await Promise.all(run.layers.map(async (layer) => ({
    ...layer,
    levels: run.levels,
    removed: new Uint8Array(await inflate(layer.removed_at)),
    degrees: new Uint16Array(await inflate(layer.degrees)), // (levels + 1, units)
    feeders: layer.feeders && new Uint16Array(await inflate(layer.feeders)), // of trees: see feedersOf
    strengths: layer.feeders && new Float32Array(await inflate(layer.strengths)),
  })));
  const [bytes, scales] = await Promise.all([inflate(run.weights), inflate(run.scales)]);
  const { shown, degrees, units } = layers[0], starts = [];
  for (let level = 0, at = 0; level <= run.levels; level++)
    for (const unit of shown) { starts.push(at); at += degrees[level * units + unit]; }
  return { ...run, layers, starts, bytes: new Int8Array(bytes), scales: new Float32Array(scales) };
}

// Inputs kept at a level, one byte each. A slot is a position among the units shown.
export function maskAt({ removed, shown }, slot, level) {
  const size = removed.length / shown.length, kept = new Uint8Array(size);
  for (let i = 0, at = slot * size; i < size; i++) kept[i] = removed[at + i] > level;
  return kept;
}

// Trained weights of a unit of layer 1, 0 where pruned.
export function weightsAt({ layers: [layer], starts, bytes, scales }, slot, level) {
  const row = level * layer.shown.length + slot;
  let next = starts[row];
  return Float32Array.from(maskAt(layer, slot, level), (kept) => kept && bytes[next++] * scales[row]);
}

// What feeds a unit of a tree, strongest first: [[unit below, weight]]. A row has `fan` places, 65535 where there is none.
export function feedersOf({ feeders, strengths, fan }, unit) {
  const found = [];
  for (let at = unit * fan; at < (unit + 1) * fan && feeders[at] !== 65535; at++) found.push([feeders[at], strengths[at]]);
  return found;
}

// A path down a tree, one unit a layer, begun with the units of `path` that are there; the rest are the strongest.
export function descend(layers, top, path) {
  const walk = [top.includes(path[0]) ? path[0] : top[0]];
  for (let n = layers.length - 1; n > 0; n--) {
    const below = feedersOf(layers[n], walk.at(-1)).map(([unit]) => unit);
    if (!below.length) break;
    walk.push(below.includes(path[walk.length]) ? path[walk.length] : below[0]);
  }
  return walk;
}

// Slots in the order of the gallery: by in-degree at this level or at the last one, or at random
// (Python stored the units in a random order). Ties go by the levels after, or before.
export function ranking({ shown, degrees, units, levels }, level, order) {
  const slots = [...shown.keys()];
  if (order === "random") return slots;
  const keys = order === "last" ? [...Array(levels + 1).keys()].reverse()
    : [...Array(levels + 1 - level).keys()].map((n) => n + level);
  return slots.sort((a, b) => {
    for (const n of keys) {
      const more = degrees[n * units + shown[b]] - degrees[n * units + shown[a]];
      if (more) return more;
    }
    return shown[a] - shown[b];
  });
}

// S(d): ordered pairs of kept inputs of one channel at displacement d, (2 height - 1) x (2 width - 1),
// d = 0 in the middle. S(-d) = S(d), so half the plane is enough.
export function displacements(kept, [channels, height, width]) {
  const rows = 2 * height - 1, columns = 2 * width - 1, S = new Float64Array(rows * columns);
  const middle = (S.length - 1) / 2;
  for (let c = 0; c < channels; c++) {
    const points = []; // numbered so that the difference of two points is a place in S
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) if (kept[(c * height + y) * width + x]) points.push(y * columns + x);
    for (let i = 0; i < points.length; i++)
      for (let j = i; j < points.length; j++) S[middle + points[j] - points[i]]++;
  }
  for (let i = 0; i < middle; i++) S[i] = S[2 * middle - i];
  return S;
}

// How many values fall into each of `count` bins of a width, from `low` on.
export function histogram(values, low, width, count) {
  const bins = new Float64Array(count);
  for (const value of values) bins[Math.floor((value - low) / width)]++;
  return bins;
}

// Probability of k = 0..n successes, from the mode outwards: no factorial, no overflow.
export function binomial(n, p) {
  const P = new Float64Array(n + 1), mode = Math.min(n, Math.floor((n + 1) * p));
  P[mode] = 1;
  for (let k = mode; k < n; k++) P[k + 1] = P[k] * ((n - k) / (k + 1)) * (p / (1 - p));
  for (let k = mode; k > 0; k--) P[k - 1] = P[k] * (k / (n - k + 1)) * ((1 - p) / p);
  const total = P.reduce((a, b) => a + b);
  return P.map((x) => x / total);
}

// matplotlib's viridis at x in [0, 1], as [r, g, b], 17 colors and straight lines between them.
const VIRIDIS = ("440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c 1fa088 28ae80 3fbc73 " +
  "5ec962 84d44b addc30 d8e219 fde725").split(" ").map((hex) => hex.match(/../g).map((pair) => parseInt(pair, 16)));
export function viridis(x) {
  const at = 16 * Math.min(1, Math.max(0, x)), i = Math.min(15, Math.floor(at));
  return VIRIDIS[i].map((from, c) => from + (at - i) * (VIRIDIS[i + 1][c] - from));
}

// About `count` round numbers between two others.
export function ticks(low, high, count) {
  const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= 0.8 * raw), out = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + 1e-9 * step; n++) out.push(+(n * step).toPrecision(12));
  return out;
}

// Cells in even steps along an axis, given the middles of the first and the last: where the axis begins and ends, the
// middle of a cell, the cell nearest to a value, and a value in words, to a tenth of a step or finer.
export function cells([first, last], count) {
  const step = (last - first) / (count - 1), digits = Math.max(0, 1 - Math.floor(Math.log10(step)));
  return {
    low: first - step / 2,
    high: last + step / 2,
    middle: (place) => first + place * step,
    nearest: (v) => Math.min(count - 1, Math.max(0, Math.round((v - first) / step))),
    words: (v) => (+v.toFixed(digits) + 0).toFixed(digits).replace("-", "−"), // + 0: no minus zero
  };
}

// A curve that was drawn at some places, at all of them: straight between those, level beyond; `at` are places on the axis.
export function filled(drawn, at) {
  const known = [...drawn.keys()].filter((n) => drawn[n] !== null);
  return drawn.map((value, n) => {
    if (value !== null || !known.length) return value;
    const after = known.find((k) => k > n), before = known.findLast((k) => k < n);
    if (after === undefined || before === undefined) return drawn[after ?? before];
    return drawn[before] + ((at[n] - at[before]) / (at[after] - at[before])) * (drawn[after] - drawn[before]);
  });
}

// How far a drawn curve is from the stored one, the point that was given left out: mean size of the difference, the place
// where it is largest, and at how many places it lies in the interval. On a logarithmic axis, of logarithms.
export function apart(drawn, { mean, low, high, anchor, y }) {
  const of = y.log ? Math.log : (v) => v, places = [...mean.keys()].filter((n) => n !== anchor);
  const gaps = places.map((n) => Math.abs(of(drawn[n]) - of(mean[n])));
  const inside = places.filter((n) => low[n] !== null && low[n] <= drawn[n] && drawn[n] <= high[n]).length;
  return { mean: gaps.reduce((a, b) => a + b) / gaps.length, at: places[gaps.indexOf(Math.max(...gaps))], inside, of: places.length };
}

// How steep an image on a torus is at every pixel: the size of its gradient, by central differences.
export function edges(values, height, width) {
  return Float32Array.from(values, (_, i) => {
    const y = Math.floor(i / width), x = i % width, at = (dy, dx) => values[((y + dy + height) % height) * width + ((x + dx + width) % width)];
    return Math.hypot(at(0, 1) - at(0, -1), at(1, 0) - at(-1, 0)) / 2;
  });
}

// One shuffle of n places, always the same: by a small generator of its own (mulberry32).
export function shuffled(n) {
  let state = 1;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const places = [...Array(n).keys()];
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [places[i], places[j]] = [places[j], places[i]];
  }
  return places;
}

// Values of the inputs of a unit with the same shuffle of the pixels in every channel.
export const moved = (values, places) => values.map((_, i) => values[Math.floor(i / places.length) * places.length + places[i % places.length]]);

// Mean localization of units with ten pairs or more, as observables.locality.localization; null if there are none.
// masks : of every unit, one byte an input
export function localization(masks, [channels, height, width]) {
  const pixels = height * width, columns = 2 * width - 1, far = new Float64Array((2 * height - 1) * columns);
  far.forEach((_, i) => { far[i] = Math.hypot(Math.floor(i / columns) - height + 1, (i % columns) - width + 1); });
  const middle = (far.length - 1) / 2, compact = compactness(height, width), sum = new Float64Array(channels * pixels);
  let null_ = 0, pairs = 0; // of all pairs of inputs of a channel, those of one unit taken away below
  const units = masks.map((mask) => {
    let distance = 0, count = 0, least = 0;
    for (let c = 0; c < channels; c++) {
      const points = [];
      for (let i = 0; i < pixels; i++) if (mask[c * pixels + i]) { points.push(Math.floor(i / width) * columns + (i % width)); sum[c * pixels + i]++; }
      for (let i = 0; i < points.length; i++) for (let j = 0; j < i; j++) distance += far[middle + points[i] - points[j]];
      count += (points.length * (points.length - 1)) / 2;
      least += compact[points.length] / 2;
    }
    null_ -= distance;
    pairs -= count;
    return { distance, count, least };
  });
  for (let c = 0; c < channels; c++) for (let i = 0; i < pixels; i++) for (let j = 0; j < i; j++) {
    const both = sum[c * pixels + i] * sum[c * pixels + j];
    null_ += both * far[middle + (Math.floor(i / width) - Math.floor(j / width)) * columns + (i % width) - (j % width)];
    pairs += both;
  }
  const apart = null_ / pairs, found = units.filter(({ count }) => count >= 10)
    .map(({ distance, count, least }) => (apart - distance / count) / (apart - least / count)).filter(Number.isFinite);
  return found.length ? found.reduce((a, b) => a + b) / found.length : null;
}

// Summed distance over ordered pairs of the n pixels nearest to the middle, for every n.
function compactness(height, width) {
  const places = [...Array(height * width).keys()].map((i) => [Math.floor(i / width), i % width]);
  const from = ([y, x]) => Math.hypot(y - (height - 1) / 2 - 0.1, x - (width - 1) / 2 - 0.05);
  places.sort((a, b) => from(a) - from(b));
  const total = [0];
  places.forEach(([y, x], n) => {
    let added = 0;
    for (let m = 0; m < n; m++) added += 2 * Math.hypot(places[m][0] - y, places[m][1] - x);
    total.push(total[n] + added);
  });
  return total;
}
