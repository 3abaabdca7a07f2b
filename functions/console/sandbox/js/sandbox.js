// The sandbox: after a message of Ada the desk answers within a second, so the page asks more often for a while.
import { ask } from './live.js';
import { tell } from './net.js';

const EVERY_MS = 800, QUICK_MS = 10_000;
const until = Date.now() + QUICK_MS;

function again() {
  if (Date.now() > until || document.hidden) return;
  setTimeout(() => ask().then(again, tell), EVERY_MS);
}

again();
