// Looks now and then whether something has changed, and then shows the new page in place of the old
// one. Without this script a reload does the same.
(() => {
  "use strict";
  const EVERY_MS = 15000;
  const RARELY_MS = 240000;
  let main = document.querySelector("main[data-version]");
  let wait = EVERY_MS;

  async function text(address) {
    const answer = await fetch(address, { cache: "no-store", credentials: "same-origin" });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.text();
  }

  async function look() {
    if (document.hidden) return;
    try {
      if ((await text(main.dataset.live)) !== main.dataset.version) await renew();
      wait = EVERY_MS;
    } catch {
      wait = Math.min(wait * 2, RARELY_MS);
    }
  }

  async function renew() {
    const page = new DOMParser().parseFromString(await text(main.dataset.page), "text/html");
    const next = page.querySelector("main[data-version]");
    if (!next) return;
    const focused = document.activeElement?.id;
    const open = [...main.querySelectorAll("details")].map((one) => one.open);
    main.replaceWith(next);
    main = next;
    main.querySelectorAll("details").forEach((one, place) => { one.open = open[place] ?? false; });
    if (focused) document.getElementById(focused)?.focus();
    const news = main.querySelectorAll(".state, .status");
    document.getElementById("news").textContent = [...news].map((one) => one.textContent.trim()).join(". ");
  }

  async function keepLooking() {
    await look();
    setTimeout(keepLooking, wait);
  }

  if (!main) return;
  document.addEventListener("visibilitychange", look);
  setTimeout(keepLooking, wait);
})();
