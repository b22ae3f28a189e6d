// What somebody has typed comes back after they had to sign in again. It stays in this tab alone.
"use strict";
const typed = (() => {
  const KEY = "orderloom-typed";
  const here = location.pathname + location.search;
  const action = (form) => new URL(form.getAttribute("action"), location.href).pathname;
  const who = () => document.querySelector(".who a")?.textContent ?? "";
  const fields = (form) => [...form.elements].filter((one) =>
    one.name && !["hidden", "password", "submit", "button", "file"].includes(one.type));
  const forms = () => [...document.querySelectorAll("main form[method=post]")];

  const keep = () => {
    const kept = forms().map((form) => fields(form).map((one) =>
      [one.name, one.type === "checkbox" || one.type === "radio" ? one.checked : one.value]));
    if (!kept.length) return;
    const actions = forms().map(action);
    sessionStorage.setItem(KEY, JSON.stringify({ page: here, who: who(), actions, kept, isAway: false }));
  };

  const fill = (record) => {
    forms().forEach((form) => {
      const place = record.actions.indexOf(action(form));
      if (place < 0) return;
      record.actions[place] = null;  // several forms may lead to one address
      const inputs = fields(form);
      record.kept[place].forEach(([name, value], n) => {
        const input = inputs[n];
        if (!input || input.name !== name) return;
        if (typeof value === "boolean") input.checked = value;
        else input.value = value;
        if (value && input.matches("textarea, input:not([type=checkbox])") && form.closest("details")) form.closest("details").open = true;
      });
    });
    document.getElementById("main").dispatchEvent(new Event("input", { bubbles: true }));
  };

  const meet = (record) => {
    const login = document.getElementById("login");
    if (login && !who()) {
      const onward = record.page.slice(record.page.indexOf("/app/") + 1);
      login.form.elements.next.value = onward;
      const other = document.querySelector("main a[href*='app/openid?next=']");
      if (other) other.href = other.href.replace(/next=.*/, "next=" + encodeURIComponent(onward));
      sessionStorage.setItem(KEY, JSON.stringify({ ...record, isAway: true }));
    } else if (who()) {
      // A form that was met, or another page: what was typed has served.
      if (here === record.page || !record.isAway) sessionStorage.removeItem(KEY);
      if (here === record.page && record.isAway && who() === record.who) fill(record);
    }
  };

  document.addEventListener("submit", (event) => {
    if (who() && event.target.matches("main form[method=post]")) keep();
  });
  const record = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  return { here, keep, meet: () => { if (record) meet(record); } };
})();
addEventListener("DOMContentLoaded", () => typed.meet());
