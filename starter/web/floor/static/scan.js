// Scans of a run: none is lost, and each is taken once. The page works without this as well.
"use strict";
const run = document.getElementById("run");
const scanner = document.getElementById("scanner");
const code = document.getElementById("code");
const banner = document.getElementById("banner");
const screenOf = document.getElementById("screen");
const waits = document.getElementById("waits");
const kept = `floor-run-${run.dataset.run}`;
const JSON_ONLY = { Accept: "application/json" };
const BY_ITSELF = { ...JSON_ONLY, "Orderloom-By-Itself": "1" };
const CODE_MAX = 200;

// What waits to be sent is kept in the browser, for all of its pages: a reload or a flat battery loses none.
// One that keeps nothing, or has no room left, has them in this page alone.
let memory = null;
const read = () => {
  if (memory) return memory;
  try {
    return JSON.parse(localStorage.getItem(kept)) || { waiting: [] };
  } catch {
    return { waiting: [] };
  }
};
const write = (queue) => {
  try {
    if (queue.waiting.length) localStorage.setItem(kept, JSON.stringify(queue));
    else localStorage.removeItem(kept);
    memory = null;
  } catch {
    memory = queue.waiting.length ? queue : null;
  }
  waits.textContent = queue.waiting.length > 0 && away
    ? run.dataset.waits.replace("{n}", queue.waiting.length) : "";
};
let seq = Number(run.dataset.seq);
let away = false;
let over = !scanner;

const focus = () => {
  const at = document.activeElement;
  if (code && (!at || !at.matches("input, select, textarea, summary, video"))) code.focus();
};

const show = (told) => {
  seq = told.seq;
  banner.innerHTML = told.banner;
  screenOf.innerHTML = told.screen;
  for (const one of document.querySelectorAll('input[name="seq"]')) one.value = seq + 1;
  if (told.over && !over) {
    end();
    // The next parcel is scanned here as well.
    (finder() || screenOf.querySelector("a, button"))?.focus();
  } else {
    focus();
  }
  if (told.said === "prints") printing = Date.now();
  // A label that comes a little later is printed, too. A browser lets a page do that for some seconds.
  const paper = screenOf.querySelector("form[data-label]");
  if (paper && Date.now() - printing < 8000) {
    printing = 0;
    paper.requestSubmit();
  }
  again(told.again_ms);
};

const end = () => {
  over = true;
  scanner?.remove();
};

let looking = 0;
const again = (after) => {
  clearTimeout(looking);
  if (after) looking = setTimeout(() => { if (!document.hidden) refresh(); }, after);
};
let printing = 0;

const refresh = async () => {
  if (read().waiting.length) return;
  const since = seq;
  try {
    const answer = await fetch(location.href, { headers: BY_ITSELF, redirect: "manual" });
    const told = answer.ok ? await answer.json() : null;
    // A scan may have been answered meanwhile: what is older than that is not shown.
    if (told && seq === since && !read().waiting.length) show(told);
  } catch {
    // The next look, or the next scan, comes soon.
  }
};

const signedOut = () => {
  const link = document.createElement("a");
  link.href = location.href;
  link.textContent = run.dataset.signIn;
  waits.replaceChildren(`${run.dataset.signedOut} `, link);
};

const sendOne = async (one) => {
  const answer = await fetch(location.href, {
    method: "POST",
    headers: JSON_ONLY,
    redirect: "manual",
    body: new URLSearchParams({ seq: one.seq, scan_id: one.id, code: one.code, at: one.at }),
  });
  if (answer.type === "opaqueredirect") {
    signedOut();
    return false;
  }
  if ([403, 404, 422].includes(answer.status)) {
    // The run is nobody's any more, or not theirs: sent again, it would be refused again.
    const lost = read().waiting.map((kept) => kept.code).join(", ");
    write({ waiting: [] });
    waits.textContent = run.dataset.refused.replace("{codes}", lost);
    tone(false);
    end();
    return false;
  }
  // A fault of the server, or one between it and us: the scan is sent again.
  if (!(answer.headers.get("content-type") || "").startsWith("application/json")) throw new Error("no answer");
  const told = await answer.json();
  const queue = read();
  if (told.how === "taken" || told.how === "repeated") {
    queue.waiting = queue.waiting.filter((kept) => kept.id !== one.id);
    away = false;
    write(queue);
  } else {
    // Somebody has gone on with the run elsewhere: what was scanned for an old screen is not taken, and is told.
    const lost = queue.waiting.map((kept) => kept.code).join(", ");
    write({ waiting: [] });
    waits.textContent = run.dataset.lost.replace("{codes}", lost);
  }
  tone(told.good);
  show(told);
  return true;
};

let sending = false;
const send = async () => {
  if (sending) return;
  sending = true;
  try {
    while (read().waiting.length) {
      if (!(await sendOne(read().waiting[0]))) return;
    }
  } catch {
    away = true;
    write(read());
  } finally {
    sending = false;
  }
};
// One page of this browser sends at a time.
const flush = () => (navigator.locks ? navigator.locks.request(kept, send) : send());

const take = (text) => {
  const scanned = text.replaceAll("\0", "").trim().slice(0, CODE_MAX);
  if (!scanned || over) return;
  const queue = read();
  const last = queue.waiting.length ? queue.waiting[queue.waiting.length - 1].seq : seq;
  const id = Array.from(crypto.getRandomValues(new Uint8Array(12)), (n) => n.toString(16).padStart(2, "0")).join("");
  queue.waiting.push({ seq: last + 1, id, code: scanned, at: new Date().toISOString() });
  write(queue);
  flush();
};

if (scanner) {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.elements.code || form.matches(".finds")) return;
    event.preventDefault();
    const inside = form === scanner ? code : form.querySelector('input[name="code"]');
    const pressed = event.submitter?.name === "code" ? event.submitter.value : inside.value;
    const prefix = form.querySelector('input[name="prefix"]')?.value || "";
    if (pressed.trim()) take(prefix + pressed);
    inside.value = "";
    inside.blur();
    code.focus();
  });
  // A scanner types. Wherever the focus is, what it types comes to the field; its Enter presses no button.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || over) return;
    const since = event.timeStamp - lastKey;
    lastKey = event.timeStamp;
    // Many scanners end with a tabulator. No person types as fast as they do.
    if (event.key === "Tab" && event.target === code && code.value && since < FAST_MS) {
      event.preventDefault();
      scanner.requestSubmit();
      return;
    }
    if (event.target.closest("input, select, textarea")) return;
    // "Process" is a key that a Korean keyboard still makes a sign of.
    if (event.key === "Process") code.focus();
    else if (event.key.length === 1 && !(event.key === " " && event.target.closest("button, summary, a"))) code.focus();
    else if (event.key === "Enter" && code.value) {
      event.preventDefault();
      scanner.requestSubmit();
    }
  }, true);
  addEventListener("online", flush);
  setInterval(() => { if (read().waiting.length) flush(); }, 3000);
  addEventListener("storage", (event) => { if (event.key === kept && event.newValue === null) refresh(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { focus(); refresh(); } });
  addEventListener("pageshow", (event) => { if (event.persisted) refresh(); });
  // What waited when the page was left is sent now, and the server knows what it has taken already.
  write(read());
  flush();
  focus();
  again(Number(run.dataset.again));

  const keys = document.getElementById("keys");
  keys.hidden = false;
  keys.addEventListener("click", () => {
    code.inputMode = code.inputMode === "none" ? "text" : "none";
    code.blur();
    code.focus();
  });
}

const camera = document.getElementById("camera");
if (camera && "BarcodeDetector" in window && navigator.mediaDevices?.getUserMedia) {
  camera.hidden = false;
  camera.addEventListener("click", async () => {
    const old = run.querySelector("video");
    if (old) {
      for (const track of old.srcObject.getTracks()) track.stop();
      old.remove();
      return;
    }
    const video = document.createElement("video");
    video.muted = true;
    video.playsInline = true;
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    camera.after(video);
    await video.play();
    const detector = new BarcodeDetector();
    let seen = "";
    let since = 0;
    const look = async () => {
      if (!video.isConnected) return;
      try {
        const [found] = await detector.detect(video);
        // A code that stays in the picture is one scan.
        if (found && (found.rawValue !== seen || Date.now() - since > 2500)) {
          seen = found.rawValue;
          since = Date.now();
          take(seen);
        }
      } catch {
        // A picture that cannot be read is followed by the next one.
      }
      setTimeout(look, 200);
    };
    look();
  });
}
