// The digits: one epoch per frame, and a pad to draw on.

import { wasm, table, hex, fit, arrow, colors } from "./wasm.js";

const { rules, train, test } = table.digits;
const $ = (id) => document.getElementById(id);

/** The seed of every training here, and of `cargo run --release -p digits`. */
const SEED = 1;

let rate = 0;
let epochs = 0;
let curve = [];
let color = colors[0];
let running = false;

function showSettings() {
  const show = (id, value) => ($(id).parentElement.querySelector("output").textContent = value);
  $("digits-lr").value = Math.log10(rate);
  show("digits-lr", Number(rate.toPrecision(2)));
  show("digits-drop", `${Math.round(100 * $("digits-drop").valueAsNumber)} %`);
  show("digits-epochs", $("digits-epochs").value);
}

/** Settings say what the next training does; whatever runs or has run is over. */
function begin() {
  epochs = $("digits-epochs").valueAsNumber;
  color = colors[$("digits-rule").selectedIndex];
  wasm.digits_start($("digits-network").selectedIndex, $("digits-rule").selectedIndex, rate, $("digits-drop").valueAsNumber, epochs, SEED);
  curve = [[wasm.digits_accuracy(0), wasm.digits_accuracy(1)]];
  $("digits-hash").textContent = "";
  $("train").disabled = running = true;
  requestAnimationFrame(epoch);
}

function epoch() {
  wasm.digits_epoch();
  curve.push([wasm.digits_accuracy(0), wasm.digits_accuracy(1)]);
  const [learned, tested] = curve.at(-1).map((share) => `${(100 * share).toFixed(1)} %`);
  $("progress").textContent = `Epoch ${curve.length - 1} of ${epochs}: ${learned} of the training, ${tested} of the test.`;
  drawCurve();
  classify();
  if (curve.length <= epochs) {
    requestAnimationFrame(epoch);
  } else {
    $("digits-hash").textContent = `weights ${hex(wasm.digits_hash())}`;
    $("train").disabled = running = false;
    showMistakes();
  }
}

function drawCurve() {
  const { context, width, height } = fit($("curve"));
  const low = 0.5;
  const x = (i) => 42 + (i / Math.max(epochs, 1)) * (width - 48);
  const y = (share) => 8 + ((1 - Math.max(share, low)) / (1 - low)) * (height - 30);
  context.font = "11px system-ui, sans-serif";
  for (const share of [0.5, 0.6, 0.7, 0.8, 0.9, 1]) {
    context.fillStyle = "#6b7280";
    context.textAlign = "right";
    context.fillText(`${Math.round(100 * share)} %`, 36, y(share) + 4);
    context.fillStyle = "#e8ecf2";
    context.fillRect(42, y(share), width - 48, 1);
  }
  const line = (which, dash) => {
    context.setLineDash(dash);
    context.beginPath();
    curve.forEach((point, i) => context.lineTo(x(i), y(point[which])));
    context.stroke();
  };
  context.strokeStyle = color;
  context.lineWidth = 2;
  line(0, [4, 4]);
  line(1, []);
  context.fillStyle = "#6b7280";
  context.fillText("solid: test, dashed: training", width - 6, height - 5);
}

/** Draws 8 by 8 pixels from 0 to 16, read by `pixel(i)`, on a canvas of 8 by 8. */
export function paint(canvas, pixel) {
  const image = new ImageData(8, 8);
  for (let i = 0; i < 64; i += 1) {
    image.data.fill(255 - (pixel(i) / 16) * 215, 4 * i, 4 * i + 3);
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function showMistakes() {
  const wrong = Array.from({ length: test }, (_, k) => wasm.digits_test(k)).filter(
    (number) => wasm.digits_guess(number) !== wasm.digits_label(number),
  );
  $("mistakes-title").textContent = `Mistakes: ${wrong.length} of ${test}`;
  $("mistakes-hint").textContent = wrong.length ? "What it is, and what the network takes it for." : "None.";
  $("mistakes").replaceChildren(
    ...wrong.slice(0, 24).map((number) => {
      const [item, canvas, text] = ["li", "canvas", "span"].map((name) => document.createElement(name));
      canvas.width = canvas.height = 8;
      paint(canvas, (i) => wasm.digits_pixel(number, i));
      text.textContent = `${wasm.digits_label(number)} → ${wasm.digits_guess(number)}`;
      item.append(canvas, text);
      return item;
    }),
  );
}

// The pad.

const pad = $("draw");
const pen = pad.getContext("2d", { willReadFrequently: true });
pen.lineCap = pen.lineJoin = "round";
pen.lineWidth = 24;
pen.strokeStyle = "#282c34";
let last = null;

/**
 * The drawing as the data set was made: the digit fills a square of 32 by 32 black or white pixels, of which
 * each 4 by 4 are counted.
 */
function sample() {
  const size = pad.width;
  const ink = pen.getImageData(0, 0, size, size).data;
  let [left, right, top, bottom] = [size, -1, size, -1];
  for (let i = 0; i < size * size; i += 1) {
    if (ink[4 * i + 3] < 128) continue;
    const [x, y] = [i % size, Math.floor(i / size)];
    [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
  }
  const counts = new Uint8Array(64);
  if (right < 0) return counts;
  const side = Math.max(right - left, bottom - top) + 1;
  const [x0, y0] = [(left + right + 1 - side) / 2, (top + bottom + 1 - side) / 2];
  for (let i = 0; i < 32 * 32; i += 1) {
    const [u, v] = [i % 32, Math.floor(i / 32)];
    const [x, y] = [Math.floor(x0 + ((u + 0.5) * side) / 32), Math.floor(y0 + ((v + 0.5) * side) / 32)];
    const inside = x >= 0 && x < size && y >= 0 && y < size;
    if (inside && ink[4 * (y * size + x) + 3] >= 128) counts[(v >> 2) * 8 + (u >> 2)] += 1;
  }
  return counts;
}

function classify() {
  const counts = sample();
  counts.forEach((count, i) => wasm.digits_draw(i, count));
  paint($("seen"), (i) => counts[i]);
  const known = curve.length > 0 && counts.some((count) => count > 0);
  const shares = Array.from({ length: 10 }, (_, digit) => (known ? wasm.digits_probability(digit) : 0));
  const best = known ? shares.indexOf(Math.max(...shares)) : -1;
  shares.forEach((share, digit) => {
    const row = $("bars").children[digit];
    row.className = digit === best ? "best" : "";
    row.firstElementChild.style.width = `${100 * share}%`;
    row.lastElementChild.textContent = known ? `${Math.round(100 * share)} %` : "";
  });
  $("draw-words").textContent = best < 0 ? "" : `It takes your drawing for a ${best}.`;
}

function stroke(event) {
  const box = pad.getBoundingClientRect();
  draw([((event.clientX - box.left) / box.width) * 256, ((event.clientY - box.top) / box.height) * 256]);
}

/** From the last point to this one. */
function draw(point) {
  pen.beginPath();
  pen.moveTo(...(last ?? point));
  pen.lineTo(...point);
  pen.stroke();
  last = point;
  classify();
}
pad.onpointerdown = (event) => {
  pad.setPointerCapture(event.pointerId);
  stroke(event);
};
pad.onpointermove = (event) => last && stroke(event);
pad.onpointerup = pad.onpointercancel = () => {
  last = null;
};
/** Where the keyboard's pen is. */
let nib = [128, 48];
pad.onkeydown = (event) => {
  const way = arrow(event.key);
  if (!way) return;
  event.preventDefault();
  last = [...nib];
  nib = [nib[0] + 16 * way[0], nib[1] - 16 * way[1]].map((x) => Math.min(Math.max(x, 16), 240));
  if (event.shiftKey) draw(nib);
  last = null;
};
$("clear").onclick = () => {
  pen.clearRect(0, 0, 256, 256);
  classify();
};

// The settings.

rules.forEach(({ name }) => $("digits-rule").add(new Option(name)));
$("digits-rule").selectedIndex = rules.length - 1;
$("digits-rule").onchange = () => {
  rate = rules[$("digits-rule").selectedIndex].lr;
  showSettings();
};
$("digits-lr").oninput = () => {
  rate = 10 ** $("digits-lr").valueAsNumber;
  showSettings();
};
$("digits-drop").oninput = $("digits-epochs").oninput = showSettings;
$("train").onclick = begin;
window.addEventListener("resize", drawCurve);

$("train-count").textContent = train;
$("test-count").textContent = test;
for (let digit = 0; digit < 10; digit += 1) {
  const row = document.createElement("li");
  row.append(`${digit}`, document.createElement("i"), document.createElement("b"));
  $("bars").append(row);
}
$("digits-rule").onchange();
drawCurve();
classify();
