// The page of a ticket: the height of mail frames, selects that save at once, and the composer (composer.js).
import './composer.js';
import './replies.js';
import { send, tell } from './net.js';
import { show } from './live.js';
import { adopt } from './toast.js';

// A sandboxed frame runs no script, but its height may be read from here.
function fit(frame) {
  const root = frame.contentDocument?.documentElement;
  if (root) frame.style.setProperty('height', `${Math.min(1200, root.scrollHeight + 4)}px`);
}

function dressFrames() {
  for (const frame of document.querySelectorAll('iframe.mail')) {
    if (frame.dataset.dressed) continue;
    frame.dataset.dressed = '';
    frame.addEventListener('load', () => fit(frame));
    if (frame.contentDocument?.readyState === 'complete') fit(frame);
  }
}

document.addEventListener('click', (event) => {
  const remote = event.target.closest('[data-remote]');
  if (!remote) return;
  event.preventDefault();
  remote.closest('.box').querySelector('iframe.mail').src = remote.href;
  remote.parentElement.remove();
});

// Sends a form and shows the page that follows, without losing the place or what is typed elsewhere.
export async function submit(form, submitter) {
  try {
    const fresh = await send(form, submitter);
    show(fresh); adopt(fresh);
    if (/\/undo\//.test(form.action)) dispatchEvent(new CustomEvent('undone', { detail: { fresh } }));
    return fresh;
  } catch (error) { tell(error); return null; }
}

document.addEventListener('change', (event) => {
  if (event.target.matches('select[data-submit]')) submit(event.target.form);
});

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (!form.closest('#side, #ticket-head, #conversation') || form.id === 'composer' || form.method !== 'post') return;
  event.preventDefault();
  submit(form, event.submitter);
});

addEventListener('live:shown', dressFrames);
dressFrames();
