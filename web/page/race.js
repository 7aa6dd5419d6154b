// The race: paths come from the module as a whole, the page only plays them.

import { wasm, table, floats, hex, fit, arrow, colors } from "./wasm.js";

const { rules, surfaces } = table.race;
const $ = (id) => document.getElementById(id);
const land = $("land");

let surface = 0;
let start = [0, 0];
let rates = [];
let shown = rules.map(() => true);
let paths = [];
let step = 0;
let playing = false;
let background = null;

function choose(index) {
  surface = index;
  start = [...surfaces[index].start];
  rates = [...surfaces[index].lr];
  background = null;
  $("formula").textContent = `f(x, y) = ${surfaces[index].formula}.`;
  [...$("surfaces").children].forEach((tab, i) => {
    tab.setAttribute("aria-selected", i === index);
    tab.tabIndex = i === index ? 0 : -1;
  });
  rules.forEach((_, rule) => showRate(rule));
  run();
}

function run() {
  const { steps, noise } = surfaces[surface];
  const momentum = $("momentum").valueAsNumber;
  const sigma = noise * $("noise").valueAsNumber;
  let bits = 0n;
  paths = rules.map((_, rule) => {
    const pointer = wasm.race_path(surface, rule, ...start, rates[rule], momentum, sigma, steps);
    bits ^= wasm.race_hash();
    return floats(pointer, 2 * (steps + 1)).slice();
  });
  land.dataset.start = start.join(" ");
  $("race-hash").textContent = `paths ${hex(bits)}`;
  begin();
}

/** From the start, whether the race before was over, paused or still going. */
function begin() {
  step = 0;
  setPlaying(true);
  draw();
}

function setPlaying(value) {
  playing = value;
  $("play").textContent = playing ? "Pause" : "Play";
}

/** Where a point of the surface lies on a canvas of a size, and back. */
const window_ = () => surfaces[surface].window;
const place = ([x, y], { width, height }) => {
  const [left, right, bottom, top] = window_();
  return [((x - left) / (right - left)) * width, ((top - y) / (top - bottom)) * height];
};

/** Bands of equal area, the deeper the darker. */
function paint(width, height) {
  const values = floats(wasm.race_values(surface, width, height), width * height);
  const sorted = values.slice().filter((_, i) => i % 7 === 0).sort();
  const bands = 12;
  const levels = Array.from({ length: bands - 1 }, (_, i) => sorted[Math.floor(((i + 1) * sorted.length) / bands)]);
  const image = new ImageData(width, height);
  const [light, dark] = [[247, 249, 252], [178, 198, 224]];
  values.forEach((value, i) => {
    let band = 0;
    while (band < levels.length && value > levels[band]) band += 1;
    const share = band / (bands - 1);
    for (let c = 0; c < 3; c += 1) image.data[4 * i + c] = dark[c] + (light[c] - dark[c]) * share;
    image.data[4 * i + 3] = 255;
  });
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

function draw() {
  const frame = fit(land);
  const { context, width, height } = frame;
  const size = [Math.round(width), Math.round(height)];
  if (background?.width !== size[0]) background = paint(...size);
  context.drawImage(background, 0, 0, width, height);
  context.lineWidth = 2;
  context.lineJoin = "round";
  const now = Math.floor(step);
  land.dataset.step = now;
  rules.forEach((_, rule) => {
    if (!shown[rule]) return;
    const path = paths[rule];
    context.strokeStyle = context.fillStyle = colors[rule];
    context.beginPath();
    let end = null;
    for (let i = 0; i <= now; i += 1) {
      const point = place([path[2 * i], path[2 * i + 1]], frame);
      // A path that diverges is followed to where it leaves the picture for good.
      if (!point.every((c) => Math.abs(c) < 1e4)) break;
      context.lineTo(...point);
      end = point;
    }
    context.stroke();
    if (end) dot(context, end, 4.5);
  });
  context.strokeStyle = "#282c34";
  for (const minimum of surfaces[surface].minima) {
    const [x, y] = place(minimum, frame);
    context.stroke(new Path2D(`M${x - 5} ${y - 5}l10 10m0-10l-10 10`));
  }
  context.fillStyle = "#fff";
  dot(context, place(start, frame), 6);
  context.stroke();
  drawLoss(now);
}

function dot(context, [x, y], radius) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

function drawLoss(now) {
  const { context, width, height } = fit($("loss"));
  const { steps, minima } = surfaces[surface];
  const lowest = wasm.race_value(surface, ...minima[0]);
  const [high, low] = [3, -6];
  const y = (power) => 6 + ((high - power) / (high - low)) * (height - 22);
  const x = (i) => 34 + (i / steps) * (width - 40);
  context.font = "11px system-ui, sans-serif";
  context.textAlign = "right";
  for (let power = low; power <= high; power += 3) {
    context.fillStyle = "#6b7280";
    context.fillText(`1e${power}`, 28, y(power) + 4);
    context.fillStyle = "#e8ecf2";
    context.fillRect(34, y(power), width - 40, 1);
  }
  context.fillStyle = "#6b7280";
  context.fillText(`step ${now} of ${steps}`, width - 6, height - 3);
  context.lineWidth = 1.6;
  rules.forEach((_, rule) => {
    if (!shown[rule]) return;
    context.strokeStyle = colors[rule];
    context.beginPath();
    for (let i = 0; i <= now; i += 1) {
      const above = wasm.race_value(surface, paths[rule][2 * i], paths[rule][2 * i + 1]) - lowest;
      const power = Math.log10(Math.max(above, 10 ** low));
      if (!(power < 30)) break;
      context.lineTo(x(i), y(Math.min(power, high + 0.5)));
    }
    context.stroke();
  });
}

/** How the race ended, for those who do not see it. */
function tell() {
  const { steps, minima, name } = surfaces[surface];
  const lowest = wasm.race_value(surface, ...minima[0]);
  const ends = rules.map((rule, k) => {
    const above = wasm.race_value(surface, paths[k][2 * steps], paths[k][2 * steps + 1]) - lowest;
    return `${rule} ${Number.isFinite(above) ? above.toExponential(0) : "gone"}`;
  });
  $("race-words").textContent = `${name} after ${steps} steps, height above the minimum: ${ends.join(", ")}.`;
}

let last = 0;
function play(time) {
  const { steps } = surfaces[surface];
  if (playing) {
    step = Math.min(steps, step + (Math.min(time - last, 100) * steps) / 5000);
    draw();
    if (step === steps) {
      setPlaying(false);
      tell();
    }
  }
  last = time;
  requestAnimationFrame(play);
}

function showRate(rule) {
  const row = $("rules").tBodies[0].rows[rule];
  row.querySelector("[type=range]").value = Math.log10(rates[rule]);
  row.cells[3].textContent = Number(rates[rule].toPrecision(2)).toString();
}

function showSliders() {
  $("momentum").parentElement.querySelector("output").textContent = $("momentum").value;
  $("noise").parentElement.querySelector("output").textContent = `${$("noise").value} ×`;
}

surfaces.forEach(({ name }, index) => {
  const tab = document.createElement("button");
  tab.textContent = name;
  tab.role = "tab";
  tab.onclick = () => choose(index);
  tab.onkeydown = (event) => {
    const way = arrow(event.key)?.[0];
    if (!way) return;
    event.preventDefault();
    const next = (index + way + surfaces.length) % surfaces.length;
    choose(next);
    $("surfaces").children[next].focus();
  };
  $("surfaces").append(tab);
});

rules.forEach((name, rule) => {
  const row = $("rules").tBodies[0].insertRow();
  row.innerHTML = `<td><label><input type="checkbox" checked style="accent-color:${colors[rule]}">${name}</label></td>
    <td></td><td><input type="range" min="-4.5" max="0.5" step="0.01" aria-label="learning rate of ${name}"></td><td></td>`;
  row.querySelector("[type=checkbox]").oninput = (event) => {
    shown[rule] = event.target.checked;
    draw();
  };
  row.querySelector("[type=range]").oninput = (event) => {
    rates[rule] = 10 ** event.target.valueAsNumber;
    showRate(rule);
    run();
  };
});

for (const id of ["momentum", "noise"]) {
  $(id).oninput = () => {
    showSliders();
    run();
  };
}

function drag(event) {
  const box = land.getBoundingClientRect();
  const [left, right, bottom, top] = window_();
  const [u, v] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  start = [left + (right - left) * u, top - (top - bottom) * v];
  run();
}
land.onpointerdown = (event) => {
  land.setPointerCapture(event.pointerId);
  drag(event);
};
land.onpointermove = (event) => land.hasPointerCapture(event.pointerId) && drag(event);

land.onkeydown = (event) => {
  const way = arrow(event.key);
  if (!way) return;
  event.preventDefault();
  const [left, right, bottom, top] = window_();
  start = [start[0] + (way[0] * (right - left)) / 50, start[1] + (way[1] * (top - bottom)) / 50];
  run();
};

$("play").onclick = () => {
  if (step === surfaces[surface].steps) begin();
  else setPlaying(!playing);
};
$("again").onclick = begin;
$("race-controls").onreset = () => {
  setTimeout(() => {
    shown = rules.map(() => true);
    showSliders();
    choose(surface);
  });
};
window.addEventListener("resize", draw);

showSliders();
choose(0);
requestAnimationFrame(play);
