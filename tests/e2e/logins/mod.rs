//! The way in, tried by who knows no password, by who says nothing, and by crowds of both, while somebody logs in.

mod crowds;
mod tickets;
mod words;
