// Keys, copying, and forms that are not sent twice. Every page works without this file.
'use strict';
const root = document.documentElement;
root.classList.add('js');

const typing = (element) => element.closest('input:not([type=checkbox],[type=radio]), textarea, select, [contenteditable]');
const rows = () => [...document.querySelectorAll('#list tbody tr')];
const link = (name) => document.querySelector(`[data-key="${name}"]`);

/** Moves the chosen row, and the focus to its link. */
function choose(step) {
  const all = rows();
  if (!all.length) return;
  const now = all.findIndex((row) => row.hasAttribute('data-chosen'));
  const next = Math.min(all.length - 1, Math.max(0, now + step));
  all[now]?.removeAttribute('data-chosen');
  all[next].setAttribute('data-chosen', '');
  all[next].querySelector('a')?.focus();
}

let before = '';
document.addEventListener('keydown', (event) => {
  const { key, target } = event;
  if ((event.ctrlKey || event.metaKey) && key === 'Enter') {
    target.form?.requestSubmit();
    return;
  }
  if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === 'k') {
    event.preventDefault();
    document.querySelector('#find')?.focus();
    return;
  }
  if (key === 'Escape' && typing(target)) {
    target.blur();
    return;
  }
  if (key === 'Escape') target.closest('details[open]')?.removeAttribute('open');
  // Single keys can be switched off (WCAG 2.1.4), and never act while somebody types.
  if (event.ctrlKey || event.metaKey || event.altKey || typing(target) || root.dataset.keys === 'off') return;
  const first = before;
  before = key === 'g' ? 'g' : '';
  if (first === 'g' && link(`g ${key}`)) {
    event.preventDefault();
    link(`g ${key}`).click();
  } else if (key === '/') {
    event.preventDefault();
    document.querySelector('#find')?.focus();
  } else if (key === '?') {
    document.querySelector('#keys')?.showModal?.();
  } else if (key === 'j' || key === 'k') {
    choose(key === 'j' ? 1 : -1);
  } else if (key === 's' || key === 'a') {
    const kind = key === 's' ? 'status' : 'owner';
    const field = document.querySelector(`tr[data-chosen] [name=${kind}], main.one [name=${kind}]`);
    if (field) { event.preventDefault(); field.focus(); }
  } else if (key !== 'g' && link(key)) {
    const element = link(key);
    event.preventDefault();
    if (element.matches('textarea, input')) element.focus(); else element.click();
  }
});

document.addEventListener('click', (event) => {
  const copy = event.target.closest('[data-copy]');
  if (copy) {
    const label = copy.querySelector('[data-label]') ?? copy;
    navigator.clipboard?.writeText(copy.dataset.copy).then(() => {
      const was = label.textContent;
      label.textContent = copy.dataset.done;
      setTimeout(() => { label.textContent = was; }, 1500);
    });
  }
});

// A form that is being sent cannot be sent again. Fields are untouched, so nothing typed is lost.
document.addEventListener('submit', (event) => {
  const form = event.target;
  if (form.method !== 'post' || form.hasAttribute('hx-post')) return;
  if ('export' in form.dataset) { event.preventDefault(); download(form); return; }
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = 'yes';
  if ('upload' in form.dataset) { event.preventDefault(); upload(form); }
});
window.addEventListener('pageshow', () => {
  for (const form of document.querySelectorAll('form[data-sent]')) delete form.dataset.sent;
});

// A page that says that the database is away sends its form again after a while.
const again = document.querySelector('form[data-again]');
if (again) setTimeout(() => again.requestSubmit(), Number(again.dataset.again) * 1000);

// What a page says once is not said again when the page is loaded again.
const here = new URL(location);
if (here.searchParams.has('done')) {
  for (const name of ['done', 'event']) here.searchParams.delete(name);
  history.replaceState(history.state, '', here);
}

for (const field of document.querySelectorAll('select[data-sends]')) {
  field.addEventListener('change', () => field.form.requestSubmit());
}

/** Downloads an export with its progress. A file that breaks off is not saved. */
async function download(form) {
  if (form.dataset.sent) return;
  form.dataset.sent = 'yes';
  const box = form.querySelector('[data-progress]');
  const [bar, number, stop] = ['progress', '[data-rows]', '[data-stop]'].map((one) => box.querySelector(one));
  const say = (word) => { box.querySelector('[role=status]').textContent = box.dataset[word]; };
  const stopping = new AbortController();
  stop.onclick = () => stopping.abort();
  if (form.dataset.total) bar.max = Math.max(1, form.dataset.total);
  bar.removeAttribute('value');
  box.hidden = stop.hidden = bar.hidden = false;
  say('running');
  try {
    const response = await fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)), signal: stopping.signal });
    // A page says why there is no file. The browser shows it when it sends the form itself.
    if (!response.ok || !response.headers.get('content-type').startsWith('text/csv')) { form.submit(); return; }
    const reader = response.body.getReader();
    // Blobs need not stay in memory. The first row is the head.
    let [parts, held, size, rows, isQuoted] = [[], [], 0, -1, false];
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      for (const byte of step.value) {
        if (byte === 34) isQuoted = !isQuoted;
        else if (byte === 10 && !isQuoted) rows += 1;
      }
      held.push(step.value);
      size += step.value.length;
      if (size > 4194304) [parts, held, size] = [[...parts, new Blob(held)], [], 0];
      number.textContent = rows.toLocaleString(root.lang);
      if (form.dataset.total) bar.value = rows;
    }
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([...parts, ...held], { type: 'text/csv' }));
    link.download = response.headers.get('content-disposition').match(/filename="(.+)"/)[1];
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    say('done');
  } catch {
    say(stopping.signal.aborted ? 'stopped' : 'failed');
  }
  stop.hidden = bar.hidden = true;
  delete form.dataset.sent;
}

// A file that is too large is refused before it is sent.
document.addEventListener('change', ({ target: file }) => {
  if (!file.dataset.most) return;
  file.setCustomValidity(file.files[0]?.size > Number(file.dataset.most) ? file.dataset.tooLarge : '');
  file.reportValidity();
});

/** Sends a file with its progress. */
function upload(form) {
  const bar = form.querySelector('progress');
  const request = new XMLHttpRequest();
  request.open('POST', form.action);
  request.upload.addEventListener('progress', ({ loaded, total }) => { bar.value = loaded / total; });
  request.addEventListener('load', () => {
    if (request.status < 400) { location.assign(request.responseURL); return; }
    // The page that a form without a script would lead to.
    const page = new DOMParser().parseFromString(request.responseText, 'text/html');
    history.pushState(null, '', form.action);
    document.title = page.title;
    document.body.replaceWith(page.body);
    document.querySelector('[autofocus]')?.focus();
  });
  // Without an answer, the browser sends the form itself, and tells what is wrong.
  request.addEventListener('error', () => form.submit());
  request.send(new FormData(form));
  bar.hidden = false;
}
