// The composer: drafts at every key (in the browser at once, at the desk after two seconds), files by choice, drag and
// paste, and sending without a reload. What is typed is never lost: it stays until the desk has it.
import { Refused, request, tell } from './net.js';
import { show, soon } from './live.js';
import { adopt } from './toast.js';
import { bind } from './keys.js';
import { t } from './text.js';

const STORE_MS = 2000;
const form = document.getElementById('composer');

function setUp() {
  const text = form.querySelector('textarea'), saved = document.getElementById('saved');
  const key = `draft:${document.querySelector('[data-ticket]').dataset.ticket}`;
  let timer = 0, sending = false;

  const kind = () => form.elements.kind.value;
  const local = () => { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } };

  function keep() {
    if (text.value) localStorage.setItem(key, JSON.stringify({ kind: kind(), body: text.value, at: Date.now() }));
    else localStorage.removeItem(key);
    clearTimeout(timer);
    timer = setTimeout(store, STORE_MS);
  }

  async function store() {
    if (sending) return;
    const data = new URLSearchParams({ csrf: form.elements.csrf.value, kind: kind(), body: text.value, seen: form.elements.seen.value });
    for (const one of form.querySelectorAll('input[name=files]')) data.append('files', one.value);
    try {
      const response = await request(form.dataset.draft, { method: 'POST', body: data, headers: { Accept: 'application/json' } });
      if (response.ok) saved.textContent = text.value ? t('Draft saved') : '';
    } catch { saved.textContent = t('The draft is kept in this browser'); }
  }

  function restore() {
    const kept = local();
    if (!kept?.body || text.value) return;
    text.value = kept.body;
    const choice = form.querySelector(`input[name=kind][value=${kept.kind === 'note' ? 'note' : 'reply'}]`);
    if (choice && !choice.disabled) choice.checked = true;
  }

  async function submit(event) {
    event.preventDefault();
    if (sending) return;
    if (!text.value.trim()) { text.focus(); return; }
    sending = true;
    clearTimeout(timer);
    form.setAttribute('aria-busy', 'true');
    const data = new URLSearchParams(new FormData(form, event.submitter));
    try {
      const response = await request(form.action, { method: 'POST', body: data, headers: { Accept: 'text/html' } });
      const fresh = new DOMParser().parseFromString(await response.text(), 'text/html');
      const next = fresh.getElementById('composer');
      if (!next) throw new Refused(response.status, { detail: fresh.querySelector('main')?.textContent.trim() });
      take(next, response.ok);
      show(fresh); adopt(fresh);
      if (response.ok) soon();
    } catch (error) {
      tell(error);
    } finally { sending = false; form.removeAttribute('aria-busy'); }
  }

  // The composer of the page that the desk answered: empty after a message, with the reason after a refusal.
  function take(next, done) {
    form.elements.once.value = next.elements.once.value;
    form.elements.seen.value = next.elements.seen.value;
    for (const old of form.querySelectorAll('.held')) old.remove();
    for (const one of next.querySelectorAll('.held')) form.querySelector('header').before(document.importNode(one, true));
    form.querySelector('.as-reply.send').textContent = next.querySelector('.as-reply.send').textContent;
    if (!done) return;
    localStorage.removeItem(key);
    text.value = '';
    text.blur();   // so that the next key is a command: Z takes back, E moves on
    document.getElementById('files').replaceChildren();
    saved.textContent = '';
  }

  async function upload(files) {
    for (const file of files) {
      const data = new FormData();
      data.append('file', file, file.name || 'pasted.png');
      try {
        const response = await request(`${form.dataset.draft.replace(/draft$/, 'files')}`, { method: 'POST', body: data, headers: { Accept: 'application/json', 'X-Csrf': form.elements.csrf.value } }, false);
        const answer = await response.json();
        if (!response.ok) throw Object.assign(new Error(answer.detail), { status: response.status });
        chip(answer);
        keep();
      } catch (error) { tell(error); }
    }
  }

  function chip(file) {
    const element = document.createElement('span'), remove = document.createElement('button'), input = document.createElement('input');
    element.className = 'chip x'; element.textContent = `${file.filename} `;
    input.type = 'hidden'; input.name = 'files'; input.value = file.id;
    remove.type = 'button'; remove.textContent = '×'; remove.setAttribute('aria-label', t('Remove the file'));
    remove.addEventListener('click', () => { element.remove(); keep(); });
    element.append(input, remove);
    document.getElementById('files').append(element);
  }

  function write(wanted) {
    const choice = form.querySelector(`input[name=kind][value=${wanted}]`);
    if (choice.disabled) return;
    choice.checked = true;
    text.focus();
  }

  bind('r', () => write('reply'), t('Reply'));
  bind('n', () => write('note'), t('Note'));
  text.addEventListener('input', keep);
  form.addEventListener('change', (event) => { if (event.target.name === 'kind') { keep(); text.focus(); } });
  form.addEventListener('submit', submit);
  document.getElementById('file').addEventListener('change', (event) => { upload(event.target.files); event.target.value = ''; });
  for (const kindOf of ['dragover', 'dragleave', 'drop']) {
    form.addEventListener(kindOf, (event) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      form.classList.toggle('is-over', kindOf === 'dragover');
      if (kindOf === 'drop') upload(event.dataTransfer.files);
    });
  }
  text.addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length) { event.preventDefault(); upload(files); }
  });
  // A reply that was taken back is the draft again; a text that was begun meanwhile stays in front of it.
  addEventListener('undone', ({ detail }) => {
    const draft = detail.fresh.getElementById('text')?.value;
    if (draft && !text.value.trim()) { text.value = draft; keep(); }
  });
  addEventListener('pagehide', () => { if (text.value) keep(); });
  restore();
}

if (form) setUp();
