// Where numbers live and how matrices are multiplied: compiled where the browser can, or in plain JavaScript.
// Both are the same two functions,
//
//     floats(n)                                       a Float32Array of n zeros
//     product(a, b, c, [m, k, n], {transposed, add})  C (m, n) = A (m, k) B (k, n), or C += A B
//
// with matrices row after row; `transposed`: A is stored as (k, m).

const PAGE = 65536; // bytes

export function plain() {
  function product(a, b, c, [m, k, n], { transposed = false, add = false } = {}) {
    const [row, column] = transposed ? [1, m] : [k, 1];
    if (!add) c.fill(0, 0, m * n);
    for (let i = 0; i < m; i++) {
      for (let p = 0; p < k; p++) {
        const x = a[i * row + p * column];
        if (x === 0) continue;
        for (let j = 0; j < n; j++) c[i * n + j] += x * b[p * n + j];
      }
    }
  }
  return { kind: "plain", floats: n => new Float32Array(n), product };
}

// `program`: the bytes of compiled/product.wasm; all arrays lie in its memory, one after the other.
export function compiled(program, megabytes) {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(megabytes * 2 ** 20 / PAGE) });
  const run = new WebAssembly.Instance(new WebAssembly.Module(program), { env: { memory } }).exports.product;
  let end = 0;
  function floats(n) {
    const view = new Float32Array(memory.buffer, end, n);
    end += Math.ceil(n / 4) * 16;
    return view;
  }
  function product(a, b, c, [m, k, n], { transposed = false, add = false } = {}) {
    const [row, column] = transposed ? [1, m] : [k, 1];
    if ([a, b, c].some(one => one.buffer !== memory.buffer)) throw new Error("a matrix lies outside of the kernel's memory: make it with floats");
    run(a.byteOffset, row, column, b.byteOffset, c.byteOffset, m, k, n, add ? 1 : 0);
  }
  return { kind: "compiled", floats, product };
}

export function kernel(program, megabytes) {
  try {
    return compiled(program, megabytes);
  } catch (error) {
    if (error instanceof RangeError) throw error; // no room: plain arrays would not find it either
    return plain(); // an old browser, or a page that forbids compiled code
  }
}

export function bytes(base64) {
  return Uint8Array.from(atob(base64), letter => letter.charCodeAt(0));
}

// Numbers of 24 bits with a scale for each column (or one for all), as networks are stored, to float32.
export function numbers({ whole, scale }) {
  const raw = bytes(whole), scales = new Float64Array(bytes(scale).buffer), columns = scales.length;
  const at = i => ((raw[3 * i] << 8) | (raw[3 * i + 1] << 16) | (raw[3 * i + 2] << 24)) >> 8;
  return Float32Array.from({ length: raw.length / 3 }, (_, i) => at(i) * scales[i % columns]);
}
