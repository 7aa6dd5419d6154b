// The module and its table, loaded once for all scripts of the page.

const level = document.getElementById("level");

const { instance } = await WebAssembly.instantiateStreaming(fetch("gradus.wasm"), {}).catch((error) => {
  level.textContent = `the module does not load: ${error.message}`;
  throw error;
});

export const wasm = instance.exports;

/** A view of `length` numbers at `pointer`; the next call may move them, so copy what must stay. */
export const floats = (pointer, length) => new Float32Array(wasm.memory.buffer, pointer, length);

/** The text at `pointer`, up to its zero byte. */
function text(pointer) {
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

/** One colour for each rule; the pictures have the same. */
export const colors = ["#3c3c3c", "#0072b2", "#cc5aa0", "#009169", "#eb9600", "#d54600"];

level.textContent = `wasm, ${table.level}`;
