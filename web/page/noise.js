// A digit as augmentation changes it, and what masks keep.

import { wasm, floats } from "./wasm.js";
import { paint } from "./digits.js";

const $ = (id) => document.getElementById(id);
const SAMPLE = 7;
const [COLUMNS, ROWS] = [24, 16];
const STRENGTHS = ["translate", "rotate", "stretch", "shear", "erase"];
const NAMES = ["units", "weights", "blocks"];

let seed = 1;

function show() {
  for (const id of [...STRENGTHS, "keep"]) {
    $(id).parentElement.querySelector("output").textContent = $(id).value;
  }
  const strengths = STRENGTHS.map((id) => $(id).valueAsNumber);
  $("augmented").replaceChildren(
    ...Array.from({ length: 9 }, (_, k) => {
      const [item, canvas] = ["li", "canvas"].map((tag) => document.createElement(tag));
      canvas.width = canvas.height = 8;
      canvas.role = "img";
      canvas.ariaLabel = k ? `change ${k}` : "the digit as it is";
      const changes = k ? strengths : strengths.map(() => 0);
      const pixels = floats(wasm.noise_augment(SAMPLE, 100 * seed + k, ...changes), 64).slice();
      paint(canvas, (i) => pixels[i]);
      item.append(canvas);
      return item;
    }),
  );
  const shares = NAMES.map((name, method) => {
    const pointer = wasm.noise_mask(method, $("keep").valueAsNumber, seed);
    const kept = new Uint8Array(wasm.memory.buffer, pointer, COLUMNS * ROWS).slice();
    const canvas = $(`mask-${method}`);
    [canvas.width, canvas.height] = [COLUMNS, ROWS];
    const image = new ImageData(COLUMNS, ROWS);
    kept.forEach((bit, i) => image.data.set(bit ? [0, 130, 145, 255] : [228, 231, 236, 255], 4 * i));
    canvas.getContext("2d").putImageData(image, 0, 0);
    const share = Math.round((100 * kept.reduce((sum, bit) => sum + bit, 0)) / kept.length);
    canvas.ariaLabel = `${share} % of the ${name} are kept`;
    return `${share} % of the ${name}`;
  });
  $("mask-words").textContent = `Kept: ${shares.join(", ")}. Rows are samples; of the blocks the first stand left.`;
}

for (const id of [...STRENGTHS, "keep"]) $(id).oninput = show;
$("again-noise").onclick = () => {
  seed += 1;
  show();
};
show();
