// The conversation of a page: bubbles in their order and each only once, whichever way they come; what was missed after a cut
// comes by itself. The page is a list and a form without this.
(() => {
  'use strict';

  const CATCH_UP_AFTER_MS = 100, TYPING_MS = 3000, TYPING_SHOWN_MS = 6000;
  const UUID = () => (crypto.randomUUID ? crypto.randomUUID() : '10000000-1000-4000-8000-100000000000'.replace(/[018]/g, c => (+c ^ crypto.getRandomValues(new Uint8Array(1))[0] & 15 >> +c / 4).toString(16)));
  const chat = () => document.getElementById('chat');
  const log = () => document.getElementById('log');
  const composer = () => document.getElementById('composer');
  const draftKey = () => `${PREFIX}${chat().dataset.me}:${chat().dataset.chat}`;

  // --- What is kept in this browser: sealed (AES-GCM) with a key that stands in the page and is the session's (core/browser_storage.py).
  // The script keeps it nowhere, so what lies in the storage is noise without a page of the same session. Where the browser has no
  // such ciphers (plain http) nothing is kept.
  const PREFIX = 'draft:', IV_BYTES = 12;
  const bytes = text => Uint8Array.from(atob(text), sign => sign.charCodeAt(0));
  const base64 = data => btoa(String.fromCharCode(...data));
  let made = { of: '', key: null };
  const sealingKey = () => {
    const of = chat()?.dataset.key ?? '';
    if (!of || !window.crypto?.subtle) return null;
    if (made.of !== of) made = { of, key: crypto.subtle.importKey('raw', bytes(of), 'AES-GCM', false, ['encrypt', 'decrypt']) };
    return made.key;
  };
  // The name of its place belongs to what is sealed: nothing opens in another place.
  const how = (iv, name) => ({ name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(name) });
  const seal = async (name, text) => {
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
    const sealed = await crypto.subtle.encrypt(how(iv, name), await sealingKey(), new TextEncoder().encode(text));
    return base64(new Uint8Array([...iv, ...new Uint8Array(sealed)]));
  };
  const unseal = async (name, kept) => {
    const data = bytes(kept);
    return new TextDecoder().decode(await crypto.subtle.decrypt(how(data.slice(0, IV_BYTES), name), await sealingKey(), data.slice(IV_BYTES)));
  };
  const drop = name => { try { localStorage.removeItem(name); } catch { /* a private window keeps nothing */ } };
  const turns = new Map(); // name -> how often it was written: sealing takes a moment, and only the last one counts
  const keep = async (name, text) => {
    const turn = (turns.get(name) ?? 0) + 1;
    turns.set(name, turn);
    if (!text || !sealingKey()) { drop(name); return; }
    try {
      const sealed = await seal(name, text);
      if (turns.get(name) === turn) localStorage.setItem(name, sealed);
    } catch { /* then there is no draft */ }
  };
  const kept = async name => {
    try {
      const sealed = localStorage.getItem(name);
      return sealed && chat()?.dataset.key ? await unseal(name, sealed) : '';
    } catch {
      drop(name); // of another session, meddled with, or of a time when drafts were not sealed
      return '';
    }
  };
  const dropForeign = () => { try { Object.keys(localStorage).filter(name => name.startsWith(PREFIX)).forEach(kept); } catch { /* as above */ } };

  // --- Bubbles
  const byClient = id => id && log().querySelector(`[data-client="${CSS.escape(id)}"]`);
  const nodes = html => { const box = document.createElement('template'); box.innerHTML = html; return box.content; };
  // Keys sort by time, so their order is the order of what was said. A pending bubble has none and stays last.
  const insert = bubble => {
    const after = [...log().querySelectorAll('[data-message]')].find(one => one.dataset.message > bubble.dataset.message);
    const pending = log().querySelector('[data-pending-bubble]');
    log().insertBefore(bubble, after ?? pending ?? null);
  };
  const place = bubble => {
    const known = document.getElementById(bubble.id) ?? byClient(bubble.dataset.client);
    // Our own bubble comes twice, from the answer and from the socket; the later one is as good as the first.
    if (known && known.dataset.state === 'read' && bubble.dataset.state === 'sent') bubble.dataset.state = 'read';
    if (known) known.replaceWith(bubble); else insert(bubble);
    htmx.process(bubble);
    chat().querySelector('[data-empty]').hidden = true;
    if (!known && bubble.hasAttribute('data-client') && !bubble.hasAttribute('data-mine')) sawMessage();
  };
  const placeAll = html => { const found = nodes(html); found.querySelectorAll('[data-signal]').forEach(signal); found.querySelectorAll('[data-message]').forEach(place); };

  // --- Reading
  let readTimer = 0;
  const sawMessage = () => {
    hideTyping();
    if (document.hidden) { unseen = true; return; }
    clearTimeout(readTimer);
    readTimer = setTimeout(() => { htmx.ajax('POST', chat().dataset.read, { swap: 'none', source: chat() }); }, 200);
  };
  let unseen = false;
  document.addEventListener('visibilitychange', () => { if (!document.hidden && unseen && chat()) { unseen = false; sawMessage(); } });

  // --- Signals: typing, presence, read marks
  let typingTimer = 0;
  const typingBubble = () => chat().querySelector('[data-typing-bubble]');
  const hideTyping = () => { clearTimeout(typingTimer); const bubble = typingBubble(); if (bubble) bubble.hidden = true; };
  const showTyping = () => { const bubble = typingBubble(); if (bubble) bubble.hidden = false; clearTimeout(typingTimer); typingTimer = setTimeout(hideTyping, TYPING_SHOWN_MS); };
  const presence = words => { const place = chat().querySelector('[data-presence]'); if (place) place.textContent = words; };
  const signal = one => {
    const { signal: event, upto, mine } = one.dataset;
    if (event === 'typing_start') showTyping();
    else if (event === 'typing_stop') hideTyping();
    else if (event === 'user_online') presence(chat().dataset.online);
    else if (event === 'user_offline') { presence(chat().dataset.away); hideTyping(); }
    else if (event === 'message_read' && !mine) log().querySelectorAll('[data-mine][data-message]').forEach(bubble => { if (bubble.dataset.message <= upto) bubble.dataset.state = 'read'; });
  };

  // --- The connection (its state is shown by app.js for all of a page)
  let socket = null;
  const catchUp = () => {
    if (!chat()) return;
    const first = log().querySelector('[data-message]');
    const bubbles = [...log().querySelectorAll('[data-message]')];
    // From the last thirty on: newer ones are new, these may have been changed or read meanwhile.
    const from = bubbles.length > 30 ? bubbles[bubbles.length - 30] : first;
    const address = from ? `${chat().dataset.messages}?since=${from.dataset.message}` : `${chat().dataset.messages}?since=00000000-0000-0000-0000-000000000000`;
    fetch(address, { headers: { 'HX-Request': 'true' }, credentials: 'same-origin' }).then(answer => (answer.ok && !answer.redirected ? answer.text() : '')).then(html => { placeAll(html); resend(); }, () => {});
  };
  document.addEventListener('htmx:wsOpen', event => {
    if (!chat()) return;
    socket = event.detail.socketWrapper;
    // Between reading the page and opening the socket something may have been said, and more while it was cut.
    setTimeout(catchUp, CATCH_UP_AFTER_MS);
  });
  document.addEventListener('htmx:wsClose', () => { socket = null; });
  document.addEventListener('liveSync', () => { if (chat()) catchUp(); });
  document.addEventListener('htmx:wsBeforeMessage', event => {
    if (!chat()) return;
    const text = event.detail.message;
    if (!/data-(message|signal)=/.test(text)) return; // a toast and the like is htmx's own work
    event.preventDefault();
    placeAll(text);
  });

  // --- Writing
  const pending = new Map(); // client id -> the form data of a message that nobody has confirmed
  const bubbleFor = (id, text) => {
    const bubble = chat().querySelector('template[data-pending]').content.firstElementChild.cloneNode(true);
    bubble.dataset.client = id;
    bubble.dataset.pendingBubble = '';
    bubble.querySelector('[data-text]').textContent = text;
    log().append(bubble);
    chat().querySelector('[data-scroll]').scrollTop = 0;
    return bubble;
  };
  const failed = id => {
    const bubble = byClient(id);
    if (!bubble || !('pendingBubble' in bubble.dataset)) return;
    const label = bubble.querySelector('[data-label]');
    label.textContent = `${chat().dataset.failed} `;
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'underline';
    button.textContent = chat().dataset.retry;
    button.addEventListener('click', () => post(id));
    label.append(button);
  };
  const post = id => {
    const data = pending.get(id), bubble = byClient(id);
    if (!data || !composer()) return;
    if (bubble?.querySelector('[data-label]')) bubble.querySelector('[data-label]').textContent = chat().dataset.sending;
    fetch(composer().action, { method: 'POST', body: data, credentials: 'same-origin', headers: { 'HX-Request': 'true', 'HX-Target': 'composer', 'X-CSRFToken': data.get('csrfmiddlewaretoken') } })
      .then(async answer => {
        const html = await answer.text();
        if (answer.status === 200 && !answer.redirected) { pending.delete(id); placeAll(html); return; }
        if (answer.status === 422) { pending.delete(id); refused(id, html); return; }
        failed(id);
      }, () => failed(id));
  };
  // The guard or the form says no: the words go back to where they were written, with what is wrong above them.
  const refused = (id, html) => {
    byClient(id)?.remove();
    const fresh = nodes(html).querySelector('#composer');
    if (!fresh) return;
    const file = composer().querySelector('[type=file]');
    composer().replaceWith(fresh);
    htmx.process(fresh);
    if (file?.files.length) fresh.querySelector('[type=file]').files = file.files;
    fresh.querySelector('textarea').focus();
  };
  const resend = () => pending.forEach((_data, id) => post(id));
  addEventListener('online', () => { if (chat()) resend(); });

  const say = (form, submitter) => {
    const data = new FormData(form, submitter);
    const text = data.get('text').trim(), file = data.get('file');
    if (!text && !(file && file.size)) { form.querySelector('textarea').focus(); return; }
    const id = form.querySelector('[name=client_id]').value || UUID();
    data.set('client_id', id);
    pending.set(id, data);
    bubbleFor(id, text || file.name);
    form.querySelector('[name=client_id]').value = UUID();
    form.querySelector('textarea').value = '';
    form.querySelector('[role=alert]')?.remove();
    if (file && file.size) { form.querySelector('[type=file]').value = ''; chosen(form); }
    keep(draftKey(), '');
    stopTyping();
    post(id);
  };
  // Before htmx sees it: this page sends by itself and keeps what is not confirmed.
  document.addEventListener('submit', event => {
    if (event.target.id !== 'composer' || !chat()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    say(event.target, event.submitter);
  }, true);
  document.addEventListener('keydown', event => {
    if (!event.target.matches?.('#composer textarea') || event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    // A phone's Enter is a new line: there is a button beside it.
    if (matchMedia('(pointer: coarse)').matches) return;
    event.preventDefault();
    composer().requestSubmit();
  });

  const chosen = form => {
    const file = form.querySelector('[type=file]').files[0], line = form.querySelector('[data-chosen]');
    line.classList.toggle('hidden', !file);
    line.classList.toggle('flex', Boolean(file));
    line.querySelector('[data-chosen-name]').textContent = file ? file.name : '';
  };
  document.addEventListener('change', event => { if (event.target.matches('#composer [type=file]')) chosen(composer()); });
  document.addEventListener('click', event => {
    if (!event.target.closest?.('[data-unchoose]')) return;
    composer().querySelector('[type=file]').value = '';
    chosen(composer());
  });

  // --- Typing, drafts
  let typing = false, quiet = 0, lastTold = 0;
  const tell = event => { try { socket?.send(JSON.stringify({ event }), chat()); } catch { /* it is only a hint */ } };
  const stopTyping = () => { clearTimeout(quiet); if (typing) { typing = false; tell('typing_stop'); } };
  document.addEventListener('input', event => {
    if (!event.target.matches('#composer textarea')) return;
    keep(draftKey(), event.target.value);
    const now = Date.now();
    if (!typing || now - lastTold > TYPING_MS) { typing = true; lastTold = now; tell('typing_start'); }
    clearTimeout(quiet);
    quiet = setTimeout(stopTyping, TYPING_MS);
  });
  const start = async () => {
    if (!chat()) return;
    dropForeign();
    const name = draftKey(), draft = await kept(name);
    const field = chat() && name === draftKey() ? composer()?.querySelector('textarea') : null;
    // Whoever has begun to write meanwhile is not interrupted.
    if (field && !field.value && !turns.has(name)) field.value = draft;
  };
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start); else start();
})();
