//! What an observer has seen, can infer, and cannot see of a session.
