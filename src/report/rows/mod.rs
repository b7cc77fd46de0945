//! Rows of the packet list.

pub mod side;
