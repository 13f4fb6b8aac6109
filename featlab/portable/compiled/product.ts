// C (m, n) = A (m, k) B (k, n), added to what C holds if `add`: the one thing that is compiled, for nearly all
// of a network's arithmetic is in it. `plain` in ../javascript/kernel.mjs does the same, to be read first.
//
// a, b, c are byte addresses of float32 numbers; B and C lie row after row, A as its strides say (in numbers), so
// that a transpose costs nothing. Blocks of 4 rows (at the end of 1) and 8 columns are summed in registers, the last
// columns one by one.

export function product(
  a: usize, row: usize, column: usize, b: usize, c: usize, m: usize, k: i32, n: usize, add: bool
): void {
  const wide: usize = n & ~7, width: usize = n * 4;
  row *= 4;
  column *= 4;
  let i: usize = 0;
  for (let j: usize = 0; j < wide; j += 8) { // eight columns of B stay near while all rows of A pass
    for (i = 0; i + 4 <= m; i += 4) four(a + i * row, row, column, b + j * 4, c + (i * n + j) * 4, k, width, add);
    for (; i < m; i++) one(a + i * row, column, b + j * 4, c + (i * n + j) * 4, k, width, add);
  }
  for (i = 0; i < m; i++) {
    for (let j = wide; j < n; j++) single(a + i * row, column, b + j * 4, c + (i * n + j) * 4, k, width, add);
  }
}

// @ts-ignore: the decorator is a word of AssemblyScript
@inline
function four(a: usize, row: usize, column: usize, b: usize, c: usize, k: i32, width: usize, add: bool): void {
  let c00 = start(c, add), c01 = start(c + 16, add);
  let c10 = start(c + width, add), c11 = start(c + width + 16, add);
  let c20 = start(c + 2 * width, add), c21 = start(c + 2 * width + 16, add);
  let c30 = start(c + 3 * width, add), c31 = start(c + 3 * width + 16, add);
  for (let p = 0; p < k; p++) {
    const left = v128.load(b), right = v128.load(b, 16);
    const a0 = v128.load_splat<f32>(a), a1 = v128.load_splat<f32>(a + row);
    const a2 = v128.load_splat<f32>(a + 2 * row), a3 = v128.load_splat<f32>(a + 3 * row);
    c00 = f32x4.add(c00, f32x4.mul(a0, left));
    c01 = f32x4.add(c01, f32x4.mul(a0, right));
    c10 = f32x4.add(c10, f32x4.mul(a1, left));
    c11 = f32x4.add(c11, f32x4.mul(a1, right));
    c20 = f32x4.add(c20, f32x4.mul(a2, left));
    c21 = f32x4.add(c21, f32x4.mul(a2, right));
    c30 = f32x4.add(c30, f32x4.mul(a3, left));
    c31 = f32x4.add(c31, f32x4.mul(a3, right));
    a += column;
    b += width;
  }
  v128.store(c, c00); v128.store(c, c01, 16);
  v128.store(c + width, c10); v128.store(c + width, c11, 16);
  v128.store(c + 2 * width, c20); v128.store(c + 2 * width, c21, 16);
  v128.store(c + 3 * width, c30); v128.store(c + 3 * width, c31, 16);
}

// @ts-ignore: the decorator is a word of AssemblyScript
@inline
function one(a: usize, column: usize, b: usize, c: usize, k: i32, width: usize, add: bool): void {
  let left = start(c, add), right = start(c + 16, add);
  for (let p = 0; p < k; p++) {
    const x = v128.load_splat<f32>(a);
    left = f32x4.add(left, f32x4.mul(x, v128.load(b)));
    right = f32x4.add(right, f32x4.mul(x, v128.load(b, 16)));
    a += column;
    b += width;
  }
  v128.store(c, left);
  v128.store(c, right, 16);
}

// @ts-ignore: the decorator is a word of AssemblyScript
@inline
function single(a: usize, column: usize, b: usize, c: usize, k: i32, width: usize, add: bool): void {
  let sum: f32 = add ? load<f32>(c) : 0;
  for (let p = 0; p < k; p++) {
    sum += load<f32>(a) * load<f32>(b);
    a += column;
    b += width;
  }
  store<f32>(c, sum);
}

// @ts-ignore: the decorator is a word of AssemblyScript
@inline
function start(address: usize, add: bool): v128 {
  return add ? v128.load(address) : f32x4.splat(0);
}
