//! The embedded SQLite adapter of the ports.
