// Keys. An element with data-key is pressed by that key; modules bind others. A letter is the one that is typed when it
// is Latin, else the one of the physical key, so the same keys work on ЙЦУКЕН and AZERTY.
import { t } from './text.js';

const bound = new Map();
const WAIT_MS = 1200;
let first = '', firstAt = 0;

export function keyName(event) {
  const plain = /^[a-z0-9?/;[\]]$/i.test(event.key);
  const physical = { Slash: '/', Semicolon: ';', BracketLeft: '[', BracketRight: ']' }[event.code] ?? event.code.replace(/^(Key|Digit)/, '');
  const key = plain || event.key.length > 1 ? event.key : physical;
  const shift = event.shiftKey && !['?', '/'].includes(key) ? 'shift+' : '';
  return `${event.ctrlKey || event.metaKey ? 'mod+' : ''}${event.altKey ? 'alt+' : ''}${shift}${key.toLowerCase()}`;
}

// `name` as keyName has it; two keys after each other are written with a blank: `g i`. `title` is shown in the map.
export function bind(name, act, title = '', { typing = false } = {}) {
  bound.set(name, { act, title, typing });
}

const visible = (element) => element.checkVisibility?.() ?? element.offsetParent !== null;
const isTyping = (target) => target.matches?.('input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]');

function pressed(name) {
  return [...document.querySelectorAll('[data-key]')].find((one) => one.dataset.key === name && visible(one));
}

function enabled() { return document.documentElement.dataset.keys !== 'off'; }

addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.isComposing || ['Shift', 'Control', 'Alt', 'Meta'].includes(event.key)) return;
  const typing = isTyping(event.target), alone = keyName(event);
  const name = first && Date.now() - firstAt < WAIT_MS ? `${first} ${alone}` : alone;
  first = '';
  const withModifier = /^(mod|alt)\+/.test(alone);
  const open = document.querySelector('dialog[open]');
  const found = bound.get(name);
  if (found && (!typing || found.typing || withModifier) && (enabled() || withModifier || alone === 'escape') && (!open || found.typing)) {
    if (found.act(event) !== false) event.preventDefault();
    return;
  }
  if (open && !withModifier) return;
  if (typing && !withModifier) { if (alone === 'escape') event.target.blur(); return; }
  const element = enabled() || withModifier ? pressed(name) : null;
  if (element) {
    event.preventDefault();
    if (element.matches('input, textarea, select')) { element.focus(); element.select?.(); } else element.click();
  } else if (alone === 'g' && enabled()) { first = 'g'; firstAt = Date.now(); }
});

function rows() {
  const named = [...document.querySelectorAll('[data-key]')].filter(visible).map((one) => [one.dataset.key, one.title || one.getAttribute('aria-label') || one.firstChild?.textContent || one.textContent]);
  const own = [...bound].filter(([, one]) => one.title).map(([name, one]) => [name, one.title]);
  return [...own, ...named].filter(([, title]) => title.trim());
}

export function shown(name) {
  const words = { mod: 'Ctrl', shift: 'Shift', alt: 'Alt', escape: 'Esc', enter: '↵', arrowdown: '↓', arrowup: '↑' };
  return name.split(' ').map((key) => key.split('+').map((part) => words[part] ?? part.toUpperCase()).join(' ')).join(' ');
}

function help() {
  const box = document.getElementById('keymap-rows');
  if (!box) return false;
  const list = document.createElement('dl');
  for (const [name, title] of rows()) {
    const term = document.createElement('dt'), what = document.createElement('dd'), key = document.createElement('kbd');
    key.className = 'key'; key.textContent = shown(name); term.append(key); what.textContent = title.trim();
    list.append(term, what);
  }
  box.replaceChildren(list);
  document.getElementById('keymap').showModal();
  return true;
}

bind('?', help, t('Show the keys'));
for (const [key, path, title] of [['i', '/inbox', t('Go to the inbox')], ['m', '/me', t('Go to the profile')], ['s', '/sandbox', '']]) {
  bind(`g ${key}`, () => { location.href = path; }, title);
}
