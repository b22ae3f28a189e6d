// Keys: places, rows, what can be done here, and a list of commands. Every screen works without this as well.
// Letters do nothing where somebody types, and can be switched off on the page of one's own.
"use strict";
(() => {
  const box = document.getElementById("q");
  const palette = document.getElementById("palette");
  const help = document.getElementById("key-list");
  const input = document.getElementById("palette-q");
  const list = document.getElementById("palette-list");
  const none = document.getElementById("palette-none");
  const main = document.getElementById("main");
  const hasLetters = !("noLetters" in document.body.dataset);
  let leads = false;  // "g" was pressed, and a letter follows
  let options = [];
  let chosen = 0;
  let suggested = [];  // what the server has found for the text
  let asks;  // the question that is under way, or waits for the next letter

  // The letter on the key, also where the keyboard writes Korean.
  const letterOf = (event) =>
    (/^[ -~]$/.test(event.key) || !/^Key[A-Z]$/.test(event.code) ? event.key : event.code[3].toLowerCase());
  const isTyping = (target) => target.closest?.("input:not([type=checkbox]), select, textarea, [contenteditable]");
  const links = () => [...main.querySelectorAll("tbody tr, ul.places > li")]
    .map((row) => row.querySelector("th a, a")).filter(Boolean);

  function move(step) {
    const all = links();
    if (!all.length) return;
    const row = document.activeElement.closest?.("tr, li");
    const at = all.findIndex((one) => row && row.contains(one));
    const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step));
    all[next].focus();
  }

  function tick() {
    const row = document.activeElement.closest?.("tr");
    const mark = row?.querySelector("input[type=checkbox]");
    if (mark) mark.click();
  }

  const follow = (rel) => main.querySelector(`a[rel=${rel}]`)?.click();
  const go = (letter) => document.querySelector(`a[data-key="${CSS.escape(letter)}"]`)?.click();

  // What the palette offers: places, what this page can do, and to look for what was typed.
  function offers() {
    const places = [...document.querySelectorAll("a[data-key]")].map((one) => ({
      text: one.textContent.trim(), note: `g ${one.dataset.key}`, run: () => one.click(),
    }));
    const acts = [...main.querySelectorAll("a.button, .acts a, .actions a, button[type=submit]")].map((one) => ({
      text: one.textContent.trim(),
      // A form is not sent from here: somebody first sees what it asks.
      run: () => (one.matches("button") ? one.focus() : one.click()),
    }));
    return [...acts, ...places];
  }

  function filter() {
    const text = input.value.trim();
    const words = text.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    const seen = new Set();
    options = offers().filter(({ text: told }) => {
      const small = told.toLocaleLowerCase();
      if (!told || seen.has(small) || !words.every((word) => small.includes(word))) return false;
      seen.add(small);
      return true;
    });
    options.push(...suggested.filter(({ text: told }) => !seen.has(told.toLocaleLowerCase())));
    if (text && box) {
      options.push({
        text: palette.dataset.find.replace("{}", text),
        run: () => { box.value = text; box.form.requestSubmit(); },
      });
    }
    chosen = Math.min(chosen, Math.max(0, options.length - 1));
    show();
  }

  // What is typed is asked for when the fingers rest, and an answer to a text of before is not shown.
  function typed() {
    asks?.abort();
    const asked = asks = new AbortController();
    const text = input.value.trim();
    suggested = [];
    chosen = 0;
    filter();
    if (text.length < 2 || !palette.dataset.suggestions) return;
    setTimeout(async () => {
      if (asked.signal.aborted) return;
      try {
        const answer = await fetch(`${palette.dataset.suggestions}?q=${encodeURIComponent(text)}`, { signal: asked.signal });
        if (!answer.ok || answer.redirected) return;
        suggested = (await answer.json()).items.map(({ path, ...told }) => ({
          ...told, run: () => { location.href = palette.dataset.root + path; },
        }));
        filter();
      } catch { /* Without the server there are still the commands. */ }
    }, 150);
  }

  function show() {
    list.replaceChildren(...options.map((one, n) => {
      const item = document.createElement("li");
      item.id = `palette-${n}`;
      item.role = "option";
      item.ariaSelected = String(n === chosen);
      item.append(one.text);
      if (one.note) {
        const note = document.createElement(one.note.startsWith("g ") ? "kbd" : "span");
        note.textContent = one.note;
        item.append(" ", note);
      }
      item.addEventListener("click", () => run(n));
      return item;
    }));
    none.textContent = options.length ? "" : none.dataset.says;
    if (options.length) input.setAttribute("aria-activedescendant", `palette-${chosen}`);
    else input.removeAttribute("aria-activedescendant");
    list.children[chosen]?.scrollIntoView({ block: "nearest" });
  }

  function run(n) {
    const one = options[n];
    if (!one) return;
    palette.close();
    one.run();
  }

  function open(dialog) {
    if (dialog.open) return;
    dialog.showModal();
    if (dialog === palette) { input.value = ""; typed(); input.focus(); }
  }

  input.addEventListener("input", typed);
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && options.length) {
      event.preventDefault();
      chosen = (chosen + step + options.length) % options.length;
      show();
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      run(chosen);
    }
  });
  // A Mac's keyboard has another key for it; what others call theirs, the page knows.
  if (/^Mac|^iP/.test(navigator.platform)) {
    for (const one of document.querySelectorAll("[data-mac]")) one.textContent = one.dataset.mac;
  }
  for (const one of document.querySelectorAll("[data-opens]")) {
    one.hidden = false;
    one.addEventListener("click", () => open(document.getElementById(one.dataset.opens)));
  }

  const LETTERS = {
    "/": () => { box?.focus(); box?.select(); },
    "?": () => open(help),
    "j": () => move(1),
    "k": () => move(-1),
    "x": tick,
    "n": () => follow("next"),
    "p": () => follow("prev"),
    "g": () => { leads = true; setTimeout(() => { leads = false; }, 1500); },
  };

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && letterOf(event).toLowerCase() === "k") {
      event.preventDefault();
      open(palette);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (isTyping(event.target)) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      // Elsewhere the arrows scroll.
      if (!links().includes(document.activeElement)) return;
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
      return;
    }
    const letter = letterOf(event);
    if (!hasLetters) return;
    if (leads) {
      leads = false;
      event.preventDefault();
      go(letter);
    } else if (Object.hasOwn(LETTERS, letter)) {
      event.preventDefault();
      LETTERS[letter]();
    }
  });
})();
