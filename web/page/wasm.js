// The module and its table, loaded once for all scripts of the page.

const level = document.getElementById("level");

/** As bytes, so that any server will do: a stream needs one that knows the type of the file. */
async function load() {
  const response = await fetch("gradus.wasm");
  if (!response.ok) throw new Error(`gradus.wasm: ${response.status}`);
  return WebAssembly.instantiate(await response.arrayBuffer(), {});
}

const { instance } = await load().catch((error) => {
  level.textContent = `the module does not load: ${error.message}`;
  throw error;
});

export const wasm = instance.exports;

/** A view of `length` numbers at `pointer`; the next call may move them, so copy what must stay. */
export const floats = (pointer, length) => new Float32Array(wasm.memory.buffer, pointer, length);

/** The text at `pointer`, up to its zero byte. */
export function text(pointer) {
  const bytes = new Uint8Array(wasm.memory.buffer, pointer);
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}

export const table = JSON.parse(text(wasm.table()));

/** A hash as it is printed everywhere: 16 hexadecimal digits. */
export const hex = (hash) => BigInt.asUintN(64, hash).toString(16).padStart(16, "0");

/** The drawing context of a canvas as large as it is shown, in CSS pixels, cleared. */
export function fit(canvas) {
  const { width, height } = canvas.getBoundingClientRect();
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  return { context, width, height };
}

/** FNV-1a over the bytes of an array of numbers, as the tests compute it. */
export function fnv(numbers) {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash;
}

/** What an arrow key says: right and up, or nothing. */
export const arrow = (key) => ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] })[key];

/** One colour for each rule; the pictures have the same. */
export const colors = ["#3c3c3c", "#0072b2", "#cc5aa0", "#009169", "#eb9600", "#d54600"];

level.textContent = `wasm, ${table.level}`;
