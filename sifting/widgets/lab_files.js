// Arrays as files that NumPy reads: .npy, and .npz, which is an uncompressed zip of them.

const TYPES = new Map([[Uint8Array, "|u1"], [Int32Array, "<i4"], [Float32Array, "<f4"], [Float64Array, "<f8"]]);

export function npy(values, shape) {
  const lengths = shape.map((n) => `${n},`).join(" "), place = `'descr': '${TYPES.get(values.constructor)}', 'fortran_order': False`;
  const text = `{${place}, 'shape': (${lengths}), }`, size = 64 * Math.ceil((text.length + 11) / 64);
  const head = `\x93NUMPY\x01\x00${String.fromCharCode((size - 10) & 255, (size - 10) >> 8)}${text.padEnd(size - 11)}\n`;
  return Uint8Array.from([...Array.from(head, (letter) => letter.charCodeAt(0)), ...new Uint8Array(values.buffer, values.byteOffset, values.byteLength)]);
}

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});
export const crc32 = (bytes) => ~bytes.reduce((sum, byte) => TABLE[(sum ^ byte) & 255] ^ (sum >>> 8), -1) >>> 0;

// name -> bytes, stored as they are. The date is that of every file in numpy's own: 1980.
export function zip(files) {
  const parts = [], list = [];
  let at = 0;
  const put = (into, ...fields) => { // [bytes, value] or text
    for (const field of fields) {
      const bytes = typeof field === "string" ? new TextEncoder().encode(field)
        : Uint8Array.from({ length: field[0] }, (_, n) => field[1] >>> (8 * n));
      into.push(bytes);
    }
  };
  for (const [name, bytes] of Object.entries(files)) {
    const same = [[2, 20], [2, 0], [2, 0], [2, 0], [2, 33], [4, crc32(bytes)], [4, bytes.length], [4, bytes.length], [2, name.length], [2, 0]];
    put(list, [4, 0x02014b50], [2, 20], ...same, [2, 0], [2, 0], [2, 0], [4, 0], [4, at], name);
    put(parts, [4, 0x04034b50], ...same, name);
    parts.push(bytes);
    at += 30 + name.length + bytes.length;
  }
  const size = list.reduce((sum, bytes) => sum + bytes.length, 0), count = Object.keys(files).length;
  put(list, [4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, size], [4, at], [2, 0]);
  return new Blob([...parts, ...list], { type: "application/zip" });
}

const offer = (blob, name) => {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};
