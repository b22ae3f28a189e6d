// Each page of the floor: its tones, and one field that finds what belongs to a scan. It works without this as well.
"use strict";
let lastKey = 0;
const FAST_MS = 40;

let sound = null;
const tone = (good) => {
  navigator.vibrate?.(good ? 60 : [150, 80, 150]);
  try {
    sound ??= new AudioContext();
    const beep = sound.createOscillator();
    const volume = sound.createGain();
    beep.type = good ? "sine" : "square";
    beep.frequency.value = good ? 1200 : 220;
    volume.gain.value = 0.25;
    beep.connect(volume).connect(sound.destination);
    beep.start();
    beep.stop(sound.currentTime + (good ? 0.12 : 0.5));
  } catch {
    // A browser without sound has colour, words and vibration.
  }
};

const finder = () => document.querySelector('form.finds input[name="code"]');

// A scanner types. Wherever the focus is, what it types comes to the field; its Enter presses no button or link.
document.addEventListener("keydown", (event) => {
  const field = finder();
  if (!field || event.ctrlKey || event.metaKey || event.altKey) return;
  const since = event.timeStamp - lastKey;
  lastKey = event.timeStamp;
  // Many scanners end with a tabulator. No person types as fast as they do.
  if (event.key === "Tab" && event.target === field && field.value && since < FAST_MS) {
    event.preventDefault();
    field.form.requestSubmit();
    return;
  }
  if (event.target.closest("input, select, textarea")) return;
  if (event.key === "Process") field.focus();
  else if (event.key.length === 1 && !(event.key === " " && event.target.closest("button, summary, a"))) field.focus();
  else if (event.key === "Enter" && field.value) {
    event.preventDefault();
    field.form.requestSubmit();
  }
}, true);

// What was scanned begins nothing: it is said, and heard.
if (document.querySelector(".told.trouble[role=alert]")) tone(false);
