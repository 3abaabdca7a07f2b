// The portal. What is typed into a form marked `data-keeps` stays in this tab until the form has its effect, through a
// reload, a sign-in and a failed request. The fields of a new request follow the answers (`data-fields`).
import { request } from './net.js';

const nameOf = (form) => `portal:${new URL(form.action).pathname}`;

function textsOf(form) {
  return Object.fromEntries([...form.querySelectorAll('input[type=text], textarea')].filter((one) => one.id).map((one) => [one.id, one.value]));
}

function keep(form) {
  const texts = textsOf(form);
  if (Object.values(texts).some((text) => text.trim())) sessionStorage.setItem(nameOf(form), JSON.stringify(texts));
  else sessionStorage.removeItem(nameOf(form));
}

function restore(form) {
  const kept = JSON.parse(sessionStorage.getItem(nameOf(form)) ?? '{}');
  for (const [id, text] of Object.entries(kept)) {
    const field = form.querySelector(`#${CSS.escape(id)}`);
    if (field && !field.value) field.value = text;
  }
}

// The page after a form's effect has another `once`, and the server has said that it took the form.
function forgetSent() {
  const sent = JSON.parse(sessionStorage.getItem('portal:sent') ?? 'null');
  if (!sent) return;
  sessionStorage.removeItem('portal:sent');
  const here = document.querySelector('.banner.g-bad, .banner.g-wait, [aria-invalid=true]');
  const away = location.pathname.startsWith('/portal/sign-in') || !document.querySelector('.portal');
  if (!here && !away) sessionStorage.removeItem(sent);
}

async function follow(form) {
  const query = new URLSearchParams([...new FormData(form)].filter(([name, value]) => typeof value === 'string' && (name.startsWith('f.') || name === 'shown')));
  const response = await request(`${form.action}?${query}`);
  if (!response.ok || response.redirected) return;
  const fresh = new DOMParser().parseFromString(await response.text(), 'text/html').querySelector('#model-fields');
  const old = form.querySelector('#model-fields');
  const signature = (box) => [...box.querySelectorAll('[name=shown]')].map((one) => one.value).join();
  if (!fresh || signature(fresh) === signature(old)) return;
  const typed = new FormData(form), focus = document.activeElement?.id;
  old.replaceWith(fresh);
  for (const field of fresh.querySelectorAll('input:not([type=hidden], [type=checkbox]), textarea, select')) {
    if (typed.has(field.name)) field.value = typed.get(field.name);
  }
  if (focus) document.getElementById(focus)?.focus();
}

forgetSent();
for (const form of document.querySelectorAll('form[data-keeps]')) {
  restore(form);
  form.addEventListener('input', () => keep(form));
  form.addEventListener('submit', () => sessionStorage.setItem('portal:sent', JSON.stringify(nameOf(form))));
  if (form.dataset.fields !== undefined) form.addEventListener('change', (event) => { if (event.target.name?.startsWith('f.')) follow(form).catch(() => {}); });
}
