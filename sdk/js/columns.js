// From columns to customers: one object a row, whose properties are read when they are asked for.

/** Field types, and the function of the contract that hands each over. */
export const TYPES = {
  fen: 's64s', instant: 's64s', count: 's64s', small: 's32s', date: 's32s', ratio: 'f64s', boolean: 'booleans',
  category: 'codes', text: 'textsOf',
};

const LARGEST = Number.MAX_SAFE_INTEGER;
/** Under which a row object keeps its number: no field is called so. */
const ROW = Symbol('row');
const NONE = 0xffffffff;

/** `tenureMonths` and `tenure_months` are `tenure-months`; a digit begins no word of its own: `spendD1` is `spend-d1`. */
export function kebab(name) {
  return name.replace(/_/g, '-').replace(/[A-Z]/g, (letter, at) => (at === 0 ? '' : '-') + letter.toLowerCase());
}

/** The fields that a specification such as `{ points: 'count?' }` declares, in its order. */
export function fieldsOf(specification, place) {
  return Object.entries(specification ?? {}).map(([key, type]) => {
    const joined = typeof type === 'object' && type !== null ? type : undefined;
    const written = joined ? joined.type : type;
    const optional = typeof written === 'string' && written.endsWith('?');
    const name = optional ? written.slice(0, -1) : written;
    if (!(name in TYPES)) {
      throw new TypeError(`${place}.${key} is ${JSON.stringify(type)}, which is no field type; use one of ` +
        `${Object.keys(TYPES).join(', ')}, with a "?" where a customer may lack it`);
    }
    return { key, name: joined?.field ?? kebab(key), type: name, optional, joined };
  });
}

/** A customer's field whose row in a reference table the host finds: `tariff: joined('tariffs', 'key', 'category')`. */
export function joined(table, key, type = 'category', field = undefined) {
  return { table, key, type, field };
}

/**
 * Fetches the columns of some fields and returns how to read a row: an object, or undefined where it lacks a value that
 * is not optional.
 */
export function reader(host, table, fields, tables = {}) {
  const columns = fields.map((field) => column(host, table, field, tables));
  function Row(row) {
    this[ROW] = row;
  }
  fields.forEach((field, at) => {
    const { read } = columns[at];
    Object.defineProperty(Row.prototype, field.key, { enumerable: true, get() { return read(this[ROW]); } });
  });
  Object.setPrototypeOf(Row.prototype, undeclared(table, fields));
  const needed = columns.filter((one, at) => !fields[at].optional && one.gappy).map((one) => one.has);
  const make = (row) => new Row(row);
  if (needed.length === 0) return make;
  return (row) => {
    for (let at = 0; at < needed.length; at += 1) if (!needed[at](row)) return undefined;
    return make(row);
  };
}

/** What stands behind the declared fields of a row: whatever else is read of it is a mistake, told rather than undefined. */
function undeclared(table, fields) {
  return new Proxy(Object.create(null), {
    get(_, key) {
      if (typeof key === 'symbol' || ['toJSON', 'then', 'constructor', 'inspect'].includes(key)) return undefined;
      throw new TypeError(`field ${kebab(key)} of ${table} is not declared for this stage: add ${key}: '…'` +
        nearest(key, fields.map((field) => field.key)));
    },
  });
}

function column(host, table, field, tables) {
  if (field.joined) {
    const { table: other, key } = field.joined;
    const rows = host.rowsOf(field.name, other, kebab(key));
    const has = (row) => rows[row] !== NONE;
    return { has, gappy: true, read: (row) => (has(row) ? tables[other]?.[rows[row]] : undefined) };
  }
  const present = host.present(table, field.name);
  const full = present.length === 0;
  const has = full ? () => true : (row) => (present[row >> 3] >> (row & 7) & 1) === 1;
  const value = values(host, table, field);
  const read = full ? value : (row) => (has(row) ? value(row) : undefined);
  if (field.type !== 'ratio') return { has, gappy: !full, read };
  // A model's way to say "no value" is NaN.
  const isNumber = (row) => has(row) && !Number.isNaN(value(row));
  return { has: isNumber, gappy: true, read: (row) => (isNumber(row) ? value(row) : undefined) };
}

function values(host, table, field) {
  const cells = host[TYPES[field.type]](table, field.name);
  switch (TYPES[field.type]) {
    case 's64s':
      return (row) => {
        const cell = cells[row];
        if (cell > LARGEST || cell < -LARGEST) throw beyond(field.name, row, cell);
        return cell;
      };
    case 'booleans':
      return (row) => cells[row] !== 0;
    case 'codes': {
      const categories = host.categories(table, field.name);
      return (row) => categories[cells[row]];
    }
    case 'textsOf':
      return (row) => utf8(cells.bytes, cells.offsets[row], cells.offsets[row + 1]);
    default:
      return (row) => cells[row];
  }
}

function beyond(name, row, cell) {
  return new RangeError(`row ${row}: field ${name} holds about ${cell}, beyond 2^53, which JavaScript cannot hold ` +
    'exactly; correct the data, or write the activity in Rust or Python');
}

/** A whole number that crosses to the host exactly. */
export function exact(what, value) {
  if (typeof value === 'bigint') return exact(what, Number(value));
  if (!Number.isInteger(value)) throw new TypeError(`${what} is ${shown(value)}, which is no whole number`);
  if (!Number.isSafeInteger(value)) {
    throw new RangeError(`${what} is ${value}, beyond 2^53, which JavaScript cannot hold exactly`);
  }
  return value;
}

/** A value in an error, shortened. */
export function shown(value) {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** The known names nearest to a wrong one, as the end of a sentence. */
export function nearest(wrong, known) {
  const near = known.map((name) => [distance(String(wrong), name), name])
    .filter(([far, name]) => far <= Math.max(1, Math.max(name.length, String(wrong).length) >> 1)).sort((a, b) => a[0] - b[0]);
  return near.length ? `; nearest: ${near.slice(0, 3).map(([, name]) => name).join(', ')}` : `; known: ${known.join(', ')}`;
}

function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 0; i < a.length; i += 1) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j += 1) {
      next.push(Math.min(row[j] + (a[i] === b[j] ? 0 : 1), row[j + 1] + 1, next[j] + 1));
    }
    row = next;
  }
  return row[b.length];
}

/** Reads UTF-8; QuickJS has no TextDecoder. */
export function utf8(bytes, from = 0, to = bytes.length) {
  let text = '';
  for (let at = from; at < to;) {
    const first = bytes[at];
    const more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    let code = more === 0 ? first : first & (0x3f >> more);
    for (let next = 1; next <= more; next += 1) code = code << 6 | bytes[at + next] & 0x3f;
    text += String.fromCodePoint(code);
    at += more + 1;
  }
  return text;
}

/** Whether a text is one byte a letter. Patterns are matched natively, which loops are not. */
export function isAscii(text) {
  // eslint-disable-next-line no-control-regex
  return /^[\x00-\x7f]*$/.test(text);
}

/** Writes UTF-8; QuickJS has no TextEncoder, but writes addresses in it. */
export function toUtf8(text) {
  const letters = isAscii(text) ? text : unescape(encodeURIComponent(text));
  const { length } = letters;
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 1) bytes[at] = letters.charCodeAt(at);
  return bytes;
}
