// The undo of a toast without a new page: what it takes back shows at once.
import { soon } from './live.js';
import { send, tell } from './net.js';
import { adopt } from './toast.js';

const DONE_MS = 600;   // a small undo is done by then

document.addEventListener('submit', async (event) => {
  const toast = event.target.closest?.('[data-toast]');
  if (!toast || event.defaultPrevented) return;
  event.preventDefault();
  try {
    const fresh = await send(event.target, event.submitter);
    adopt(fresh);
    dispatchEvent(new CustomEvent('undone', { detail: { fresh } }));
    toast.remove();
    document.getElementById('rows')?.dispatchEvent(new Event('list:own'));
    setTimeout(soon, DONE_MS);
  } catch (error) { tell(error); }
});
