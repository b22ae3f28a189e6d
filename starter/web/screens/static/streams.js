// One stream of news for all tabs of this browser. It runs as a shared worker.
"use strict";
const RETRY_MS = 10000;
const ORDERS_MAX = 50;
const watching = new Map();  // a tab's port → what it looks at
let source = null;
let watched = "";
let soon = 0;

function tell(news, order) {
  for (const [port, one] of watching) if (!order || one.order === order) port.postMessage(news);
}

function changed(event) {
  const marks = JSON.parse(event.data);
  for (const order of Object.keys(marks)) tell({ marks }, order);
}

function connect() {
  const orders = new Map([...watching.values()].map((one) => [one.order, one.mark]));
  const names = [...orders.keys()].slice(-ORDERS_MAX).sort();
  const isSame = source && source.readyState !== EventSource.CLOSED && names.join(" ") === watched;
  if (isSame) return;
  source?.close();
  source = null;
  watched = names.join(" ");
  if (!names.length) return;
  const query = new URLSearchParams(names.flatMap((name) => [["order", name], ["mark", orders.get(name)]]));
  const mine = new EventSource(`${[...watching.values()][0].stream}?${query}`);
  source = mine;
  mine.addEventListener("changed", changed);
  mine.addEventListener("ended", () => { mine.close(); tell({ ended: true }); });
  mine.onerror = () => {
    // A browser comes again by itself, but not after an answer that is no stream.
    if (mine.readyState === EventSource.CLOSED && source === mine) setTimeout(connect, RETRY_MS);
  };
}

function later() {
  clearTimeout(soon);
  soon = setTimeout(connect, 100);
}

onconnect = (event) => {
  const port = event.ports[0];
  port.onmessage = ({ data }) => {
    if (data.bye) watching.delete(port);
    else watching.set(port, data);
    later();
  };
};
