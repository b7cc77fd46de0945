//! The view model: plain values that renderers print. The only types that are serialised.

pub mod rows;
