//! The messages of a batch: templates with typed slot values, never free text.

use crate::activity::Choice;
use crate::bindings::care::activity::tables::Texts;
use crate::bindings::exports::care::activity::content;
use crate::units::{Date, Fen};
use std::fmt::Display;
use std::marker::PhantomData;

/// Collects what is said to the customers of a batch, one after the other.
pub struct Messages<T, S> {
    row: u32,
    messages: content::Messages,
    kinds: PhantomData<(T, S)>,
}

impl<T: Choice, S: Choice> Messages<T, S> {
    pub(crate) fn new() -> Self {
        let slot = || Texts { offsets: vec![0], bytes: Vec::new() };
        let slots = S::NAMES.iter().map(|_| slot()).collect();
        let messages = content::Messages { rows: Vec::new(), templates: Vec::new(), slots };
        Self { row: 0, messages, kinds: PhantomData }
    }

    pub(crate) fn about(&mut self, row: u32) {
        self.row = row;
    }

    pub(crate) fn finish(self) -> content::Messages {
        self.messages
    }

    /// Adds a message; fill its slots on what this returns.
    pub fn message(&mut self, template: T) -> Message<'_, T, S> {
        self.messages.rows.push(self.row);
        self.messages.templates.push(template.index());
        for slot in &mut self.messages.slots {
            slot.offsets.push(slot.bytes.len() as u32);
        }
        Message(self)
    }
}

/// A message whose slots are being filled; a slot filled twice keeps the last value.
pub struct Message<'a, T, S>(&'a mut Messages<T, S>);

impl<T, S: Choice> Message<'_, T, S> {
    /// Fills a slot of kind `money`.
    pub fn money(self, slot: S, amount: Fen) -> Self {
        self.fill(slot, amount.0)
    }

    /// Fills a slot of kind `date`.
    pub fn date(self, slot: S, date: Date) -> Self {
        self.fill(slot, date.0)
    }

    /// Fills a slot of kind `number`.
    pub fn number(self, slot: S, number: impl Into<i64>) -> Self {
        self.fill(slot, number.into())
    }

    /// Fills a slot of kind `choice` or `entry` with the key of an approved value.
    pub fn key(self, slot: S, key: &str) -> Self {
        self.fill(slot, key)
    }

    fn fill(self, slot: S, value: impl Display) -> Self {
        let column = self.0.messages.slots.get_mut(usize::from(slot.index()));
        if let Some(Texts { offsets, bytes }) = column
            && let [.., start, end] = offsets.as_mut_slice()
        {
            bytes.truncate(*start as usize);
            bytes.extend_from_slice(value.to_string().as_bytes());
            *end = bytes.len() as u32;
        }
        self
    }
}
