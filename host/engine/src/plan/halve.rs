//! Calls a plugin on a batch; where it breaks, the batch is halved down to the rows that break it.

use care_sandbox::{Broken, Fault, MachineError};

/// Halvings that one plugin may cause in one task: a plugin that breaks on every row costs bounded work.
pub(crate) const MAX_HALVINGS: u32 = 64;

/// Rows with the answer for them, and rows with the fault they cause.
pub(crate) struct Answers<T> {
    pub(crate) good: Vec<(Vec<u32>, T)>,
    pub(crate) bad: Vec<(Vec<u32>, Fault)>,
}

/// Calls on `rows` (ascending). A fault of the machine ends it.
pub(crate) fn halved<T>(
    rows: &[u32],
    halvings: &mut u32,
    call: &mut dyn FnMut(&[u32]) -> Result<T, Broken>,
) -> Result<Answers<T>, MachineError> {
    let mut answers = Answers { good: Vec::new(), bad: Vec::new() };
    // A stack, last part first, so that answers come in the order of rows.
    let mut waiting = vec![rows];
    while let Some(part) = waiting.pop() {
        if part.is_empty() {
            continue;
        }
        match call(part) {
            Ok(answer) => answers.good.push((part.to_vec(), answer)),
            Err(Broken::Machine(error)) => return Err(error),
            Err(Broken::Fault(_)) if part.len() > 1 && *halvings > 0 => {
                *halvings -= 1;
                let (left, right) = part.split_at(part.len() / 2);
                waiting.extend([right, left]);
            }
            Err(Broken::Fault(fault)) => answers.bad.push((part.to_vec(), fault)),
        }
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use care_sandbox::FaultCode;

    fn breaks_on(bad: &[u32]) -> impl FnMut(&[u32]) -> Result<usize, Broken> {
        move |rows| {
            if rows.iter().any(|r| bad.contains(r)) {
                Err(Broken::Fault(Fault { code: FaultCode::Trap, message: String::new() }))
            } else {
                Ok(rows.len())
            }
        }
    }

    #[test]
    fn only_the_rows_that_break_it_are_lost() {
        let rows: Vec<u32> = (0..1_000).collect();
        let mut halvings = MAX_HALVINGS;
        let answers = halved(&rows, &mut halvings, &mut breaks_on(&[17, 900])).expect("no machine fault");
        let bad: Vec<u32> = answers.bad.iter().flat_map(|(rows, _)| rows.clone()).collect();
        assert_eq!(bad, [17, 900]);
        assert_eq!(answers.good.iter().map(|(_, n)| n).sum::<usize>(), 998);
        let order: Vec<u32> = answers.good.iter().flat_map(|(rows, _)| rows.clone()).collect();
        assert!(order.is_sorted());
    }

    #[test]
    fn a_plugin_that_breaks_on_every_row_costs_bounded_calls() {
        let rows: Vec<u32> = (0..8_192).collect();
        let mut halvings = MAX_HALVINGS;
        let mut calls = 0;
        let mut broken = breaks_on(&rows);
        let answers = halved(&rows, &mut halvings, &mut |part| {
            calls += 1;
            broken(part)
        });
        let bad: usize = answers.expect("no machine fault").bad.iter().map(|(rows, _)| rows.len()).sum();
        assert_eq!(bad, 8_192);
        assert!(calls <= 2 * MAX_HALVINGS + 1, "{calls}");
    }
}
