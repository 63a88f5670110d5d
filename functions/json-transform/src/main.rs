//! Orders in, totals per customer out: reads a JSON array of orders `{"customer": text, "items": [{"price": number,
//! "quantity": number}]}`, leaves out those with `"cancelled": true`, and answers the customers by falling total.

mod parse;
mod value;
mod write;

use guest::Refusal;
use std::collections::BTreeMap;
use value::Value;

#[derive(Default)]
struct Total {
    orders: u32,
    items: u32,
    amount: f64,
}

fn missing(order: usize, what: &str) -> Refusal {
    Refusal::new(format_args!("Cannot transform order {order}: expected {what}"))
}

/// Adds up one order; false if it was cancelled.
fn add_order<'a>(totals: &mut BTreeMap<&'a str, Total>, order: &'a Value, index: usize) -> Result<bool, Refusal> {
    let customer = order.member("customer").and_then(Value::as_text);
    let customer = customer.ok_or_else(|| missing(index, "a text \"customer\""))?;
    let items = order.member("items").and_then(Value::as_array);
    let items = items.ok_or_else(|| missing(index, "an array \"items\""))?;
    if matches!(order.member("cancelled"), Some(Value::Boolean(true))) {
        return Ok(false);
    }
    let total = totals.entry(customer).or_default();
    total.orders += 1;
    for item in items {
        let number = |name| item.member(name).and_then(Value::as_number);
        let (price, quantity) = number("price")
            .zip(number("quantity"))
            .ok_or_else(|| missing(index, "a number \"price\" and a number \"quantity\" in each item"))?;
        total.items += 1;
        total.amount += price * quantity;
    }
    Ok(true)
}

fn customer(name: &str, total: &Total) -> Value {
    let cents = (total.amount * 100.0).round() / 100.0;
    Value::Object(vec![
        ("customer".into(), Value::Text(name.into())),
        ("orders".into(), Value::Number(f64::from(total.orders))),
        ("items".into(), Value::Number(f64::from(total.items))),
        ("total".into(), Value::Number(cents)),
    ])
}

fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let document = parse::parse(input)?;
    let orders = document.as_array();
    let orders = orders.ok_or_else(|| Refusal::new("Cannot transform the input: expected a JSON array of orders"))?;
    let mut totals = BTreeMap::new();
    let mut cancelled = 0;
    for (index, order) in orders.iter().enumerate() {
        cancelled += u32::from(!add_order(&mut totals, order, index)?);
    }
    let mut ranked: Vec<_> = totals.iter().collect();
    ranked.sort_by(|left, right| right.1.amount.total_cmp(&left.1.amount));
    let report = Value::Object(vec![
        ("orders".into(), Value::Number(orders.len() as f64)),
        ("cancelled".into(), Value::Number(f64::from(cancelled))),
        ("customers".into(), Value::Array(ranked.into_iter().map(|(name, total)| customer(name, total)).collect())),
    ]);
    write::write(&report, output);
    output.push(b'\n');
    Ok(())
}

fn main() {
    guest::run(answer);
}
