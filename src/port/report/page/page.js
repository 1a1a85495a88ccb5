"use strict";
const all = (query, from = document) => [...from.querySelectorAll(query)];
const one = (id) => document.getElementById(id);
const findings = all(".finding");
const sections = all("section.file");

// ---------------------------------------------------------------- filters
function matches(finding) {
  const box = document.querySelector(`input[name=outcome][value="${finding.dataset.outcome}"]`);
  const code = one("code").value;
  return box.checked && (!code || code === finding.dataset.code);
}

function filter() {
  if (!findings.length) return;
  for (const finding of findings) finding.hidden = !matches(finding);
  const narrowed = one("code").value || all("input[name=outcome]").some((box) => !box.checked);
  for (const section of sections) {
    section.hidden = narrowed && !all(".finding", section).some((finding) => !finding.hidden);
  }
  for (const row of all("tr[data-file]")) {
    row.hidden = narrowed && (one(row.dataset.file)?.hidden ?? true);
  }
  const shown = findings.filter((finding) => !finding.hidden).length;
  one("count").value = narrowed ? `${shown} of ${findings.length} findings` : `${shown} finding${shown === 1 ? "" : "s"}`;
}

// ---------------------------------------------------------------- unchanged lines
function setFold(body, folded) {
  for (const row of all("tr:not(.more)", body)) row.hidden = folded;
  const button = body.querySelector("tr.more button");
  button.setAttribute("aria-expanded", String(!folded));
  button.textContent = `${folded ? "show" : "fold"} ${body.rows.length - 1} unchanged lines`;
}

function addFold(body) {
  const row = body.insertRow(0);
  row.className = "more";
  const cell = row.insertCell();
  cell.colSpan = 5;
  const button = document.createElement("button");
  button.type = "button";
  button.addEventListener("click", () => setFold(body, button.getAttribute("aria-expanded") === "true"));
  cell.append(button);
  setFold(body, true);
}

function unfold() {
  const pressed = one("unfold").getAttribute("aria-pressed") !== "true";
  one("unfold").setAttribute("aria-pressed", String(pressed));
  for (const body of all("tbody.fold")) setFold(body, !pressed);
}

// ---------------------------------------------------------------- moving about
function show(target) {
  for (let outer = target.parentElement; outer; outer = outer.parentElement) {
    if (outer.tagName === "DETAILS") outer.open = true;
  }
  const finding = target.matches("details");
  (finding ? target.querySelector("summary") : target).focus({preventScroll: true});
  target.scrollIntoView({block: finding ? "center" : "start"});
}

function step(targets, by) {
  if (!targets.length) return;
  const at = document.activeElement;
  const before = (target) => target.compareDocumentPosition(at) & (Node.DOCUMENT_POSITION_FOLLOWING);
  const here = targets.findIndex((target) => target.contains(at));
  let next = here + by;
  if (here < 0) {
    const passed = targets.filter(before).length;
    next = by > 0 ? passed : passed - 1;
  }
  show(targets[(next + targets.length) % targets.length]);
}

const stepFinding = (by) => step(findings.filter((f) => !f.hidden && !f.closest("[hidden]")), by);
const stepFile = (by) => step(sections.filter((s) => !s.hidden), by);

// ---------------------------------------------------------------- light and dark
const THEMES = ["system", "light", "dark"];

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  one("theme").textContent = `theme: ${theme}`;
  try { localStorage.setItem("port-theme", theme); } catch { /* a page from disk may not keep anything */ }
}

function nextTheme() {
  setTheme(THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length]);
}

// ---------------------------------------------------------------- keys
const KEYS = {
  j: () => stepFinding(1), k: () => stepFinding(-1), n: () => stepFile(1), p: () => stepFile(-1), u: unfold,
  t: nextTheme, "/": () => one("code")?.focus(), "?": () => one("keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("select, dialog, input:not([type=checkbox])");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(KEYS, event.key)) return;
  event.preventDefault();
  KEYS[event.key]();
});

let theme = "system";
try { theme = localStorage.getItem("port-theme") ?? theme; } catch { /* as above */ }
setTheme(THEMES.includes(theme) ? theme : "system");
all("tbody.fold").forEach(addFold);
one("filters").addEventListener("input", filter);
one("filters").addEventListener("submit", (event) => event.preventDefault());
one("previous").addEventListener("click", () => stepFinding(-1));
one("next").addEventListener("click", () => stepFinding(1));
one("unfold").addEventListener("click", unfold);
one("theme").addEventListener("click", nextTheme);
one("help").addEventListener("click", () => one("keys").showModal());
if (!all("tbody.fold").length) one("unfold").hidden = true;
filter();
