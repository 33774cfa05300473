// For `care plugin simulate --profile`: tells the host where each rule begins and ends. The interpreter shows no other function.

/** The parameter by which the host asks; no activity can have one of that name. */
const ASKED = 'care:profile';
const RULES = ['select', 'schedule', 'compose'];

/** The parameters without the host's own, and the rules: noted where the host asks for it, else as they are. */
export function noted(activity, host, params) {
  const { [ASKED]: asked, ...own } = params;
  if (!asked) return [params, activity];
  // `(` is where telling begins, `>` and `<` where a rule does and ends; `=` is nothing, told to know what telling costs.
  const note = (mark) => {
    host.log('care-profile (');
    host.log(`care-profile ${mark}`);
  };
  for (let times = 0; times < 8; times += 1) note('=');
  const rule = (name) => {
    const { fileName = 'activity.js', lineNumber = 1 } = activity[name];
    const place = `> ${fileName.split('/').pop()}:${lineNumber} ${name}`;
    return (...given) => {
      note(place);
      try {
        return activity[name](...given);
      } finally {
        note('<');
      }
    };
  };
  return [own, Object.fromEntries(RULES.map((name) => [name, rule(name)]))];
}
