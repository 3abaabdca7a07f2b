// The list of tickets: keys, choice, news that wait until the pointer is elsewhere, and suggestions of the search.
import { bind } from './keys.js';
import { soon } from './live.js';
import { morph } from './morph.js';
import { send } from './net.js';
import { t } from './text.js';
import './bulk.js';

const root = document.documentElement;
const box = document.getElementById('rows');
const pill = document.getElementById('news');
const rows = () => [...document.querySelectorAll('#rows .row')];
let waiting = null, own = false;

// -- keys -----------------------------------------------------------------------------------------------------------
function at() {
  const all = rows(), focused = all.findIndex((one) => one.parentElement.contains(document.activeElement));
  return [all, focused >= 0 ? focused : all.findIndex((one) => one.hasAttribute('aria-current'))];
}

function step(by) {
  const [all, here] = at();
  if (!all.length) return false;
  const next = all[Math.min(Math.max(here + by, 0), all.length - 1)];
  next.focus();
  next.scrollIntoView({ block: 'nearest' });
  return next;
}

function choose(row, checked) {
  const pick = row?.parentElement.querySelector('.pickbox input');
  if (!pick) return false;
  pick.checked = checked ?? !pick.checked;
  pick.dispatchEvent(new Event('change', { bubbles: true }));
  return true;
}

bind('j', () => Boolean(step(1)), t('Next ticket'));
bind('k', () => Boolean(step(-1)), t('Previous ticket'));
bind('arrowdown', () => (document.activeElement.closest('#list') ? Boolean(step(1)) : false));
bind('arrowup', () => (document.activeElement.closest('#list') ? Boolean(step(-1)) : false));
bind('x', () => { const [all, here] = at(); return choose(all[Math.max(here, 0)]); }, t('Choose the ticket'));
bind('shift+arrowdown', () => { const [all, here] = at(); choose(all[Math.max(here, 0)], true); return choose(step(1), true); }, t('Choose and go on'));
bind('u', () => { const list = document.getElementById('list'); if (!document.querySelector('.has-ticket') || !list) return false; location.href = list.dataset.list; return true; }, t('Back to the list'));

// -- news: the row under the pointer never moves ---------------------------------------------------------------------
const ids = (list) => [...list.querySelectorAll('li[data-ticket]')].map((one) => one.id);

function held() {
  return box.matches(':hover') || box.contains(document.activeElement) || Boolean(box.querySelector('.pickbox :checked'));
}

function tell(count) {
  pill.hidden = count === 0;
  pill.textContent = count ? t('%(n)s new', { n: count }) : '';
}

box?.addEventListener('live', (event) => {
  if (event.target !== box) return;
  const next = event.detail.next, old = ids(box), fresh = ids(next);
  const moved = old.join() !== fresh.join();
  if (!moved || own || !held()) { waiting = null; own = false; tell(0); return; }
  event.preventDefault();
  for (const item of next.querySelectorAll('li[data-ticket]')) {
    const here = document.getElementById(item.id);
    if (here) morph(here, item);
  }
  for (const id of old) document.getElementById(id).classList.toggle('is-gone', !fresh.includes(id));
  waiting = next;
  tell(fresh.filter((id) => !old.includes(id)).length);
});

function release() {
  if (!waiting) return;
  const next = waiting;
  waiting = null;
  tell(0);
  morph(box, next);
}

box?.addEventListener('list:own', () => { own = true; });   // what the person did shows at once
pill?.addEventListener('click', () => { release(); box.scrollTop = 0; });
document.getElementById('list')?.addEventListener('pointerleave', () => { if (!held()) release(); });   // not on the way to the pill

// -- density --------------------------------------------------------------------------------------------------------
document.addEventListener('submit', (event) => {
  if (!event.target.matches('[data-density-form]')) return;
  event.preventDefault();
  root.dataset.density = event.submitter.value;
  for (const one of event.target.querySelectorAll('button')) one.setAttribute('aria-pressed', String(one === event.submitter));
  send(event.target, event.submitter).catch(() => soon());
});

// -- suggestions ----------------------------------------------------------------------------------------------------
const search = document.getElementById('q'), list = document.getElementById('operators');

function suggest() {
  const known = JSON.parse(list.dataset.operators);
  const [, before, word] = search.value.match(/^(.*?)(\S*)$/s), [name, value] = word.split(':');
  const own = Object.hasOwn(known, name);
  const found = value === undefined
    ? Object.keys(known).filter((one) => word && one.startsWith(word)).map((one) => `${before}${one}:`)
    : own ? known[name].filter((one) => one.startsWith(value)).map((one) => `${before}${name}:${one}`) : [];
  list.replaceChildren(...found.slice(0, 12).map((one) => new Option(one, one)));
}

search?.addEventListener('input', suggest);
