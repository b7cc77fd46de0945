//! TCP connections: who talks to whom, and both byte streams put together.
