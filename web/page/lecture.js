// The lecture's questions: the module runs and answers, the page draws the lines and shows the words.

import { wasm, table, floats, text, fnv, hex, fit } from "./wasm.js";

const questions = table.lecture;
const $ = (id) => document.getElementById(id);
const colors = ["#008291", "#8c5a32", "#96286e", "#7d8214"];

let number = 0;
let lines = [];

function choose(index) {
  number = index;
  const { question, sliders, lines: names } = questions[index];
  $("lecture-question").textContent = question;
  $("lecture-key").replaceChildren(
    ...names.map((name, k) => {
      const [entry, mark] = [document.createElement("b"), document.createElement("i")];
      mark.style.background = colors[k];
      entry.append(mark, name);
      return entry;
    }),
  );
  $("lecture-sliders").replaceChildren(
    ...sliders.map(({ name, low, high, value }) => {
      const [label, output, input] = ["label", "output", "input"].map((tag) => document.createElement(tag));
      Object.assign(input, { type: "range", min: low, max: high, step: "any", value });
      input.oninput = answer;
      label.append(`${name} `, output, input);
      return label;
    }),
  );
  answer();
}

function answer() {
  const inputs = [...$("lecture-sliders").querySelectorAll("input")];
  inputs.forEach((input) => {
    input.parentElement.querySelector("output").textContent = Number(input.valueAsNumber.toPrecision(3));
  });
  const pointer = wasm.lecture_run(number, ...inputs.map((input) => input.valueAsNumber));
  const all = floats(pointer, wasm.lecture_length()).slice();
  const count = questions[number].lines.length;
  const length = all.length / count;
  lines = Array.from({ length: count }, (_, k) => all.subarray(k * length, (k + 1) * length));
  $("lecture-answer").textContent = text(wasm.lecture_words());
  $("lecture-hash").textContent = `lines ${hex(fnv(all))}`;
  draw();
}

function draw() {
  const { context, width, height } = fit($("lecture-lines"));
  const finite = lines.flatMap((line) => [...line]).filter(Number.isFinite);
  const [low, high] = [Math.min(0, ...finite), Math.max(...finite)];
  const room = (high - low || 1) * 0.05;
  const x = (i) => 52 + (i / Math.max(lines[0].length - 1, 1)) * (width - 62);
  const y = (value) => 22 + ((high + room - value) / (high - low + 2 * room)) * (height - 48);
  context.font = "11px system-ui, sans-serif";
  context.fillStyle = "#6b7280";
  context.fillText(questions[number].axes[1], 8, 14);
  context.textAlign = "right";
  context.fillText(`${questions[number].axes[0]} 1 to ${lines[0].length}`, width - 6, height - 6);
  for (let k = 0; k <= 4; k += 1) {
    const value = low + ((high - low) * k) / 4;
    context.fillStyle = "#6b7280";
    context.fillText(Number(value.toPrecision(2)), 46, y(value) + 4);
    context.fillStyle = "#e8ecf2";
    context.fillRect(52, y(value), width - 62, 1);
  }
  context.lineWidth = 2;
  lines.forEach((line, k) => {
    context.strokeStyle = colors[k];
    context.beginPath();
    line.forEach((value, i) => Number.isFinite(value) && context.lineTo(x(i), y(value)));
    context.stroke();
  });
}

questions.forEach(({ slide }) => $("lecture-slide").add(new Option(slide)));
$("lecture-slide").onchange = () => choose($("lecture-slide").selectedIndex);
$("lecture-controls").onreset = () => setTimeout(() => choose($("lecture-slide").selectedIndex));
window.addEventListener("resize", draw);
choose(0);
