// Sends the form to this service and shows its answer; nothing that was entered is kept.
"use strict";

const form = document.getElementById("ask");
const shown = document.getElementById("answer");
const MOST_MOVERS = 10;

function record() {
  const values = {};
  for (const entry of form.querySelectorAll("[data-field]")) {
    if (entry.value === "") continue; // an empty entry is a missing value
    const isNumber = entry.dataset.kind === "number" || entry.dataset.kind === "integer";
    values[entry.dataset.field] = isNumber ? Number(entry.value) : entry.value;
  }
  return JSON.stringify(values);
}

async function ask(path, body) {
  const headers = { "content-type": "application/json" };
  const key = document.getElementById("key");
  if (key && key.value) headers["x-api-key"] = key.value;
  const reply = await fetch(path, { method: "POST", headers, body, cache: "no-store" });
  return { isAnswer: reply.ok, told: await reply.json() };
}

function percent(share) {
  if (share < 0.001) return "less than 0.1 %";
  if (share > 0.999) return "more than 99.9 %";
  return `${Number((share * 100).toFixed(1))} %`;
}

function add(parent, tag, text) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

function showAnswer(answer) {
  add(shown, "h3", "The answer");
  add(add(shown, "p"), "strong", answer.interval ? numberIn(answer) : classIn(answer));
  if (answer.risk_level) add(shown, "p", `The risk is ${answer.risk_level}.`);
  add(shown, "p", `It was answered by version ${answer.model_version} of the model.`);
  add(shown, "p", `Its id, by which the outcome can be given later: ${answer.prediction_id}`);
}

function classIn(answer) {
  return `The answer is ${answer.label}, with a probability of ${percent(answer.confidence)}.`;
}

function numberIn(answer) {
  const [low, high] = answer.interval.map((end) => Number(end.toPrecision(4)));
  const held = percent(answer.coverage);
  const number = Number(answer.prediction.toPrecision(4));
  return `The answer is ${number}; in ${held} of cases the truth lies between ${low} and ${high}.`;
}

function showMovers(explained) {
  const isNumber = explained.classes === undefined;
  const least = isNumber ? Math.abs(explained.prediction) / 1000 : 0.001;
  const movers = explained.contributions.filter((one) => Math.abs(one.difference) >= least);
  const what = isNumber ? "the number" : `the probability of ${explained.classes.join(" or ")}`;
  add(shown, "h3", `What moved ${what}`);
  const list = add(shown, "ul");
  for (const one of movers.slice(0, MOST_MOVERS)) {
    const size = Math.abs(one.difference);
    const by = isNumber ? Number(size.toPrecision(4)) : `${(size * 100).toFixed(1)} points`;
    const way = one.difference > 0 ? "up" : "down";
    add(list, "li", `${one.field}: ${way} by ${by} against ${one.typical}, which is typical`);
  }
  if (!movers.length) list.replaceWith("No single value moved it.");
  add(shown, "p", explained.meaning);
}

function showError(error) {
  add(add(shown, "p"), "strong", `There is no answer: ${error.message}.`);
  const list = add(shown, "ul");
  for (const each of error.fields) add(list, "li", `${each.field} ${each.problem}`);
  if (!error.fields.length) list.remove();
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  shown.replaceChildren();
  try {
    const body = record();
    const answer = await ask("./predict", body);
    if (!answer.isAnswer) {
      showError(answer.told.error);
    } else {
      const explained = await ask("./explain", body);
      showAnswer(answer.told);
      if (explained.isAnswer) showMovers(explained.told);
    }
  } catch {
    showError({ message: "the service cannot be reached just now", fields: [] });
  }
  shown.focus();
});
