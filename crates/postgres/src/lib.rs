//! The PostgreSQL adapter of the ports.
