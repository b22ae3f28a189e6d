// Shows what others change on this page as soon as it happens, and takes nothing from under the
// hands of somebody who types. Without this script a reload does the same.
"use strict";
(() => {
  const live = document.getElementById("live");
  if (!live || !(live.dataset.order || live.dataset.every)) return;
  const said = live.dataset;
  const main = document.getElementById("main");
  const fresh = (page) => [...page.querySelectorAll(".fresh[id]")];
  const shown = new Map(fresh(document).map((one) => [one.id, one.outerHTML]));
  const touched = new Set();
  const OWN_MS = 15000;
  const opened = Date.now();
  let mark = said.mark;
  let newest = Number(said.newest);
  let isAsking = false;
  let isLate = false;

  main.addEventListener("input", (event) => {
    const part = event.target.closest?.(".fresh[id]");
    if (part) touched.add(part.id);
  });

  const isBusy = (part) => touched.has(part.id)
    || (part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea"));

  function place(next, part) {
    const before = next.previousElementSibling?.id;
    const beside = before && document.getElementById(before);
    if (beside) beside.after(part);
    else document.querySelector(`[data-parts="${next.parentElement.dataset.parts}"]`)?.prepend(part);
  }

  function put(next) {
    const old = document.getElementById(next.id);
    const html = next.outerHTML;
    if (old && shown.get(next.id) === html) return true;
    if (old && isBusy(old)) return false;
    const part = document.importNode(next, true);
    shown.set(next.id, html);
    if (!old) { place(next, part); return true; }
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    for (const one of old.querySelectorAll("details[id]")) {
      const same = part.querySelector(`#${CSS.escape(one.id)}`);
      if (same) same.open = one.open;
    }
    const links = focused ? [...old.querySelectorAll("a, button, summary")].indexOf(focused) : -1;
    old.replaceWith(part);
    if (links >= 0) part.querySelectorAll("a, button, summary")[links]?.focus({ preventScroll: true });
    return true;
  }

  function swap(page) {
    const next = fresh(page);
    const names = new Set(next.map((one) => one.id));
    let isWhole = next.map(put).every(Boolean);
    for (const old of fresh(document)) {
      if (names.has(old.id)) continue;
      if (isBusy(old)) isWhole = false;
      else { old.remove(); shown.delete(old.id); }
    }
    return isWhole;
  }

  // What follows from one's own act is told as that, and not as a change that others have made.
  function tell(page, isWhole) {
    const rows = [...page.querySelectorAll("tr[data-event]")]
      .filter((one) => Number(one.dataset.event) > newest).reverse();
    newest = Number(page.getElementById("live").dataset.newest);
    const cell = (row, n) => row.cells[n].textContent.trim();
    const isMine = said.after && Date.now() - opened < OWN_MS;
    const others = rows.filter((row) => cell(row, 2) !== said.me);
    const lines = (isMine ? rows : others).map((row) => `${cell(row, 1)} (${cell(row, 2)})`).join("; ");
    const says = isMine ? lines && said.after : (others.length || !rows.length) && said.says;
    live.replaceChildren([says, lines].filter(Boolean).join(" "));
    if (isWhole || !said.show) return;
    const link = document.createElement("a");
    link.href = said.page;
    link.textContent = said.show;
    live.append(" ", link);
  }

  async function renew() {
    if (isAsking) { isLate = true; return; }
    isAsking = true;
    try {
      const answer = await fetch(said.page, { headers: { "Orderloom-By-Itself": "1" }, cache: "no-store" });
      if (answer.redirected) return signIn();
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (said.every && page.title !== document.title) return location.reload();  // another day
      const next = page.getElementById("live");
      if (!next || next.dataset.mark === mark) return;
      mark = next.dataset.mark;
      tell(page, swap(page));
      watch();
    } catch {
      // The server is away: the stream comes back with it, and tells again.
    } finally {
      isAsking = false;
      if (isLate) { isLate = false; renew(); }
    }
  }

  function signIn() {
    if (document.hidden) return;  // once it is looked at
    typed.keep();
    const onward = typed.here.slice(typed.here.indexOf("/app/") + 1);
    location.assign(`${said.signIn}?next=${encodeURIComponent(onward)}`);
  }

  function hear(news) {
    if (news.ended) signIn();
    else if (news.marks[said.order] !== mark) renew();
  }

  const stream = said.order && new URL(said.stream, location.href).href;
  const port = said.order && "SharedWorker" in window ? new SharedWorker(said.worker).port : null;
  let source = null;

  // What is counted once a minute has no stream: it is asked for as often, while somebody looks.
  if (said.every) setInterval(() => document.hidden || renew(), 1000 * said.every);

  // One stream for all tabs of the browser; without shared workers each has its own.
  function watch() {
    if (!said.order) return;
    if (port) { port.postMessage({ order: said.order, mark, stream }); return; }
    if (source && source.readyState !== EventSource.CLOSED) return;
    source = new EventSource(`${stream}?${new URLSearchParams({ order: said.order, mark })}`);
    source.addEventListener("changed", (event) => hear({ marks: JSON.parse(event.data) }));
    source.addEventListener("ended", () => { source.close(); hear({ ended: true }); });
  }

  if (port) port.onmessage = (event) => hear(event.data);
  watch();
  addEventListener("pagehide", () => { port?.postMessage({ bye: true }); source?.close(); });
  addEventListener("pageshow", (event) => { if (event.persisted) { watch(); renew(); } });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { watch(); renew(); } });
})();
