// Requests. A thin bar appears after 300 ms; a request that the server could not take is sent again with the same
// `once`, so it has one effect; an error is told in a toast and what was typed stays.
import { t } from './text.js';
import { toast } from './toast.js';

const AGAIN = [502, 503, 504], TRIES = 4, FIRST_WAIT_MS = 700, TIMEOUT_MS = 20_000;
let running = 0;

export class Refused extends Error {
  constructor(status, problem) { super(problem.detail ?? t('The desk did not answer.')); this.status = status; this.problem = problem; }
}

function busy(change) {
  running += change;
  document.documentElement.toggleAttribute('data-busy', running > 0);
}

async function attempt(url, options) {
  const response = await fetch(url, { cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS), ...options });
  if (AGAIN.includes(response.status)) throw new Refused(response.status, {});
  return response;
}

// `repeatable`: a GET, or a POST that the server knows by its `once`.
export async function request(url, options = {}, repeatable = true) {
  busy(1);
  try {
    for (let number = 1; ; number += 1) {
      try {
        return await attempt(url, options);
      } catch (error) {
        if (!repeatable || number === TRIES) throw error;
        await new Promise((done) => setTimeout(done, FIRST_WAIT_MS * 2 ** (number - 1)));
      }
    }
  } finally { busy(-1); }
}

export async function page(url, headers = {}) {
  const response = await request(url, { headers });
  if (response.status === 304) return null;
  if (response.redirected && new URL(response.url).pathname === '/sign-in') throw new Refused(401, { detail: t('Your session has ended. Sign in again.') });
  if (!response.ok) throw new Refused(response.status, {});
  return new DOMParser().parseFromString(await response.text(), 'text/html');
}

// Sends a form; returns the page that follows. Raises Refused with the problem that the server tells.
export async function send(form, submitter) {
  const data = new FormData(form, submitter);
  if (form.dataset.once !== undefined && !data.has('once')) data.set('once', crypto.randomUUID());
  const response = await request(form.action, {
    method: 'POST', body: new URLSearchParams(data), headers: { Accept: 'text/html, application/json' },
  }, data.has('once'));
  if (!response.ok) throw new Refused(response.status, await response.json().catch(() => ({})));
  return new DOMParser().parseFromString(await response.text(), 'text/html');
}

export function tell(error) {
  const away = error instanceof TypeError || error.name === 'TimeoutError';
  toast(away ? t('No connection. Your text is kept.') : error.message, { bad: true });
}
