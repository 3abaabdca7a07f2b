// The palette (Ctrl+K): views, places, actions of this page, tickets and people, found while one types.
import { bind } from './keys.js';
import { icons } from './live.js';
import { request } from './net.js';

const dialog = document.getElementById('palette');
const WAIT_MS = 120;
let timer = 0, number = 0;

async function load(text) {
  const mine = (number += 1);
  const response = await request(`/palette?part=1&q=${encodeURIComponent(text)}`);
  if (mine !== number || !response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), 'text/html');
  icons(fresh);
  const list = dialog.querySelector('[data-rows]');
  if (list) list.replaceChildren(...document.importNode(fresh.querySelector('[data-rows]'), true).childNodes);
  else { dialog.replaceChildren(...document.importNode(fresh.body, true).childNodes); dialog.querySelector('svg.symbols')?.remove(); }
  choose(0);
}

const rows = () => [...dialog.querySelectorAll('[data-rows] a')];

function choose(index) {
  const all = rows();
  all.forEach((row, at) => { row.classList.toggle('is-at', at === index); row.setAttribute('aria-selected', String(at === index)); });
  const input = dialog.querySelector('input');
  if (input) input.setAttribute('aria-activedescendant', all[index]?.id ?? '');
  all[index]?.scrollIntoView({ block: 'nearest' });
}

async function open() {
  if (!dialog || dialog.open) return;
  dialog.showModal();
  await load('');
  dialog.querySelector('input')?.focus();
}

dialog?.addEventListener('input', (event) => {
  clearTimeout(timer);
  timer = setTimeout(() => load(event.target.value), WAIT_MS);
});
dialog?.addEventListener('keydown', (event) => {
  const all = rows(), at = all.findIndex((row) => row.classList.contains('is-at'));
  if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    event.preventDefault();
    choose((at + (event.key === 'ArrowDown' ? 1 : -1) + all.length) % all.length);
  } else if (event.key === 'Enter' && all[at]) { event.preventDefault(); all[at].click(); }
});
dialog?.addEventListener('submit', (event) => event.preventDefault());
dialog?.addEventListener('close', () => dialog.replaceChildren());
document.addEventListener('click', (event) => {
  if (!dialog || event.ctrlKey || event.metaKey || !event.target.closest?.('[data-palette]')) return;
  event.preventDefault();
  open();
});
bind('mod+k', () => { open(); }, '', { typing: true });
