// A job that goes on is shown anew when it has come further. Without this, reload the page.
"use strict";
const job = document.getElementById("job");
setInterval(async () => {
  if (document.hidden) return;
  try {
    const answer = await fetch(job.dataset.at, { redirect: "error", headers: { "Orderloom-By-Itself": "1" } });
    if (answer.ok && (await answer.text()) !== job.dataset.version) location.reload();
  } catch {
    // The next look comes soon.
  }
}, 1500);
