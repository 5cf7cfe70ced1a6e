// The laboratory's mathematics: images, a network, its pruning, and what is measured of its masks. It needs neither a
// page nor a library; a worker runs it, and tests hold every function against the package's own.

// --- random numbers: sfc32, seeded by words, so that every purpose of a run has a stream of its own

export function stream(...words) {
  let [a, b, c, count] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 1];
  const next = () => { // [0, 1)
    const t = (a + b + count++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t | 0;
    return (t >>> 0) / 4294967296;
  };
  for (const letter of words.join("/")) {
    a ^= letter.codePointAt(0);
    for (let n = 0; n < 12; n++) next();
  }
  return next;
}

// Standard normal numbers, by the method of Box and Muller.
export function normals(count, draw) {
  const found = new Float32Array(count);
  for (let n = 0; n < count; n += 2) {
    const r = Math.sqrt(-2 * Math.log(1 - draw())), turn = 2 * Math.PI * draw();
    found[n] = r * Math.cos(turn);
    if (n + 1 < count) found[n + 1] = r * Math.sin(turn);
  }
  return found;
}

// Shuffled in place; returns what it got.
export function shuffle(values, draw) {
  for (let n = values.length - 1; n > 0; n--) {
    const other = Math.floor((n + 1) * draw());
    [values[n], values[other]] = [values[other], values[n]];
  }
  return values;
}

// --- images

const PATCH = 12, CELLS = 2; // pixels a side of a patch; parts across each axis of a picture, each of them a class
const GAP = 20; // pixels a side of the corner of each part that patches for testing begin in
const FLOOR = 0.03; // keeps flat patches flat, in units of the full range of a pixel
const TEST = 1500; // images to test on
const FITTED = 300, CLONES = 24000; // patches that the clones of a class are fitted to; clones to train on

// Photographs as Python packed them (square, rows as differences, gray ones once): (pictures, 3, side, side).
export function canvas(bytes, { side, channels }) {
  const size = side * side, found = new Uint8Array(3 * size * channels.length);
  let at = 0;
  channels.forEach((count, picture) => {
    for (let c = 0; c < count; c++) {
      const plane = found.subarray((3 * picture + c) * size, (3 * picture + c + 1) * size);
      plane.set(bytes.subarray(at, at += size));
      for (let n = 0; n < size; n++) if (n % side) plane[n] += plane[n - 1];
    }
    if (count === 1) for (const c of [1, 2]) found.copyWithin((3 * picture + c) * size, 3 * picture * size, (3 * picture + 1) * size);
  });
  return found;
}

// Where patches may be cut from a canvas: their first bytes and their classes, 4 parts a picture. Those of testing lie in
// one corner of each part, and share no pixel with those of training.
export function windows(count, side) {
  const part = side / CELLS, last = part - PATCH, corner = last - GAP;
  const split = () => ({ places: [], y: [] }), train = split(), test = split();
  for (let cell = 0; cell < count * CELLS * CELLS; cell++) {
    const picture = Math.floor(cell / CELLS / CELLS), row = Math.floor(cell / CELLS) % CELLS, column = cell % CELLS;
    for (let y = 0; y <= last; y++)
      for (let x = 0; x <= last; x++) {
        const into = y >= corner && x >= corner ? test : y <= corner - PATCH || x <= corner - PATCH ? train : null;
        into?.places.push((3 * picture * side + row * part + y) * side + column * part + x);
        into?.y.push(cell);
      }
  }
  return [train, test].map(({ places, y }) => ({ places: Int32Array.from(places), y: Uint16Array.from(y) }));
}

// An image in place: (x / 255 - m) / (s + 0.03), with m and s the mean and the sd of its own pixels.
export function normalize(x) {
  let mean = 0, square = 0;
  for (let n = 0; n < x.length; n++) mean += x[n];
  mean /= x.length;
  for (let n = 0; n < x.length; n++) { x[n] -= mean; square += x[n] * x[n]; }
  const sd = Math.sqrt(square / x.length) + 255 * FLOOR;
  for (let n = 0; n < x.length; n++) x[n] /= sd;
  return x;
}

// A split of a data set is { y, image }: classes, and image(n, x), which writes normalized image n into x.

function patches(pixels, side, { places, y }) {
  const image = (n, x) => {
    for (let c = 0, at = 0; c < 3; c++)
      for (let row = 0, from = places[n] + c * side * side; row < PATCH; row++, from += side)
        for (let column = 0; column < PATCH; column++) x[at++] = pixels[from + column];
    return normalize(x);
  };
  return { y, image };
}

const listed = (images, inputs, y) => ({ y, image: (n, x) => { x.set(images.subarray(n * inputs, (n + 1) * inputs)); return x; } });

// Gaussian clones: of each class the mean and the covariance of some images, and nothing beyond them.
//     m + sum_k z_k (x_k - m) / sqrt(n - 1),    z standard normal: the sum is over the n images that were fitted
export function clones(train, counts, inputs, classes, draw) {
  const mine = Array.from({ length: classes }, () => []), found = counts.map((count) => new Float32Array(count * inputs));
  for (const n of shuffle(Array.from(train.y.keys()), draw)) if (mine[train.y[n]].length < FITTED) mine[train.y[n]].push(n);
  const labels = counts.map((count) => Uint16Array.from({ length: count }, (_, n) => n % classes));
  for (let label = 0; label < classes; label++) {
    const size = mine[label].length, x = new Float32Array(size * inputs), mean = new Float64Array(inputs);
    mine[label].forEach((n, k) => train.image(n, x.subarray(k * inputs, (k + 1) * inputs)));
    for (let at = 0; at < x.length; at++) mean[at % inputs] += x[at] / size;
    for (let at = 0; at < x.length; at++) x[at] = (x[at] - mean[at % inputs]) / Math.sqrt(size - 1);
    for (const images of found)
      for (let n = label; n * inputs < images.length; n += classes) {
        const z = normals(size, draw), start = n * inputs;
        for (let i = 0; i < inputs; i++) images[start + i] = mean[i];
        let k = 0;
        for (; k + 3 < size; k += 4) {
          const [z0, z1, z2, z3] = z.subarray(k, k + 4), from = k * inputs;
          for (let i = 0; i < inputs; i++)
            images[start + i] += z0 * x[from + i] + z1 * x[from + inputs + i] + z2 * x[from + 2 * inputs + i] + z3 * x[from + 3 * inputs + i];
        }
        for (; k < size; k++) for (let i = 0; i < inputs; i++) images[start + i] += z[k] * x[k * inputs + i];
      }
  }
  return found.map((images, n) => listed(images, inputs, labels[n]));
}

function digits({ bytes, labels, shape, compact }, draw) {
  const inputs = shape.reduce((a, b) => a * b), order = shuffle(Array.from(labels.keys()), draw), held = Math.floor(labels.length / 5);
  const take = (some) => ({
    y: Uint16Array.from(some, (n) => labels[n]),
    image: (n, x) => { x.set(bytes.subarray(some[n] * inputs, (some[n] + 1) * inputs)); return normalize(x); },
  });
  return { shape, compact, classes: 1 + labels.reduce((a, b) => Math.max(a, b)), train: take(order.slice(held)), test: take(order.slice(0, held)) };
}

function photographs({ bytes, side, channels, compact }, draw) {
  const pixels = canvas(bytes, { side, channels }), [train, test] = windows(channels.length, side);
  const some = shuffle(Array.from(test.y.keys()), draw).slice(0, TEST);
  const fewer = { places: Int32Array.from(some, (n) => test.places[n]), y: Uint16Array.from(some, (n) => test.y[n]) };
  return { shape: [3, PATCH, PATCH], compact, classes: channels.length * CELLS * CELLS, train: patches(pixels, side, train), test: patches(pixels, side, fewer) };
}

// What a run trains on: { shape, compact, classes, order, train, test }.
//   images : photographs, shuffled (their pixels in another order, the same for all), clones or digits
//   labels : places (of digits, which digit it is) or random
//   order  : what shuffled pixels show: pixel n of the image is pixel order[n] of the photograph
export function dataset({ images, labels, seed }, packed) {
  const draw = stream(seed, "images"), data = images === "digits" ? digits(packed.digits, draw) : photographs(packed.photographs, draw);
  const [channels, height, width] = data.shape, size = height * width, inputs = channels * size;
  data.order = shuffle(Array.from({ length: size }, (_, n) => n), stream(seed, "pixels"));
  if (images === "clones") [data.train, data.test] = clones(data.train, [CLONES, TEST], inputs, data.classes, draw);
  for (const split of [data.train, data.test]) {
    if (labels === "random") split.y.forEach((_, n) => { split.y[n] = Math.floor(data.classes * draw()); });
    if (images === "shuffled") {
      const { image } = split, old = new Float32Array(inputs);
      split.image = (n, x) => permute(image(n, old), data.order, x);
    }
  }
  return data;
}

// The pixels of images in another order: pixel n of each channel is pixel order[n] of it before.
export function permute(values, order, into = new values.constructor(values.length)) {
  for (let start = 0; start < values.length; start += order.length)
    for (let n = 0; n < order.length; n++) into[start + n] = values[start + order[n]];
  return into;
}
export const inverse = (order) => order.reduce((found, from, to) => { found[from] = to; return found; }, []);

// --- the network: inputs - units, ReLU - classes, softmax and cross-entropy

// Glorot: N(0, 2 / (inputs + outputs)); biases begin at 0.
export function initial(inputs, units, classes, seed) {
  const draw = stream(seed, "weights");
  const layer = (a, b) => normals(a * b, draw).map((z) => z * Math.sqrt(2 / (a + b)));
  return { hidden: layer(inputs, units), biases: new Float32Array(units), head: layer(units, classes), ends: new Float32Array(classes) };
}
export const copy = (weights) => Object.fromEntries(Object.entries(weights).map(([name, values]) => [name, values.slice()]));

// A network that trains under a mask. Kept weights alone are held and computed, unit after unit: of weight k the
// value, the velocity and the input. Everything of a batch is stored with its images side by side.
//   weights : as of `initial`; mask : Uint8Array (units * inputs)
export class Network {
  constructor(weights, mask, { inputs, units, classes, batch, lr, momentum }) {
    Object.assign(this, { inputs, units, classes, batch, lr, momentum, mask });
    const kept = mask.reduce((sum, bit) => sum + bit, 0);
    this.starts = new Int32Array(units + 1);
    this.from = new Int32Array(kept);
    this.w = new Float32Array(kept);
    let at = 0;
    for (let j = 0; j < units; j++) {
      for (let i = 0; i < inputs; i++)
        if (mask[j * inputs + i]) { this.from[at] = i; this.w[at++] = weights.hidden[j * inputs + i]; }
      this.starts[j + 1] = at;
    }
    // the head keeps all
    this.rows = Int32Array.from({ length: classes + 1 }, (_, c) => c * units);
    this.all = Int32Array.from({ length: classes * units }, (_, n) => n % units);
    [this.biases, this.head, this.ends] = [weights.biases.slice(), weights.head.slice(), weights.ends.slice()];
    this.speed = [this.w, this.biases, this.head, this.ends].map((values) => new Float32Array(values.length));
    this.gradients = this.speed.map((values) => new Float32Array(values.length));
    this.resize(batch);
  }

  resize(batch) {
    this.room = batch;
    this.x = new Float32Array(this.inputs * batch);
    this.a = new Float32Array(this.units * batch); // what the units say: max(0, w x + b)
    this.back = new Float32Array(this.units * batch);
    this.z = new Float32Array(this.classes * batch);
    this.top = new Float32Array(batch);
    this.sum = new Float32Array(batch);
    this.y = new Uint16Array(batch);
    this.one = new Float32Array(this.inputs);
  }

  // The batch of the images at `places` of a split.
  load(split, places) {
    const { inputs, room, x, one } = this;
    for (let b = 0; b < room; b++) {
      split.image(places[b], one);
      for (let i = 0, at = b; i < inputs; i++, at += room) x[at] = one[i];
      this.y[b] = split.y[places[b]];
    }
  }

  // out = weights * values + biases, row by row of compressed weights; four weights at a time, which read `out` once.
  static product(out, values, weights, from, starts, biases, room) {
    for (let j = 0; j + 1 < starts.length; j++) {
      const o = j * room, end = starts[j + 1], bias = biases[j];
      let k = starts[j];
      for (let b = 0; b < room; b++) out[o + b] = bias;
      for (; k + 3 < end; k += 4) {
        const w0 = weights[k], w1 = weights[k + 1], w2 = weights[k + 2], w3 = weights[k + 3];
        const i0 = from[k] * room, i1 = from[k + 1] * room, i2 = from[k + 2] * room, i3 = from[k + 3] * room;
        for (let b = 0; b < room; b++)
          out[o + b] += w0 * values[i0 + b] + w1 * values[i1 + b] + w2 * values[i2 + b] + w3 * values[i3 + b];
      }
      for (; k < end; k++) {
        const w0 = weights[k], i0 = from[k] * room;
        for (let b = 0; b < room; b++) out[o + b] += w0 * values[i0 + b];
      }
    }
  }

  // Gradient of every kept weight: the sum over images of what goes back times what came in; and of every bias.
  static gradient(found, sums, back, values, from, starts, room) {
    for (let j = 0; j + 1 < starts.length; j++) {
      const o = j * room, end = starts[j + 1];
      let k = starts[j], total = 0;
      for (let b = 0; b < room; b++) total += back[o + b];
      sums[j] = total;
      for (; k + 3 < end; k += 4) {
        const i0 = from[k] * room, i1 = from[k + 1] * room, i2 = from[k + 2] * room, i3 = from[k + 3] * room;
        let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        for (let b = 0; b < room; b++) {
          const d = back[o + b];
          s0 += d * values[i0 + b]; s1 += d * values[i1 + b]; s2 += d * values[i2 + b]; s3 += d * values[i3 + b];
        }
        found[k] = s0; found[k + 1] = s1; found[k + 2] = s2; found[k + 3] = s3;
      }
      for (; k < end; k++) {
        const i0 = from[k] * room;
        let s0 = 0;
        for (let b = 0; b < room; b++) s0 += back[o + b] * values[i0 + b];
        found[k] = s0;
      }
    }
  }

  forward() {
    const { a, z, x, room } = this;
    Network.product(a, x, this.w, this.from, this.starts, this.biases, room);
    for (let n = 0; n < a.length; n++) if (a[n] < 0) a[n] = 0;
    Network.product(z, a, this.head, this.all, this.rows, this.ends, room);
  }

  // Mean cross-entropy of the batch and the share that is right; z becomes the probabilities.
  loss() {
    const { z, top, sum, y, classes, room } = this;
    let loss = 0, right = 0;
    top.fill(-Infinity);
    sum.fill(0);
    for (let c = 0; c < classes; c++)
      for (let b = 0; b < room; b++) if (z[c * room + b] > top[b]) top[b] = z[c * room + b];
    for (let b = 0; b < room; b++) {
      loss += top[b] - z[y[b] * room + b];
      right += z[y[b] * room + b] === top[b];
    }
    for (let c = 0; c < classes; c++)
      for (let b = 0; b < room; b++) sum[b] += z[c * room + b] = Math.exp(z[c * room + b] - top[b]);
    for (let b = 0; b < room; b++) loss += Math.log(sum[b]);
    for (let c = 0; c < classes; c++) for (let b = 0; b < room; b++) z[c * room + b] /= sum[b];
    return [loss / room, right / room];
  }

  // One step of gradient descent with momentum: v = momentum v + g, w -= lr v. Returns loss and accuracy before it.
  step() {
    const { a, z, y, back, head, room, units, classes } = this, [ofWeights, ofBiases, ofHead, ofEnds] = this.gradients;
    this.forward();
    const found = this.loss();
    for (let b = 0; b < room; b++) z[y[b] * room + b] -= 1;
    for (let n = 0; n < z.length; n++) z[n] /= room;
    Network.gradient(ofHead, ofEnds, z, a, this.all, this.rows, room);
    back.fill(0);
    for (let c = 0; c + 1 < classes; c += 2) {
      const c0 = c * room, c1 = c0 + room, h0 = c * units, h1 = h0 + units;
      for (let j = 0; j < units; j++) {
        const o = j * room, w0 = head[h0 + j], w1 = head[h1 + j];
        for (let b = 0; b < room; b++) back[o + b] += w0 * z[c0 + b] + w1 * z[c1 + b];
      }
    }
    if (classes % 2)
      for (let j = 0, c = classes - 1; j < units; j++)
        for (let b = 0; b < room; b++) back[j * room + b] += head[c * units + j] * z[c * room + b];
    for (let n = 0; n < back.length; n++) if (!a[n]) back[n] = 0;
    Network.gradient(ofWeights, ofBiases, back, this.x, this.from, this.starts, room);
    const { lr, momentum, speed, gradients } = this;
    [this.w, this.biases, this.head, this.ends].forEach((values, p) => {
      const v = speed[p], g = gradients[p];
      for (let n = 0; n < values.length; n++) values[n] -= lr * (v[n] = momentum * v[n] + g[n]);
    });
    return found;
  }

  // Accuracy over a split.
  accuracy(split) {
    const { batch } = this, count = split.y.length;
    let right = 0;
    for (let start = 0; start < count; start += batch) {
      const size = Math.min(batch, count - start);
      if (size !== this.room) this.resize(size);
      this.load(split, Int32Array.from({ length: size }, (_, b) => start + b));
      this.forward();
      right += Math.round(size * this.loss()[1]);
    }
    if (batch !== this.room) this.resize(batch);
    return right / count;
  }

  // Weights of the first layer where they belong, 0 where pruned.
  dense() {
    const found = new Float32Array(this.units * this.inputs);
    for (let j = 0; j < this.units; j++)
      for (let k = this.starts[j]; k < this.starts[j + 1]; k++) found[j * this.inputs + this.from[k]] = this.w[k];
    return found;
  }

  weights() {
    return { hidden: this.dense(), biases: this.biases.slice(), head: this.head.slice(), ends: this.ends.slice() };
  }
}

// --- pruning

// The integer part of share * count, where the share is the decimal number that it is written as.
export const integerPart = (share, count) => {
  const digits = (`${share}`.split(".")[1] ?? "").length;
  return Math.floor((Math.round(share * 10 ** digits) * count) / 10 ** digits);
};

// A mask without the `share` of its weights that score least; of equal scores the first go.
export function prune(mask, scores, share) {
  const kept = [];
  mask.forEach((bit, n) => bit && kept.push(n));
  kept.sort((a, b) => scores[a] - scores[b] || a - b);
  const found = mask.slice();
  for (let n = integerPart(share, kept.length) - 1; n >= 0; n--) found[kept[n]] = 0;
  return found;
}

// criterion -> function(weights of the level before, weights of the dense network, draw) to scores, largest kept
export const CRITERIA = {
  magnitude: (trained) => trained.map(Math.abs),
  once: (trained, dense) => dense.map(Math.abs), // all levels by what the dense network has learned
  random: (trained, dense, draw) => trained.map(draw),
};

// --- how local masks are, as in observables.locality

const LEAST = 20; // ordered same-channel pairs of a unit, fewer than which say nothing

// Ordered pairs of inputs of one channel at each displacement, (2 height - 1) x (2 width - 1), d = 0 in the middle: added to `into`.
//   amounts : how often each input counts, from `start` on
function autocorrelate(into, amounts, start, [channels, height, width]) {
  const columns = 2 * width - 1, middle = (into.length - 1) / 2, size = height * width;
  const points = new Int32Array(size), weights = new Float64Array(size);
  for (let c = 0; c < channels; c++) {
    let count = 0;
    for (let n = 0, at = start + c * size; n < size; n++, at++)
      if (amounts[at]) { points[count] = Math.floor(n / width) * columns + (n % width); weights[count++] = amounts[at]; }
    for (let i = 0; i < count; i++)
      for (let j = 0; j < count; j++) into[middle + points[j] - points[i]] += weights[i] * weights[j];
  }
  return into;
}

// |d| at each displacement.
function lengths([, height, width]) {
  const found = [];
  for (let y = 1 - height; y < height; y++) for (let x = 1 - width; x < width; x++) found.push(Math.hypot(y, x));
  return found;
}

// S(d) summed over units, and Lambda of each: nan for fewer than ten pairs, and where nothing is pruned.
//     (D_null - D) / (D_null - D_compact)
//   compact : summed distance over ordered pairs of the most compact blob of 0, 1, ... pixels; the library's own
export function localization(mask, shape, compact) {
  const [channels, height, width] = shape, size = height * width, inputs = channels * size, units = mask.length / inputs, length = lengths(shape);
  const area = (2 * height - 1) * (2 * width - 1), S = new Float64Array(area), total = new Float64Array(inputs), middle = (area - 1) / 2;
  const far = new Float64Array(units), count = new Float64Array(units), near = new Float64Array(units), own = new Float64Array(area);
  for (let j = 0; j < units; j++) {
    autocorrelate(own.fill(0), mask, j * inputs, shape);
    for (let d = 0; d < area; d++) {
      S[d] += own[d];
      if (d !== middle) { count[j] += own[d]; far[j] += own[d] * length[d]; }
    }
    for (let c = 0, at = j * inputs; c < channels; c++) {
      let kept = 0;
      for (let n = 0; n < size; n++, at++) { kept += mask[at]; total[c * size + n] += mask[at]; }
      near[j] += compact[kept];
    }
  }
  const every = autocorrelate(new Float64Array(area), total, 0, shape);
  let pairs = 0, apart = 0;
  for (let d = 0; d < area; d++) if (d !== middle) { pairs += every[d] - S[d]; apart += (every[d] - S[d]) * length[d]; }
  const each = Array.from(far, (sum, j) => (count[j] < LEAST ? NaN : (apart / pairs - sum / count[j]) / (apart / pairs - near[j] / count[j])));
  return { S, each };
}

export const mean = (values) => {
  const known = values.filter(Number.isFinite);
  return known.length ? known.reduce((a, b) => a + b, 0) / known.length : NaN;
};

const DRAWS = 8; // random masks that Lambda is held against

// What is measured of a mask: { kept, degrees, S, locality (the mean of Lambda over units), random (of random masks) }.
export function measure(mask, shape, compact, draw) {
  const inputs = shape.reduce((a, b) => a * b), kept = mask.reduce((a, b) => a + b, 0);
  const degrees = Array.from({ length: mask.length / inputs }, (_, j) => mask.subarray(j * inputs, (j + 1) * inputs).reduce((a, b) => a + b, 0));
  if (kept === mask.length) return { kept, degrees, S: localization(mask, shape, compact).S, locality: 0, random: [0] }; // 0 / 0
  const { S, each } = localization(mask, shape, compact);
  const random = Array.from({ length: DRAWS }, () => mean(localization(shuffle(mask.slice(), draw), shape, compact).each));
  return { kept, degrees, S, locality: mean(each), random };
}

// --- a run: train, prune, rewind, and again

export const DEFAULTS = {
  images: "photographs", labels: "places", criterion: "magnitude", rewind: true, share: 0.3, steps: 1000, levels: 8, seed: 1,
};
const UNITS = 64, BATCH = 100, RATE = 0.1, MOMENTUM = 0.9;

// Level by level; `advance` trains for a while, and returns the record of a level that has ended.
//   data : of `dataset`, for the same images, labels and seed
export class Run {
  constructor(settings, data) {
    const inputs = data.shape.reduce((a, b) => a * b);
    this.form = { inputs, units: UNITS, classes: data.classes, batch: BATCH, lr: RATE, momentum: MOMENTUM };
    Object.assign(this, { settings, data, levels: [], done: 0, spent: 0, rate: 0 });
    this.start = initial(inputs, UNITS, data.classes, settings.seed);
    this.begin();
  }

  // Level after level that there is: its mask, and the weights to train.
  begin() {
    const { levels, settings } = this, level = levels.length, before = levels.at(-1), { shape, compact, order } = this.data;
    const draw = stream(settings.seed, "pruning", level);
    const mask = before ? prune(before.mask, CRITERIA[settings.criterion](before.weights.hidden, levels[0].weights.hidden, draw), settings.share)
      : new Uint8Array(UNITS * this.form.inputs).fill(1);
    this.network = new Network(!before || settings.rewind ? this.start : before.weights, mask, this.form);
    this.draw = stream(settings.seed, "batches", level);
    Object.assign(this, { level, step: 0, losses: [], sums: [0, 0, 0], spent: 0, how: { ...settings } });
    this.measured = measure(mask, shape, compact, stream(settings.seed, "random", level));
    if (settings.images === "shuffled") // the same mask on the photograph as it was
      this.back = measure(permute(mask, inverse(order)), shape, compact, stream(settings.seed, "random", level));
  }

  // Multiplications of a step, about, by the number of weights kept.
  cost(kept) {
    const { batch, units, classes, inputs } = this.form;
    return batch * (2 * kept + 3 * units * classes + 8 * inputs);
  }

  // Seconds that the rest of the run takes at the speed so far; NaN before anything is known.
  remaining() {
    const { settings, level, step, measured } = this;
    let work = Math.max(0, this.how.steps - step) * this.cost(measured.kept), kept = measured.kept;
    for (let next = level + 1; next <= settings.levels; next++) {
      kept -= integerPart(settings.share, kept);
      work += settings.steps * this.cost(kept);
    }
    return this.rate ? work / this.rate : NaN;
  }

  get over() { return this.levels.length > this.settings.levels; }

  // One step: [loss, accuracy] on its batch.
  train() {
    const { network, data, draw } = this, count = data.train.y.length, places = new Int32Array(BATCH);
    for (let b = 0; b < BATCH; b++) places[b] = Math.floor(count * draw());
    network.load(data.train, places);
    this.step++;
    return network.step();
  }

  // Trains for some milliseconds; returns the record of the level if it has ended.
  advance(milliseconds, now = () => performance.now()) {
    const begun = now(), first = this.step;
    while (this.step < this.how.steps && now() - begun < milliseconds) {
      const [loss, right] = this.train(), every = Math.max(1, Math.round(this.how.steps / 50));
      this.sums = [this.sums[0] + loss, this.sums[1] + right, this.sums[2] + 1];
      if (this.step % every === 0) {
        this.losses.push(this.sums[0] / this.sums[2]);
        this.sums = [0, 0, 0];
      }
    }
    const speed = ((this.step - first) * this.cost(this.measured.kept)) / (now() - begun) * 1000;
    if (speed) this.rate = this.rate ? 0.9 * this.rate + 0.1 * speed : speed;
    this.spent += (now() - begun) / 1000;
    return this.step < this.how.steps ? null : this.finish();
  }

  finish() {
    const { network, measured, back, losses, spent, how, level } = this;
    const record = { level, mask: network.mask, weights: network.weights(), accuracy: network.accuracy(this.data.test), measured, back, losses, seconds: spent, how };
    this.levels.push(record);
    if (!this.over) this.begin();
    return record;
  }

  // On from an earlier level: `count` of those that have ended stay.
  goBack(count) {
    this.levels.length = Math.max(1, Math.min(this.levels.length, count));
    this.begin();
  }

  // Other settings, from the next level on.
  change(settings) {
    const { over } = this;
    Object.assign(this.settings, settings);
    if (over && !this.over) this.begin();
  }
}

// --- the worker: messages in, messages out

const SLICE = 40, PAUSE = 150; // milliseconds of training between looks at messages, and between reports

export function serve(scope) {
  let packed, run, data, key = "", going = false, reported = 0, waiting = false;
  const open = (settings) => {
    const wanted = [settings.images, settings.labels, settings.seed].join();
    if (key !== wanted) data = dataset(settings, packed);
    key = wanted;
  };
  const report = () => {
    reported = performance.now();
    const { level, step, how, losses, network, measured, back } = run;
    scope.postMessage({ is: "progress", level, step, steps: how.steps, losses: losses.slice(), remaining: run.remaining(),
      weights: network.dense(), mask: network.mask, measured, back });
  };
  const loop = () => {
    waiting = false;
    if (!going || run.over) return;
    const record = run.advance(SLICE);
    if (record) scope.postMessage({ is: "level", ...record, weights: record.weights.hidden, remaining: run.over ? 0 : run.remaining() });
    if (run.over) {
      going = false;
      scope.postMessage({ is: "over" });
      return;
    }
    if (record || performance.now() - reported > PAUSE) report();
    next();
  };
  const next = () => {
    if (!waiting) setTimeout(loop);
    waiting = true;
  };
  const act = {
    open: (given) => { packed = given.packed; },
    look: ({ settings }) => { // what there is to train on, as bytes
      open(settings);
      const inputs = data.shape.reduce((a, b) => a * b), pixels = new Uint8ClampedArray(UNITS * inputs), x = new Float32Array(inputs);
      const draw = stream(settings.seed, "look"), count = data.train.y.length;
      for (let n = 0; n < UNITS; n++) pixels.set(data.train.image(Math.floor(count * draw()), x).map((v) => 128 + 55 * v), n * inputs);
      scope.postMessage({ is: "patches", pixels, shape: data.shape, count });
    },
    start: ({ settings }) => {
      open(settings);
      run = new Run(settings, data);
      scope.postMessage({ is: "begun", shape: data.shape, classes: data.classes, order: data.order });
      going = true;
      report();
      next();
    },
    settings: ({ settings }) => run.change(settings),
    go: () => { going = true; next(); },
    pause: () => { going = false; },
    back: ({ level }) => { run.goBack(level); report(); },
  };
  scope.onmessage = ({ data: message }) => act[message.do](message);
}
if (typeof WorkerGlobalScope !== "undefined") serve(self);
