// Keys, and what has changed meanwhile. Every screen works without this as well.
"use strict";
const box = document.getElementById("q");
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, textarea");
  if (event.key === "/" && !typing && box && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    box.focus();
    box.select();
  }
});

const live = document.getElementById("live");
if (live) {
  // A page that answers a form has what was typed into it; to reload it would send that again.
  let touched = "answer" in live.dataset;
  let asking = false;
  document.addEventListener("input", () => { touched = true; });
  const look = async () => {
    if (asking || document.hidden || live.firstChild) return;
    asking = true;
    try {
      const answer = await fetch(live.dataset.at, { redirect: "error" });
      if (answer.ok && (await answer.text()) !== live.dataset.version) {
        // What somebody types is not taken from under their hands.
        if (touched) {
          const link = document.createElement("a");
          link.href = live.dataset.page;
          link.textContent = live.dataset.show;
          live.append(live.dataset.says + " ", link);
        } else {
          location.reload();
        }
      }
    } catch {
      // The next look comes soon.
    } finally {
      asking = false;
    }
  };
  setInterval(look, 5000);
  document.addEventListener("visibilitychange", look);
}
