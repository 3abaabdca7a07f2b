// Live updates: asks for the page again with its tag, and morphs the regions [data-live] when something changed.
// Quick while somebody works, slow when nobody does, silent in a hidden tab. `live:<region>` may hold a region back.
import { morph } from './morph.js';
import { page } from './net.js';

const QUICK_MS = 4000, SLOW_MS = 15_000, IDLE_MS = 60_000, FAILED_MS = 10_000;
let lastInput = Date.now(), timer = 0, asking = null;

for (const kind of ['pointerdown', 'keydown']) addEventListener(kind, () => { lastInput = Date.now(); }, { capture: true, passive: true });

function delay() {
  const seconds = (Date.now() - lastInput) / 1000;
  const base = seconds < 60 ? QUICK_MS : seconds < 300 ? SLOW_MS : IDLE_MS;
  return base * (0.85 + Math.random() * 0.3);
}

// Adds the icons of a fresh document that this page does not have yet.
export function icons(fresh) {
  const box = document.getElementById('symbols');
  for (const symbol of fresh.querySelectorAll('symbol')) if (!document.getElementById(symbol.id)) box?.append(document.importNode(symbol, true));
}

// Puts the regions of a fresh document into the page. A listener of `live` may prevent it for its region.
export function show(fresh) {
  icons(fresh);
  for (const region of document.querySelectorAll('[data-live]')) {
    const next = fresh.getElementById(region.id);
    if (!next) continue;
    const wanted = new CustomEvent('live', { bubbles: true, cancelable: true, detail: { next } });
    if (region.dispatchEvent(wanted)) morph(region, next);
  }
  document.title = fresh.title;
  const root = document.documentElement, tag = fresh.documentElement.dataset.tag;
  if (tag) root.dataset.tag = tag;
  dispatchEvent(new CustomEvent('live:shown'));
}

export async function ask() {
  if (asking) return asking;
  const root = document.documentElement, address = location.href;
  asking = page(address, root.dataset.tag ? { 'If-None-Match': `"${root.dataset.tag}"` } : {})
    .then((fresh) => { if (fresh && location.href === address) show(fresh); })
    .finally(() => { asking = null; });
  return asking;
}

export function schedule(wait = delay()) {
  clearTimeout(timer);
  if (document.hidden || !document.documentElement.dataset.tag) return;
  timer = setTimeout(() => ask().then(() => schedule(), (error) => (error.status === 401 ? signedOut() : schedule(FAILED_MS))), wait);
}

function signedOut() { document.documentElement.dataset.signedOut = ''; }

export function soon() { schedule(0); }

for (const kind of ['focus', 'online']) addEventListener(kind, soon);
document.addEventListener('visibilitychange', () => (document.hidden ? clearTimeout(timer) : soon()));
schedule();
