// Saved replies in the composer: ; (or the button) opens the list, typing filters it, a choice puts the text in.
import { request, tell } from './net.js';

const button = document.getElementById('ready'), box = document.getElementById('ready-list');
const text = document.getElementById('text');
let typed = '', from = -1;

async function open(query) {
  try {
    const response = await request(`${button.dataset.address}?q=${encodeURIComponent(query)}`);
    box.innerHTML = await response.text();   // our own page; the desk escapes every value
  } catch (error) { tell(error); }
}

export function close() { box.replaceChildren(); from = -1; typed = ''; }

function choose(option) {
  const form = text.form, start = from >= 0 ? from : text.selectionStart;
  text.setRangeText(option.dataset.text, start, text.selectionEnd, 'end');
  const used = document.createElement('input');
  used.type = 'hidden'; used.name = 'used'; used.value = option.dataset.reply;
  form.append(used);
  close();
  text.focus();
  text.dispatchEvent(new Event('input', { bubbles: true }));
}

// In the text, `;word` at the beginning of a line or after a blank filters the replies.
function onInput() {
  const before = text.value.slice(0, text.selectionStart), match = /(?:^|\s);([\p{L}\d_-]{0,30})$/u.exec(before);
  if (!match) { if (from >= 0) close(); return; }
  from = before.length - match[1].length - 1;
  typed = match[1];
  const wanted = typed;
  setTimeout(() => { if (wanted === typed && from >= 0) open(typed); }, 120);
}

if (button) {
  button.addEventListener('click', () => (box.firstChild ? close() : open('').then(() => box.querySelector('button')?.focus())));
  box.addEventListener('click', (event) => { const option = event.target.closest('[data-reply]'); if (option) choose(option); });
  box.addEventListener('keydown', (event) => {
    const rows = [...box.querySelectorAll('[data-reply]')], at = rows.indexOf(document.activeElement);
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') { rows[(at + (event.key === 'ArrowDown' ? 1 : -1) + rows.length) % rows.length]?.focus(); event.preventDefault(); }
    if (event.key === 'Escape') { close(); text.focus(); event.preventDefault(); }
  });
  text.addEventListener('input', onInput);
  text.addEventListener('keydown', (event) => {
    if (!box.firstChild) return;
    if (event.key === 'ArrowDown') { box.querySelector('button')?.focus(); event.preventDefault(); }
    if (event.key === 'Enter' && from >= 0 && box.querySelector('[data-reply]')) { choose(box.querySelector('[data-reply]')); event.preventDefault(); }
    if (event.key === 'Escape') { close(); event.preventDefault(); event.stopPropagation(); }
  });
}
