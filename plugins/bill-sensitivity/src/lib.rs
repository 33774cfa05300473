//! 费用敏感度 bill sensitivity (S1: the preference model in four levels, whose formula the documents do not give; the
//! rule is ours†): one point each for what shows that somebody watches the bill.
//!
//! - †Asked for the bill at least once in 90 days: one point; as often as `many_queries`: two.
//! - †Bills of the last three months that differ by more than `spread` of their mean: one point. No bill at all: none.
//! - †动感地带 m-zone, which has most of the bill-sensitive (S1): one point.
//! - No point is 初级, one 低级, two 中级, more 高级.

use care_sdk::{Category, Fen, Model, Row, Run};
use serde::Deserialize;

#[derive(Deserialize)]
struct Params {
    many_queries: i64,
    spread: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Category)]
enum Brand {
    MZone,
    #[category(other)]
    Other,
}

#[derive(Row)]
struct Input {
    brand: Option<Brand>,
    bill_queries: i64,
    bill_m1: Fen,
    bill_m2: Fen,
    bill_m3: Fen,
}

struct BillSensitivity {
    params: Params,
}

impl Model for BillSensitivity {
    type Params = Params;
    type Tables = ();
    type Input = Input;

    fn prepare(params: Params, (): (), _: Run) -> Result<Self, String> {
        Ok(Self { params })
    }

    fn derive(&self, who: &Input) -> Option<f64> {
        let asks = if who.bill_queries >= self.params.many_queries { 2 } else { u8::from(who.bill_queries > 0) };
        let points = asks + u8::from(self.varies(who)) + u8::from(who.brand == Some(Brand::MZone));
        Some(f64::from(points.min(3)))
    }
}

impl BillSensitivity {
    fn varies(&self, who: &Input) -> bool {
        let bills = [who.bill_m1.0, who.bill_m2.0, who.bill_m3.0].map(|fen| fen as f64);
        let mean = bills.iter().sum::<f64>() / 3.0;
        let (least, most) = bills.iter().fold((f64::MAX, f64::MIN), |(l, m), bill| (l.min(*bill), m.max(*bill)));
        mean > 0.0 && most - least > self.params.spread * mean
    }
}

care_sdk::export_model!(BillSensitivity);

#[cfg(test)]
mod tests;
