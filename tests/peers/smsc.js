// A short-message centre made with node-smpp, which does on demand what real ones do by accident.
// node smsc.js '{"system_id":…, "password":…, "log":FILE, "faults":{…}, "receipts":{…}}'; prints its port; commands come
// as JSON lines on standard input.
const fs = require('fs');
const smpp = require('smpp');
const options = JSON.parse(process.argv[2]);
const faults = options.faults || {};
const receipts = options.receipts || { mode: 'none' };
const log = fs.openSync(options.log, 'a');
const note = (what) => fs.writeSync(log, JSON.stringify(what) + '\n');
let submits = 0;
let whole = 0;
let ids = 0;
const bound = new Set();
const every = (n) => n > 0 && submits % n === 0;

function text(message) {
  if (typeof message.message === 'string') return message.message;
  return message.message ? message.message.toString('latin1') : '';
}

// The newest link that is bound; a receipt waits for one.
function deliver(pdu, tries) {
  const session = [...bound].pop();
  if (!session) {
    if (tries < 2400) setTimeout(() => deliver(pdu, tries + 1), 50);
    return;
  }
  const sent = session.deliver_sm(pdu, (answer) => {
    note({ deliver_answer: answer.command_status, to: pdu.source_addr });
    if (answer.command_status !== 0 && tries < 2400) setTimeout(() => deliver(pdu, tries + 1), 50);
  });
  if (!sent && tries < 2400) setTimeout(() => deliver(pdu, tries + 1), 50);
}

function receipt(id, pdu, state) {
  const stat = state || (receipts.undelivered_every && ids % receipts.undelivered_every === 0 ? 'UNDELIV' : 'DELIVRD');
  const body = `id:${id} sub:001 dlvrd:001 submit date:2607291000 done date:2607291001 stat:${stat} err:000 text:`;
  deliver({ source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, esm_class: 4, short_message: body }, 0);
}

function receiptsOf(id, pdu) {
  if (receipts.mode === 'none') return;
  const stat = receipts.undelivered_every && ids % receipts.undelivered_every === 0 ? 'UNDELIV' : 'DELIVRD';
  if (receipts.mode === 'chaos') {
    // The end before the way there, the end twice, and late.
    receipt(id, pdu, stat);
    setTimeout(() => receipt(id, pdu, 'ENROUTE'), 30);
    setTimeout(() => receipt(id, pdu, stat), 60);
    return;
  }
  setTimeout(() => receipt(id, pdu, stat), receipts.delay_ms || 0);
}

function submitted(session, pdu) {
  // What is written to a link that is being closed is read by nobody.
  if (faults.close_after_bind) return undefined;
  submits += 1;
  const seen = { n: submits, to: pdu.destination_addr, text: text(pdu.short_message), coding: pdu.data_coding,
    esm: pdu.esm_class, from: pdu.source_addr, validity: pdu.validity_period,
    udh: pdu.short_message.udh ? Buffer.concat([].concat(pdu.short_message.udh)).toString('hex') : '' };
  const refuse = (did, status) => {
    note({ ...seen, did });
    session.send(pdu.response({ command_status: status }));
  };
  if (every(faults.throttle_every)) return refuse('throttled', 0x58);
  if (every(faults.busy_every)) return refuse('busy', 0x08);
  if (every(faults.refuse_every)) return refuse('refused', 0x0b);
  if (every(faults.nack_every)) {
    note({ ...seen, did: 'nacked' });
    return session.send(new smpp.PDU('generic_nack', { command_status: 3, sequence_number: pdu.sequence_number }));
  }
  if (faults.down) return session.destroy();
  ids += 1;
  const id = `m${process.pid}-${ids}`;
  // From here on the message is taken.
  if (every(faults.never_every)) return note({ ...seen, did: 'unanswered', id });
  if (every(faults.cut_every)) {
    note({ ...seen, did: 'cut', id });
    return session.destroy();
  }
  if (every(faults.garbage_every)) {
    note({ ...seen, did: 'garbage', id });
    return session.socket.write(Buffer.from('ffffffff00000000garbage-garbage', 'latin1'));
  }
  // Of a message in several segments, one that is late leaves the customer with a part: that stays unknown.
  if (!seen.udh && faults.late_every && ++whole % faults.late_every === 0) {
    note({ ...seen, did: 'late', id });
    return setTimeout(() => session.send(pdu.response({ message_id: id })), faults.late_ms);
  }
  note({ ...seen, did: 'accepted', id });
  if (receipts.mode === 'early') receipt(id, pdu);
  const answer = () => {
    session.send(pdu.response({ message_id: id }));
    if (every(faults.twice_every)) session.send(pdu.response({ message_id: id }));
    if (receipts.mode !== 'early') receiptsOf(id, pdu);
  };
  return options.latency_ms ? setTimeout(answer, options.latency_ms) : answer();
}

const server = smpp.createServer((session) => {
  const gone = () => bound.delete(session);
  session.on('close', gone);
  session.on('error', gone);
  session.on('bind_transceiver', (pdu) => {
    const known = pdu.system_id === options.system_id && pdu.password === options.password;
    note({ bind: pdu.system_id, ok: known, version: pdu.interface_version });
    if (!known) {
      session.send(pdu.response({ command_status: 0x0e }));
      return session.close();
    }
    session.send(pdu.response({ system_id: 'smsc' }));
    if (faults.close_after_bind) return setTimeout(() => session.destroy(), 5);
    return bound.add(session);
  });
  session.on('enquire_link', (pdu) => { if (!faults.deaf) session.send(pdu.response()); });
  session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); });
  session.on('submit_sm', (pdu) => submitted(session, pdu));
});
server.listen(options.port || 0, '127.0.0.1', () => console.log(`port ${server.address().port}`));

require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const command = JSON.parse(line);
  if (command.faults) Object.assign(faults, command.faults);
  if (command.write) {
    const { from, to, text: said } = command.write;
    deliver({ source_addr: from, destination_addr: to, short_message: said }, 0);
  }
  if (command.raw_receipt) deliver({ source_addr: '1', destination_addr: '2', esm_class: 4, short_message: command.raw_receipt }, 0);
});
