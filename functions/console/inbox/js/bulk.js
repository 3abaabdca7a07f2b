// The bar of the chosen tickets: how many there are, and the preview as a dialog.
import { bind } from './keys.js';
import { send, tell } from './net.js';
import { t } from './text.js';
import { adopt } from './toast.js';
import { icons, soon } from './live.js';

const form = document.getElementById('bulk'), dialog = document.getElementById('bulk-dialog');
const box = document.getElementById('rows');
const CHANGED_MS = 600;   // a small change is done by then
let last = null;

const chosen = () => [...box.querySelectorAll('.pickbox :checked')];

function count() {
  const number = chosen().length;
  box.classList.toggle('has-picks', number > 0);
  const label = document.getElementById('bulk-count');
  if (label) label.textContent = t('%(n)s chosen', { n: number });
}

function clear() {
  if (!chosen().length) return false;
  form.reset();
  for (const one of chosen()) one.checked = false;
  count();
  return true;
}

box?.addEventListener('change', count);
// A press with Shift chooses everything since the last choice.
box?.addEventListener('click', (event) => {
  const pick = event.target.closest?.('.pickbox input');
  if (!pick) return;
  if (event.shiftKey && last?.isConnected) {
    const all = [...box.querySelectorAll('.pickbox input')];
    const [from, to] = [all.indexOf(last), all.indexOf(pick)].sort((a, b) => a - b);
    for (const one of all.slice(from, to + 1)) one.checked = pick.checked;
    count();
  }
  last = pick;
});
form?.addEventListener('reset', () => setTimeout(count));

form?.addEventListener('submit', async (event) => {
  event.preventDefault();
  try {
    const fresh = await send(form, event.submitter);
    icons(fresh);
    dialog.replaceChildren(document.importNode(fresh.getElementById('bulk-preview'), true));
    dialog.showModal();
    dialog.querySelector('[autofocus]')?.focus();
  } catch (error) { tell(error); }
});

dialog?.addEventListener('click', (event) => {
  if (!event.target.closest('[data-close]')) return;
  event.preventDefault();
  dialog.close();
});

dialog?.addEventListener('submit', async (event) => {
  if (!event.target.matches('[data-bulk-start]')) return;
  event.preventDefault();
  try {
    const fresh = await send(event.target, event.submitter);
    dialog.close();
    clear();
    adopt(fresh);
    box.dispatchEvent(new Event('list:own'));
    setTimeout(soon, CHANGED_MS);
  } catch (error) { tell(error); }
});

bind('escape', () => clear());
if (box) count();
